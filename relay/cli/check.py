"""`relay check`: every problem of the configuration as FILE:LINE:COLUMN: error|warning: text.

Law: problems go to stdout, sorted; warnings alone exit 0, an error exits 1, a file that cannot be opened exits 2.
"""

import gc
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path

import typer

from relay.cli.certificates import try_pair
from relay.cli.options import DEFAULT_CONFIG, ConfigOption
from relay.cli.stores import look_at_store
from relay.config.checking import check_config
from relay.config.loading import ConfigUnreadable
from relay.config.part import Part
from relay.config.problems import has_errors
from relay.config.references import References, Stored, nothing_seen
from relay.config.routing import read_parts_here
from relay.config.service import ServiceConfig
from relay.config.store import OWN, store_address
from relay.config.watch import read_parts_in
from relay.errors import ConfigError

LARGE: int = 2_000_000
"""Bytes of routing that are worth starting processes for: some ten thousand accounts, a second of one processor."""


def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Name every problem of relay.yaml and of the routing, with its place."""
    gc.disable()  # a hundred thousand accounts are made once and thrown away at the end: collecting costs a third
    try:
        today = datetime.now().astimezone().date()
        problems = check_config(
            config, os.environ, _read_parts,
            try_pair=try_pair, stored_of=_stored_of, look_at_store=look_at_store, today=today,
        )  # fmt: skip
    except ConfigUnreadable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if problems:
        typer.echo("\n".join(map(str, problems)))
    raise typer.Exit(1 if has_errors(problems) else 0)


def _stored_of(config: ServiceConfig) -> Stored:
    """Names are seen in Redis, and in a file while the relay is stopped; one that runs says itself what is missing."""
    try:
        store = store_address(config.store, References(os.environ))
    except ConfigError:
        return nothing_seen  # that the address cannot be had is said at its place
    names = _names_here(config.data_dir) if store == OWN else _names_there(store)
    if names is None:
        return nothing_seen
    return lambda name, use: nothing_seen(name, use) if name in names else None


def _names_here(data_dir: Path) -> frozenset[str] | None:
    if not data_dir.joinpath("relay.db").exists():
        return frozenset()
    from relay.store.sqlite.offline import stored_names  # noqa: PLC0415 - only where there is a store to look into

    return stored_names(data_dir)


def _names_there(address: str) -> frozenset[str] | None:
    from relay.app.machine import MachineClock  # noqa: PLC0415 - most have no such store
    from relay.store.redis.visit import stored_names  # noqa: PLC0415 - the same

    return stored_names(address, MachineClock().boottime)


def _read_parts(files: Sequence[tuple[str, bytes]]) -> Iterable[Part]:
    if len(files) < 2 or sum(len(content) for _, content in files) < LARGE:
        return read_parts_here(files)
    with ProcessPoolExecutor(min(len(files), os.cpu_count() or 1)) as processes:
        return read_parts_in(processes)(files)
