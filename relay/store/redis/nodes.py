"""The nodes of a store on Redis: each says how it is, and all can be asked about.

Law: what a node says of itself is kept as it is said, until it is forgotten; of what a newer version says, what is
known here is read, and a word that cannot be read is left out: it ends nobody.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

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
        views = ((_read(said), int(at)) for said, at in found)
        seen = [SeenNode(node, at, state_of(node, max(0, int(now) - at))) for node, at in views if node is not None]
        return sorted(seen, key=lambda each: each.view.name)


def _read(said: bytes | None) -> NodeView | None:
    """What a node said; None: nobody who knows only this version can read it."""
    try:
        found = json.loads(said or b"")
        known = {each.name: found[each.name] for each in fields(NodeView) if each.name in found}
        lacks = tuple(MailboxId(*each) for each in known.get("lacks", ()))
        listeners = tuple(known.get("listeners", ()))
        node = NodeView(**{**known, "role": Role(known["role"]), "listeners": listeners, "lacks": lacks})
    except (ValueError, TypeError, KeyError):
        return None
    return node if _is_sound(node) else None


def _is_sound(node: NodeView) -> bool:
    plain: list[tuple[Any, Any]] = [(getattr(node, each.name), each.type) for each in fields(node)]
    texts = [*node.listeners, *(part for each in node.lacks for part in each)]
    return all(type(value) is kind for value, kind in plain if kind in (str, int, bool)) and all(
        isinstance(each, str) for each in texts
    )
