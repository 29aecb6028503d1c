"""What can be seen of a store that nobody has open, without opening it.

Law: nothing is written or locked, so that a relay that starts meanwhile is not hindered; what cannot be seen is None.
"""

import sqlite3
from pathlib import Path

from relay.store.engine.statements import load_statements
from relay.store.sqlite.opening import DATABASE_FILE, LOG_FILE

_SQL = load_statements("secrets")


def stored_names(data_dir: Path) -> frozenset[str] | None:
    """The names of the secrets; None: that cannot be seen now."""
    database, log = data_dir / DATABASE_FILE, data_dir / LOG_FILE
    try:
        if not database.exists():
            return frozenset()
        if log.exists() and log.stat().st_size:
            return None  # the newest of it is in the log, which a reader would have to lock
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    except (OSError, sqlite3.Error):
        return None
    try:
        return frozenset(name for (name,) in connection.execute(_SQL["secret_names"]))
    except sqlite3.Error:
        return None
    finally:
        connection.close()
