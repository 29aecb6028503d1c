"""Nodes as the test says that they are; remembers what is announced."""

from collections.abc import Sequence

from relay.errors import RelayError
from relay.store.ports.nodes import NodeState, NodeView, Role, SeenNode
from tests.fakes.reading import MINUTE, NOON


def node(name: str = "n1", *, state: NodeState = NodeState.RUNNING, role: Role = Role.ALL) -> SeenNode:
    """A node that was heard of a minute after it started."""
    listeners = ("smtp 127.0.0.1:2525", "http 127.0.0.1:8025")
    machine = f"posta-{name.removeprefix('n')}"
    view = NodeView(name, machine, role, "0.1.0", NOON, listeners, sessions=3, under_way=2)
    return SeenNode(view, NOON + MINUTE, state)


class FakeNodes:
    """Part of the store; `trouble` is raised by `announce`."""

    def __init__(self) -> None:
        self.here: list[SeenNode] = [node()]
        self.announced: list[NodeView] = []
        self.trouble: RelayError | None = None

    async def announce(self, node: NodeView) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.announced.append(node)

    async def nodes(self) -> Sequence[SeenNode]:
        return self.here
