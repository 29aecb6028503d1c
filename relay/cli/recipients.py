"""`relay recipients`: who gets many mails a day, of which account.

Law: nobody's address is shown; the hash is that of `relay queue show --json`.
"""

from typing import Annotated, Any

import typer
from rich.console import Console

from relay.cli.asking import running_relay
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import print_json, safe, screen, table

MOST: int = 1000
"""The most that the relay gives."""


def recipients(
    account: Annotated[str | None, typer.Option("--account", help="Only of this account.")] = None,
    least: Annotated[int, typer.Option("--least", min=10, help="Only from so many mails a day on.")] = 10,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """List recipients that get many mails a day, today and yesterday."""
    asked = {"least": str(least), "limit": str(MOST)} | ({} if account is None else {"account": account})
    with running_relay(config) as relay:
        found = relay.get("recipients", asked)
    if as_json:
        print_json(found)
    else:
        print_recipients(screen(), found["items"])


def print_recipients(console: Console, items: list[Any]) -> None:
    """Whose they are, how many, when."""
    if not items:
        console.print("nobody gets that many")
        return
    shown = table("DAY", "MAILS", "ACCOUNT", "TO (DOMAIN, HASH)", right=("MAILS",), fold=("ACCOUNT",))
    for each in items:
        whom = f"{each['recipient']['domain']} {each['recipient']['hash']}"
        shown.add_row(safe(each["day"]), safe(str(each["messages"])), safe(each["account"]), safe(whom))
    console.print(shown)
