"""The books of a store on SQLite, put together: the ports beside the mail itself (relay/store/ports/books.py).

Law: a book is given the ways into the store that it needs, and no other.
"""

from collections.abc import Callable

from relay.store.needs import Outside
from relay.store.ports.books import Books
from relay.store.sqlite.context import Context
from relay.store.sqlite.control import SqliteControl
from relay.store.sqlite.database import Database
from relay.store.sqlite.foresight import SqliteForesight
from relay.store.sqlite.healths import SqliteHealths
from relay.store.sqlite.keys import SqliteKeys
from relay.store.sqlite.note import Note
from relay.store.sqlite.notices import SqliteNotices
from relay.store.sqlite.reader import Ask
from relay.store.sqlite.recipients import SqliteRecipientReport
from relay.store.sqlite.riddles import SqliteRiddles
from relay.store.sqlite.secrets import SqliteSecrets
from relay.store.sqlite.suppressions import SqliteSuppressions
from relay.store.sqlite.trials import SqliteTrials
from relay.store.sqlite.unheard import SqliteUnheard
from relay.store.sqlite.values import Seals


def books_of(
    note: Note, ask: Ask, now: Callable[[], Context], *, database: Database, seals: Seals, outside: Outside
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
