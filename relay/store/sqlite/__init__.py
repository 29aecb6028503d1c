"""The SQLite adapter: a synchronous core on one connection, and a thin asynchronous shell that commits in groups.

Law: all statements run where the loop runs, in call order; only the sync of segments and COMMIT run elsewhere.
"""

from relay.store.sqlite.opening import DataDir, hold, open_store
from relay.store.sqlite.store import SqliteStore

__all__ = ["DataDir", "SqliteStore", "hold", "open_store"]
