"""The limiter's memory: attempts and logins that still count.

Law: what is under way is in the schedule's sets alone; a login gets its row when it ends, found by its mailbox and its
order there. The sets are changed by what the schedule is told in the same operation.
"""

from collections.abc import Iterable
from itertools import groupby

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import (
    Named,
    attempts_at,
    attempts_since,
    claims,
    end_logins,
    login_id,
    logins_over,
    logins_under_way,
    mailboxes_of,
)
from relay.store.redis.ledger import EVERYTHING, RedisLedger

MINUTE: int = 60_000_000
"""In which ends that are old are counted together."""

LOST = "lost"
"""The class of a login of which nobody knows how it ended."""


# attempts


def mailbox_ends(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """Ends of a mailbox since an instant, one by one."""
    return [(row["started_at"], row["ended_at"], 1) for row in attempts_since(ledger, mailbox, since)]


def mailbox_old_ends(ledger: RedisLedger, mailbox: int, since: int, until: int) -> list[Row]:
    """Ends of a mailbox between two instants, a minute's together, each counted as ended last."""
    found = (row for row in attempts_since(ledger, mailbox, since) if row["ended_at"] < until)
    return [_together(rows) for _, rows in groupby(found, key=lambda row: int(row["ended_at"]) // MINUTE)]


def mailbox_running(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """Attempts of a mailbox without an end."""
    return [(row["started_at"],) for row in claims(ledger) if row["mailbox"] == mailbox]


def provider_ends(ledger: RedisLedger, provider: str, since: int) -> list[Row]:
    """Ends of all mailboxes of a provider since an instant, one by one."""
    found = attempts_at(ledger, provider, since)
    return [(row["username"], row["started_at"], row["ended_at"], 1) for row in found]


def provider_old_ends(ledger: RedisLedger, provider: str, since: int, until: int) -> list[Row]:
    """Ends of all mailboxes of a provider between two instants, a minute's of each together."""
    found = [row for row in attempts_at(ledger, provider, since) if row["ended_at"] < until]
    found.sort(key=lambda row: (row["mailbox"], row["ended_at"]))
    minutes = groupby(found, key=lambda row: (row["username"], int(row["ended_at"]) // MINUTE))
    together = [(username, *_together(rows)) for (username, _), rows in minutes]
    return sorted(together, key=lambda row: int(row[2]))


def provider_running(ledger: RedisLedger, provider: str) -> list[Row]:
    """Attempts of all mailboxes of a provider without an end."""
    theirs = mailboxes_of(ledger, provider)
    return [(theirs[row["mailbox"]], row["started_at"]) for row in claims(ledger) if row["mailbox"] in theirs]


def _together(rows: Iterable[Named]) -> Row:
    known = list(rows)
    return min(row["started_at"] for row in known), max(row["ended_at"] for row in known), len(known)


# logins


def logins_since(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """Logins of a mailbox that ended since an instant, or have not."""
    return [
        *_under_way(ledger, mailbox),
        *((row["started_at"], row["ended_at"]) for row in logins_over(ledger, mailbox, since)),
    ]


def refusals_since(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """Logins of a mailbox that were refused since an instant, or have not ended."""
    refused = (row for row in logins_over(ledger, mailbox, since) if row["refused"])
    return [*_under_way(ledger, mailbox), *((row["started_at"], row["ended_at"]) for row in refused)]


def last_login(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """When a mailbox logged in last."""
    begun = [started for _, started in logins_under_way(ledger, mailbox)]
    begun += [row["started_at"] for row in logins_over(ledger, mailbox, -EVERYTHING)]
    return [(max(begun, default=None),)]


def begin_login(_ledger: RedisLedger, _mailbox: int, _now: int) -> int:
    """A login is about to be tried: the schedule has it in its set."""
    return 1


def end_login(ledger: RedisLedger, at: int, mailbox: int) -> int:
    """The oldest login of a mailbox under way is over."""
    return end_logins(ledger, mailbox, at, met=None, likeness=None, is_refusal=False, most=1)


def refuse_login(ledger: RedisLedger, at: int, met: str, likeness: bytes | None, is_refusal: bool, mailbox: int) -> int:
    """The oldest login of a mailbox under way failed: as which class, in which words, whether it counts as refused."""
    return end_logins(ledger, mailbox, at, met=met, likeness=likeness, is_refusal=is_refusal, most=1)


def drop_login(ledger: RedisLedger, mailbox: int) -> int:
    """The oldest login of a mailbox under way was never tried: no row, and this operation has no other use for it."""
    waiting = logins_under_way(ledger, mailbox)[:1]
    for order, started in waiting:
        key = login_id(mailbox, order)
        ledger.put("logins", [key, mailbox, started, started, None, None, False])
        ledger.drop("logins", key)
    return len(waiting)


def mailboxes_logging_in(ledger: RedisLedger) -> list[Row]:
    """Mailboxes with a login under way."""
    numbers = sorted(row["id"] for row in ledger.glance_all("mailboxes"))
    return [(number,) for number in numbers if logins_under_way(ledger, number)]


def end_logins_of(ledger: RedisLedger, at: int, is_refusal: bool, mailbox: int) -> int:
    """All logins of a mailbox that are under way end, and nobody knows how; whether they count as refused."""
    return end_logins(ledger, mailbox, at, met=LOST, likeness=None, is_refusal=is_refusal, most=EVERYTHING)


def prune_logins(ledger: RedisLedger, before: int) -> int:
    """Forgets logins that no limit counts; the sets forget by themselves."""
    old = ledger.select("logins", "over", hi=before - 1)
    ledger.rows("logins", old)
    return sum(ledger.drop("logins", each) for each in old)


def _under_way(ledger: RedisLedger, mailbox: int) -> list[Row]:
    return [(started, None) for _, started in logins_under_way(ledger, mailbox)]
