"""`relay optout`: whom an account does not write to, because he asked for it or is not there.

Law: a patient's address that must not stand in a list of processes can be given on stdin; none is ever shown.
"""

import sys
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from relay.cli.asking import RelayApi, running_relay
from relay.cli.ending import WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import clock, print_json, safe, screen, table

MOST: int = 100_000
"""Recipients that are listed: more than one account has patients."""

FROM_STDIN = "-"

LONGEST: int = 65_536
"""Characters of stdin that are read: an address has 320 at most, and a list of them is refused."""

_KINDS = {"optout": "opted out", "unknown": "unknown to his provider"}


def optout(
    account: Annotated[str, typer.Option("--account", help="The account's sender address, or one of its aliases.")],
    recipient: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPIENT",
            help="His address; `-` reads it from stdin: what is typed here stands in the list of processes while the "
            "command runs.",
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Write to him again; lifts a suppression too.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List whom the account does not write to, by hash.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Have an account write to a recipient no more; `--remove`: again; `--list`: to whom it does not."""
    if listed == (recipient is not None) or (listed and remove):
        raise WrongUse("give RECIPIENT (or `-`), alone or with --remove; or --list")
    path = f"accounts/{quote(account, safe='')}/optouts"
    with running_relay(config) as relay:
        if recipient is None:
            answer = _list(relay, path)
        else:
            who = {"recipient": _address(recipient)}
            answer = relay.post(f"{path}/remove" if remove else path, who)
    if as_json:
        print_json(answer)
    elif listed:
        print_suppressions(screen(), answer["items"], datetime.now().astimezone())
    else:
        typer.echo(said(answer, account))


def said(answer: Any, account: str) -> str:
    """What was done, in a sentence."""
    if "is_new" in answer:
        return f"{account} does not write to this recipient any more" if answer["is_new"] else "he had opted out before"
    if not answer["lifted"]:
        return f"nothing kept {account} from writing to this recipient"
    return (
        f"{account} may write to this recipient again ({', '.join(_KINDS[kind] for kind in answer['lifted'])} no more)"
    )


def print_suppressions(console: Console, items: list[Any], now: datetime) -> None:
    """By hash: nobody's address is kept."""
    if not items:
        console.print("nobody")
        return
    shown = table("RECIPIENT (HASH)", "WHY", "SINCE", "UNTIL", fold=("WHY",))
    for each in items:
        until = "for good" if each["until"] is None else clock(each["until"], now)
        hashed, since = each["recipient"]["hash"][:16], clock(each["since"], now)
        shown.add_row(safe(hashed), safe(_KINDS[each["kind"]]), safe(since), safe(until))
    console.print(shown)


def _list(relay: RelayApi, path: str) -> Any:
    found = relay.walk(path, {}, MOST)
    return {"items": found.items, "next_cursor": found.next_cursor}


def _address(recipient: str) -> str:
    address = sys.stdin.read(LONGEST).strip() if recipient == FROM_STDIN else recipient
    if len(address.splitlines()) > 1:
        raise WrongUse("there is more than one line on stdin: one recipient at a time")
    if not address:
        raise WrongUse("no recipient was given")
    return address
