"""What follows from outcomes, and notices of delay, are answered on Redis as SQLite answers them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.store.redis.mail import Named, changed, mails, named, own, put
from tests.unit.store.redis.side import Sides, tables_of

IDS = st.integers(1, 9)
TIMES = st.integers(0, 5)
PERHAPS = st.none() | TIMES
MESSAGE, DELIVERY = st.integers(1, 2), st.integers(1, 3)
KIND = st.sampled_from(["bounce", "delayed", "cancelled"])

OUTBOX = tables_of(
    "outbox",
    8,
    id=IDS,
    kind=KIND,
    message=MESSAGE,
    delivery=DELIVERY,
    reply=st.sampled_from([None, "550 no"]),
    since=PERHAPS,
    report=st.none() | st.integers(7, 8),
    refused_by=st.none() | st.integers(1, 2),
    refused_at=PERHAPS,
    lost=st.integers(0, 1),
)
CHANGES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "add_outbox": (KIND, MESSAGE, DELIVERY, st.just("r"), st.none(), TIMES, st.just(b"\xff"), PERHAPS),
    "drop_outbox_of": (MESSAGE, DELIVERY),
    "drop_delay_of": (MESSAGE, DELIVERY),
    "hand_over": (st.integers(7, 8), IDS),
    "take_again": (st.integers(1, 2), TIMES, IDS),
    "give_up": (TIMES, IDS),
    "drop_outbox": (IDS,),
}
STEPS = st.lists(
    st.sampled_from(sorted(CHANGES)).flatmap(lambda name: st.tuples(st.just(name), st.tuples(*CHANGES[name]))),
    max_size=6,
)


def same_outbox(both: Sides) -> None:
    both.same("outbox.count_outbox")
    both.same("outbox.count_lost")
    for number in range(1, 10):
        both.same("outbox.get_outbox", (number,))
    for each in (1, 2, 7, 8):
        both.same("outbox.has_outbox", (each,))
        both.same("outbox.told_by", (each,))
    for most in (1, 3, 99):
        both.same("outbox.oldest_outbox", (0, most))
        both.same("outbox.oldest_outbox", (4, most))
        both.same("outbox.old_lost", (4, most))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(rows=OUTBOX, steps=STEPS)
def test_what_has_to_be_done_is_found_and_struck_out_the_same(rows, steps) -> None:
    both = Sides()
    both.put("outbox", *rows)
    same_outbox(both)
    for name, parameters in steps:
        both.wrote(f"outbox.{name}", parameters, tables=["outbox"])
        same_outbox(both)
    both.commit()
    same_outbox(both)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(mail=mails(), later=mails(2, first=200), states=st.lists(st.integers(0, 5), max_size=8))
def test_what_is_late_is_found_among_what_is_final(mail, later, states) -> None:
    both = Sides()
    named(both)
    put(both, mail)
    changed(both, mail, states)
    own(both, later)
    both.same("notices.newest_delivery")
    for after in (0, 3, 20, 40, 199, 250):
        both.same("notices.first_pending", (after, after + 5))
        both.same("notices.first_pending", (after, after + 2_000))
        for name in ("notices.is_pending", "outbox.late", "outbox.domain_of"):
            both.same(name, (after,))


def test_looking_for_what_is_late_harms_nobody_whose_mail_goes_out_meanwhile():
    both = Sides()
    message: Named = {"seq": 1, "id": "m1", "client": "c", "account": 1, "kind": 0, "accepted_at": 7, "size": 1}
    message |= {"recipients": 8, "segment": 0, "offset": 0, "length": 1, "is_dated": 0}
    message |= {"message_id_hash": b"12345678", "submitted_hash": b"s"}
    final: Named = {"message": 1, "account": 1, "lane": 0, "due": 0, "expires_at": 9, "tries": 0, "doubts": 0}
    final |= {"since": 1, "domain": b"d", "recipient_hash": b"h", "envelope": b"e"}
    both.put("messages", message)
    both.put("deliveries", *({**final, "id": number, "state": 2 if number < 8 else 0} for number in range(1, 9)))
    assert both.same("notices.first_pending", (0, 7)) == []
    assert both.same("notices.first_pending", (0, 2_000)) == [(8, 7)]
    assert not [table for table, _, _ in both.ledger.intended.reads() if table.endswith((":deliveries", ":messages"))]


def test_how_far_delays_were_looked_for_and_how_many_notices_an_account_had():
    both = Sides()
    both.same("notices.get_notices")
    for delivery in (5, 7):
        both.wrote("notices.set_notices", (delivery,), tables=["notices"])
        both.same("notices.get_notices")
    both.same("notices.get_noticed", (1,))
    for values in ((1, 10, 1), (2, 11, 1), (1, 12, 2)):
        both.wrote("notices.set_noticed", values, tables=["noticed"])
    both.commit()
    for account in (1, 2, 3):
        both.same("notices.get_noticed", (account,))
