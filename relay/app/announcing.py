"""What this node says of itself to the others, and to whoever asks for the status.

Law: it is said again every 20 s and when the node begins to stop; a store that is away hears it later.
"""

import asyncio
from collections.abc import Callable

from relay.errors import RelayError
from relay.store.ports.nodes import Nodes, NodeView

EVERY: float = 20.0
"""Seconds; a third of what makes a node count as silent."""

PATIENCE: float = 5.0
"""Seconds for one announcement: a stop does not wait for a store that hangs."""

PAUSE: float = 1.0
"""Seconds before another try."""


class Announcer:
    """Tells of a node; `view` says how it is now."""

    def __init__(self, nodes: Nodes, view: Callable[[], NodeView]) -> None:
        self._nodes = nodes
        self._view = view

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            was_heard = await self.announce()
            await asyncio.sleep(EVERY if was_heard else PAUSE)

    async def announce(self) -> bool:
        """Whether the store took it; that it is away is said by who needs it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._nodes.announce(self._view())
        except (RelayError, TimeoutError):
            return False
        return True
