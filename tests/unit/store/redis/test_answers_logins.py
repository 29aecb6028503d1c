"""Logins on Redis: those under way are in the schedule's set alone, and each has its row when it is over."""

from relay.store.engine.statements import load_statements
from tests.unit.store.redis.side import Sides

LIMITS = load_statements("limits")
WAITING = "relay:{p}:logins:a@p"


def sides(*under_way):
    """A mailbox with logins under way, each by its order and its start."""
    both = Sides()
    both.put("mailboxes", *({"id": n, "provider": "p", "username": name} for n, name in enumerate(("a@p", "b@p"), 1)))
    both.put("logins", *({"id": order, "mailbox": 1, "started_at": at} for order, at in under_way))
    return both


def ended(both, order=None):
    rows = both.ledger.all_rows("logins")
    return sorted(row[0] for row in rows) if order is None else next(row for row in rows if row[0] == f"1.{order}")


def test_an_operation_ends_the_oldest_login_and_then_the_next_one():
    both = sides((1, 10), (2, 20))
    assert both.wrote("limits.end_login", (50, 1), tables=["logins"]) == 1
    assert both.wrote("limits.refuse_login", (51, "auth-rejected", b"\xff", True, 1), tables=["logins"]) == 1
    assert both.wrote("limits.end_login", (52, 1), tables=["logins"]) == 0
    assert ended(both, 1) == ["1.1", 1, 10, 50, None, None, 0]
    assert ended(both, 2) == ["1.2", 1, 20, 51, "auth-rejected", b"\xff", 1]


def test_one_that_was_never_tried_leaves_no_row_and_is_not_ended_after_that():
    both = sides((1, 10), (2, 20))
    both.wrote("limits.drop_login", (1,), tables=["logins"])
    both.wrote("limits.end_login", (50, 1), tables=["logins"])
    both.same("limits.logins_since", (1, 0))
    both.commit()
    assert ended(both) == ["1.2"]


def test_of_those_that_began_at_one_instant_it_ends_the_one_that_the_schedule_takes_out():
    both = sides((9, 10), (10, 10))
    first = both.redis.zrange(WAITING, 0, 99, most=1, reverse=False)[0][0].decode()
    both.ledger.write(LIMITS["end_login"], (50, 1))
    assert ended(both) == [f"1.{first}"]


def test_ends_change_no_set_by_themselves_for_the_schedule_is_told_of_each():
    both = sides((1, 10), (2, 20))
    both.ledger.write(LIMITS["end_login"], (50, 1))
    both.ledger.write(LIMITS["begin_login"], (1, 60))
    both.ledger.write(LIMITS["end_logins_of"], (50, True, 1))
    assert both.ledger.intended.verbs == []
    both.redis.commit(both.ledger)
    assert both.redis.sorted_sets[WAITING] == {"1": 10, "2": 20}


def test_refusals_that_were_no_matter_of_the_password_are_taken_from_the_schedule_too():
    both = sides()
    refused = {"mailbox": 1, "started_at": 1, "class": "auth-rejected", "refused": 1}
    both.put("logins", {"id": 1, "ended_at": 49, **refused}, {"id": 2, "ended_at": 50, **refused})
    assert both.wrote("about.acquit_logins", (1, 50), tables=["logins"]) == 1
    assert both.ledger.intended.verbs == [["schedule.acquit_logins", ["p", "a@p", 50]]]
    both.same("limits.refusals_since", (1, 0))


def test_logins_that_a_dead_process_left_end_all_at_once():
    both = sides((1, 10), (2, 20))
    assert both.wrote("limits.end_logins_of", (70, True, 1), tables=["logins"]) == 2
    assert both.wrote("limits.end_logins_of", (70, True, 2), tables=["logins"]) == 0
    assert both.same("limits.mailboxes_logging_in") == []


def test_who_logged_in_last_is_told_from_who_did_before():
    both = sides((1, 10))
    both.put("logins", {"id": 2, "mailbox": 2, "started_at": 30, "ended_at": 31})
    last = {number: both.ledger.read_one(LIMITS["last_login"], (number,)) for number in (1, 2, 3)}
    assert last == {1: (10,), 2: (30,), 3: (None,)}


def test_a_login_worked_up_to_the_instant_itself():
    both = sides()
    both.put("logins", {"id": 1, "mailbox": 1, "started_at": 1, "ended_at": 50})
    assert both.same("about.last_worked", (1, 50)) == [(50,)]
    assert both.same("about.last_worked", (1, 49)) == [(None,)]
