"""Stores that count wrongly, or wake at the wrong instant.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Mapping
from typing import Any

from relay.core.envelope import Result
from relay.core.routing import Routing
from relay.core.words import MailboxId
from tests.contract.model import ModelStore
from tests.contract.model_data import Attempt


class WakesLate(ModelStore):
    """`wake_at` is one instant late."""

    def wake_at(self, node: str, now: int, left: Mapping[MailboxId, int]) -> int | None:
        at = super().wake_at(node, now, left)
        return None if at is None else at + 1


class WakesEarly(ModelStore):
    """`wake_at` is one instant early."""

    def wake_at(self, node: str, now: int, left: Mapping[MailboxId, int]) -> int | None:
        at = super().wake_at(node, now, left)
        return None if at is None else at - 1


class NeverWakes(ModelStore):
    """There is no `wake_at`."""

    def wake_at(self, node: str, now: int, left: Mapping[MailboxId, int]) -> int | None:
        return None


class EndsAtItsStart(ModelStore):
    """A slot is counted from the start of its attempt."""

    def end(self, attempt: Attempt, result: Result) -> None:
        super().end(attempt, result)
        attempt.ended = attempt.started


class WallClock(ModelStore):
    """The limiter counts by the wall clock."""

    def now(self) -> int:
        return self.clock.wall()


class MemoryLost(ModelStore):
    """A restart begins with empty windows."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        for attempt in self.disk.attempts:
            attempt.is_counted = not attempt.is_over
        self.order.refresh(self.now())


class NewLimitStartsEmpty(ModelStore):
    """A limit counts from the edit that brought it."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        for attempt in self.disk.attempts:
            attempt.is_counted = attempt.is_counted and not attempt.is_over
        return await super().apply(routing, fingerprints)


class LoginsUncounted(ModelStore):
    """A login costs nothing."""

    def reserve(self, mailbox: MailboxId) -> None:
        super().reserve(mailbox)
        self.disk.logins.clear()
