"""What a start decides waits for the pen: a relay that ends because another node decides would only be started again.

Law: nothing is waited for but the pen, and no longer than a node that died with it may keep it from others.
"""

from collections.abc import Callable
from typing import TypeVar

from relay.store.redis.operations import HELD, PATIENCE, PenHeld

T = TypeVar("T")

TRIES: int = 5 * HELD // PATIENCE
"""Busy nodes take it from each other: a start stands in line as everybody does, for ten seconds."""


def patiently(work: Callable[[], T]) -> T:
    """What the work returns when it has the pen. PenHeld: others always did."""
    for _ in range(TRIES):
        try:
            return work()
        except PenHeld:
            continue
    return work()
