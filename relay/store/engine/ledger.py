"""The ledger: what a store writes down and looks up, as named statements with their parameters.

Law: what a transaction wrote it reads back; what it wrote is durable with the whole transaction or not at all. SQLite
answers a statement in SQL, Redis by a function of the same name (relay/store/sql/*.sql names them all).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Ledger(Protocol):
    """Where rows are read and written."""

    def read(self, statement: str, parameters: Sequence[object] = (), /) -> list[Row]:
        """All rows that answer."""

    def read_one(self, statement: str, parameters: Sequence[object] = (), /) -> Row | None:
        """The first row, or None."""

    def write(self, statement: str, parameters: Sequence[object] = (), /) -> int:
        """Writes, and says how many rows it changed."""

    def write_many(self, statement: str, rows: Iterable[Sequence[object]], /) -> None:
        """Writes once a row."""
