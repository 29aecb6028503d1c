"""Bodies that a crash left behind: done with, but their space was not given back.

Law: what is swept was done with before this start; a little at each heartbeat, so that nobody waits for it.
"""

from relay.store.engine.statements import load_statements
from relay.store.segments import Place
from relay.store.sqlite.parts import Parts

_SQL = load_statements("store")

AT_ONCE: int = 2_000
"""Messages looked at in one go: some milliseconds."""


class Sweeping:
    """Goes once through the messages of the segments that were there at the start."""

    def __init__(self, parts: Parts, *, before: int) -> None:
        """`before`: the first message of this life."""
        context = parts.context
        self._parts = parts
        self._context = context
        row = context.database.read_one(_SQL["oldest_body"])
        self._left = range(before if row is None else min(row[0], before), before)
        parts.bodies.leave_to_sweep(self._left)

    @property
    def first(self) -> int | None:
        """The first message whose body was not looked at yet; None: all were."""
        return self._left.start if self._left else None

    def sweep(self) -> None:
        """Looks at the next few messages."""
        if not self._left:
            return
        bodies = self._parts.bodies
        rows = self._context.database.read(_SQL["bodies_from"], (self._left.start, self._left.stop, AT_ONCE))
        self._left = range(rows[-1][0] + 1 if len(rows) == AT_ONCE else self._left.stop, self._left.stop)
        bodies.leave_to_sweep(self._left)
        for _, segment, offset, length, is_pending, is_owed in rows:
            if not is_pending and not is_owed:
                bodies.give_back(Place(segment, offset, length))
