"""Whom accounts do not write to is answered on Redis as SQLite answers it, page by page in the order of the hashes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from relay.store.redis.answers import suppressions as answers
from tests.unit.store.redis.side import Sides, tables_of

HASHES = (b"12345678one", b"12345678two", b"123456", b"\x00\xff345678", b"\xff" * 9, b"7")
KINDS = ("optout", "unknown")
ACCOUNT, HASHED, KIND = st.integers(1, 2), st.sampled_from(HASHES), st.sampled_from(KINDS)
TIMES = st.integers(0, 5)

ROWS = tables_of(
    "suppressions", 14, account=ACCOUNT, recipient_hash=HASHED, kind=KIND, last_at=TIMES, until=st.none() | TIMES
)
CHANGES: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "set_suppression": (ACCOUNT, HASHED, KIND, TIMES, TIMES, st.none() | TIMES, st.integers(1, 3)),
    "drop_suppression": (ACCOUNT, HASHED, KIND),
    "forget_unknown": (TIMES,),
}
STEPS = st.lists(
    st.sampled_from(sorted(CHANGES)).flatmap(lambda name: st.tuples(st.just(name), st.tuples(*CHANGES[name]))),
    max_size=5,
)


def same_suppressions(both: Sides) -> None:
    both.same("suppressions.watched")
    for account in (1, 2, 3):
        for hashed in HASHES:
            both.same("suppressions.suppressions_of", (account, hashed))
            for kind in ("", *KINDS):
                both.same("suppressions.list_suppressions", (account, hashed, kind, 3, 2))
        both.same("suppressions.list_suppressions", (account, b"", "", 3, 99))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(rows=ROWS, steps=STEPS)
def test_what_stands_against_recipients_is_found_and_changed_the_same(rows, steps) -> None:
    both = Sides()
    both.put("suppressions", *rows)
    for name, parameters in steps:
        both.wrote(f"suppressions.{name}", parameters, tables=["suppressions"])
        same_suppressions(both)
    both.commit()
    same_suppressions(both)


def test_a_list_goes_on_behind_a_page_in_which_nothing_is_in_force(monkeypatch):
    monkeypatch.setattr(answers, "AT_ONCE", 4)
    row = {"account": 1, "many": 1, "first_at": 1, "last_at": 1, "until": 2}
    both = Sides()
    for number in range(20):
        hashed = bytes([number]) * 16
        both.put("suppressions", *({**row, "recipient_hash": hashed, "kind": kind} for kind in KINDS))
    last = {**row, "recipient_hash": b"\xff" * 16, "kind": "optout", "until": None}
    both.put("suppressions", last)
    assert len(both.same("suppressions.list_suppressions", (1, b"", "", 3, 5))) == 1
    assert len(both.same("suppressions.list_suppressions", (1, b"", "", 1, 99))) == 41
