"""How the books are written: one piece of work in the store's next transaction.

Law: what it wrote is durable when it is answered; work that raises has written nothing.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from relay.store.engine.context import Context

T = TypeVar("T")


class Note(Protocol):
    """Runs a piece of work on the core of the moment, inside a transaction."""

    async def __call__(self, work: Callable[[Context], T], /) -> T: ...
