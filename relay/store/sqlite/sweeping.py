"""Bodies that a crash left behind: done with, but their space was not given back.

Law: what is swept was done with before this start; a little at each heartbeat, so that nobody waits for it.
"""

from relay.store.sqlite.context import Context
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("store")

AT_ONCE: int = 2_000
"""Messages looked at in one go: some milliseconds."""


class Sweeping:
    """Goes once through the messages of the segments that were there at the start."""

    def __init__(self, context: Context) -> None:
        self._context = context
        row = context.database.read_one(_SQL["oldest_body"])
        self._next: int | None = None if row is None else row[0]

    def sweep(self) -> None:
        """Looks at the next few messages."""
        if self._next is None:
            return
        context = self._context
        rows = context.database.read(_SQL["bodies_from"], (self._next, AT_ONCE))
        for seq, segment, offset, length, is_pending, is_owed in rows:
            self._next = seq + 1
            if not is_pending and not is_owed:
                context.bodies.give_back(segment, offset, length)
        if len(rows) < AT_ONCE:
            self._next = None
