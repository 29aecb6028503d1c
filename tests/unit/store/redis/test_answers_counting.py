"""What is counted behind the mail, and mail whose client was not told, is answered on Redis as SQLite answers it."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.store.engine.statements import load_statements
from relay.store.redis.answers import answer
from relay.store.redis.answers import traffic as answers
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.rowkeys import number_key
from tests.fakes.redisrows import RedisRows
from tests.unit.store.redis.mail import ACCOUNTS, MAILBOXES, attempts, changed, mails, named, own, put
from tests.unit.store.redis.side import Sides, statement, tables_of

Named = dict[str, Any]

FILES = ("concerns", "notices", "outbox", "recipients", "suppressions", "traffic", "unheard")
LEFT_OUT = {"unheard.last_moment"}
"""What SQLite alone has to ask: a node on Redis knows itself when its last life ended."""

FROM = (0, 1, 9, 25, 60, 199, 300)
MANY = (1, 3, 2_000)
DAYS = st.integers(0, 4)
TRAFFIC = tables_of("traffic", 14, account=st.integers(1, 6), day=DAYS)
TRAFFIC_CHANGES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "add_traffic": (st.integers(1, 6), DAYS, st.integers(1, 3)),
    "drop_traffic": (st.integers(1, 6), DAYS),
}
TRAFFIC_STEPS = st.lists(
    st.sampled_from(sorted(TRAFFIC_CHANGES)).flatmap(
        lambda name: st.tuples(st.just(name), st.tuples(*TRAFFIC_CHANGES[name]))
    ),
    max_size=6,
)


def test_all_that_is_asked_of_notices_and_counts_has_an_answer():
    names = {f"{file}.{name}" for file in FILES for name in load_statements(file)}
    assert names > LEFT_OUT
    assert all(answer(name) for name in names - LEFT_OUT)
    for name in LEFT_OUT:
        with pytest.raises(LookupError):
            answer(name)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    mail=mails(), later=mails(2, first=200), states=st.lists(st.integers(0, 5), max_size=8), unused=st.integers(0, 40)
)
def test_mail_is_counted_in_the_order_in_which_it_came_in(mail, later, states, unused) -> None:
    both = Sides()
    named(both)
    put(both, mail)
    changed(both, mail, states)
    own(both, later)
    both.redis.numbers[number_key("deliveries")] += unused
    for name in ("recipients.last_message", "traffic.newest_message", "unheard.newest_seq"):
        both.same(name)
    for first in FROM:
        both.same("recipients.message_from", (first,))
        both.same("recipients.domain_of", (first,))
        both.same("unheard.recipients_of", (first, first + 3))
        both.same("unheard.message_of", (f"m{first}",))
        for most in MANY:
            both.same("recipients.deliveries_from", (first, most))
            both.same("traffic.messages_after", (first, most))


def test_counting_harms_nobody_whose_mail_goes_out_meanwhile():
    both = Sides()
    named(both)
    put(both, [(MESSAGE, [DELIVERY])])
    assert both.same("recipients.deliveries_from", (1, 2_000))
    assert both.same("traffic.messages_after", (0, 2_000))
    assert not [table for table, _, _ in both.ledger.intended.reads() if table.endswith((":deliveries", ":messages"))]


MESSAGE = {
    "seq": 4, "id": "m4", "client": "c", "account": 1, "kind": 0, "accepted_at": 9, "size": 1, "recipients": 1,
    "segment": 0, "offset": 0, "length": 1, "message_id_hash": b"12345678", "submitted_hash": b"s", "is_dated": 0,
}  # fmt: skip
DELIVERY = {
    "id": 4, "message": 4, "account": 1, "lane": 0, "state": 0, "due": 0, "expires_at": 9, "tries": 0, "doubts": 0,
    "reason": None, "reply": None, "since": 1, "domain": b"d", "recipient_hash": b"h", "envelope": b"e",
}  # fmt: skip


@settings(max_examples=15, deadline=None, derandomize=True)
@given(rows=TRAFFIC, steps=TRAFFIC_STEPS)
def test_what_accounts_hand_in_by_the_day_is_counted_the_same(rows, steps) -> None:
    both = Sides()
    both.put("accounts", *({"id": number, "sender": f"a{number}@x"} for number in range(1, 7)))
    both.put("traffic", *rows)
    same_traffic(both)
    for name, parameters in steps:
        both.wrote(f"traffic.{name}", parameters, tables=["traffic"])
        same_traffic(both)
    both.commit()
    same_traffic(both)


def same_traffic(both: Sides) -> None:
    for account in range(8):
        both.same("traffic.days_of", (account, 2))
        for most in MANY:
            both.same("traffic.senders_after", (account, most))


def test_accounts_that_handed_in_something_are_found_however_many_lie_between(monkeypatch):
    monkeypatch.setattr(answers, "ACCOUNTS_AT_ONCE", 2)
    both = Sides()
    both.put("accounts", *({"id": number, "sender": f"a{number}@x"} for number in range(1, 12)))
    both.put("traffic", *({"account": number, "day": 3, "messages": 1} for number in (1, 9, 10)))
    both.own("traffic", {"account": 11, "day": 3, "messages": 1})
    assert both.same("traffic.senders_after", (0, 99)) == [(1,), (9,), (10,), (11,)]
    assert both.same("traffic.senders_after", (1, 2)) == [(9,), (10,)]


def test_how_far_was_counted_is_kept():
    both = Sides()
    both.same("traffic.counted")
    for value in ("7", "8"):
        both.wrote("traffic.set_counted", (value,), tables=["meta"])
    both.commit()
    assert both.same("traffic.counted") == [("8",)]


WARMUPS = tables_of("warmups", 2, mailbox=st.sampled_from(MAILBOXES))
WARMUP_CHANGES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "begin_warmup": (st.sampled_from(MAILBOXES), st.integers(5, 9), DAYS),
    "take_warmup": (st.sampled_from(MAILBOXES), st.sampled_from(MAILBOXES)),
    "drop_warmup": (st.sampled_from(MAILBOXES),),
    "set_warmup": (st.integers(0, 7), DAYS, st.sampled_from(MAILBOXES)),
}
WARMUP_STEPS = st.lists(
    st.sampled_from(sorted(WARMUP_CHANGES)).flatmap(
        lambda name: st.tuples(st.just(name), st.tuples(*WARMUP_CHANGES[name]))
    ),
    max_size=5,
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(rows=WARMUPS, steps=WARMUP_STEPS)
def test_mailboxes_that_are_new_are_known_the_same(rows, steps) -> None:
    both = Sides()
    named(both)
    both.put("warmups", *rows)
    for name, parameters in steps:
        both.wrote(f"traffic.{name}", parameters, tables=["warmups"])
        both.same("traffic.warmups")
    both.commit()
    both.same("traffic.warmups")


@settings(max_examples=15, deadline=None, derandomize=True)
@given(there=attempts(), own_ones=attempts(3))
def test_what_a_mailbox_met_is_what_counted(there, own_ones) -> None:
    both = Sides()
    named(both)
    both.put("attempts", *({**row, "counted": 1} for row in there))
    both.own("attempts", *({**row, "id": row["id"] + 50, "counted": 1} for row in own_ones))
    for mailbox in (*MAILBOXES, 3):
        both.same("traffic.was_used", (mailbox,))
        for span in ((0, 99), (3, 4), (4, 5), (5, 5)):
            both.same("traffic.classes_between", (mailbox, *span), is_ordered=False)


UNTIL = st.integers(0, 9)
UNHEARD_CHANGES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "remember_unheard": (UNTIL, st.sampled_from(["m1", "m2", "m3", "m9"])),
    "forget_unheard": (st.sampled_from(["m1", "m2", "m3", "m9"]),),
    "drop_unheard": (UNTIL,),
    "recall_unheard": (st.integers(5, 6), st.integers(0, 6), st.sampled_from([1, 3, 99]), st.integers(0, 8)),
}
UNHEARD_STEPS = st.lists(
    st.sampled_from(sorted(UNHEARD_CHANGES)).flatmap(
        lambda name: st.tuples(st.just(name), st.tuples(*UNHEARD_CHANGES[name]))
    ),
    max_size=5,
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(mail=mails(first=1), rows=tables_of("unheard", 3, message=st.integers(1, 9), until=UNTIL), steps=UNHEARD_STEPS)
def test_mail_whose_client_was_not_told_is_remembered_the_same(mail, rows, steps) -> None:
    both = Sides()
    named(both)
    put(both, mail)
    both.put("unheard", *rows)
    for name, parameters in steps:
        both.wrote(f"unheard.{name}", parameters, tables=["unheard"])
        both.same("unheard.unheard", is_ordered=False)
    for account in ACCOUNTS:
        both.same("unheard.message_of", (f"m{account}",))
    both.commit()
    both.same("unheard.unheard", is_ordered=False)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    mail=mails(first=1),
    rows=tables_of("unheard", 3, message=st.integers(1, 9), until=UNTIL),
    after=st.integers(0, 4),
    most=st.sampled_from([1, 3, 99]),
    since=st.integers(0, 6),
)
def test_after_a_crash_the_mail_that_came_just_before_it_is_in_doubt(mail, rows, after, most, since) -> None:
    both = Sides()
    put(both, mail)
    both.put("unheard", *rows)
    both.wrote("unheard.recall_unheard", (20, after, most, since), tables=["unheard"])
    both.commit()


def test_what_is_remembered_already_is_remembered_no_longer_after_a_crash():
    both = Sides()
    put(both, [(MESSAGE, [DELIVERY]), ({**MESSAGE, "seq": 5, "id": "m5"}, [{**DELIVERY, "id": 5, "message": 5}])])
    both.put("unheard", {"message": 4, "until": 11})
    assert both.wrote("unheard.recall_unheard", (20, 0, 99, 0), tables=["unheard"]) == 1


class Asked(RedisRows):
    """Counts what is asked of it."""

    many = 0

    def hmget(self, key: str, names: Sequence[str], /) -> list[bytes | None]:
        self.many += 1
        return super().hmget(key, names)

    def zrange(self, key: str, lo: float, hi: float, /, *, most: int, reverse: bool) -> list[tuple[bytes, float]]:
        self.many += 1
        return super().zrange(key, lo, hi, most=most, reverse=reverse)


def many_rows(number: int) -> Iterator[tuple[str, Named]]:
    """Old rows of all kinds; each is the `number`-th."""
    concern = {"id": number, "kind": "k", "about": "a", "opened_at": 1, "closed_at": 1, "words": 0, "detail": "{}"}
    telling = {"concern": number, "word": 0, "notice": "{}", "tries": 0, "done_at": 1}
    yield "accounts", {"id": number, "sender": f"a{number}@x"}
    yield "concerns", concern
    yield "tellings", {**telling, "id": number, "state": 1, "due_at": 1}
    yield "tellings", {**telling, "id": 1_000 + number, "word": 1, "state": 0, "due_at": 9}
    yield "suppressions", {
        "account": 1, "recipient_hash": b"%08d" % number, "kind": "unknown", "many": 1, "first_at": 1, "last_at": 1,
    }  # fmt: skip
    yield "unheard", {"message": 1_000 + number, "until": 1}
    yield "messages", {**MESSAGE, "seq": number, "id": f"m{number}"}
    yield "deliveries", {**DELIVERY, "id": number, "message": number}
    yield "traffic", {"account": 1, "day": number, "messages": 1}


@pytest.mark.parametrize(
    ("name", "parameters", "many"),
    [
        ("concerns.prune_concerns", (5, 500), 60),
        ("tellings.prune_tellings", (5, 500), 60),
        ("tellings.hurry_tellings", (5,), 60),
        ("suppressions.forget_unknown", (5,), 60),
        ("unheard.drop_unheard", (5,), 60),
        ("unheard.recall_unheard", (20, 0, 20_000, 0), 60),
        ("traffic.drop_traffic", (1, 500), 60),
    ],
)
def test_many_rows_are_asked_for_together(name, parameters, many):
    both = Sides()
    both.redis = Asked()
    for number in range(1, 61):
        for table, row in many_rows(number):
            both.put(table, row)
    both.redis.many, both.ledger = 0, RedisLedger(both.redis, answer)
    assert both.ledger.write(statement(name), parameters) == many
    assert both.redis.many <= 12
