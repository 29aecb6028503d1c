"""The nodes' port: who works on this store, and how.

Law: what a node says of itself is for people to read; nothing is decided by it, but that a secret that all of them lack
is nobody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from relay.core.limits import HOUR, MINUTE
from relay.core.words import MailboxId


class Role(StrEnum):
    """What a node does."""

    ALL = "all"
    SUBMISSION = "submission"
    DELIVERY = "delivery"

    @property
    def takes_mail(self) -> bool:
        """Whether clients hand in mail there."""
        return self is not Role.DELIVERY

    @property
    def delivers(self) -> bool:
        """Whether mail, and what follows from it, leaves from there."""
        return self is not Role.SUBMISSION


class NodeState(StrEnum):
    """How a node is, as the others see it."""

    RUNNING = "running"
    DRAINING = "draining"
    """It was told to stop: it takes nothing new."""
    STOPPED = "stopped"
    """It was, and has."""
    SILENT = "silent"
    """It was not, and is not heard of any more."""


SILENT_AFTER: int = MINUTE
"""Three announcements that did not come: its lease is over as well."""

FORGOTTEN_AFTER: int = 24 * HOUR
"""A node that was not heard of for so long is not listed any more."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """What a node says of itself. Instants are wall time in microseconds since 1970."""

    node: str
    """Its identity, which it keeps over restarts."""
    name: str
    """Of its machine."""
    role: Role
    version: str
    started_at: int
    listeners: tuple[str, ...] = ()
    """Where it listens: `smtp HOST:PORT`, `http HOST:PORT`."""
    sessions: int = 0
    """That it has open with providers."""
    under_way: int = 0
    """Attempts."""
    is_draining: bool = False
    is_stopped: bool = False
    """Its last word: what it had open it has closed."""
    lacks: tuple[MailboxId, ...] = ()
    """Mailboxes that it leaves to others, for it has not what they log in with; not all, if they are very many."""


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node with when it was last heard of, by the store's clock."""

    view: NodeView
    last_seen: int
    state: NodeState


class Nodes(Protocol):
    """Where nodes are known."""

    async def announce(self, node: NodeView) -> None:
        """Says how this node is; again every 20 s, and when that changes at once."""

    async def nodes(self) -> Sequence[SeenNode]:
        """All that were heard of within a day, by name."""


def state_of(node: NodeView, silent_for: int) -> NodeState:
    """How a node is that was last heard of so many microseconds ago."""
    if node.is_stopped:
        return NodeState.STOPPED
    if silent_for < SILENT_AFTER:
        return NodeState.DRAINING if node.is_draining else NodeState.RUNNING
    return NodeState.STOPPED if node.is_draining else NodeState.SILENT
