"""Makes the store of today into the one that the relay before this one left.

Law: what an older relay never had is taken away again; everything else stays as it is.
"""

import sqlite3
from pathlib import Path

UNDO = (
    "DROP INDEX attempts_said_kept",
    "DROP INDEX outbox_open",
    "DROP INDEX outbox_report",
    "DROP INDEX outbox_lost",
    "ALTER TABLE outbox DROP COLUMN report",
    "ALTER TABLE outbox DROP COLUMN refused_by",
    "ALTER TABLE outbox DROP COLUMN refused_at",
    "ALTER TABLE outbox DROP COLUMN lost",
    "ALTER TABLE messages DROP COLUMN is_dated",
    "ALTER TABLE fingerprints DROP COLUMN since",
    "ALTER TABLE logins DROP COLUMN class",
    "ALTER TABLE logins DROP COLUMN likeness",
    "ALTER TABLE logins DROP COLUMN refused",
    "ALTER TABLE attempts DROP COLUMN likeness",
    "ALTER TABLE attempts DROP COLUMN said",
    *(
        f"DROP TABLE {table}"
        for table in (
            "healths",
            "paused_accounts",
            "secrets",
            "suppressions",
            "unheard",
            "riddles",
            "concerns",
            "tellings",
            "letters",
            "traffic",
            "warmups",
        )
    ),
    "DROP INDEX messages_account",
    "DROP INDEX messages_message_id",
    "DROP INDEX deliveries_failed",
    "DROP INDEX attempts_of",
    "DROP TABLE notices",
    "DROP TABLE noticed",
    "ALTER TABLE outbox DROP COLUMN since",
    "UPDATE meta SET value = '1' WHERE name = 'schema'",
)
"""From schema 4 to schema 1."""


def make_older(database: Path) -> None:
    """Takes a store that nobody has open back to schema 1."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        for statement in UNDO:
            connection.execute(statement)
    finally:
        connection.close()
