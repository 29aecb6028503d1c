"""The lives of this node: which ones a data_dir knows, and which one the store says speaks for the node.

Law: a data_dir that was copied makes two processes of one node, and the store lets one of them decide, the newest; the
other one ends, and does not start again while the first one lives.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from relay.core.limits import SECOND
from relay.errors import NodeInUse, NodeOutlived

KEPT: int = 8
"""Lives that a data_dir remembers: the last one that spoke is among them, though some since were killed before they did
so, or a failover lost that they had.
"""


def life_field(node: str) -> str:
    """Where the life of a node is written down in `STATE`, as TOKEN SINCE; relay/store/lua/lib/lives.lua writes it."""
    return f"life:{node}"


def _forgets(_tokens: Sequence[str]) -> None:
    """Where nothing outlives the process."""


class Lives:
    """What a data_dir knows of the lives of its node, this one first."""

    def __init__(
        self, known: Sequence[str] | None = None, remember: Callable[[Sequence[str]], None] = _forgets
    ) -> None:
        """`known`: tokens of lives before; None: nothing says anything of them, and nobody is refused."""
        self._known = known
        self._remember = remember

    def begin(
        self, node: str, token: str, said: bytes | None, *, is_heard_of: bool, shown: Callable[[int], int]
    ) -> None:
        """This life is about to speak. `said`: who did last; `is_heard_of`: whether that one may live.

        NodeInUse: it does, and is none of this data_dir.
        """
        if self._known is None:
            return
        if said is not None and is_heard_of:
            other, _, since = said.decode().partition(" ")
            if other not in (token, *self._known):
                raise NodeInUse(_sentence(node, shown(int(since))))
        with suppress(OSError):  # a heartbeat says so, and a start may be refused for a minute: no more comes of it
            self._remember([token, *self._known][:KEPT])


def outlived(node: str, since: int) -> NodeOutlived:
    """Another process speaks for this node; `since` as the wall clock says, microseconds since 1970."""
    return NodeOutlived(_sentence(node, since))


def _sentence(node: str, since: int) -> str:
    started = datetime.fromtimestamp(since / SECOND, UTC).isoformat(sep=" ", timespec="seconds")
    return (
        f"another process runs as this node ({node}), started at {started}: its data_dir was copied? Each node needs "
        "its own: stop the copy, remove the file `node` from the copy's data_dir, and start both again, the original "
        "once the copy has been stopped for a minute"
    )
