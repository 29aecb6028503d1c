"""Who is in the table of suppressions at all, in memory: of nearly all recipients nothing is remembered.

Law: what it says of nobody is true of nobody; for whom it says yes, the database is asked.
"""

from dataclasses import dataclass, field

from relay.store.engine.ledger import Ledger
from relay.store.engine.statements import load_statements

_SQL = load_statements("suppressions")

START: int = 8
"""Octets of a hash that are kept: enough to be right of everybody, and little for a hundred thousand."""


@dataclass(slots=True)
class Watched:
    """Accounts' recipients of whom something is remembered: by account, the beginnings of their hashes."""

    by_account: dict[int, set[bytes]] = field(default_factory=dict)
    tidied_at: int = 0

    def load(self, database: Ledger) -> None:
        """As the database has them."""
        for account, start in database.read(_SQL["watched"]):
            self.by_account.setdefault(account, set()).add(start)

    def add(self, account: int, hashed: bytes) -> None:
        """Something is remembered."""
        self.by_account.setdefault(account, set()).add(hashed[:START])

    def has(self, account: int | None, hashed: bytes) -> bool:
        """Whether something may be."""
        return account is not None and hashed[:START] in self.by_account.get(account, ())

    def discard(self, account: int, hashed: bytes) -> None:
        """Nothing is any more."""
        known = self.by_account[account]
        known.discard(hashed[:START])
        if not known:
            del self.by_account[account]
