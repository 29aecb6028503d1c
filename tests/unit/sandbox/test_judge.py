"""The judge finds the worst closed window, what was lost and what came twice, from the log alone."""

from hypothesis import given
from hypothesis import strategies as st

from relay.sandbox import judge
from relay.sandbox.journal import Record
from relay.sandbox.settings import CountAt
from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of


def line(event: str, m: float = 0.0, **more: object) -> Record:
    empty = dict.fromkeys(("stage", "user", "from", "rcpt", "size", "reply", "id"))
    return {"t": m, "m": m, "event": event, "session": 1, **empty, **more}  # type: ignore[typeddict-item]


def taken(message_id: str, rcpt: str, m: float = 0.0) -> Record:
    return line("delivered", m, id=message_id, rcpt=rcpt, user="mario")


def test_a_window_is_closed_at_both_ends() -> None:
    assert judge.worst_window([0.0, 1.0], 1.0) == 2
    assert judge.worst_window([0.0, 1.0001], 1.0) == 1
    assert judge.worst_window([], 1.0) == 0


@given(instants=st.lists(st.integers(0, 50).map(float), max_size=40).map(sorted), width=st.integers(1, 20))
def test_the_worst_window_is_what_counting_every_window_gives(instants: list[float], width: int) -> None:
    slow = max((sum(start <= other <= start + width for other in instants) for start in instants), default=0)
    assert judge.worst_window(instants, float(width)) == slow


def test_what_was_tried_and_refused_counts_at_mail(world: FakeWorld) -> None:
    peer = Peer(provider_of(world, limits=("2/1s",)))
    peer.login()
    for _ in range(3):
        peer.mail()
    sent = judge.sent(peer.provider.journal.records)
    assert judge.worst_windows(sent, 1.0) == {"mario": 3}


def test_recipients_of_one_message_count_each(world: FakeWorld) -> None:
    peer = Peer(provider_of(world))
    peer.login()
    peer.codes("MAIL FROM:<a@x>", "RCPT TO:<1@x>", "RCPT TO:<2@x>", "RSET", "MAIL FROM:<a@x>", "RCPT TO:<1@x>", "DATA")
    peer.send(b"x\r\n.\r\n")
    records = peer.provider.journal.records
    assert [len(judge.sent(records, at=at)["mario"]) for at in CountAt] == [3, 3, 1]


def test_users_are_judged_apart_and_together() -> None:
    log = [line("mail", m, stage="mail", user=user) for m, user in ((3.0, "b"), (0.0, "a"), (1.0, "a"), (1.5, "b"))]
    sent = judge.sent(log)
    assert sent == {"a": [0.0, 1.0], "b": [1.5, 3.0]}
    assert judge.worst_windows(sent, 1.0) == {"a": 2, "b": 1}
    assert judge.worst_total(sent, 1.0) == 2
    assert judge.worst_total(sent, 1.5) == 3


def test_lost_and_doubled_are_told_by_message_id_and_recipient() -> None:
    log = [taken("<1>", "a"), taken("<1>", "b"), taken("<2>", "a"), taken("<2>", "a"), line("refused", id="<3>")]
    assert judge.lost(log, [("<1>", "a"), ("<1>", "c"), ("<3>", "a")]) == {("<1>", "c"), ("<3>", "a")}
    assert judge.lost_ids(log, ["<1>", "<2>", "<3>"]) == {"<3>"}
    assert judge.doubled(log) == {("<2>", "a"): 2}


def test_logins_are_counted_with_and_without_the_good_ones() -> None:
    log = [line("auth", m, user="mario", reply=reply) for m, reply in ((1, "535 no"), (2, "235 ok"), (3, "535 no"))]
    assert judge.logins(log) == {"mario": [1, 2, 3]}
    assert judge.logins(log, refused_only=True) == {"mario": [1, 3]}


def test_sessions_at_once_are_counted_from_login_to_disconnect() -> None:
    def of(session: int, event: str, *, user: str = "mario", reply: str | None = None) -> Record:
        record = line(event, user=user, reply=reply)
        record["session"] = session
        return record

    log = [
        of(1, "auth", reply="235"),
        of(2, "auth", reply="535"),
        of(3, "auth", reply="235"),
        of(1, "disconnect"),
        of(2, "disconnect"),
        of(4, "auth", reply="235"),
        of(5, "auth", reply="235", user="anna"),
    ]
    assert judge.most_sessions(log) == {"mario": 2, "anna": 1}
