"""What pages, metrics and forecasts ask is answered on Redis as SQLite answers it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.store.redis import dense
from relay.store.redis.answers import keys as keys_answers
from relay.store.redis.answers import reading as reading_answers
from tests.unit.store.redis.mail import ACCOUNTS, HASHES, MAILBOXES, attempts, changed, mails, named, own, put
from tests.unit.store.redis.side import Sides

BEFORE = (0, 7, 25, 1 << 62)
MANY = (1, 3, 200)
STATES = st.lists(st.integers(0, 5), max_size=8)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(mail=mails(), later=mails(2, first=200), states=STATES, most=st.sampled_from(MANY))
def test_messages_and_deliveries_are_found_where_they_are(mail, later, states, most) -> None:
    both = Sides()
    named(both)
    put(both, mail)
    changed(both, mail, states)
    own(both, later)
    middle = mail[len(mail) // 2][0]["seq"] if mail else 1
    for before in (*BEFORE, middle):
        about_messages(both, before, most)
        about_deliveries(both, before, most)
    for name in ("reading.newest_delivery", "keys.newest_delivery", "particulars.newest_seq"):
        both.same(name)
    both.commit()
    both.same("reading.newest_delivery")


def about_messages(both: Sides, before: int, most: int) -> None:
    both.same("reading.newest_messages", (before, most))
    for account in ACCOUNTS:
        both.same("reading.messages_of_account", (account, before, most))
        both.same("particulars.last_sent", (account, before, most))
        both.same("particulars.sent_since", (account, before % 300, most))
    for each in HASHES:
        both.same("reading.messages_of_id", (each, before, most))
    both.same("particulars.first_from", (before % 300,))
    both.same("reading.seq_of", (f"m{before}",))
    both.same("reading.message_at", (before,))
    both.same("history.accepted_at", (before,))


def about_deliveries(both: Sides, before: int, most: int) -> None:
    for account in ACCOUNTS:
        for part in (0, 1):
            both.same("reading.ready_before", (account, part, before, most))
            both.same("reading.stalled_before", (account, part, before, most))
            both.same("reading.newer_ready", (account, part, before % 300, most))
            both.same("reading.older_ready", (account, part, before % 300, most))
            both.same("reading.first_held", (account, part))
            both.same("reading.newest_ready", (account, part))
        both.same("reading.last_due", (account,))
        both.same("history.oldest_of", (account,) * 3)
    both.same("reading.newest_ready", (None, 0))
    both.same("reading.failed_before", (before, most))
    both.same("reading.deliveries_between", (before // 2, before))
    both.same("reading.deliveries_of", (before, before + 3))
    both.same("keys.mail_until", (before,))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rows=attempts(), mine=attempts(4), most=st.sampled_from(MANY), since=st.integers(2, 10))
def test_what_a_mailbox_tried_last_is_found(rows, mine, most, since) -> None:
    both = Sides()
    named(both)
    both.put("attempts", *rows)
    both.own("attempts", *({**row, "id": row["id"] + 100} for row in mine))
    for mailbox in (*MAILBOXES, 9):
        both.same("reading.last_latencies", (mailbox, most))
        both.same("particulars.last_said", (mailbox, most))
        both.same("reading.was_active", (mailbox, since))
    for delivery in (1, 2, 9):
        both.same("reading.attempts_of", (delivery, most))
    for key in (b"key1 ", b"key2 ", b"key3 "):
        both.same("keys.said_under", (key,))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(mail=mails(most=8), rows=attempts(9))
def test_pages_end_where_they_should(mail, rows) -> None:
    both = Sides()
    named(both)
    put(both, mail)
    both.put("attempts", *rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_answers, "PAGE", 2)
        patch.setattr(keys_answers, "PAGE", 2)
        for account in ACCOUNTS:
            both.same("reading.last_due", (account,))
        for key in (b"key1 ", b"key2 ", b"key3 "):
            both.same("keys.said_under", (key,))


def test_nobody_looks_below_what_pruning_left() -> None:
    both = Sides()
    message = {"id": "m", "client": "c", "account": 1, "kind": 0, "accepted_at": 1, "size": 1, "recipients": 1,
               "segment": 0, "offset": 0, "length": 0, "message_id_hash": b"h", "submitted_hash": b"s"}  # fmt: skip
    delivery = {"account": 1, "lane": 0, "state": 2, "due": 0, "expires_at": 1, "since": 1, "domain": b"d",
                "recipient_hash": b"r"}  # fmt: skip
    last = 50_000_000
    both.put("messages", {"seq": last, **message})
    both.put("deliveries", {"id": last, "message": last, **delivery})
    dense.raise_floor(both.ledger, "messages", last)
    both.same("reading.newest_messages", (1 << 62, 200))
    both.same("particulars.first_from", (1,))
    both.same("keys.mail_until", (last,))
    dense.raise_floor(both.ledger, "messages", 3)
    assert dense.floor(both.ledger, "deliveries") == last, "a floor never sinks"
