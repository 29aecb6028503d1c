"""The bench itself: it sees what an operation wrote, what it committed, and where two sides differ."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from relay.store.engine.statements import load_statements
from relay.store.redis.answers import answer
from tests.unit.store.redis.side import Sides

STORE = Path(str(files("relay.store")))
LOADS = re.compile(r'load_statements\("([a-z]+)"\)')

NUMBERS = {"store.add_account", "store.add_mailbox"}
"""Numbers are given by a script of their own, at once and to all nodes."""

RIDDLE = {"provider": "p", "stage": "rcpt", "code": 550, "text": "what", "many": 1, "first_at": 1, "last_at": 1}


def sides(*secrets):
    found = Sides()
    found.put("secrets", *({"name": name, "sealed": b"1", "changed_at": 1} for name in secrets))
    return found


def test_what_an_operation_writes_is_there_for_it_and_for_others_once_it_is_committed():
    both = sides("a")
    both.own("secrets", {"name": "b", "sealed": b"\xff", "changed_at": 2})
    both.drop("secrets", "a")
    both.same_rows("secrets")
    assert both.redis.hlen("relay:{relay}:t:secrets") == 1
    both.commit()
    assert both.ledger.all_rows("secrets") == [["b", b"\xff", 2]]


def test_indexes_and_groups_are_written_with_their_rows():
    both = sides()
    both.put("routed_accounts", {"id": 1, "sender": "a@x", "body": b""})
    both.own("routed_accounts", {"id": 1, "sender": "b@x", "body": b""}, {"id": 2, "sender": "a@x", "body": b""})
    both.put("riddles", RIDDLE)
    both.own("riddles", {**RIDDLE, "last_at": 7})
    assert both.ledger.group("routed_accounts", "senders", "a@x") == [2]
    both.commit()
    assert both.ledger.group("routed_accounts", "senders", "b@x") == [1]


def test_rows_that_differ_are_found_out():
    both = sides("a")
    both.redis.hashes["relay:{relay}:t:secrets"].clear()
    with pytest.raises(AssertionError, match="secrets"):
        both.same_rows("secrets")


def test_a_place_in_an_index_without_a_row_is_found_out():
    both = sides()
    both.put("riddles", RIDDLE)
    both.own("riddles", {**RIDDLE, "many": 2})
    both.redis.sorted_sets["relay:{relay}:i:riddles:all"]["stray"] = 3
    with pytest.raises(AssertionError):
        both.commit()


def test_a_row_that_another_changed_meanwhile_is_stale():
    both = sides("a")
    both.own("secrets", {"name": "a", "sealed": b"2", "changed_at": 2})
    both.redis.hashes["relay:{relay}:t:secrets"]["a"] = b"other"
    with pytest.raises(AssertionError, match="stale"):
        both.redis.commit(both.ledger)


def test_a_glance_reads_what_this_operation_wrote_and_holds_nobody_to_the_rest():
    both = sides("a", "b", "c")
    both.own("secrets", {"name": "a", "sealed": b"2", "changed_at": 2})
    both.drop("secrets", "b")
    assert [row["changed_at"] for row in both.ledger.glance("secrets", ["a", "b", "c", "d"])] == [2, 1]
    assert sorted(row["name"] for row in both.ledger.glance_all("secrets")) == ["a", "c"]
    both.redis.hashes["relay:{relay}:t:secrets"]["c"] = b"other"
    both.redis.commit(both.ledger)


@pytest.mark.parametrize("name", ["nothing.at_all", "answers.answer", "answer", "a/b.c", "."])
def test_a_statement_that_nobody_answers_is_named(name):
    with pytest.raises(LookupError, match=r"answers? "):
        answer(name)


def test_whatever_the_engine_asks_has_an_answer():
    asked = {
        statement.name
        for text in [path.read_text() for room in ("engine", "redis") for path in (STORE / room).glob("*.py")]
        for file in LOADS.findall(text)
        for short, statement in load_statements(file).items()
        if f'"{short}"' in text
    }
    assert len(asked) > 100
    for name in asked - NUMBERS:
        answer(name)
