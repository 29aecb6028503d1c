"""`relay queue migrate`: moves the store to another place, while every relay of it is stopped.

Law: 0 only if all of it is there, counted on both sides; else the old place stays the one that is used, and the same
command goes on with what is half done.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from relay.app.moving import Order, move_store
from relay.cli.configured import service_of
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import coloured, print_json, safe, screen, table
from relay.config.references import References
from relay.config.store import OWN, kept_at, shown_store, store_address
from relay.core.routing import SecretKind
from relay.errors import ConfigError
from relay.store.moving.counting import Counted
from relay.store.moving.move import Telling
from relay.store.redis.address import parse_address

ToOption = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="STORE",
        help="Where to: sqlite, redis://HOST:PORT/NUMBER, or env:NAME, file:PATH of it (from relay.yaml's folder).",
    ),
]


def migrate(to: ToOption, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Move the store that relay.yaml names to another place, with all mail, history and what limits remember.

    Every relay of it has to be stopped. Killed, it is simply run again. Then `store:` in relay.yaml is changed.
    """
    place = _checked_place(to, config)
    service = service_of(config)
    with _shown() as told:
        counted = move_store(Order(service, os.environ, place, told))
    is_whole = all(each.is_same for each in counted)
    if as_json:
        print_json({"is_whole": is_whole, "counted": [_as_json(each) for each in counted]})
    else:
        _print(screen(), counted)
    if not is_whole:
        _say_what_lacks(counted)
        raise typer.Exit(1)
    typer.echo(f"the store was moved: write `store: {shown_store(to)}` into relay.yaml", err=as_json)


def _say_what_lacks(counted: Sequence[Counted]) -> None:
    lacks = [f"{each.name}: {each.lack}" for each in counted if each.lack]
    for lack in lacks:
        typer.echo(f"relay: {lack}", err=True)
    advice = "`relay queue check` looks for what is wrong with it" if lacks else "run it again"
    said = "not all of it arrived: the store stays where it was, and the new place is marked as unfinished"
    typer.echo(f"relay: {said}; {advice}", err=True)


def _checked_place(to: str, config: Path) -> str:
    """Where to, with the path of `file:` from the folder of relay.yaml, as it will be in `store:`.

    BadParameter: it names no place where a store could be; the text shows only what stands on the line anyway.
    """
    try:
        reference = kept_at(to)
        if reference is not None and reference.kind not in (SecretKind.ENV, SecretKind.FILE):
            raise ConfigError("unknown store; write sqlite, redis://HOST:PORT/NUMBER, or env:NAME, file:PATH of one")
        if reference is not None and reference.kind is SecretKind.FILE:
            to = f"file:{(config.parent / reference.value).absolute()}"
        address = store_address(to, References(os.environ))
        if address != OWN:
            parse_address(address)
    except (ConfigError, ValueError) as error:
        raise typer.BadParameter(str(error).removeprefix("store: "), param_hint="--to") from None
    return to


def _as_json(each: Counted) -> dict[str, object]:
    shown = {"name": each.name, "from": each.origin.many, "to": each.target.many, "is_same": each.is_same}
    return shown | ({"lack": each.lack} if each.lack else {})


def _print(console: Console, counted: Sequence[Counted]) -> None:
    made = table("WHAT", "FROM", "TO", "", right=("FROM", "TO"))
    for each in counted:
        made.add_row(
            safe(each.name),
            safe(each.origin.many),
            safe(each.target.many),
            coloured("") if each.is_same else safe("not the same", "bold red"),
        )
    console.print(made)


@contextmanager
def _shown() -> Iterator[Telling]:
    """A line for what is being carried, where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _of: None
        return
    columns = (TextColumn("{task.description:>16}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def told(name: str, done: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name)
            progress.update(tasks[name], completed=done, total=max(of, done))

        yield told
