"""How many deliveries of each account are not final, and which may be the oldest: counted as they come and go.

Law: the counts are exact; `oldest` is never younger than the oldest, so that looking it up again mends it.
"""

from collections.abc import Iterable, Iterator
from heapq import heapify, heapreplace

from relay.core.words import DeliveryId
from relay.store.engine.ground import Line
from relay.store.engine.statements import load_statements
from relay.store.sqlite.database import Database

_SQL = load_statements("history")


class Pending:
    """The deliveries of all accounts that are not final."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: dict[int, Line] = {}
        for account, is_held, many, first in [
            *database.read(_SQL["count_ready"]),
            *database.read(_SQL["count_stalled"]),
        ]:
            line = self._lines.setdefault(account, Line(0, 0, first))
            line.oldest = min(first, line.oldest)
            line.held += many if is_held else 0
            line.waiting += 0 if is_held else many

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        return iter(self._lines.items())

    def look(self, accounts: Iterable[int]) -> None:
        """All are in memory."""

    def line(self, account: int) -> Line | None:
        """One account; None: it has nothing that is not final."""
        return self._lines.get(account)

    def came(self, account: int, first: DeliveryId, many: int) -> None:
        """Deliveries came in."""
        line = self._lines.get(account)
        if line is None:
            self._lines[account] = Line(many, 0, first)
        else:
            line.waiting += many

    def went(self, account: int, *, was_held: bool) -> None:
        """A delivery is final."""
        line = self._lines[account]
        if was_held:
            line.held -= 1
        else:
            line.waiting -= 1
        if not line.waiting and not line.held:
            del self._lines[account]

    def held(self, account: int) -> None:
        """A delivery that waited is held by itself."""
        line = self._lines[account]
        line.waiting -= 1
        line.held += 1

    def released(self, account: int) -> None:
        """A delivery that was held by itself waits again."""
        line = self._lines[account]
        line.held -= 1
        line.waiting += 1

    def recalled(self, account: int, delivery: DeliveryId) -> None:
        """A delivery that was final is held by itself."""
        line = self._lines.setdefault(account, Line(0, 0, delivery))
        line.held += 1
        line.oldest = min(line.oldest, delivery)

    def accepted_at(self, accounts: list[int]) -> int | None:
        """When the oldest delivery of any of these accounts came in, wall time."""
        oldest_first = [(self._lines[account].oldest, account) for account in accounts]
        heapify(oldest_first)
        while oldest_first:
            _, account = oldest_first[0]
            row = self._database.read_one(_SQL["oldest_of"], (account,) * 3)
            assert row is not None
            line = self._lines[account]
            if row[0] == line.oldest:
                found = self._database.read_one(_SQL["accepted_at"], (row[0],))
                return None if found is None else int(found[0])
            line.oldest = row[0]
            heapreplace(oldest_first, (row[0], account))
        return None
