"""Mailboxes tried by hand: attempts of no delivery, which is delivery 0.

Law: a trial under way is a row of `claims` that holds no delivery, and no lease of its node ends it.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import claims, logins_over
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.rowkeys import OWNERS

NO_DELIVERY = 0


def get_trial(ledger: RedisLedger, attempt: int) -> list[Row]:
    """A trial under way."""
    row = ledger.named("claims", attempt)
    is_trial = row is not None and row["delivery"] == NO_DELIVERY
    return [(row["mailbox"], row["node"], row["started_at"])] if row is not None and is_trial else []


def trials_of(ledger: RedisLedger, node: str) -> list[Row]:
    """The trials of a node under way."""
    found = claims(ledger)
    return [(row["attempt"],) for row in found if row["node"] == node and row["delivery"] == NO_DELIVERY]


def other_holder(ledger: RedisLedger, provider: str, username: str, node: str) -> list[Row]:
    """Which other node has the sessions of a mailbox."""
    holder = ledger.asking.hget(OWNERS, f"{provider} {username}")
    return [] if holder is None or holder.decode() == node else [(holder.decode(),)]


def begin_trial(ledger: RedisLedger, attempt: int, mailbox: int, node: str, now: int) -> int:
    """A trial takes its slots."""
    ledger.put("claims", [attempt, NO_DELIVERY, mailbox, node, now, None, 1, None, 0])
    return 1


def end_trial(ledger: RedisLedger, attempt: int) -> int:
    """A trial is over."""
    return ledger.drop("claims", attempt) if get_trial(ledger, attempt) else 0


def keep_trial(ledger: RedisLedger, attempt: int, *cells: object) -> int:
    """What came of a trial, for as long as limits count it."""
    mailbox, node, started_at, ended_at, *said = cells
    times = (started_at, None, ended_at)
    ledger.put("attempts", [attempt, NO_DELIVERY, mailbox, node, *times, 1, *said, None, None])
    return 1


def last_refusal(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """When the login of a mailbox was refused last."""
    refused = (row["ended_at"] for row in logins_over(ledger, mailbox, -EVERYTHING) if row["refused"])
    return [(max(refused, default=None),)]
