"""How a store is told which routing is in force, and which of its mailboxes are not for this node.

Law: an adapter has one way to put a routing in force; what it replaces is given with it, where that matters.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.store.ports.routing import AppliedRouting


class InForce(Protocol):
    """The port `RoutingStore` but for `applied`; an adapter says how."""

    _left: frozenset[MailboxId]
    """Left to other nodes."""

    async def _put_in_force(
        self, base: AppliedRouting | None, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        """The version that it is. StaleRouting: what is in force is not `base`."""
        ...

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        """Puts a routing in force."""
        return await self._put_in_force(None, routing, fingerprints)

    async def apply_on(
        self, base: AppliedRouting, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        """Puts a routing in force, if what is in force is still `base`."""
        return await self._put_in_force(base, routing, fingerprints)

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        """This node logs in as none of these; others do."""
        self._left = frozenset(mailboxes)
