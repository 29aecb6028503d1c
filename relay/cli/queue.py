"""`relay queue list|show`: what is queued, and each attempt of a message.

Law: what is final is shown only to who asks for it, and a list that was cut says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.text import Text

from relay.cli.asking import ident, running_relay
from relay.cli.ending import WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import WIDE, ago, ahead, clean, clock, coloured, print_json, safe, screen, table
from relay.core.shown import DeliveryState

MOST: int = 1000
"""Messages that are listed unless more are asked for: a screenful is forty."""

UNBOUNDED: int = 1_000_000
"""Messages that can be asked for: the queue that the relay is made for."""


NOT_FINAL = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.HELD)

AccountOption = Annotated[str | None, typer.Option(metavar="SENDER", help="Only mail of this account.")]
StateOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="|".join(DeliveryState),
        help="Only in this state; may be given several times. [default: what is not final]",
    ),
]
LimitOption = Annotated[int, typer.Option(min=1, max=UNBOUNDED, help="At most so many messages, the newest.")]


def list_queue(
    config: ConfigOption = DEFAULT_CONFIG,
    account: AccountOption = None,
    state: StateOption = None,
    limit: LimitOption = MOST,
    as_json: JsonOption = False,
) -> None:
    """List what is queued, newest first, and why it waits."""
    states = list(state or map(str, NOT_FINAL))
    if wrong := set(states) - set(DeliveryState):
        raise WrongUse(f"--state {min(wrong)}: there are {', '.join(map(repr, map(str, DeliveryState)))}")
    filters: dict[str, str | list[str]] = {"state": states} | ({} if account is None else {"account": account})
    with running_relay(config) as relay:
        found = relay.walk("messages", filters, limit)
        if account is not None and not found.items:
            relay.get(f"accounts/{quote(account, safe='')}")  # whom nobody knows is a typing error, not an empty queue
    if as_json:
        print_json({"items": found.items, "next_cursor": found.next_cursor})
    else:
        print_list(screen(), found.items, frozenset(states), datetime.now().astimezone())
    if found.next_cursor is not None:
        typer.echo(f"relay: only the newest {limit} messages; there are more (--limit, --account, --state)", err=True)


def show(
    message: Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="The id of `queued as`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show a message with every attempt of its deliveries."""
    with running_relay(config) as relay:
        found = relay.get(f"messages/{ident(message, 'message')}")
    if as_json:
        print_json(found)
    else:
        print_message(screen(), found, datetime.now().astimezone())


@dataclass(slots=True)
class Row:
    """Deliveries of one message that wait for the same."""

    message: Any
    first: Any
    count: int = 1

    @property
    def to(self) -> str:
        """Where to, as far as it is known."""
        return str(self.first["recipient"]["domain"]) if self.count == 1 else f"{self.count} recipients"


def rows_of(messages: list[Any], states: frozenset[str]) -> Iterator[Row]:
    """A row for each message, state and reason; the earliest delivery speaks for the others."""
    for message in messages:
        rows: dict[tuple[Any, ...], Row] = {}
        for each in message["deliveries"]:
            key = (each["state"], each["reason"], each["needs"])
            if each["state"] in states and key in rows:
                rows[key].count += 1
            elif each["state"] in states:
                rows[key] = Row(message, each)
        yield from rows.values()


def print_list(console: Console, messages: list[Any], states: frozenset[str], now: datetime) -> None:
    """The list as a table; a wide screen also shows where to."""
    is_wide = console.width >= WIDE
    listed = table(
        "MESSAGE", "ACCOUNT", *(["TO"] if is_wide else []), "STATE", "WHY", "SINCE", "NEXT",
        right=("SINCE",), fold=("ACCOUNT", "WHY", "TO"),
    )  # fmt: skip
    for row in rows_of(messages, states):
        each = row.first
        listed.add_row(
            safe(row.message["id"]),
            safe(row.message["account"]),
            *([safe(row.to)] if is_wide else []),
            coloured(each["state"]),
            safe(each["reason"] or ""),
            safe(ago(each["since"], now)),
            next_of(each, now),
        )
    if listed.row_count:
        console.print(listed)
    else:
        console.print("nothing" if states != frozenset(NOT_FINAL) else "nothing is queued")


def next_of(each: Any, now: datetime) -> Text:
    """What moves it: a time, or who has to act."""
    if each["needs"] is not None:
        return safe(each["needs"], "bold red")
    return safe("" if each["eta"] is None else ahead(each["eta"], now))


def print_message(console: Console, message: Any, now: datetime) -> None:
    """A message, its deliveries, and every attempt with what the provider said."""
    console.print(
        safe(
            f"message {message['id']} of {message['account']}, from client {message['client']}, {message['size']} bytes"
        )
    )
    console.print(safe(f"accepted {clock(message['accepted_at'], now)}; {message['state']}"))
    for number, each in enumerate(message["deliveries"], 1):
        console.print()
        console.print(_headline(number, each, now))
        for attempt in each["attempts"]:
            console.print(_attempt(attempt, now), soft_wrap=False)


def _headline(number: int, each: Any, now: datetime) -> Text:
    line = Text.assemble(f"{number}. to ", safe(each["recipient"]["domain"]), ": ", coloured(each["state"]))
    line.append(f" since {clock(each['since'], now)}")
    if each["reason"] is not None:
        line.append(f", {clean(each['reason'])}")
    if each["eta"] is not None:
        line.append(f"; next {clock(each['eta'], now)} ({ahead(each['eta'], now)})")
    if each["needs"] is not None:
        line.append(f"; to act: {clean(each['needs'])}", "bold red")
    return line


def _attempt(attempt: Any, now: datetime) -> Text:
    words = [clock(attempt["started_at"], now)]
    if attempt["ended_at"] is None:
        words.append("under way")
    words += [clean(attempt[key]) for key in ("stage", "class", "reply") if attempt[key] is not None]
    return safe("   " + "  ".join(words))
