"""A place for outcomes that remembers what it was asked, and refuses where the test says so."""

from collections.abc import Sequence

from relay.errors import StoreError
from relay.store.ports.outcomes import Outcome


class RememberedOutcomes:
    """Keeps in memory; `trouble` is raised by `keep`."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.here = list(outcomes)
        self.seen: list[Outcome] = list(outcomes)
        self.trouble: StoreError | None = None

    def kept(self) -> Sequence[Outcome]:
        return tuple(self.here)

    async def keep(self, outcome: Outcome) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.here.append(outcome)
        self.seen.append(outcome)

    async def settled(self, outcome: Outcome) -> None:
        self.here = [each for each in self.here if each is not outcome]
