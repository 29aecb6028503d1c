"""The bounce guard: refusals in the same words, bounces taken back, and what it holds.

Law: words are the same by their likeness; an attempt without one is like no other.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import Named, attempts_of, attempts_since, held_for, next_ready, with_deliveries
from relay.store.redis.ledger import RedisLedger

GUARD = "bounce-guard"
BOUNCED = 3
LANES = (0, 1)


def refusals_like(ledger: RedisLedger, mailbox: int, since: int, likeness: bytes) -> list[Row]:
    """Whom a mailbox could not reach since an instant, in these words."""
    found = _alike(ledger, mailbox, since, likeness)
    return [(delivery["recipient_hash"], attempt["ended_at"]) for attempt, delivery in found]


def _alike(ledger: RedisLedger, mailbox: int, since: int, likeness: bytes) -> list[tuple[Named, Named]]:
    found = attempts_since(ledger, mailbox, since)
    return with_deliveries(ledger, (row for row in found if row["likeness"] == likeness))


def has_met(ledger: RedisLedger, delivery: int, likeness: bytes, attempt: int) -> list[Row]:
    """Whether a delivery was refused in these words before this attempt."""
    found = (row for row in attempts_of(ledger, delivery) if row["id"] != attempt)
    return [(1,)] if any(row["likeness"] == likeness for row in found) else []


def last_guarded(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """When the guard of a mailbox ended last, wall time."""
    ended = (row["closed_at"] for row in ledger.select_rows("concerns", "mailbox", (GUARD, mailbox)))
    return [(max((at for at in ended if at is not None), default=None),)]


def untold_bounces(ledger: RedisLedger, mailbox: int, since: int, likeness: bytes) -> list[Row]:
    """Bounces of a mailbox since an instant, in these words, of which nobody was told yet, and the report under way."""
    bounced = {each["id"]: each for _, each in _alike(ledger, mailbox, since, likeness) if each["state"] == BOUNCED}
    found = {
        (row["id"], row["delivery"], row["envelope"], row["report"])
        for message in {each["message"] for each in bounced.values()}
        for row in ledger.select_rows("outbox", "message", (message,))
        if row["kind"] == "bounce" and row["delivery"] in bounced and bounced[row["delivery"]]["message"] == message
    }
    return sorted(found, key=lambda row: int(row[0]))


def recall(ledger: RedisLedger, expires_at: int, reason: str, since: int, envelope: bytes, delivery: int) -> int:
    """A bounce is taken back, with its envelope: it is held."""
    return ledger.change(
        "deliveries", delivery, state=1, due=0, expires_at=expires_at, reason=reason, since=since, envelope=envelope
    )


def guarded_of(ledger: RedisLedger, account: int, reason: str) -> list[Row]:
    """What the guard holds of an account."""
    return [(row["id"], row["reply"]) for row in held_for(ledger, account, reason)]


def guarded_since(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """When the guard of a mailbox began, wall time."""
    found = ledger.select_rows("concerns", "mailbox", (GUARD, mailbox))
    return [(row["opened_at"],) for row in found if row["closed_at"] is None]


def delivered_since(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """Whether anything of a mailbox went through since an instant."""
    found = attempts_since(ledger, mailbox, since)
    return [(1,)] if any(row["class"] == "delivered" for row in found) else []


def other_mail(ledger: RedisLedger, account: int, delivery: int) -> list[Row]:
    """Whether a client's mail of an account, but this one, may be sent and is not being sent."""
    for lane in LANES:
        if next_ready(ledger, account, lane, lambda row, message: row["id"] != delivery and message["kind"] == 0):
            return [(1,)]
    return []
