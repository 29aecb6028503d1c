"""`relay check`: every problem of the configuration as FILE:LINE:COLUMN: error|warning: text.

Law: problems go to stdout, sorted; warnings alone exit 0, an error exits 1, a file that cannot be opened exits 2.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from relay.config.loading import ConfigUnreadable, check_config
from relay.config.problems import has_errors

DEFAULT_CONFIG = Path("config/relay.yaml")

ConfigOption = Annotated[Path, typer.Option("--config", envvar="RELAY_CONFIG", help="The service's relay.yaml.")]


def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Name every problem of relay.yaml and of the routing, with its place."""
    try:
        problems = check_config(config, os.environ)
    except ConfigUnreadable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    for problem in problems:
        typer.echo(str(problem))
    raise typer.Exit(1 if has_errors(problems) else 0)
