"""What a verb would draw on a screen of 80 columns at a given time, from answers of the real API on a fake store."""

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from tests.fakes.reading import NOON
from tests.unit.admin.relay_app import Relay

AT_NOON = datetime.fromtimestamp(NOON / 1_000_000, UTC)
NOW = AT_NOON + timedelta(minutes=8)


def answer(relay: Relay, path: str) -> Any:
    """The JSON of the API."""
    return asyncio.run(relay.ask(f"/api/v1/{path}")).json()


def drawn(draw: Callable[[Console], None], *, width: int = 80, is_terminal: bool = False) -> str:
    """What stands on the screen, without the blanks at the ends of lines."""
    file = io.StringIO()
    draw(Console(file=file, width=width, markup=False, emoji=False, highlight=False, force_terminal=is_terminal))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
