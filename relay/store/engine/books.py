"""The books of a store, put together: the ports beside the mail itself (relay/store/ports/books.py).

Law: a book is given the ways into the store that it needs, and no other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from relay.store.engine.context import Context
from relay.store.engine.control import LedgerControl
from relay.store.engine.foresight import LedgerForesight
from relay.store.engine.healths import LedgerHealths
from relay.store.engine.keys import LedgerKeys
from relay.store.engine.ledger import Ledger
from relay.store.engine.note import Note
from relay.store.engine.notices import LedgerNotices
from relay.store.engine.reader import Ask
from relay.store.engine.recipients import LedgerRecipientReport
from relay.store.engine.riddles import LedgerRiddles
from relay.store.engine.secrets import LedgerSecrets
from relay.store.engine.suppressions import LedgerSuppressions
from relay.store.engine.trials import LedgerTrials
from relay.store.engine.unheard import LedgerUnheard
from relay.store.engine.values import Seals
from relay.store.needs import Outside
from relay.store.ports.books import Books


@dataclass(frozen=True, slots=True)
class KeptBooks:
    """Those that keep something in memory, for an adapter whose store others write to as well."""

    secrets: LedgerSecrets
    unheard: LedgerUnheard


def books_of(
    note: Note, ask: Ask, now: Callable[[], Context], *, database: Ledger, seals: Seals, outside: Outside
) -> tuple[Books, KeptBooks]:
    """`note` runs work as part of the next transaction, `ask` between two; `now`: the context of the moment."""
    secrets, unheard = LedgerSecrets(note, outside.read, database, seals), LedgerUnheard(note, ask, now)
    books = Books(
        control=LedgerControl(note),
        foresight=LedgerForesight(ask),
        healths=LedgerHealths(ask),
        keys=LedgerKeys(note, ask, seals, secrets),
        notices=LedgerNotices(note, ask),
        riddles=LedgerRiddles(ask),
        secrets=secrets,
        suppressions=LedgerSuppressions(note, ask, now),
        recipients=LedgerRecipientReport(ask),
        unheard=unheard,
        trials=LedgerTrials(note),
    )
    return books, KeptBooks(secrets, unheard)
