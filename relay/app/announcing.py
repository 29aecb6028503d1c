"""What this node says of itself to the others, and to whoever asks for the status.

Law: it is said again every 20 s and when the node begins to stop; a store that is away hears it later.
"""

import asyncio
from collections.abc import Awaitable, Callable

from relay.errors import RelayError
from relay.store.ports.nodes import Nodes, NodeView

EVERY: float = 20.0
"""Seconds; a third of what makes a node count as silent."""

PATIENCE: float = 5.0
"""Seconds for one announcement: a stop does not wait for a store that hangs."""

PAUSE: float = 1.0
"""Seconds before another try."""


async def nothing() -> None:
    """What comes after an announcement where nobody listens to the others."""


class Announcer:
    """Tells of a node; `view` says how it is now, and `then` looks at the others each time that they were told."""

    def __init__(
        self, nodes: Nodes, view: Callable[[], NodeView], *, then: Callable[[], Awaitable[None]] = nothing
    ) -> None:
        self._nodes = nodes
        self._view = view
        self._then = then

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            was_heard = await self.announce() and await self._looked()
            await asyncio.sleep(EVERY if was_heard else PAUSE)

    async def _looked(self) -> bool:
        """What the others say ends no node; that this one may not go on the store tells the process itself."""
        try:
            await self._then()
        except RelayError:
            return False
        return True

    async def announce(self) -> bool:
        """Whether the store took it; that it is away is said by who needs it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._nodes.announce(self._view())
        except (RelayError, TimeoutError):
            return False
        return True
