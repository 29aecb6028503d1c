"""How long whoever asks over HTTP waits for the store.

Law: a store that hangs is an answer too: away, after so many seconds.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from relay.errors import StoreUnavailable

T = TypeVar("T")

PATIENCE: float = 10.0
"""Seconds: what reads a page takes milliseconds, and a dashboard gives up after some ten seconds."""


async def in_time(work: Awaitable[T], within: float = PATIENCE) -> T:
    """What the store says. StoreUnavailable: nothing, for so many seconds."""
    try:
        async with asyncio.timeout(within):
            return await work
    except TimeoutError as error:
        raise StoreUnavailable(f"the store did not answer within {within:.0f} s") from error
