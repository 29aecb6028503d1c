"""What an operation means to write: rows of its books, verbs of the libraries in Lua, events, and whole tables.

Law: it is all that the one commit is told, and nothing of it is there before; each row that was read is held to what it
was.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from relay.store.redis.book import Book, writes_of
from relay.store.redis.rowkeys import OWED, group_key, table_key

EVERY: str = "*"
"""In a feed: any row of a table may be another one."""


class Intended:
    """What one operation hands to its commit."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self._books = books
        self.verbs: list[list[Any]] = []
        """What the libraries in Lua have to do besides, in order."""
        self.events: list[bytes] = []
        self.swaps: list[list[str]] = []
        """Keys that were prepared beside those in force, and take their place."""
        self._swapped: set[str] = set()

    @property
    def is_any(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.verbs or self.events) or any(book.now for book in self._books.values())

    @property
    def leaves_more(self) -> bool:
        """Whether something is left to be done after the commit."""
        return any(key == OWED for _, key, *_ in self.swaps)

    def swap(self, table: str, keys: Sequence[tuple[str, str]]) -> None:
        """The keys of a table, each with its type, were prepared whole: the commit puts them in their places."""
        self._swapped.add(table)
        self.swaps += [["SWAP", key, EVERY, kind] for key, kind in keys]

    def reads(self) -> list[list[Any]]:
        """Each row that was read, and each group that has to stay, as it was: key, field, bytes or False."""
        books = self._written_by_row()
        rows = ((table_key(name), key, raw) for name, book in books.items() for key, raw in book.was.items())
        groups = (
            (group_key(name, group), value, raw)
            for name, book in books.items()
            for (group, value), raw in book.firm.items()
        )
        return [[key, str(name), False if raw is None else raw] for key, name, raw in (*rows, *groups)]

    def writes(self) -> list[list[Any]]:
        """What has to be written, row by row with its indexes; each a command of the script `act`."""
        return self.swaps + [
            write
            for book in self._written_by_row().values()
            for key, values in book.now.items()
            for write in writes_of(book, key, values)
        ]

    def _written_by_row(self) -> dict[str, Book]:
        return {name: book for name, book in self._books.items() if name not in self._swapped}
