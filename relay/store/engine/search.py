"""Looking for messages, the newest first: from the places where those asked for are, never through the whole history
where an index or a count in memory says better.

Law: each step looks at a bounded number of rows; what is found comes in order, and nothing comes twice.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from relay.core.lifecycle import State
from relay.store.engine.context import Context
from relay.store.engine.ledger import Row
from relay.store.engine.statements import load_statements
from relay.store.engine.values import STORED, Stored
from relay.store.ports.reading import MessageQuery

_SQL = load_statements("reading")

ROWS: int = 200
"""Rows read of an index at once: a fraction of a millisecond."""

SPAN: int = 2_000
"""Deliveries looked at in one go where no index helps: two milliseconds."""

FEW: int = 32
"""Accounts that are looked through one by one; among more of them, what is looked for is not rare."""

LINES: int = 1_000
"""Accounts looked at in one go."""

NEWEST: int = 1 << 62
"""Before it is everything."""

PENDING = frozenset({State.WAITING.value, State.HELD.value})


Fetch = Callable[[int], tuple[list[int], int | None]]
"""Messages before a number, the newest first, and before which number to go on; None: there are no more."""


@dataclass(slots=True)
class _Place:
    """One place where messages are: `fetch` gives the next of them before a number, and where to go on."""

    fetch: Fetch
    before: int | None
    waiting: deque[int] = field(default_factory=deque)

    def read(self) -> None:
        assert self.before is not None
        found, self.before = self.fetch(self.before)
        self.waiting.extend(found)


class Search:
    """The messages that may answer a query, the newest first; whether one does is seen when it is read."""

    def __init__(self, context: Context, query: MessageQuery, before: int = NEWEST) -> None:
        self._context = context
        self._last = before
        self.looked = 0
        """How many rows were looked at, or accounts."""
        self._pending = query.states & PENDING if query.account is None and query.message_id is None else frozenset()
        self._unsorted = list(context.pending) if self._pending else []
        self._wanted: set[int] = set()
        self._oldest = NEWEST
        self._places = [_Place(fetch, before) for fetch in self._fetches(query)]

    def step(self) -> int | None:
        """The next message; None: there is none yet, or `is_over`."""
        if self._unsorted:
            self._sort()
            return None
        head = max((place.waiting[0] for place in self._places if place.waiting), default=0)
        behind = [place for place in self._places if not place.waiting and (place.before or 0) > head]
        if behind:
            behind[0].read()
            self.looked += max(ROWS, len(behind[0].waiting))
            return None
        for place in self._places:
            while place.waiting and place.waiting[0] >= head:
                place.waiting.popleft()
        is_new = 0 < head < self._last
        self._last = min(self._last, head or self._last)
        return head if is_new else None

    @property
    def is_over(self) -> bool:
        """Whether there are no more."""
        return not self._unsorted and all(not place.waiting and place.before is None for place in self._places)

    # where to look

    def _fetches(self, query: MessageQuery) -> Iterator[Fetch]:
        names, states = self._context.names, query.states
        if query.message_id is not None:
            key = self._context.seals.hash_message_id(query.message_id)
            yield partial(self._read, "messages_of_id", (key,))
        elif query.account is not None:
            number = names.known_account(query.account)
            if number is None:
                return
            if states and states <= PENDING:
                yield from self._of_account(number)
            else:
                yield partial(self._read, "messages_of_account", (number,))
        elif states:
            yield from self._by_state(states)
        else:
            yield partial(self._read, "newest_messages", ())

    def _by_state(self, states: frozenset[str]) -> Iterator[Fetch]:
        if "sending" in states:
            yield self._sending
        if State.DELIVERED.value in states:
            yield partial(self._span, 0, lambda row: row[1] == Stored.DELIVERED)
        failed = {STORED[state] for state in (State.BOUNCED, State.CANCELLED) if state.value in states}
        if failed:
            yield partial(self._failed, failed)

    def _sort(self) -> None:
        """Finds the accounts with mail that waits or is held as asked for, some of all at each step."""
        some, self._unsorted = self._unsorted[:LINES], self._unsorted[LINES:]
        self.looked += LINES if len(self._wanted) <= FEW else LINES // 10
        for account, line in some:
            self._oldest = min(self._oldest, line.oldest)
            if len(self._wanted) <= FEW and self._has(account, line.held, self._pending):
                self._wanted.add(account)
        if not self._unsorted:
            self._places += [_Place(each, self._last) for each in self._pending_fetches()]

    def _pending_fetches(self) -> Iterator[Fetch]:
        """The accounts one by one, if they are few; else everything since the oldest mail in the queue."""
        if len(self._wanted) > FEW:
            yield partial(self._span, self._oldest, self._is_pending)
            return
        for number in self._wanted:
            yield from self._of_account(number)

    def _is_pending(self, row: Row) -> bool:
        """Whether it is mail that waits or is held as asked for."""
        return bool(row[1] <= Stored.HELD) and self._has(row[2], row[1] == Stored.HELD, self._pending)

    def _has(self, account: int, is_held: int, states: frozenset[str]) -> bool:
        """Whether an account may have mail that waits, or is held."""
        is_kept_back = self._context.is_kept_back(self._context.names.sender(account))
        if State.HELD.value in states and (is_held or is_kept_back):
            return True
        return State.WAITING.value in states and not is_kept_back

    def _of_account(self, account: int) -> Iterator[Fetch]:
        """What an account has in the queue."""
        for lane in (0, 1):
            yield partial(self._read, "ready_before", (account, lane))
        for state in (Stored.WAITING, Stored.HELD):
            yield partial(self._read, "stalled_before", (account, int(state)))

    # how to look there

    def _read(self, statement: str, about: tuple[object, ...], before: int) -> tuple[list[int], int | None]:
        rows = self._context.database.read(_SQL[statement], (*about, before, ROWS))
        found = list(dict.fromkeys(row[0] for row in rows))
        return found, found[-1] if len(rows) == ROWS else None

    def _failed(self, states: set[Stored], before: int) -> tuple[list[int], int | None]:
        rows = self._context.database.read(_SQL["failed_before"], (before, ROWS))
        found = list(dict.fromkeys(row[0] for row in rows if row[1] in states))
        return found, rows[-1][0] if len(rows) == ROWS else None

    def _span(self, oldest: int, is_wanted: Callable[[Row], bool], before: int) -> tuple[list[int], int | None]:
        row = self._context.database.read_one(_SQL["newest_delivery"])
        before = min(before, (row[0] if row is not None and row[0] else 0) + 1)
        start = max(oldest, before - SPAN)
        self.looked += before - start
        rows = self._context.database.read(_SQL["deliveries_between"], (start, before))
        found = list(dict.fromkeys(row[0] for row in rows if is_wanted(row)))
        return found, start if start > max(oldest, 1) else None

    def _sending(self, before: int) -> tuple[list[int], int | None]:
        found = {running.entry.seq for running in self._context.claims if not running.is_lost}
        return sorted((seq for seq in found if seq < before), reverse=True), None
