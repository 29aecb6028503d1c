"""Messages and deliveries: coming in, being claimed, ending.

Law: a row's indexes are written with it; what the schedule keeps of it, by the verbs of the schedule.
"""

from typing import Any

from relay.store.engine.ledger import Row
from relay.store.redis.answers.cells import least
from relay.store.redis.answers.past import HELD, STEP, Named, attempts_of, claims
from relay.store.redis.ledger import RedisLedger

LANES = (0, 1)

FINISHED = ("state", "tries", "doubts", "reason", "reply", "since")
PUT_BACK = ("state", "due", "expires_at", "tries", "doubts", "reason", "reply", "since")

# messages


def add_message(ledger: RedisLedger, *cells: object) -> int:
    """Records an accepted message, unless it was accepted before."""
    _, message, *_ = cells
    if ledger.group("messages", "ids", str(message)):
        return 0
    ledger.put("messages", cells)
    return 1


def add_delivery(ledger: RedisLedger, *cells: object) -> int:
    """Records one delivery of an accepted message."""
    delivery, message, account, lane, expires_at, *sealed = cells
    ledger.put("deliveries", [delivery, message, account, lane, 0, 0, expires_at, 0, 0, None, None, *sealed])
    return 1


def has_pending(ledger: RedisLedger, first: int, end: int) -> list[Row]:
    """Whether a delivery of a message is not final yet; deliveries of a message follow each other."""
    for start in range(first, end, STEP):
        if any(row["state"] <= HELD for row in ledger.glance("deliveries", range(start, min(end, start + STEP)))):
            return [(1,)]
    return []


# deliveries


def count_ready(ledger: RedisLedger) -> list[Row]:
    """How many deliveries of each lane of each account may be sent, those being sent among them."""
    accounts = sorted(row["id"] for row in ledger.glance_all("accounts"))
    found = [(each, lane, ledger.count("deliveries", "ready", (each, lane))) for each in accounts for lane in LANES]
    return [row for row in found if row[2]]


def finish_delivery(ledger: RedisLedger, *cells: Any) -> int:
    """A delivery is final."""
    *values, delivery = cells
    return ledger.change("deliveries", delivery, due=0, envelope=None, **dict(zip(FINISHED, values, strict=True)))


def put_back(ledger: RedisLedger, *cells: Any) -> int:
    """A delivery waits again, ready (due 0) or for a time, or it is held."""
    *values, delivery = cells
    return ledger.change("deliveries", delivery, **dict(zip(PUT_BACK, values, strict=True)))


def next_due(ledger: RedisLedger) -> list[Row]:
    """When the next try is due, of those that do not expire before."""
    return least(ledger, "deliveries", "due", "due")


def set_expiry(ledger: RedisLedger, expires_at: int, delivery: int) -> int:
    """Gives a delivery more time."""
    return ledger.change("deliveries", delivery, expires_at=expires_at)


# attempts under way


def add_claim(
    ledger: RedisLedger, attempt: int, delivery: int, mailbox: int, node: str, started_at: int, is_probe: bool
) -> int:
    """A delivery is being sent: the attempt is recorded and holds its slots."""
    ledger.put("claims", [attempt, delivery, mailbox, node, started_at, None, is_probe, None, False])
    return 1


def gate_claim(ledger: RedisLedger, now: int, attempt: int) -> int:
    """The claim passed the gate."""
    return ledger.change("claims", attempt, gated_at=now)


def lapse_claim(ledger: RedisLedger, at: int, attempt: int) -> int:
    """The lease of the claim's node ended."""
    return ledger.change("claims", attempt, lapsed_at=at)


def lose_claim(ledger: RedisLedger, attempt: int) -> int:
    """The delivery is not this claim's any more."""
    return ledger.change("claims", attempt, is_lost=True)


def end_claim(ledger: RedisLedger, attempt: int) -> int:
    """The attempt is over."""
    return ledger.drop("claims", attempt)


def get_claims(ledger: RedisLedger) -> list[Row]:
    """All attempts of deliveries under way, in the order of their start."""
    return [tuple(row.values()) for row in claims(ledger) if row["delivery"] > 0]


# attempts that ended


def add_attempt(ledger: RedisLedger, *cells: object) -> int:
    """Records an attempt that ended."""
    ledger.put("attempts", cells)
    ledger.act("mailboxes.used", cells[2])
    return 1


def amend_attempt(ledger: RedisLedger, stage: str, met: str, reply: str | None, attempt: int) -> int:
    """A late answer is a fact after all."""
    return ledger.change("attempts", attempt, stage=stage, reply=reply, **{"class": met})


def delivery_of_attempt(ledger: RedisLedger, attempt: int) -> list[Row]:
    """Which delivery an ended attempt was for."""
    return [(row["delivery"],) for row in ledger.glance("attempts", [attempt])]


def first_refusal(ledger: RedisLedger, delivery: int, reason: str) -> list[Row]:
    """When a delivery was refused first of the times since which it was refused for this reason alone."""
    alone: list[Named] = []
    for row in attempts_of(ledger, delivery):
        alone = [*alone, row] if row["class"] == reason else []
    return [(min((row["ended_at"] for row in alone), default=None),)]


# nodes


def get_nodes(ledger: RedisLedger) -> list[Row]:
    """Until when each node's claims are its own."""
    return sorted((row["name"], row["lease_until"]) for row in ledger.glance_all("nodes"))


def set_lease(ledger: RedisLedger, node: str, until: int) -> int:
    """A node's claims are its own until then."""
    ledger.put("nodes", [node, until])
    return 1
