"""Stores that count the queue wrongly.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Sequence
from dataclasses import replace

from relay.store.ports import QueueCount
from tests.contract.model import ModelStore


class HeldCountsAsWaiting(ModelStore):
    """Nobody sees that anything is held."""

    async def queue_counts(self) -> Sequence[QueueCount]:
        counts = await super().queue_counts()
        return [replace(one, waiting=one.waiting + one.held, held=0) for one in counts]


class AgeUnknown(ModelStore):
    """The oldest mail has no age."""

    async def queue_counts(self) -> Sequence[QueueCount]:
        return [replace(one, oldest_seconds=0.0) for one in await super().queue_counts()]
