"""Whose trouble it is: what several mailboxes of a provider met.

Law: who is asked for among others is named by login, in the order of logins, as the SQL finds them.
"""

import json
from collections.abc import Iterable

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import (
    Named,
    attempts_at,
    attempts_since,
    last_attempts,
    logins_over,
    mailbox_of,
    mailboxes_of,
    with_deliveries,
)
from relay.store.redis.ledger import EVERYTHING, RedisLedger

REFUSALS = ("auth-rejected", "unknown", "protocol-error")
"""Classes of a login that may be the password's fault."""

BREAKS = ("network", "outage")
UNTOLD = ("in-doubt", "lost")
"""Classes of an attempt that its provider did not end."""

BLOCKED = "account-blocked"


def last_refused(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """When a mailbox was refused last for its password since an instant."""
    found = logins_over(ledger, mailbox, since)
    return _last(row for row in found if row["class"] in REFUSALS and row["refused"])


def last_worked(ledger: RedisLedger, mailbox: int, until: int) -> list[Row]:
    """When a mailbox was let in last, up to an instant."""
    return _last(ledger.glance("logins", ledger.select("logins", "worked", (mailbox,), hi=until, most=1, reverse=True)))


def last_out(ledger: RedisLedger, mailbox: int, until: int) -> list[Row]:
    """When a mailbox was refused last in an outage of logins, up to an instant."""
    return _last(row for row in logins_over(ledger, mailbox, -EVERYTHING, until) if row["class"] == "auth-outage")


def _last(logins: Iterable[Named]) -> list[Row]:
    return [(max((row["ended_at"] for row in logins), default=None),)]


def active(ledger: RedisLedger, provider: str, since: int) -> list[Row]:
    """How many mailboxes of a provider were let in since an instant."""
    return [(sum(_was_let_in(ledger, number, since) for number in mailboxes_of(ledger, provider)),)]


def _was_let_in(ledger: RedisLedger, mailbox: int, since: int) -> bool:
    return ledger.count("logins", "worked", (mailbox,), lo=since) > 0


def acquit_logins(ledger: RedisLedger, mailbox: int, since: int) -> int:
    """Refusals of a mailbox since an instant were no matter of its password: they count in no budget."""
    refused = [row for row in ledger.select_rows("logins", "ended", (mailbox,), lo=since) if row["refused"]]
    for row in refused:
        ledger.change("logins", row["id"], refused=0, **{"class": "auth-outage"})
    name = mailbox_of(ledger, mailbox)
    if name is not None:
        ledger.act("schedule.acquit_logins", *name, since)
    return len(refused)


def last_sent(ledger: RedisLedger, looked_through: int, provider: str, most: int) -> list[Row]:
    """The last attempts of a provider that it ended itself, or whose end it kept to itself, the newest first."""
    theirs = mailboxes_of(ledger, provider)
    found = [
        (theirs[row["mailbox"]], int(_is_dropped(row)))
        for row in last_attempts(ledger, looked_through)
        if row["mailbox"] in theirs and row["counted"] and row["class"] not in UNTOLD
    ]
    return list(found[:most])


def _is_dropped(row: Named) -> bool:
    is_cut = row["stage"] == "eod" and row["class"] == "network"
    return is_cut and row["reply"] is None and row["gated_at"] is not None


def broken_since(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """The messages for which a mailbox's line broke since an instant, in order."""
    broken = [row for row in attempts_since(ledger, mailbox, since) if row["class"] in BREAKS]
    found = with_deliveries(ledger, sorted(broken, key=lambda row: int(row["id"])))
    return [(delivery["message"],) for _, delivery in found]


def broken_from(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """When that of a mailbox had begun whose line broke last since an instant."""
    met = [*logins_over(ledger, mailbox, since), *attempts_since(ledger, mailbox, since)]
    return [(max((row["started_at"] for row in met if row["class"] in BREAKS), default=None),)]


def served_since(ledger: RedisLedger, provider: str, since: int, most: int) -> list[Row]:
    """Mailboxes of a provider that were let in, or whose mail went through, since an instant."""
    delivered, found = _delivered(ledger, provider, since), list[Row]()
    for number, username in mailboxes_of(ledger, provider).items():
        if len(found) < most and (number in delivered or _was_let_in(ledger, number, since)):
            found.append((username,))
    return found


def told_from(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """When the login of a mailbox had begun that ended last since an instant."""
    return [(max((row["started_at"] for row in logins_over(ledger, mailbox, since)), default=None),)]


def delivered_since(ledger: RedisLedger, provider: str, since: int, most: int) -> list[Row]:
    """Mailboxes of a provider whose mail went through since an instant."""
    delivered = _delivered(ledger, provider, since)
    found = [(username,) for number, username in mailboxes_of(ledger, provider).items() if number in delivered]
    return list(found[:most])


def _delivered(ledger: RedisLedger, provider: str, since: int) -> set[int]:
    return {row["mailbox"] for row in attempts_at(ledger, provider, since) if row["class"] == "delivered"}


def blocked_login(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """In which words a login of a mailbox was refused as blocked last, and when."""
    return _blocked_last(logins_over(ledger, mailbox, since))


def blocked_attempt(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """In which words an attempt of a mailbox was refused as blocked last, and when."""
    return _blocked_last(attempts_since(ledger, mailbox, since))


def _blocked_last(rows: list[Named]) -> list[Row]:
    return [(row["ended_at"], row["likeness"]) for row in rows if row["class"] == BLOCKED][-1:]


def sent_since(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """When attempts of a mailbox ended since an instant."""
    return [(row["ended_at"],) for row in attempts_since(ledger, mailbox, since)]


def block_words(ledger: RedisLedger, about: str) -> list[Row]:
    """In which words a provider blocks many now."""
    found = ledger.select_rows("concerns", "open_of", ("block", about))
    return [(json.loads(row["detail"]).get("likeness"),) for row in found]
