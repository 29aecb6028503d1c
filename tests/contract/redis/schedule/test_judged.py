"""An operation that is judged in Python sees its own changes, and what it notes does the same to the server."""

from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest

from relay.core.limits import HOUR, MINUTE, Limit
from relay.core.schedule import Schedule
from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.witnesses import Told
from relay.core.words import Lane
from relay.store.redis.schedule import RedisSchedule
from tests.contract.redis.schedule.place import BOTH, GONE, MAILBOXES, PROVIDERS, ROME, Place
from tests.contract.redis.schedule.player import player_of
from tests.contract.redis.schedule.reading import Noted, compare_reading, read, told
from tests.contract.redis.schedule.twins import Twins
from tests.fakes.redisservers import Server, binary, server

A, B, C, KIN, D = MAILBOXES
TERMS = MailboxTerms((Limit(9, HOUR), Limit(20, 0)), connections=2)
HOST = ProviderTerms((Limit(30, HOUR),), zone=ROME)
EDITED = MailboxTerms((Limit(1, HOUR),), weight=3)

Deed = Callable[[Schedule, Place], Any]


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with server(binary("redis-7"), is_durable=False) as found:
        yield found


@pytest.fixture
def twins(started: Server) -> Twins:
    place = Place(terms=dict.fromkeys(MAILBOXES, TERMS), provider=dict.fromkeys(PROVIDERS, HOST), kinship=BOTH)
    twins = Twins(player_of(started), place)
    for mailbox in (A, B, KIN):
        for account, lane in enumerate(Lane):
            twins.mail_comes(mailbox, account, lane, 4)
    twins.a_node_works(50, 2, 0)
    twins.take(1, 50)
    for mailbox in (A, D):
        twins.one_wants_a_session_by_hand(mailbox)
        twins.something_is_seen_of_a_mailbox(mailbox, "accuse")
    twins.a_login_ends(next(each for each in twins.place.logging_in() if each.mailbox == D), "refused")
    return twins


def edits_a_mailbox(schedule: Schedule, place: Place) -> None:
    place.terms[A] = EDITED
    schedule.reload(A, place.now)


def edits_a_provider(schedule: Schedule, place: Place) -> None:
    place.provider["p"] = ProviderTerms((Limit(2, HOUR),), 1, zone=ROME)
    schedule.reload_provider("p", place.now)


DEEDS: dict[str, Deed] = {
    "standing": lambda s, p: s.set_standing(A, p.standings.setdefault(A, Standing(True, p.now + HOUR)), p.now),
    "slow": lambda s, p: s.set_standing(B, p.standings.setdefault(B, Standing(slow=4)), p.now),
    "host": lambda s, p: s.set_provider_standing("p", p.provider_standings.setdefault("p", Standing(True, p.now + 9))),
    "crowded": lambda s, p: s.crowded(A, p.now + MINUTE, p.now, is_provider=False),
    "all crowded": lambda s, p: s.crowded(A, p.now + MINUTE, p.now, is_provider=True),
    "reserved": lambda s, p: s.reserve_session(B, p.now),
    "opened": lambda s, p: s.session_opened(A, p.now),
    "refused": lambda s, p: s.session_refused(A, p.now, is_login_sent=True, is_refusal=True),
    "unsent": lambda s, p: s.session_refused(A, p.now, is_login_sent=False),
    "lost": lambda s, p: s.session_refused(A, p.now, is_login_sent=True, ends_at=p.now + MINUTE),
    "closed": lambda s, p: s.session_closed(B, p.now),
    "gone with its node": lambda s, p: s.resume_sessions(A, p.now, sessions=-2, opening=-1),
    "accused": lambda s, p: s.accuse("p", [B, C]),
    "dropped": lambda s, p: s.blame_drops("p", [A, B]),
    "went through": lambda s, p: s.clear(A, p.now),
    "told": lambda s, p: s.host("p").witnesses.tell(B, Told(p.now, is_at_login=True)),
    "broken": lambda s, p: s.host("p").witnesses.break_line(B, p.now),
    "edited": edits_a_mailbox,
    "host edited": edits_a_provider,
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_noted_does_the_same_to_the_server(twins: Twins, deed: str) -> None:
    noted: Noted = []
    seen = read(twins, noted)
    DEEDS[deed](seen, twins.place)
    own = {mailbox: told(seen.look(mailbox), twins.place.now) for mailbox in MAILBOXES}
    DEEDS[deed](twins.core, twins.place)
    run(twins, noted)
    twins.compare()
    for mailbox in (A, B, C, D):
        assert own[mailbox] == told(read(twins).look(mailbox), twins.place.now), mailbox
    compare_reading(twins)


def run(twins: Twins, noted: Noted) -> None:
    """As act.lua does, from what MessagePack carries."""
    assert noted
    for name, args in msgpack.unpackb(msgpack.packb(noted)):
        twins.player.call(name, twins.place.now, *args)


def test_deliveries_come_go_and_follow_their_account(twins: Twins) -> None:
    place, now = twins.place, twins.place.now
    noted: Noted = []
    seen = read(twins, noted)
    ids = place.new_deliveries(3)
    seen.add_deliveries(D, "x@d", Lane.BULK, ids, now)
    seen.remove_delivery(D, "x@d", Lane.BULK, ids[1], now)
    assert seen.ready_of(D, "x@d") == (0, 2)
    seen.follow_account("x@d", D, C, now)
    assert (seen.ready_of(D, "x@d"), seen.ready_of(C, "x@d")) == ((0, 0), (0, 2))
    run(twins, noted)
    twins.core.add_ready(D, "x@d", Lane.BULK, now, 3)
    twins.core.remove_ready(D, "x@d", Lane.BULK, now)
    twins.core.move_account("x@d", D, C, now)
    twins.compare()
    assert read(twins).ready_of(C, "x@d") == (0, 2)


def test_mail_that_goes_nowhere_waits_by_itself_and_comes_back(twins: Twins) -> None:
    place, noted = twins.place, Noted()
    seen = read(twins, noted)
    seen.add_deliveries(None, "lost@d", Lane.EXPRESS, place.new_deliveries(2), place.now)
    run(twins, noted)
    assert read(twins).waiting_of(None, "lost@d") == (2, 0)
    noted = Noted()
    seen = read(twins, noted)
    seen.follow_account("lost@d", None, D, place.now)
    assert seen.ready_of(D, "lost@d") == (2, 0)
    run(twins, noted)
    assert (read(twins).waiting_of(None, "lost@d"), read(twins).ready_of(D, "lost@d")) == ((0, 0), (2, 0))


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_trial_begins_and_ends_by_its_number(twins: Twins, is_sent: bool) -> None:
    place, noted = twins.place, Noted()
    seen, at = read(twins, noted), twins.place.now if is_sent else None
    seen.begin_trial(D, 900, place.now)
    assert seen.look(D).ledger.in_flight == 1
    seen.end_attempt(D, 900, place.now, at=at, now=place.now)
    assert seen.look(D).ledger.in_flight == 0
    run(twins, noted)
    twins.core.start_trial(D, place.now)
    twins.core.end(D, place.now, at, place.now)
    twins.compare()
    compare_reading(twins)


def test_an_attempt_ends_by_its_number(twins: Twins) -> None:
    place, noted = twins.place, Noted()
    run_ = place.running()[0]
    seen = read(twins, noted)
    seen.end_attempt(run_.mailbox, int(run_.name), run_.started, at=place.now, now=place.now)
    run(twins, noted)
    run_.ended = place.now
    twins.core.end(run_.mailbox, run_.started, place.now, place.now)
    twins.compare()
    compare_reading(twins)


def test_entries_turn_out_to_be_kin(twins: Twins) -> None:
    noted = Noted()
    read(twins, noted).set_kinship(GONE, twins.place.now)
    twins.place.kinship = GONE
    twins.core.set_kinship(GONE, twins.place.now)
    run(twins, noted)
    compare_reading(twins)


def test_logins_of_a_node_that_died_end_and_may_have_been_refused(twins: Twins) -> None:
    place, noted = twins.place, Noted()
    seen = read(twins, noted)
    seen.end_logins(A, place.now + MINUTE, is_refusal=True)
    run(twins, noted)
    for line in (seen.look(A), read(twins).look(A)):
        assert (line.logins.in_flight, line.refusals.used(place.now)) == (0, 1)
        assert line.refusals.opens_at(place.now) == place.now


def test_refusals_that_were_no_matter_of_the_password_do_not_count(twins: Twins) -> None:
    place, noted = twins.place, Noted()
    seen = read(twins, noted)
    assert seen.look(D).refusals.used(place.now) == 1
    seen.acquit_logins(D, place.now - HOUR)
    run(twins, noted)
    for line in (seen.look(D), read(twins).look(D)):
        assert (line.refusals.used(place.now), line.logins.used(place.now)) == (0, 1)


def test_what_would_change_nothing_on_the_server_is_refused(twins: Twins) -> None:
    seen, now = read(twins), twins.place.now
    for change in (
        lambda: seen.grant(now, {A: 1}, 1),
        lambda: seen.open_sessions(now, 1),
        lambda: seen.add_ready(A, "x", Lane.BULK, now),
        lambda: seen.remove_ready(A, "x", Lane.BULK, now),
        lambda: seen.move_account("x", A, B, now),
        lambda: seen.start_trial(A, now),
        lambda: seen.end(A, now, now, now),
    ):
        with pytest.raises(TypeError):
            change()


def test_nothing_is_read_twice(twins: Twins) -> None:
    """What is asked again in an operation is answered from memory."""
    asked = list[str]()

    def counting(name: str, args: Any) -> Any:
        asked.append(name)
        return twins.player.read(name, args)

    seen = RedisSchedule(twins.place, counting, lambda name, args: None)
    for _ in range(3):
        seen.look(A)
        seen.host("p")
    assert asked == ["schedule_look", "schedule_host"]
