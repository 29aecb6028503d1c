"""The service's relay.yaml for a verb that works on the store itself: read, or its faults said and the verb ended.

Law: 2 if the file cannot be read, 1 if what stands in it is wrong, as `relay serve` ends.
"""

import os
from pathlib import Path

import typer

from relay.config.loading import ConfigUnreadable, load_service
from relay.config.service import ServiceConfig


def service_of(config: Path) -> ServiceConfig:
    """The service that a relay.yaml describes; ends the verb with what is wrong, on standard error."""
    try:
        loaded = load_service(config, os.environ)
    except ConfigUnreadable as error:
        typer.echo(f"relay: {error}", err=True)
        raise typer.Exit(2) from None
    if loaded.value is None:
        typer.echo("\n".join(map(str, loaded.problems)), err=True)
        raise typer.Exit(1)
    return loaded.value
