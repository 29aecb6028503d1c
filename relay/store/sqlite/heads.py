"""The heads of the queue in memory: per lane of an account, the next few deliveries that may be sent.

Law: a head is the beginning of its queue, in order, or it is not there; how long the queue is behind it costs nothing.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from relay.core.words import Lane
from relay.store.engine.entry import Entry

FIRST: int = 4
"""Deliveries read of a queue at first: of most accounts no more leave in a while."""

HEAD: int = 64
"""Deliveries read at once of a queue that runs: each time one is empty, twice as many are read, up to this."""

ENTRIES: int = 65_536
"""Deliveries kept at once, about 60 MB; the oldest heads go first and are read again when needed."""

Key = tuple[int, Lane]
"""Number of the account, and lane."""


@dataclass(slots=True)
class _Head:
    waiting: deque[Entry]
    is_whole: bool
    asked: int
    """How many to read when it is empty."""


Refill = Callable[[int, Lane, int], list[Entry]]
"""Reads the oldest deliveries of a lane of an account, as many as asked for."""


class Heads:
    """The heads of all queues that move."""

    def __init__(self, refill: Refill) -> None:
        self._refill = refill
        self._heads: OrderedDict[Key, _Head] = OrderedDict()
        self._entries = 0

    def add(self, account: int, lane: Lane, waiting: Entry, *, is_only: bool) -> None:
        """A delivery came in behind all others; `is_only`: there are no others."""
        key = (account, lane)
        head = self._heads.get(key)
        if head is None:
            if is_only:
                self._keep(key, _Head(deque((waiting,)), is_whole=True, asked=FIRST))
        elif head.is_whole and len(head.waiting) < HEAD:
            head.waiting.append(waiting)
            self._entries += 1
        else:
            head.is_whole = False

    def pop(self, account: int, lane: Lane) -> Entry | None:
        """The oldest; None: there is none, whatever was counted."""
        key = (account, lane)
        head = self._heads.get(key)
        if head is None or not head.waiting:
            head = self._read(key, FIRST if head is None else head.asked)
            if head is None:
                return None
        waiting = head.waiting.popleft()
        self._entries -= 1
        if not head.waiting and head.is_whole:
            del self._heads[key]
        return waiting

    def forget(self, account: int, lane: Lane) -> None:
        """Something in the middle of this queue changed."""
        head = self._heads.pop((account, lane), None)
        if head is not None:
            self._entries -= len(head.waiting)

    def _read(self, key: Key, asked: int) -> _Head | None:
        self._heads.pop(key, None)
        found = self._refill(*key, asked)
        if not found:
            return None
        head = _Head(deque(found), is_whole=len(found) < asked, asked=min(HEAD, 2 * asked))
        self._keep(key, head)
        return head

    def _keep(self, key: Key, head: _Head) -> None:
        self._heads[key] = head
        self._entries += len(head.waiting)
        while self._entries > ENTRIES or len(self._heads) > ENTRIES:
            self._entries -= len(self._heads.popitem(last=False)[1].waiting)
