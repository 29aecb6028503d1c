"""The life of a delivery as one table, state x event -> state; the diagram in docs/ is made from it.

Law: a delivery leaves a final state only for `delivered`, because that the provider took it is a fact however late, or
as a bounce of which nobody was told yet.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from relay.errors import PermanentError


class State(StrEnum):
    """Where a delivery is."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    GATED = "gated"
    HELD = "held"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What happens to a delivery."""

    TAKE = "take"
    """A node claimed it: the attempt is recorded."""
    GATE = "gate"
    """The node still held it before the final dot: from here the outcome may be unknown."""
    DELIVER = "deliver"
    """The provider took over responsibility."""
    DEFER = "defer"
    """It was refused for now: tried again at a time."""
    RETURN = "return"
    """The attempt ended before the gate through no fault of the delivery: back to its place."""
    DOUBT = "doubt"
    """The gate was passed and no final reply came, the first time: sent once more."""
    HOLD = "hold"
    """It stays until something changes that only a person or a probe can change."""
    BOUNCE = "bounce"
    """It was refused for good, or its lifetime is over: its sender is told."""
    RELEASE = "release"
    """What held it is gone."""
    CANCEL = "cancel"
    """An admin took it out."""
    RECALL = "recall"
    """Its bounce, of which nobody was told yet, was hardly about its recipient: it is held."""


FINAL = frozenset({State.DELIVERED, State.BOUNCED, State.CANCELLED})
SENDING = frozenset({State.CLAIMED, State.GATED})

LIFE: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.WAITING, Event.TAKE): State.CLAIMED,
        (State.WAITING, Event.HOLD): State.HELD,
        (State.WAITING, Event.BOUNCE): State.BOUNCED,
        (State.WAITING, Event.CANCEL): State.CANCELLED,
        (State.WAITING, Event.DELIVER): State.DELIVERED,
        (State.CLAIMED, Event.GATE): State.GATED,
        (State.CLAIMED, Event.DEFER): State.WAITING,
        (State.CLAIMED, Event.RETURN): State.WAITING,
        (State.CLAIMED, Event.HOLD): State.HELD,
        (State.CLAIMED, Event.BOUNCE): State.BOUNCED,
        (State.CLAIMED, Event.DELIVER): State.DELIVERED,
        (State.GATED, Event.DELIVER): State.DELIVERED,
        (State.GATED, Event.DEFER): State.WAITING,
        (State.GATED, Event.RETURN): State.WAITING,
        (State.GATED, Event.DOUBT): State.WAITING,
        (State.GATED, Event.HOLD): State.HELD,
        (State.GATED, Event.BOUNCE): State.BOUNCED,
        (State.HELD, Event.RELEASE): State.WAITING,
        (State.HELD, Event.BOUNCE): State.BOUNCED,
        (State.HELD, Event.CANCEL): State.CANCELLED,
        (State.HELD, Event.DELIVER): State.DELIVERED,
        (State.BOUNCED, Event.DELIVER): State.DELIVERED,
        (State.BOUNCED, Event.RECALL): State.HELD,
        (State.CANCELLED, Event.DELIVER): State.DELIVERED,
    }
)


class ImpossibleEvent(PermanentError):
    """this cannot happen to a delivery in this state"""


def can(state: State, event: Event) -> bool:
    """Whether the event may happen in this state."""
    return (state, event) in LIFE


def after(state: State, event: Event) -> State:
    """The state after the event; ImpossibleEvent where the table has none."""
    try:
        return LIFE[state, event]
    except KeyError:
        raise ImpossibleEvent(f"a delivery that is {state} cannot {event}") from None
