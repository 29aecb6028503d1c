"""Recipients that get many mails of one account on one day, counted as the mail goes by.

Law: memory is bounded: whoever got one mail is forgotten before anybody who got several.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

LISTED_FROM: int = 10
"""Mails a day from which a recipient is listed: a patient's prescriptions and documents of a bad day are fewer."""

TOLD_FROM: int = 50
"""Mails a day of which the vendor is told: software that repeats itself, or an address typed for many patients."""

COUNTED_MOST: int = 500_000
"""Recipients counted at once: some 100 MB, and ten times what is written to in two days where there are most."""

KEPT: int = 2
"""Days that are kept: today and yesterday."""


class Key(NamedTuple):
    """One recipient (the beginning of his hash) of one account on one day."""

    day: int
    account: int
    recipient: bytes


@dataclass(slots=True)
class Busy:
    """One who is listed; `delivery` is one of his."""

    many: int
    delivery: int


@dataclass(slots=True)
class Busiest:
    """The counts of two days."""

    counted: dict[Key, int] = field(default_factory=dict)
    listed: dict[Key, Busy] = field(default_factory=dict)
    newest: int = 0
    next: int | None = None
    """The delivery that is counted next; None: not begun."""
    reached: list[Key] = field(default_factory=list)
    """Who has come to where somebody is told of it, and nobody was yet."""

    def add(self, key: Key, delivery: int) -> int:
        """One more mail to him; how many there are on that day, 0 where the day is over."""
        if key.day > self.newest:
            self._begin(key.day)
        if key.day <= self.newest - KEPT:
            return 0
        many = self.counted[key] = self.counted.get(key, 0) + 1
        if many == LISTED_FROM:
            self.listed[key] = Busy(many, delivery)
        elif many > LISTED_FROM:
            self.listed[key].many = many
        if many == TOLD_FROM:
            self.reached.append(key)
        if len(self.counted) > COUNTED_MOST:
            self._make_room()
        return many

    def of(self, account: int | None, least: int) -> Iterator[tuple[Key, Busy]]:
        """Who got at least so many, of an account or of all; the newest day and the most mails first."""
        found = (each for each in self.listed.items() if each[1].many >= least)
        mine = [each for each in found if account is None or each[0].account == account]
        yield from sorted(mine, key=lambda each: (-each[0].day, -each[1].many, each[0]))

    def told(self, day: int, account: int) -> int:
        """How many recipients of an account got so many on a day that somebody is told."""
        return sum(
            (key.day, key.account) == (day, account) and busy.many >= TOLD_FROM for key, busy in self.listed.items()
        )

    def _begin(self, day: int) -> None:
        self.newest = day
        for kept in (self.counted, self.listed):
            for key in [key for key in kept if key.day <= day - KEPT]:
                del kept[key]

    def _make_room(self) -> None:
        """Whoever got fewest goes, until a half is free."""
        least = 1
        while len(self.counted) > COUNTED_MOST // 2:
            for key in [key for key, many in self.counted.items() if many <= least]:
                del self.counted[key]
                self.listed.pop(key, None)
            least *= 2
