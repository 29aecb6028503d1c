"""The store's own books, read after the fact: what became of every delivery of a client's message.

Law: it reads the tables as they are, and asks no code of the store what they mean.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping

from relay.errors import CorruptValue
from relay.notify.report import is_report
from relay.store.ports.events import EventKind
from relay.store.segments import Place
from relay.store.segments.memory import MemorySegments

Key = tuple[str, str]
"""A message, by the name that its client gave it, and a recipient."""


class Books:
    """What the store wrote down; `mail` is message id -> (the client's name for it, its recipients in order)."""

    def __init__(
        self, connection: sqlite3.Connection, segments: MemorySegments, mail: Mapping[str, tuple[str, tuple[str, ...]]]
    ) -> None:
        self._connection = connection
        self._segments = segments
        self._mail = mail

    def unfinished(self) -> int:
        """Deliveries that still move, and what is owed because of others."""
        owed = "SELECT count(*) FROM outbox WHERE report IS NULL AND NOT lost"
        one = f"SELECT (SELECT count(*) FROM deliveries WHERE state = 0) + ({owed})"
        count: int = self._connection.execute(one).fetchone()[0]
        return count

    def states(self) -> dict[Key, tuple[int, int, str | None]]:
        """Every delivery of a client's message: state, doubts, reason."""
        return {key: (state, doubts, reason) for _, key, state, doubts, reason in self._deliveries()}

    def delivery_names(self) -> dict[int, Key]:
        """The number of every delivery of a client's message."""
        return {number: key for number, key, *_ in self._deliveries()}

    def doubts(self) -> Counter[Key]:
        """How often each delivery was reported as in doubt."""
        names = self.delivery_names()
        rows = self._connection.execute("SELECT delivery FROM events WHERE kind = ?", (EventKind.IN_DOUBT,))
        return Counter(names[number] for (number,) in rows if number in names)

    def reports(self) -> set[Key]:
        """What a report was made about that the provider took, or that waits for a way where an admin sees it."""
        names, found = self.delivery_names(), set()
        rows = self._connection.execute(
            "SELECT m.id FROM messages AS m JOIN deliveries AS d ON d.message = m.seq WHERE d.state NOT IN (3, 4)"
        )
        for (identifier,) in rows:
            if is_report(identifier):
                found.add(names[int(identifier.partition("-report-")[2].partition("-")[0])])
        for (delivery,) in self._connection.execute("SELECT delivery FROM outbox"):
            found.add(names[delivery])
        return found

    def readable_bodies(self) -> set[str]:
        """The messages whose body is still in its segment."""
        found = set()
        rows = self._connection.execute('SELECT id, segment, "offset", length FROM messages')
        for identifier, segment, offset, length in rows:
            try:
                record = self._segments.read(Place(segment, offset, length))
            except CorruptValue:
                continue
            if any(record) and identifier in self._mail:
                found.add(self._mail[identifier][0])
        return found

    def _deliveries(self) -> Iterator[tuple[int, Key, int, int, str | None]]:
        rows = self._connection.execute(
            "SELECT d.id, m.id, d.id - m.seq, d.state, d.doubts, d.reason "
            "FROM deliveries d JOIN messages m ON m.seq = d.message"
        )
        for number, identifier, ordinal, state, doubts, reason in rows:
            if identifier in self._mail:
                name, recipients = self._mail[identifier]
                yield number, (name, recipients[ordinal]), state, doubts, reason
