"""What is old enough goes from Redis as it goes from SQLite, and nothing else does."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements
from relay.store.redis import dense
from relay.store.redis.answers.store import pack_event
from relay.store.redis.pruning import RedisPruning, is_tight
from relay.store.redis.rowkeys import EVENTS
from tests.unit.store.redis.mail import Mail, attempts, mails, named, put
from tests.unit.store.redis.side import Sides

DAY = 24 * 60 * 60 * 1_000_000
NOW = 1_000 * DAY
TABLES = ["messages", "deliveries"]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    mail=mails(8),
    horizon=st.integers(0, 14),
    most=st.integers(1, 9),
    owed=st.lists(st.integers(0, 7), max_size=3),
    claimed=st.lists(st.integers(0, 12), max_size=3, unique=True),
    lost=st.integers(0, 1),
)
def test_finished_messages_go_whole_and_those_that_are_needed_stay(mail, horizon, most, owed, claimed, lost) -> None:
    both = Sides()
    put(both, mail)
    seqs = [message["seq"] for message, _ in mail]
    need(both, mail, owed, claimed, lost)
    first = seqs[0] if seqs else 0
    for start, end in ((0, 1 << 62), (first + 1, 1 << 62), (0, (both.same("pruning.newest_message")[0][0] or 0))):
        rows = both.same("pruning.old_messages", (start, horizon, end, most))
    for seq, many, *needs in rows:
        if not any(needs):
            both.wrote("pruning.drop_deliveries", (seq, seq + many), tables=TABLES)
            both.wrote("pruning.drop_message", (seq,), tables=TABLES)
    both.same("pruning.old_messages", (0, horizon, 1 << 62, most))
    both.commit()


def need(both: Sides, mail: Mail, owed: list[int], claimed: list[int], lost: int) -> None:
    """Some messages have an entry in the outbox, some deliveries a claim."""
    seqs = [message["seq"] for message, _ in mail]
    entry = {"kind": "failed", "delivery": 1, "reason": "", "at": 1, "envelope": b"", "lost": 0}
    both.put("outbox", *({"id": 1 + at, "message": seqs[at], **entry} for at in set(owed) if at < len(seqs)))
    ids = [each["id"] for _, deliveries in mail for each in deliveries]
    claim = {"mailbox": 1, "node": "n", "started_at": 1, "is_probe": 0, "is_lost": lost}
    both.put("claims", *({"attempt": 1 + at, "delivery": ids[at], **claim} for at in claimed if at < len(ids)))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rows=attempts(), ended=st.integers(2, 7), most=st.integers(1, 5))
def test_old_attempts_go_and_what_was_said_goes_sooner(rows, ended, most) -> None:
    both = Sides()
    named(both)
    both.put("attempts", *rows)
    both.wrote("pruning.drop_said", (ended, most), tables=["attempts"])
    both.wrote("pruning.drop_attempts", (ended, most), tables=["attempts"])
    both.wrote("pruning.drop_attempts", (ended, most), tables=["attempts"])
    both.commit()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(ats=st.lists(st.integers(1, 6), max_size=8).map(sorted), horizon=st.integers(0, 7), most=st.integers(1, 9))
def test_old_events_go_from_the_stream(ats, horizon, most) -> None:
    both = Sides()
    add, drop = load_statements("store")["add_event"], load_statements("pruning")["drop_events"]
    stream = both.redis.streams[EVENTS]
    for place, at in enumerate(ats):
        both.sqlite.write(add, (at, "x", *[None] * 5))
        stream.append((b"1700-%d" % (8 + place), pack_event((at, "x", *[None] * 5))))
    assert both.ledger.write(drop, (horizon, most)) == both.sqlite.write(drop, (horizon, most))
    least = both.ledger.intended.verbs[0][1][0] if both.ledger.intended.verbs else "0-0"
    kept = [place for place, _ in stream if int(place.split(b"-")[1]) >= int(least.split("-")[1])]
    ((many,),) = both.sqlite.read("SELECT count(*) FROM events")
    assert kept == [place for place, _ in stream][len(stream) - many :]


# the class


class Times:
    """A clock that stands until it is set."""

    at = NOW

    def now(self) -> int:
        return self.at

    def wall(self) -> int:
        return self.at


def pruning(both: Sides) -> tuple[RedisPruning, Times]:
    times = Times()
    routing = SimpleNamespace(providers={}, accounts={})
    context = SimpleNamespace(database=both.ledger, clock=times, routes=SimpleNamespace(routing=routing))
    return RedisPruning(cast("Context", context), cast("Any", SimpleNamespace(ledger=both.ledger))), times


def finished(both: Sides, *days: int, first: int = 1, state: int = 2) -> None:
    """Mail of these days, one recipient each, with its attempt."""
    named(both)
    for seq, day in enumerate(days, first):
        at = day * DAY
        row: dict[str, Any] = {
            "seq": seq, "id": f"m{seq}", "client": "c", "account": 1, "kind": 0, "accepted_at": at, "size": 1,
            "recipients": 1, "segment": 0, "offset": 0, "length": 0, "message_id_hash": b"h", "submitted_hash": b"s",
        }  # fmt: skip
        delivery: dict[str, Any] = {
            "id": seq, "message": seq, "account": 1, "lane": 0, "state": state if seq == first else 2, "due": 0,
            "expires_at": at, "since": at, "domain": b"", "recipient_hash": b"",
        }  # fmt: skip
        attempt: dict[str, Any] = {
            "id": seq, "delivery": seq, "mailbox": 1, "node": "n", "started_at": at, "ended_at": at, "counted": 1,
            "stage": "data", "class": "ok",
        }  # fmt: skip
        both.put("messages", row)
        both.put("deliveries", delivery)
        both.put("attempts", attempt)


def left(both: Sides, table: str) -> list[int]:
    return sorted(values[0] for values in both.ledger.all_rows(table))


@pytest.mark.parametrize(
    ("used", "most", "is_short"), [(0, 0, False), (99, 0, False), (89, 100, False), (90, 100, True)]
)
def test_memory_is_short_above_nine_tenths_of_its_bound(used, most, is_short) -> None:
    assert is_tight(used, most) is is_short


def test_a_quarter_of_a_year_is_kept_and_looks_begin_behind_what_went() -> None:
    both = Sides()
    finished(both, 1, 2, 950, 951)
    found, _ = pruning(both)
    assert found.prune(used=10, most=100) is False
    assert [left(both, table) for table in ("messages", "deliveries", "attempts")] == [[3, 4]] * 3
    assert (dense.floor(both.ledger, "deliveries"), dense.floor(both.ledger, "attempts")) == (3, 3)


def test_looks_begin_before_an_attempt_that_is_still_under_way_though_a_younger_one_has_ended() -> None:
    both = Sides()
    finished(both, 1, 2, 950, 951)
    both.drop("attempts", 3)
    both.commit()
    found, _ = pruning(both)
    found.prune(used=0, most=0)
    assert left(both, "attempts") == [4]
    assert dense.floor(both.ledger, "attempts") == 3


def test_history_goes_down_to_a_quarter_of_an_hour_while_memory_is_short_and_what_limits_count_stays() -> None:
    both = Sides()
    finished(both, 1, 950, 999, 999)
    found, times = pruning(both)
    found.prune(used=95, most=100)
    assert (left(both, "messages"), left(both, "attempts")) == ([4], [3, 4])
    times.at += DAY // 2
    finished(both, 1000, first=5)
    found.prune(used=95, most=100)
    assert left(both, "messages") == [5]


def test_what_waits_stays_and_holds_the_place_from_which_looks_begin() -> None:
    both = Sides()
    finished(both, 1, 2, 3, 951, state=1)
    found, _ = pruning(both)
    found.prune(used=0, most=0)
    assert left(both, "messages") == left(both, "deliveries") == [1, 4]
    assert dense.floor(both.ledger, "messages") == 1
