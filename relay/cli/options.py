"""Options that several verbs share.

Law: the same option means the same everywhere.
"""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("config/relay.yaml")

ConfigOption = Annotated[Path, typer.Option("--config", envvar="RELAY_CONFIG", help="The service's relay.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly the JSON of the API.")]
