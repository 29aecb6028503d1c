"""`relay queue check`: whether the store is whole: on disk while the relay is stopped, on Redis at any time.

Law: on disk it holds the lock of `data_dir`, so no relay runs meanwhile; without --repair it changes no byte of any
file or key, and with it, it loses nothing. 0: all is well, or was repaired; 1: something is left that the text names.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from relay.app.machine import private_files, randomness
from relay.cli.configured import service_of
from relay.cli.options import DEFAULT_CONFIG, ConfigOption
from relay.config.references import References
from relay.config.service import ServiceConfig
from relay.config.store import OWN, store_address
from relay.errors import StoreUnavailable
from relay.store.engine.values import Stored
from relay.store.sqlite.inspection import SHOWN, Finding, Inspection
from relay.store.sqlite.opening import DataDir, hold
from relay.vault import Keyring

if TYPE_CHECKING:
    from relay.app.inspecting import Inspector
    from relay.store.redis.inspection import Wrong

AGAIN: float = 2.0
"""Seconds until what differs while nodes run is looked at a second time: nothing is under way for so long."""

NAMED: int = 5
"""Of each kind so many are named."""

RepairOption = Annotated[bool, typer.Option("--repair", help="Do what can be done without losing anything.")]


def check(config: ConfigOption = DEFAULT_CONFIG, repair: RepairOption = False) -> None:
    """Say whether the queue is whole; on disk the relay has to be stopped, on Redis for --repair every node."""
    service = service_of(config)
    address = store_address(service.store, References(os.environ))
    if address != OWN:
        raise typer.Exit(1 if _look_at_redis(service, address, repairs=repair) else 0)
    data = _held(service)
    try:
        left = _look(data, service, repairs=repair)
    finally:
        data.release()
    raise typer.Exit(1 if left else 0)


def _held(config: ServiceConfig) -> DataDir:
    if not config.data_dir.is_dir():
        raise StoreUnavailable(f"there is no folder {config.data_dir}: no relay has run with this configuration")
    try:
        return hold(config.data_dir)
    except OSError as error:
        text = (error.strerror or str(error)).lower()
        raise StoreUnavailable(f"data_dir {config.data_dir} cannot be used: {text}") from error


def _look(data: DataDir, config: ServiceConfig, *, repairs: bool) -> int:
    """Says what is wrong; how much of it is left."""
    keyring = Keyring(config.key_folder, os.environ.get("RELAY_KEY"), randomness)
    with private_files():
        inspection = Inspection(data, keyring.vault_for, repairs=repairs)
        try:
            findings = list(inspection.findings())
            left = _said(findings, repairs=repairs)
            if repairs:
                inspection.recount()
        finally:
            inspection.close()
    counts = inspection.counts
    final = counts.total() - counts[Stored.WAITING] - counts[Stored.HELD]
    if inspection.has_counted:
        typer.echo(f"{counts[Stored.WAITING]} deliveries wait, {counts[Stored.HELD]} are held, {final} are finished")
    if not repairs and any(each.repair is not None for each in findings):
        typer.echo("`relay queue check --repair` does what loses nothing", err=True)
    return left


def _look_at_redis(config: ServiceConfig, address: str, *, repairs: bool) -> int:
    """As `_look`, of a store that several nodes share."""
    from relay.app.inspecting import Inspector  # noqa: PLC0415 - most have no such store

    data = _held(config) if repairs else None
    try:
        inspector = Inspector(config, os.environ, address, told=_progress(), pause=lambda: time.sleep(AGAIN))
        try:
            return _looked_at(inspector, repairs=repairs)
        finally:
            inspector.close()
    finally:
        if data is not None:
            data.release()


def _looked_at(inspector: "Inspector", *, repairs: bool) -> int:
    found = inspector.look()
    if found.alive:
        typer.echo(f"{', '.join(found.alive)}: running, or stopped less than a minute ago")
    if repairs and any(each.can_be_mended for each in found.wrongs):
        inspector.mend(found)
        for kind, where in _by_kind(each for each in found.wrongs if each.can_be_mended):
            typer.echo(f"repaired: {kind}: {where}")
        found = inspector.look()
    for problem in found.problems:
        typer.echo(f"problem: {problem}")
    for kind, where in _by_kind(found.wrongs):
        typer.echo(f"problem: {kind}: {where}")
    if not repairs and any(each.can_be_mended for each in found.wrongs):
        typer.echo("`relay queue check --repair` makes anew what rows say, once every node is stopped", err=True)
    waiting, held = found.counts[Stored.WAITING], found.counts[Stored.HELD]
    final = found.counts.total() - waiting - held
    typer.echo("rows: " + ", ".join(f"{name} {many}" for name, many in found.rows.items() if many))
    typer.echo(f"{waiting} deliveries wait, {held} are held, {final} are finished")
    return len(found.problems) + len(found.wrongs)


def _by_kind(wrongs: Iterable["Wrong"]) -> Iterator[tuple[str, str]]:
    """Each kind once, with the numbers of a few."""
    kinds: dict[str, list[str]] = {}
    for wrong in wrongs:
        kinds.setdefault(wrong.kind, []).append(wrong.where)
    for kind, where in kinds.items():
        more = f" and {len(where) - NAMED} more" * (len(where) > NAMED)
        yield kind, ", ".join(where[:NAMED]) + more


def _progress() -> Callable[[str], None]:
    """A line for what is looked at, where somebody looks."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda name: typer.echo(f"\r\x1b[K{name}\r", err=True, nl=False)


def _said(findings: Sequence[Finding], *, repairs: bool) -> int:
    left = many = 0
    for many, finding in enumerate(findings, start=1):
        is_repaired = repairs and finding.repair is not None
        if is_repaired and finding.repair is not None:
            finding.repair()
        word = "repaired" if is_repaired else "known" if finding.is_known else "problem"
        left += word == "problem"
        if many <= SHOWN:
            typer.echo(f"{word}: {finding.text}\n    {finding.remedy}")
    if many > SHOWN:
        typer.echo(f"and {many - SHOWN} more")
    return left
