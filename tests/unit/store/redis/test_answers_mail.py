"""Deliveries and attempts on Redis: who may be sent next, who was refused, and what an operation sees of others."""

import pytest

from relay.store.engine.statements import load_statements
from relay.store.redis.answers.past import STEP, attempts_since
from relay.store.redis.tables import TABLES
from tests.unit.store.redis.side import Sides

QUEUE = load_statements("queue")
ANNA, BERTA = b"\xffanna", b"\xffberta"


def delivery(number, **changed):
    return {
        "id": number, "message": number, "account": 1, "lane": 0, "state": 0, "due": 0, "expires_at": 99, "tries": 0,
        "doubts": 0, "since": 1, "domain": b"d", "recipient_hash": ANNA, "envelope": b"e", **changed,
    }  # fmt: skip


def attempt(number, **changed):
    return {
        "id": number, "delivery": number, "mailbox": 1, "node": "n", "started_at": 10, "ended_at": 20, "counted": 1,
        "stage": "eod", "class": "network", **changed,
    }  # fmt: skip


def sides(*deliveries, kind=0):
    both = Sides()
    both.put("mailboxes", {"id": 1, "provider": "p", "username": "a@p"})
    both.put("accounts", {"id": 1, "sender": "a@x"})
    for row in deliveries:
        seq = row["id"]
        both.put("messages", {
            "seq": seq, "id": f"m{seq}", "client": "c", "account": 1, "kind": kind, "accepted_at": 1, "size": 1,
            "recipients": 1, "segment": 0, "offset": 0, "length": 1, "message_id_hash": b"h" * 16,
            "submitted_hash": b"h", "is_dated": 0,
        })  # fmt: skip
    both.put("deliveries", *deliveries)
    return both


def test_what_a_lost_attempt_is_for_is_not_sent_a_second_time_meanwhile():
    both = sides(delivery(1), delivery(2))
    lost = {"attempt": 7, "delivery": 1, "mailbox": 1, "node": "n", "started_at": 1, "is_probe": 0, "is_lost": 1}
    both.put("claims", lost)
    assert [row[0] for row in both.same("entries.ready_entries", (1, 0, 9))] == [2]
    assert both.same("probing.next_probe", (1, 0, 2, 1, 0)) == [(2,)]
    assert [row[0] for row in both.same("entries.expired_entries", (99, 1))] == [2]


def test_the_next_probe_is_found_behind_any_number_of_those_that_were_refused():
    both = sides(*(delivery(number) for number in range(1, STEP + 3)), delivery(STEP + 3, recipient_hash=BERTA))
    both.put("attempts", attempt(1, likeness=b"\xff" * 8))
    assert both.same("probing.next_probe", (1, 0, 0, 1, 0)) == [(STEP + 3,)]
    assert both.same("probing.next_probe", (1, 0, 0, 1, 21)) == [(1,)]


def test_a_mail_to_somebody_else_shows_something_if_it_began_after():
    both = sides(delivery(1, recipient_hash=BERTA))
    both.put("attempts", attempt(1, **{"class": "delivered"}))
    assert both.same("probing.others_delivered", (1, 10, ANNA)) == [(1,)]
    assert both.same("probing.others_delivered", (1, 11, ANNA)) == []
    assert both.same("probing.others_delivered", (1, 10, BERTA)) == []


def test_what_is_taken_back_is_bounces_alone():
    both = sides(delivery(1, state=3, envelope=None))
    both.put("attempts", attempt(1, likeness=b"\xff" * 8))
    told = {"message": 1, "delivery": 1, "reason": "x", "at": 1, "envelope": b"e", "lost": 0}
    both.put("outbox", {"id": 1, "kind": "relayed", **told}, {"id": 2, "kind": "bounce", **told})
    assert [row[0] for row in both.same("guard.untold_bounces", (1, 0, b"\xff" * 8))] == [2]


def test_an_attempt_that_ended_in_this_operation_counts_with_those_before_it():
    both = sides(delivery(1), delivery(2))
    both.put("attempts", attempt(1))
    ended = (2, 2, 1, "n", 15, None, 25, True, "eod", "network", None, None, None)
    both.wrote("queue.add_attempt", ended, tables=["attempts"])
    assert [row["id"] for row in attempts_since(both.ledger, 1, 0)] == [1, 2]
    assert both.same("about.broken_since", (1, 0)) == [(1,), (2,)]


def test_what_another_node_changes_of_the_past_makes_no_operation_stale():
    both = sides(delivery(1), delivery(2))
    both.put("attempts", attempt(1, likeness=b"\xff" * 8))
    for name, values in (
        ("guard.refusals_like", (1, 0, b"\xff" * 8)), ("entries.ready_entries", (1, 0, 9)), ("queue.count_ready", ()),
    ):  # fmt: skip
        both.same(name, values)
    both.redis.hashes["relay:{relay}:t:deliveries"].clear()
    both.ledger.write(QUEUE["set_lease"], ("n", 5))
    both.redis.commit(both.ledger)


def test_a_delivery_that_is_to_be_moved_has_to_stay_as_it_was_read():
    both = sides(delivery(1))
    both.same("entries.one_entry", (1,))
    assert ["relay:{relay}:t:deliveries", "1"] in [each[:2] for each in both.ledger.intended.reads()]


def claim(number, **changed):
    return {
        "attempt": number, "delivery": number, "mailbox": 1, "node": "n", "started_at": 10, "is_probe": 0, "is_lost": 0,
        **changed,
    }  # fmt: skip


def test_who_looks_at_all_attempts_is_not_in_the_way_of_those_that_go_on():
    both = sides(delivery(1), delivery(2))
    both.put("claims", claim(1), claim(2))
    both.ledger.glance_all("claims")
    both.ledger.drop("claims", 1)
    both.put("claims", claim(2, gated_at=20))
    both.redis.commit(both.ledger)


def test_an_attempt_that_is_ended_has_to_be_as_it_was_seen_among_all():
    both = sides(delivery(1))
    both.put("claims", claim(1))
    both.ledger.glance_all("claims")
    both.redis.hashes["relay:{relay}:t:claims"]["1"] = TABLES["claims"].pack([1, 1, 1, "n", 10, 20, 0, None, 0])
    both.ledger.drop("claims", 1)
    with pytest.raises(AssertionError, match="is stale"):
        both.redis.commit(both.ledger)


def test_what_no_attempt_holds_is_not_taken_before_the_commit():
    both = sides(delivery(1))
    assert both.ledger.firm_group("claims", "holders", 1) == []
    both.redis.hashes["relay:{relay}:g:claims:holders"]["1"] = b"7"
    both.ledger.change("deliveries", 1, state=3)
    with pytest.raises(AssertionError, match="is stale"):
        both.redis.commit(both.ledger)


def test_a_row_that_is_left_is_as_if_nothing_had_been_written():
    both = sides(delivery(1))
    both.put("claims", claim(1))
    both.ledger.change("claims", 1, delivery=2)
    assert both.ledger.group("claims", "holders", 2) == [1]
    both.ledger.leave("claims", 1)
    assert both.ledger.group("claims", "holders", 1) == [1]
    assert both.ledger.group("claims", "holders", 2) == []
    assert not both.ledger.intended.is_any


def test_the_same_message_is_taken_in_once():
    both = sides(delivery(1))
    again = (2, "m1", "c", 1, 0, 1, 1, 1, 0, 0, 1, b"h" * 16, b"h", 0)
    assert both.wrote("queue.add_message", again, tables=["messages"]) == 0


def test_a_refusal_counts_since_it_is_the_same_reason_alone():
    both = sides(delivery(1))
    for number, met in enumerate(("quota", "network", "quota", "quota"), 1):
        both.put("attempts", attempt(number, delivery=1, ended_at=number * 10, **{"class": met}))
    assert both.same("queue.first_refusal", (1, "quota")) == [(30,)]
    assert both.same("queue.first_refusal", (1, "network")) == [(None,)]


def test_what_no_limit_counts_any_more_was_tried_all_the_same():
    both = sides(delivery(1))
    both.put("attempts", attempt(1, likeness=b"\xff" * 8))
    both.redis.sorted_sets["relay:{p}:ends:a@p"].clear()
    assert both.same("traffic.was_used", (1,)) == [(1,)]
    assert both.same("guard.refusals_like", (1, 0, b"\xff" * 8)) == [(ANNA, 20)]
