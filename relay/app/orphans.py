"""Mailboxes whose secret no node has any more, though one had it: nobody sends for them, and none is waited for.

Law: a node that was heard of lately counts as long as a restart may take; whoever has it again puts it in force.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from relay.core.limits import MINUTE
from relay.core.nodesecrets import nobodys
from relay.core.words import MailboxId
from relay.store.ports.nodes import Nodes, SeenNode

GONE_AFTER: int = 15 * MINUTE
"""A node that was heard of within it may come back with what it had (an upgrade, a reboot); then owners are told."""


class Keeps(Protocol):
    """Who keeps this node's routing."""

    def lacks(self) -> Sequence[MailboxId]: ...
    async def let_go(self, mailboxes: Collection[MailboxId], /) -> None: ...


class Orphans:
    """Looks at what the other nodes that deliver say that they lack, as this one does."""

    def __init__(self, nodes: Nodes, keeper: Keeps, *, node: str) -> None:
        """`node`: this one, which has said what it lacks a moment ago."""
        self._nodes = nodes
        self._keeper = keeper
        self._node = node
        self._before: Collection[MailboxId] = frozenset()

    async def look(self) -> None:
        """Lets go what nobody had at the look before either: what a node has just been given it says at its next word.

        StoreError: not now; the next look does it too.
        """
        own = self._keeper.lacks()
        found = nobodys(own, _others(await self._nodes.nodes(), self._node)) if own else frozenset[MailboxId]()
        before, self._before = self._before, found
        await self._keeper.let_go(found.intersection(before))


def _others(seen: Sequence[SeenNode], node: str) -> list[Collection[MailboxId]]:
    now = max((each.last_seen for each in seen), default=0)
    return [
        each.view.lacks
        for each in seen
        if each.view.node != node and each.view.role.delivers and now - each.last_seen < GONE_AFTER
    ]
