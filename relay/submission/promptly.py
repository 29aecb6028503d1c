"""Asking the store where a client waits for the answer: no longer than he should.

Law: what was not answered in time is unknown, and is told as such.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from relay.errors import StoreSilent

T = TypeVar("T")


async def promptly(work: Awaitable[T], within: float | None) -> T:
    """What the store says within so many seconds; None: as long as it takes. StoreSilent: it said nothing."""
    if within is None:
        return await work
    try:
        async with asyncio.timeout(within):
            return await work
    except TimeoutError:
        raise StoreSilent(late(within)) from None


def late(within: float) -> str:
    """Why no more was waited for."""
    return f"the store did not answer within {within:g} s"
