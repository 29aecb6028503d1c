"""The books of a store on SQLite, put together: the ports beside the mail itself (relay/store/ports/books.py).

Law: a book is given the ways into the store that it needs, and no other.
"""

from collections.abc import Callable

from relay.store.engine.context import Context
from relay.store.engine.control import SqliteControl
from relay.store.engine.foresight import SqliteForesight
from relay.store.engine.healths import SqliteHealths
from relay.store.engine.keys import SqliteKeys
from relay.store.engine.ledger import Ledger
from relay.store.engine.note import Note
from relay.store.engine.notices import SqliteNotices
from relay.store.engine.reader import Ask
from relay.store.engine.recipients import SqliteRecipientReport
from relay.store.engine.riddles import SqliteRiddles
from relay.store.engine.secrets import SqliteSecrets
from relay.store.engine.suppressions import SqliteSuppressions
from relay.store.engine.trials import SqliteTrials
from relay.store.engine.unheard import SqliteUnheard
from relay.store.engine.values import Seals
from relay.store.needs import Outside
from relay.store.ports.books import Books


def books_of(
    note: Note, ask: Ask, now: Callable[[], Context], *, database: Ledger, seals: Seals, outside: Outside
) -> Books:
    """`note` runs work as part of the next transaction, `ask` between two; `now`: the context of the moment."""
    secrets = SqliteSecrets(note, outside.read, database, seals)
    return Books(
        control=SqliteControl(note),
        foresight=SqliteForesight(ask),
        healths=SqliteHealths(ask),
        keys=SqliteKeys(note, ask, seals, secrets),
        notices=SqliteNotices(note, ask),
        riddles=SqliteRiddles(ask),
        secrets=secrets,
        suppressions=SqliteSuppressions(note, ask, now),
        recipients=SqliteRecipientReport(ask),
        unheard=SqliteUnheard(note, ask, now),
        trials=SqliteTrials(note),
    )
