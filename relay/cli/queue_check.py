"""`relay queue check`: whether the store on disk is whole, while the relay is stopped.

Law: it holds the lock of `data_dir`, so no relay runs meanwhile; without --repair it changes no byte of
any file, and with it, it loses nothing. 0: all is well, or was repaired; 1: something is left that the text names.
"""

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from relay.app.machine import private_files, randomness
from relay.cli.options import DEFAULT_CONFIG, ConfigOption
from relay.config.loading import ConfigUnreadable, load_service
from relay.config.service import ServiceConfig
from relay.errors import StoreUnavailable
from relay.store.engine.values import Stored
from relay.store.sqlite.inspection import SHOWN, Finding, Inspection
from relay.store.sqlite.opening import DataDir, hold
from relay.vault import Keyring

RepairOption = Annotated[bool, typer.Option("--repair", help="Do what can be done without losing anything.")]


def check(config: ConfigOption = DEFAULT_CONFIG, repair: RepairOption = False) -> None:
    """Say whether the queue on disk is whole; the relay has to be stopped."""
    try:
        loaded = load_service(config, os.environ)
    except ConfigUnreadable as error:
        typer.echo(f"relay: {error}", err=True)
        raise typer.Exit(2) from None
    if loaded.value is None:
        typer.echo("\n".join(map(str, loaded.problems)), err=True)
        raise typer.Exit(1)
    data = _held(loaded.value)
    try:
        left = _look(data, loaded.value, repairs=repair)
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
