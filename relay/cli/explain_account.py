"""An account in whole sentences: its mailbox's health, what waits and why, who has to act, and when its queue is empty.

Law: what is only tried is not promised to go.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from relay.cli.standstill import (
    DEPARTS,
    NOBODY_YET,
    SLOWED_BY,
    limit_of,
    limits_of,
    logins_of,
    when_of,
    who_acts,
    why_of,
)
from relay.cli.terminal import clock, read, spoken


def of_account(account: Any, now: datetime) -> Iterator[str]:
    """All that there is to say about an account."""
    yield _introduction(account)
    since = account["since"]
    span = "" if since is None else f" since {clock(since, now)}, {spoken(now - read(since))}"
    health = f"{account['health']}{span}"
    if account["health"] == "ok" and account["since"] is not None:
        health = f"the mailbox is ok, but its provider {account['provider']} is stopped{span}"
    yield f"  Health: {health}{'' if account['queued'] else '; nothing is queued'}."
    if account["reason"] is not None:
        is_slowed = account["health"] == "slowed" and account["reason"] in SLOWED_BY
        label = "Why it is slowed" if is_slowed else "Why it waits"
        yield f"  {label}: {why_of(account['reason'], account)}{limits_of(account['reason'], account)}."
    if account["needs"] is not None:
        yield from who_acts(account, account)
    yield from logins_of(account, [account["eta"]], account, now)
    if account["eta"] is not None and account["needs"] is not None:
        yield f"  Next: the relay tries again {when_of([account['eta']], now)}."
    elif account["eta"] is not None:
        yield _drained(account, now)
    elif account["needs"] is not None and (account["queued"] or account["health"] != "retired"):
        yield "  Next: it goes by itself as soon as that is done."
    elif account["queued"]:
        yield "  Next: as soon as what is in its way is gone; nobody has to do anything."
    yield from _last_of_account(account["last_reply"], now)
    if account["limits"]:
        yield f"  Limits in use: {', '.join(map(limit_of, account['limits']))}."
    if account["queued"]:
        yield f"  Each message: relay queue list --account {account['sender']}"


def _last_of_account(said: Any, now: datetime) -> Iterator[str]:
    if said is not None:
        yield f"  Its provider said last, {clock(said['at'], now)} ({said['class']}): {said['reply']}"


def _introduction(account: Any) -> str:
    plan = "in no plan any more" if account["plan"] is None else account["plan"]
    through = "no mailbox" if account["mailbox"] is None else f"{account['mailbox']} at {account['provider']}"
    count = account["queued"]
    queued = "no delivery is" if not count else "1 delivery is" if count == 1 else f"{count} deliveries are"
    return f"{account['sender']} ({plan}) sends through {through}; {queued} queued."


def _drained(account: Any, now: datetime) -> str:
    """When its queue is empty: nothing leaves what is stopped before a try has worked."""
    leaves = f"the last of what is queued now leaves {when_of([account['eta']], now)}"
    if account["reason"] in DEPARTS or (account["health"] == "slowed" and account["reason"] in SLOWED_BY):
        return f"  Next: {leaves}, if nothing new happens."
    tried_at = account["tried_at"]
    again = "" if tried_at is None else f" {when_of([tried_at], now)}"
    return f"  Next: the relay tries again{again}; if that works, {leaves}. {NOBODY_YET[0].upper()}{NOBODY_YET[1:]}."
