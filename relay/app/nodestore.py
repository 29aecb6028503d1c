"""The store as delivery of this node sees it: it hands out work under the routing that this node works with.

Law: nothing is taken while another routing is in force than the one that this node has; that is no trouble.
"""

from collections.abc import Mapping
from typing import Protocol

from relay.app.timed import TimedStore
from relay.core.envelope import Taken
from relay.core.words import MailboxId
from relay.errors import StaleRouting


class Keeps(Protocol):
    """Who keeps this node's routing."""

    async def abreast(self) -> None: ...
    def is_behind(self) -> None: ...


class NodeStore(TimedStore):
    """A store of several nodes, or of one."""

    _keeper: Keeps | None = None

    def obey(self, keeper: Keeps) -> None:
        """From here on nothing is taken that he has not taken over."""
        self._keeper = keeper

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """As the port; waits for a routing that another node put in force. StaleRouting: that takes longer."""
        if self._keeper is None:
            return await super().take(node, idle, most)
        await self._keeper.abreast()
        try:
            return await super().take(node, idle, most)
        except StaleRouting:
            self._keeper.is_behind()
            await self._keeper.abreast()
            return await super().take(node, idle, most)
