"""`relay notices`: what somebody has to know of and when he was told, and the notices that the webhook never took.

Law: no owner's address and no patient is in either list.
"""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from relay.cli.asking import RelayApi, running_relay
from relay.cli.ending import WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import ago, ahead, print_json, safe, screen, table

MOST: int = 10_000
"""Lines: nobody reads more."""


def notices(
    config: ConfigOption = DEFAULT_CONFIG,
    dead: Annotated[bool, typer.Option("--dead", help="List the notices that the webhook of ops never took.")] = False,
    retry: Annotated[
        int | None, typer.Option("--retry", metavar="ID", min=1, help="Send one of those once more.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what somebody has to know of, and when somebody was told."""
    if dead and retry is not None:
        raise WrongUse("give --dead or --retry ID")
    with running_relay(config) as relay:
        answer = _listed(relay, dead=dead) if retry is None else relay.post(f"notices/dead/{retry}/retry")
    now = datetime.now().astimezone()
    if as_json:
        print_json(answer)
    elif retry is not None:
        typer.echo(f"notice {answer['id']} is sent once more")
    elif dead:
        print_dead(screen(), answer, now)
    else:
        print_open(screen(), answer["items"], now)


def print_open(console: Console, items: list[Any], now: datetime) -> None:
    """What is not over, the newest first."""
    if not items:
        console.print("nobody has to know of anything")
        return
    listed = table("WHAT", "ABOUT", "REASON", "SINCE", "TOLD", right=("SINCE", "TOLD"), fold=("ABOUT",))
    for each in items:
        told = _told(each, now)
        about, reason = _about(each["subject"]), each["reason"] or "-"
        listed.add_row(safe(each["kind"]), safe(about), safe(reason), safe(ago(each["since"], now)), safe(told))
    console.print(listed)


def print_dead(console: Console, answer: Any, now: datetime) -> None:
    """What the webhook never took, the newest first, and how much waits for it."""
    items, waiting = answer["items"], answer["waiting"]
    wait = f"{waiting} {'waits' if waiting == 1 else 'wait'} for the webhook"
    if not items:
        console.print(f"none given up; {wait}" if waiting else "the webhook took every notice")
        return
    listed = table(
        "ID", "WHAT", "ABOUT", "TRIES", "ERROR", "GIVEN UP", right=("ID", "TRIES", "GIVEN UP"), fold=("ABOUT",)
    )
    for each in items:
        listed.add_row(
            safe(each["id"]), safe(each["type"] or "-"), safe(_about(each["subject"])), safe(each["tries"]),
            safe(each["error"]), safe(ago(each["given_up_at"], now)),
        )  # fmt: skip
    console.print(listed)
    console.print(f"once more: relay notices --retry ID{f'; {wait}' if waiting else ''}")


def _told(each: Any, now: datetime) -> str:
    """How long ago somebody was; where nobody was, in how long at the earliest."""
    if each["told_at"] is not None:
        return ago(each["told_at"], now)
    return "-" if each["next_at"] is None else f"not yet, {ahead(each['next_at'], now)}"


def _about(subject: Any) -> str:
    """The narrowest that it names."""
    mailbox = None if subject["mailbox"] is None else f"{subject['provider']}/{subject['mailbox']}"
    return str(subject["account"] or mailbox or subject["provider"] or "the relay")


def _listed(relay: RelayApi, *, dead: bool) -> Any:
    found = relay.walk("notices/dead" if dead else "notices", {}, MOST)
    return {**found.last, "items": found.items, "next_cursor": found.next_cursor}
