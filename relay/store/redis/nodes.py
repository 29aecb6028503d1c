"""The nodes of a store on Redis: each says how it is, and all can be asked about.

Law: what a node says of itself is kept as it is said, until it is forgotten.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict

from relay.core.words import MailboxId
from relay.store.needs import Runner
from relay.store.ports.nodes import FORGOTTEN_AFTER, NodeView, Role, SeenNode, state_of
from relay.store.redis.link import Link
from relay.store.redis.operations import Operations
from relay.store.redis.scripts import load_script


class RedisNodes:
    """The port `Nodes`."""

    def __init__(self, link: Link, operations: Operations, run: Runner) -> None:
        """`run`: in the one thread that has the link."""
        self._link = link
        self._operations = operations
        self._run = run
        self._announce, self._list = load_script("announce"), load_script("nodes")

    async def announce(self, node: NodeView) -> None:
        """Says how this node is. NodeOutlived: another process does."""
        said = json.dumps(asdict(node))
        life = self._operations.life
        newer = await self._run(
            lambda: self._link.run(self._announce, (), (*self._operations.prelude(), node.node, said, life))
        )
        self._operations.refuse(newer)

    async def nodes(self) -> Sequence[SeenNode]:
        """All that were heard of within a day, by name."""
        return await self._run(self._seen)

    def _seen(self) -> Sequence[SeenNode]:
        now, *found = self._link.run(self._list, (), (*self._operations.prelude(), FORGOTTEN_AFTER))
        return sorted((_read(said, int(at), int(now)) for said, at in found), key=lambda seen: seen.view.name)


def _read(said: bytes, at: int, now: int) -> SeenNode:
    view = json.loads(said)
    lacks = tuple(MailboxId(*each) for each in view.get("lacks", ()))
    node = NodeView(**{**view, "role": Role(view["role"]), "listeners": tuple(view["listeners"]), "lacks": lacks})
    return SeenNode(node, at, state_of(node, max(0, now - at)))
