"""The nodes of a store that only one works on: itself.

Law: whoever has such a store is the only one, and is asked while it runs.
"""

from collections.abc import Callable, Sequence

from relay.store.ports.nodes import NodeView, SeenNode, state_of


class LoneNode:
    """Remembers what this node says of itself; `wall` gives wall time in microseconds."""

    def __init__(self, wall: Callable[[], int]) -> None:
        self._wall = wall
        self._seen: tuple[NodeView, int] | None = None

    async def announce(self, node: NodeView) -> None:
        """Says how this node is."""
        self._seen = node, self._wall()

    async def nodes(self) -> Sequence[SeenNode]:
        """It, once it has said how it is."""
        if self._seen is None:
            return ()
        view, at = self._seen
        return (SeenNode(view, at, state_of(view, max(0, self._wall() - at))),)
