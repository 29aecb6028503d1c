"""Stores that count the queue wrongly.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Sequence
from dataclasses import replace

from relay.core.health import Pause
from relay.core.words import AccountId
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


class OnlyMailboxesPause(ModelStore):
    """Who has no credentials, or whose provider somebody has to mend, is not paused."""

    def pause_of(self, account: AccountId) -> Pause | None:
        found = super().pause_of(account)
        known = self.disk.applied.routing.accounts.get(account)
        own = None if known is None else self.disk.healths.get(known.mailbox)
        return found if own is not None and own.pause is not None else None


class PauseBeginsNow(ModelStore):
    """However long it stands, it has only begun."""

    def pause_of(self, account: AccountId) -> Pause | None:
        found = super().pause_of(account)
        return None if found is None else replace(found, since=self.now())
