"""Outcomes on their way into the store: those that it cannot take now wait on this node's own disk.

Law: an outcome is on some disk before its attempt is over; what waits here is settled before anything new is taken.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from relay.core.envelope import Claim, Result, Verdict
from relay.delivery.observer import Observer
from relay.delivery.steady import SteadyStore
from relay.errors import RelayError, StoreBroken, StoreError
from relay.store.ports.outcomes import Outcome, Outcomes


class Settles(Protocol):
    """Where outcomes belong."""

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """As what the outcome was taken; None: it came too late."""


async def replay(store: Settles, outcomes: Outcomes, observe: Observer) -> int:
    """Settles what is kept, the oldest first; how many there were. StoreError: the store is (still) away.

    What it will never take is told, and given up: its claim ends with its lease, and is in doubt if it was gated.
    """
    many = 0
    while kept := outcomes.kept():
        for each in kept:
            try:
                verdict = await store.settle(each.claim, each.result)
            except (StoreError, StoreBroken):
                raise
            except RelayError as error:
                observe.broken("outcome", error, each.claim)
            else:
                tell(observe, each, verdict)
            await outcomes.settled(each)
            many += 1
    return many


def tell(observe: Observer, outcome: Outcome, verdict: Verdict | None) -> None:
    """What became of an attempt, where anything happened that is worth keeping."""
    result = outcome.result
    if result.is_attempt:
        became = result if verdict is None else replace(result, verdict=verdict)
        observe.attempted(outcome.claim, became, seconds=outcome.seconds, is_recorded=verdict is not None)


class Recorder:
    """Records outcomes; `on_kept` is called when one waits on disk. Without `outcomes` they wait in memory."""

    def __init__(
        self,
        store: Settles,
        steady: SteadyStore,
        *,
        observe: Observer,
        outcomes: Outcomes | None,
        on_kept: Callable[[], None],
    ) -> None:
        self._store = store
        self._steady = steady
        self._observe = observe
        self._outcomes = outcomes
        self._on_kept = on_kept

    async def settle(self, outcome: Outcome) -> None:
        """Returns when it is in the store, or on this node's disk."""
        if self._outcomes is None:
            tell(self._observe, outcome, await self._steady.settle(outcome.claim, outcome.result))
            return
        try:
            verdict = await self._store.settle(outcome.claim, outcome.result)
        except StoreError as error:
            self._observe.store_failed("settle", error)
            if await self._is_kept(outcome, self._outcomes):
                return
            verdict = await self._steady.settle(outcome.claim, outcome.result)
        tell(self._observe, outcome, verdict)

    async def replay(self) -> None:
        """Settles what waits on disk. StoreError: the store is still away."""
        if self._outcomes is not None and self._outcomes.kept():
            await replay(self._store, self._outcomes, self._observe)

    async def _is_kept(self, outcome: Outcome, outcomes: Outcomes) -> bool:
        """A disk that cannot keep it leaves it in memory."""
        try:
            await outcomes.keep(outcome)
        except StoreError as error:
            self._observe.store_failed("outcomes", error)
            return False
        self._on_kept()
        return True
