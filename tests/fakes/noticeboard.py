"""A notice board that shows what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from relay.core.concerns import Concern
from relay.store.ports.notices import DeadLetter, Hearing


@dataclass
class FakeNoticeBoard:
    """Open concerns and dead letters, the newest first; remembers what was sent once more."""

    open: list[Concern] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    next_at: dict[int, int] = field(default_factory=dict)
    unposted: int = 0
    revived: list[int] = field(default_factory=list)

    async def concerns(self, most: int, before: int | None = None) -> Sequence[Concern]:
        return [each for each in self.open if before is None or each.id < before][:most]

    async def hearings(self, concerns: Sequence[Concern]) -> Mapping[int, Hearing]:
        return {each.id: Hearing(each.told_at, self.next_at.get(each.id)) for each in concerns}

    async def waiting(self) -> int:
        return self.unposted

    async def dead_letters(self, most: int, before: int | None = None) -> Sequence[DeadLetter]:
        return [each for each in self.dead if before is None or each.id < before][:most]

    async def revive(self, telling: int, /) -> bool:
        known = [each for each in self.dead if each.id == telling]
        self.dead = [each for each in self.dead if each.id != telling]
        self.revived += [each.id for each in known]
        return bool(known)
