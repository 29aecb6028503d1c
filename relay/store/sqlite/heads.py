"""The heads of the queue in memory: per lane of an account, the next few deliveries that may be sent.

Law: a head is the beginning of its queue, in order, or it is not there; how long the queue is behind it costs nothing.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from relay.core.words import Lane
from relay.store.sqlite.entry import Entry

HEAD: int = 64
"""Deliveries read at once: one query for that many sends."""

HEADS: int = 1024
"""Heads kept at once: 65,536 deliveries at most, about 60 MB; older heads are read again when needed."""

Key = tuple[int, Lane]
"""Number of the account, and lane."""


@dataclass(slots=True)
class _Head:
    waiting: deque[Entry]
    is_whole: bool


Refill = Callable[[int, Lane, int], list[Entry]]
"""Reads the oldest deliveries of a lane of an account, as many as asked for."""


class Heads:
    """The heads of all queues that move."""

    def __init__(self, refill: Refill) -> None:
        self._refill = refill
        self._heads: OrderedDict[Key, _Head] = OrderedDict()

    def add(self, account: int, lane: Lane, waiting: Entry, *, is_only: bool) -> None:
        """A delivery came in behind all others; `is_only`: there are no others."""
        key = (account, lane)
        head = self._heads.get(key)
        if head is None:
            if is_only:
                self._keep(key, _Head(deque((waiting,)), is_whole=True))
        elif head.is_whole and len(head.waiting) < HEAD:
            head.waiting.append(waiting)
        else:
            head.is_whole = False

    def pop(self, account: int, lane: Lane) -> Entry | None:
        """The oldest; None: there is none, whatever was counted."""
        key = (account, lane)
        head = self._heads.get(key)
        if head is None or not head.waiting:
            found = self._refill(account, lane, HEAD)
            head = _Head(deque(found), is_whole=len(found) < HEAD)
            if not found:
                return None
            self._keep(key, head)
        waiting = head.waiting.popleft()
        if not head.waiting:
            del self._heads[key]
        return waiting

    def forget(self, account: int, lane: Lane) -> None:
        """Something in the middle of this queue changed."""
        self._heads.pop((account, lane), None)

    def _keep(self, key: Key, head: _Head) -> None:
        self._heads[key] = head
        if len(self._heads) > HEADS:
            self._heads.popitem(last=False)
