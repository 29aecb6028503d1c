"""What a mailbox tried: its attempts and logins, from the schedule's sets, the rows, and what the operation writes.

Law: the sets say which count and which are under way, the rows say how they ended; of what this operation ends, the
rows that it writes say so already, while the sets are changed with its commit.
"""

from collections.abc import Callable, Iterable
from typing import Any

from relay.core.words import MailboxId
from relay.store.redis.keys import of_mailbox, of_provider
from relay.store.redis.ledger import EVERYTHING, RedisLedger

Named = dict[str, Any]

IDS_FOR_A_ROW: int = 10
"""Attempts that gave their slots back leave no row: so many numbers are looked at for each row that is wanted."""

HELD = 1
WAITING = 0

STEP: int = 500
"""Numbers looked at together."""


def mailbox_of(ledger: RedisLedger, number: int) -> MailboxId | None:
    """The mailbox of this number."""
    found = ledger.glance("mailboxes", [number])
    return MailboxId(found[0]["provider"], found[0]["username"]) if found else None


def mailboxes_of(ledger: RedisLedger, provider: str) -> dict[int, str]:
    """The mailboxes of a provider: number and login, by login."""
    rows = [row for row in ledger.glance_all("mailboxes") if row["provider"] == provider]
    return {row["id"]: row["username"] for row in sorted(rows, key=lambda row: str(row["username"]))}


# attempts


def attempts_since(ledger: RedisLedger, number: int, since: int) -> list[Named]:
    """The counted attempts of a mailbox that ended since an instant, in the order of their ends."""
    return [row for row in tries_since(ledger, number, since) if row["counted"]]


def tries_since(ledger: RedisLedger, number: int, since: int) -> list[Named]:
    """All attempts of a mailbox that ended since an instant, in the order of their ends."""
    return ledger.glance("attempts", ledger.select("attempts", "tried", (number,), lo=since))


def attempts_at(ledger: RedisLedger, provider: str, since: int) -> list[Named]:
    """The counted attempts of all mailboxes of a provider that ended since an instant, in the order of their ends."""
    theirs = mailboxes_of(ledger, provider)
    kept = ledger.asking.zrange(of_provider(provider, "ends"), since, EVERYTHING, most=EVERYTHING, reverse=False)
    rows = ledger.glance("attempts", [*(int(member) for member, _ in kept), *ledger.written("attempts")])
    found = [row for row in rows if row["counted"] and row["ended_at"] >= since and row["mailbox"] in theirs]
    ended = sorted(found, key=lambda row: (row["ended_at"], row["id"]))
    return [{**row, "username": theirs[row["mailbox"]]} for row in ended]


def attempts_of(ledger: RedisLedger, delivery: int) -> list[Named]:
    """The attempts of a delivery that ended, in the order in which they began."""
    rows = ledger.glance("attempts", ledger.group("attempts", "of", delivery))
    return sorted(rows, key=lambda row: int(row["id"]))


def last_attempts(ledger: RedisLedger, most: int) -> list[Named]:
    """The attempts that began last, of those that ended with a row, the newest first."""
    newest, found = ledger.last_number("attempts"), list[Named]()
    last = max(0, newest - most * IDS_FOR_A_ROW)
    for start in range(newest, last, -STEP):
        if len(found) >= most:
            break
        found += ledger.glance("attempts", range(start, max(last, start - STEP), -1))
    return found[:most]


def with_deliveries(ledger: RedisLedger, attempts: Iterable[Named]) -> list[tuple[Named, Named]]:
    """Each of these attempts with its delivery, where there is one."""
    rows = list(attempts)
    deliveries = {row["id"]: row for row in ledger.glance("deliveries", (row["delivery"] for row in rows))}
    return [(row, deliveries[row["delivery"]]) for row in rows if row["delivery"] in deliveries]


def claims(ledger: RedisLedger) -> list[Named]:
    """The attempts under way, in the order of their start; others end and begin before the commit."""
    return sorted(ledger.glance_all("claims"), key=lambda row: int(row["attempt"]))


def in_hand(ledger: RedisLedger) -> set[int]:
    """The deliveries that an attempt under way is for, whether it still holds them or not."""
    return {row["delivery"] for row in ledger.glance_all("claims")}


# logins


def login_id(number: int, order: str) -> str:
    """What the row of a login is found by: its mailbox, and its place among the logins of that."""
    return f"{number}.{order}"


def logins_over(ledger: RedisLedger, number: int, since: int, until: int = EVERYTHING) -> list[Named]:
    """The logins of a mailbox that ended between two instants (both included), in the order of their ends."""
    rows = ledger.glance("logins", ledger.select("logins", "ended", (number,), lo=since, hi=until))
    return sorted(rows, key=lambda row: (row["ended_at"], int(row["id"].partition(".")[2])))


def logins_under_way(ledger: RedisLedger, number: int) -> list[tuple[str, int]]:
    """The logins of a mailbox that this operation has not ended: order and start, in the order in which they end."""
    mailbox = mailbox_of(ledger, number)
    if mailbox is None:
        return []
    kept = ledger.asking.zrange(of_mailbox(mailbox, "logins"), -EVERYTHING, EVERYTHING, most=EVERYTHING, reverse=False)
    ended = ledger.written("logins")
    found = ((member.decode(), int(started)) for member, started in kept)
    return [(order, started) for order, started in found if login_id(number, order) not in ended]


def end_logins(
    ledger: RedisLedger, number: int, at: int, *, met: str | None, likeness: bytes | None, is_refusal: bool, most: int
) -> int:
    """The oldest logins of a mailbox under way, so many at most, ended at `at` with the class `met`; how many did."""
    waiting = logins_under_way(ledger, number)[:most]
    for order, started in waiting:
        ledger.put("logins", [login_id(number, order), number, started, at, met, likeness, is_refusal])
    return len(waiting)


# deliveries


def next_ready(ledger: RedisLedger, account: int, lane: int, is_it: Callable[[Named, Named], bool]) -> int | None:
    """The oldest delivery of a lane of an account that may be sent, is not being sent, and is what is looked for."""
    busy, last = in_hand(ledger), 0
    while ids := [int(each) for each in ledger.select("deliveries", "ready", (account, lane), lo=last + 1, most=STEP)]:
        rows = ledger.glance("deliveries", (each for each in ids if each not in busy))
        for row, message in with_messages(ledger, rows):
            if is_it(row, message):
                return int(row["id"])
        last = ids[-1]
    return None


def with_messages(ledger: RedisLedger, deliveries: Iterable[Named]) -> list[tuple[Named, Named]]:
    """Each of these deliveries with its message, where there is one."""
    rows = list(deliveries)
    messages = {row["seq"]: row for row in ledger.glance("messages", (row["message"] for row in rows))}
    return [(row, messages[row["message"]]) for row in rows if row["message"] in messages]


def held_for(ledger: RedisLedger, account: int, reason: str) -> list[Named]:
    """The deliveries of an account that are held for a reason, the oldest first."""
    rows = ledger.glance("deliveries", ledger.select("deliveries", "stalled", (account, HELD)))
    return [row for row in rows if row["reason"] == reason]
