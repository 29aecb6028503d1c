"""What follows from an outcome, as relay/store/sql/outbox.sql asks for it.

Law: an answer equals its SQL. What nobody could be told of is found by when that was, for nearly all of it is kept.
"""

from typing import Any

from relay.store.engine.ledger import Row
from relay.store.redis.answers.cells import cells
from relay.store.redis.ledger import RedisLedger

_SHOWN = ("id", "kind", "delivery", "reason", "reply", "at", "envelope", "since", "refused_by", "refused_at")
_LATE = ("id", "lane", "state", "due", "reason", "since", "expires_at", "reply")


def add_outbox(ledger: RedisLedger, *what: object) -> int:
    """Something has to be done about a delivery: kind, message, delivery, reason, reply, at, envelope, since."""
    ledger.put("outbox", [ledger.next_number("outbox"), *what, None, None, None, 0])
    return 1


def count_outbox(ledger: RedisLedger) -> list[Row]:
    """How much there is to do."""
    return [(ledger.has_rows("outbox"),)]


def has_outbox(ledger: RedisLedger, message: int) -> list[Row]:
    """Whether something still has to be done about a message."""
    return [(1,) for _ in ledger.select("outbox", "message", (message,), most=1)]


def drop_outbox_of(ledger: RedisLedger, message: int, delivery: int) -> int:
    """Nothing has to be done about a delivery any more."""
    return _drop(ledger, [row for row in _of(ledger, message) if row["delivery"] == delivery])


def drop_delay_of(ledger: RedisLedger, message: int, delivery: int) -> int:
    """A delivery is not late any more, but final."""
    rows = [row for row in _of(ledger, message) if row["delivery"] == delivery and row["kind"] == "delayed"]
    return _drop(ledger, rows)


def oldest_outbox(ledger: RedisLedger, after: int, most: int) -> list[Row]:
    """What has to be done, the oldest first, after one."""
    found = ledger.glance("outbox", ledger.select("outbox", "open", lo=after + 1, most=most))
    return cells(found, *_SHOWN)


def get_outbox(ledger: RedisLedger, number: int) -> list[Row]:
    """What an entry was about, and whether somebody tells of it already, or nobody can."""
    rows = ledger.named_rows("outbox", [number])
    return [(row["delivery"], row["kind"], int(row["report"] is not None or row["lost"] != 0)) for row in rows]


def hand_over(ledger: RedisLedger, report: int, number: int) -> int:
    """A report is on its way."""
    return ledger.change("outbox", number, report=report)


def told_by(ledger: RedisLedger, report: int) -> list[Row]:
    """Of what a report tells, and whether it is the second one."""
    rows = ledger.select_rows("outbox", "report", (report,))
    return [(row["id"], row["delivery"], row["refused_by"]) for row in rows]


def take_again(ledger: RedisLedger, refused_by: int, refused_at: int, number: int) -> int:
    """Its report was refused: another one may go another way."""
    return ledger.change("outbox", number, report=None, refused_by=refused_by, refused_at=refused_at)


def give_up(ledger: RedisLedger, refused_at: int, number: int) -> int:
    """Nobody can be told."""
    return ledger.change("outbox", number, report=None, refused_at=refused_at, lost=1)


def count_lost(ledger: RedisLedger) -> list[Row]:
    """Of how many deliveries nobody could be told."""
    return [(ledger.count("outbox", "lost"),)]


def old_lost(ledger: RedisLedger, before: int, most: int) -> list[Row]:
    """Those of before a moment."""
    rows = ledger.glance("outbox", ledger.select("outbox", "lost", hi=before - 1))
    return [(number,) for number in sorted(row["id"] for row in rows if row["refused_at"] is not None)[:most]]


def drop_outbox(ledger: RedisLedger, number: int) -> int:
    """It was done."""
    return ledger.drop("outbox", number)


def late(ledger: RedisLedger, delivery: int) -> list[Row]:
    """How it stands with a delivery that is late."""
    return cells(ledger.glance("deliveries", [delivery]), *_LATE)


def domain_of(ledger: RedisLedger, delivery: int) -> list[Row]:
    """Where a delivery goes, when no more of its recipient can be read."""
    return [(row["domain"],) for row in ledger.glance("deliveries", [delivery])]


def _of(ledger: RedisLedger, message: int) -> list[dict[str, Any]]:
    return ledger.select_rows("outbox", "message", (message,))


def _drop(ledger: RedisLedger, rows: list[dict[str, Any]]) -> int:
    return sum(ledger.drop("outbox", row["id"]) for row in rows)
