"""`relay account list|show`: who sends through what, how he is, and who has not moved yet.

Law: an owner is shown only by what the relay answers to its token; a list that was cut says so.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from relay.cli.asking import running_relay
from relay.cli.ending import WrongUse
from relay.cli.explain_account import of_account
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import ago, ahead, clock, coloured, print_json, print_lines, safe, screen, table
from relay.core.shown import AccountHealth
from relay.core.words import Plan

HEALTHS = tuple(AccountHealth)

MOST: int = 100_000
"""Accounts that can be listed: the relay is made for so many."""

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Any address that it sends as.")]
PlanOption = Annotated[
    str | None, typer.Option("--plan", metavar="|".join(Plan), help="Only of this plan; legacy: who has to move.")
]
HealthOption = Annotated[str | None, typer.Option("--health", metavar="|".join(HEALTHS), help="Only of this health.")]
SentOption = Annotated[bool, typer.Option("--sent", help="Also how much each sends; so it is with --plan legacy.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many accounts.")]


def list_accounts(
    config: ConfigOption = DEFAULT_CONFIG,
    plan: PlanOption = None,
    health: HealthOption = None,
    sent: SentOption = False,
    limit: LimitOption = MOST,
    as_json: JsonOption = False,
) -> None:
    """List accounts with their health; with --plan legacy when each last sent, how much, and whom to call."""
    _check("--plan", plan, tuple(Plan))
    _check("--health", health, HEALTHS)
    filters = {"plan": plan, "health": health, "sent": "true" if sent else None}
    with running_relay(config) as relay:
        found = relay.walk("accounts", {name: value for name, value in filters.items() if value is not None}, limit)
    if as_json:
        print_json({"items": found.items, "next_cursor": found.next_cursor})
    elif sent or plan == Plan.LEGACY:
        print_work(screen(), found.items, datetime.now().astimezone())
    else:
        print_list(screen(), found.items, datetime.now().astimezone())
    if found.next_cursor is not None:
        typer.echo(f"relay: only the first {limit} accounts; there are more (--limit)", err=True)


def show(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show all that is known of an account."""
    with running_relay(config) as relay:
        found = relay.get(f"accounts/{quote(account, safe='')}")
    if as_json:
        return print_json(found)
    return print_lines(screen(), lines_of(found, datetime.now().astimezone()))


def _check(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise WrongUse(f"{option} {value}: there are {', '.join(allowed)}")


# lists


def print_list(console: Console, accounts: list[Any], now: datetime) -> None:
    """Health, why, and what moves it."""
    if not accounts:
        console.print("no account")
        return
    listed = table("ACCOUNT", "PLAN", "HEALTH", "WHY", "SINCE", "QUEUED", "NEXT", right=("SINCE", "QUEUED"),
                   fold=("ACCOUNT", "WHY"))  # fmt: skip
    for each in accounts:
        since = "" if each["since"] is None else ago(each["since"], now)
        listed.add_row(
            safe(each["sender"]), safe(each["plan"] or "none"), coloured(each["health"]), safe(each["reason"] or ""),
            safe(since), safe(each["queued"]), _next(each, now),
        )  # fmt: skip
    console.print(listed)


def _next(each: Any, now: datetime) -> Any:
    if each["needs"] is not None:
        return safe(each["needs"], "bold red")
    return safe("" if each["eta"] is None else ahead(each["eta"], now))


def print_work(console: Console, accounts: list[Any], now: datetime) -> None:
    """The call centre's work list: those who send most first, then those who sent last."""
    if not accounts:
        console.print("no account")
        return
    listed = table("ACCOUNT", "LAST SENT", "7 DAYS", "30 DAYS", "RETIRES", "OWNER", "PHONE",
                   right=("7 DAYS", "30 DAYS"), fold=("ACCOUNT", "OWNER", "PHONE"))  # fmt: skip
    for each in sorted(accounts, key=_by_need):
        last = "not in 90d" if each["last_sent_at"] is None else f"{ago(each['last_sent_at'], now)} ago"
        owner = each["owner"] or {"name": "", "phone": ""}
        listed.add_row(
            safe(each["sender"]), safe(last), safe(_count(each["sent_7d"])), safe(_count(each["sent_30d"])),
            safe(each["retires"] or ""), safe(owner["name"]), safe(owner["phone"]),
        )  # fmt: skip
    console.print(listed)


def _by_need(each: Any) -> tuple[Any, ...]:
    when = each["last_sent_at"] or ""
    return -(each["sent_30d"] or 0), [-ord(letter) for letter in when], each["sender"]


def _count(many: int | None) -> str:
    return "" if many is None else str(many)


# one account


def lines_of(account: Any, now: datetime) -> Iterator[str]:
    """All that there is to say about an account, in sentences."""
    yield from of_account(account, now)
    paused = account["paused"]
    if paused is not None:
        why = f": {paused['why']}" if paused["why"] else ""
        yield f"  Paused by an admin since {clock(paused['since'], now)}{why}."
    yield from _standing(account, now)
    if account["sent_30d"] is not None:
        last = account["last_sent_at"]
        when = "nothing in the history" if last is None else f"last {ago(last, now)} ago"
        yield f"  Handed in: {when}; {account['sent_7d']} in 7 days, {account['sent_30d']} in 30 days."
    said = account["last_reply"]
    if said is not None:
        yield f"  Last answer of the provider, {clock(said['at'], now)}, {said['stage']}: {said['reply']}"
    if account["history"]:
        yield "  What became of the mailbox:"
    yield from (f"    {_change(each, now)}" for each in account["history"])


def _over(day: str, now: datetime) -> bool:
    return day < f"{now:%Y-%m-%d}"


def _standing(account: Any, now: datetime) -> Iterator[str]:
    owner = account["owner"]
    if owner is not None:
        yield f"  Owner: {', '.join(filter(None, (owner['name'], owner['email'], owner['phone'])))}."
    if account["retires"] is not None:
        yield f"  Retires: {account['retires']} is the last day on which it works."
    if account["paid_until"] is not None:
        over = ", which is over: its provider may stop it" if _over(account["paid_until"], now) else ""
        yield f"  Paid until: {account['paid_until']}{over}."
    if account["aliases"]:
        yield f"  Also sends as: {', '.join(account['aliases'])}."
    for each in account["replaces"]:
        over = ", which is over: mail from it is refused" if _over(each["until"], now) else ""
        yield f"  Replaces: {each['address']}, until {each['until']}{over}."


def _change(each: Any, now: datetime) -> str:
    why = "" if each["reason"] is None else f", {each['reason']}"
    by = "" if each["by"] is None else f", by {each['by']}"
    reply = "" if each["reply"] is None else f": {each['reply']}"
    return f"{clock(each['at'], now)}  {each['health']}{why} ({each['cause']}{by}){reply}"
