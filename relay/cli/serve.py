"""`relay serve`: runs the relay until a signal.

Law: a bad relay.yaml is named with all its problems on stderr, and nothing was started.
"""

import os
from typing import Annotated

import typer

from relay.app.run import Order, run
from relay.cli.certificates import try_pair
from relay.cli.options import DEFAULT_CONFIG, ConfigOption
from relay.cli.stores import look_at_store
from relay.config.loading import ConfigUnreadable, load_service
from relay.config.problems import Problem
from relay.store.ports.nodes import Role


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    role: Annotated[
        Role | None,
        typer.Option(help="What this node does; with SQLite only all.", show_default="as `role:` says: all"),
    ] = None,
) -> None:
    """Run the relay until SIGTERM or Ctrl-C; it drains, and a second one makes it hurry."""
    try:
        loaded = load_service(config, os.environ, try_pair=try_pair, look_at_store=look_at_store)
    except ConfigUnreadable as error:
        typer.echo(f"relay: {error}", err=True)
        raise typer.Exit(2) from None
    for problem in loaded.problems:
        _say(problem)
    if loaded.value is None:
        raise typer.Exit(1)
    is_well = run(Order(loaded.value, config, dict(os.environ), _say, role or Role(loaded.value.role)))
    raise typer.Exit(0 if is_well else 1)


def _say(problem: Problem) -> None:
    typer.echo(str(problem), err=True)
