"""The names of the keys of rows and of what lies beside them; relay/store/lua/lib/rowkeys.lua makes the same ones.

Law: all of them begin with `relay:{relay}:`, whatever provider a row speaks of: a row outlives its account's moves.
"""

import re

from relay.store.redis.tables import Id, key_of

META = "relay:{relay}:meta"
"""What the store is: its layout, its id (a hash; relay/store/redis/layout.py)."""

STATE = "relay:{relay}:state"
"""Counts of what was decided and changed, and numbers given last (a hash)."""

EVENTS = "relay:{relay}:events"
"""What happened, in order (a stream)."""

PENDING = "relay:{relay}:pending"
"""Numbers of the accounts with deliveries that are not final (a set)."""

BELL = "relay:{relay}:bell"
"""Where every change is told, with how many there were."""

DONE = "relay:{relay}:done"
"""The operation that each node committed last (a hash)."""

PEN_FREE = "relay:{relay}:pen:free"
"""One entry while nobody holds the pen: who waits for it, waits for that entry (a list)."""


def staged_key(key: str) -> str:
    """Where what is to take the place of a key is prepared."""
    return f"{key}:next"


def taken_key(node: str) -> str:
    """What the takes of a node gave whose answers it may not have heard (a hash)."""
    return f"relay:{{relay}}:taken:{node}"


OWED = "relay:{relay}:owed"
"""What the last edit of many left to be done, part by part: whoever takes the pen does it first (a list)."""

USED = "relay:{relay}:used"
"""Numbers of the mailboxes that ever tried anything (a hash)."""

LEASES = "relay:{relay}:leases"
"""Until when (relay time) each node's claims are its own (a sorted set)."""

LAPSED = "relay:{relay}:lapsed"
"""Attempts whose node's lease ended after the gate, by when they are in doubt (a sorted set)."""

OWNERS = "relay:{relay}:owners"
"""By which node each mailbox's sessions are held (a hash)."""

NODES = "relay:{relay}:nodes"
"""What each node says of itself (a hash)."""

NODES_SEEN = "relay:{relay}:nodes:seen"
"""When it was heard of last, civil time (a sorted set)."""

NOTHING = "relay:{relay}:nothing"
"""Never there (relay/store/lua/lib/full.lua)."""

OURS = "relay:*"
"""All keys of a store, as SCAN finds them."""


def held_key(node: str) -> str:
    """The attempts of a node that its lease still holds, by their number (a sorted set)."""
    return f"relay:{{relay}}:claims:{node}"


def feed_key(table: str) -> str:
    """Which rows of a table changed at which revision (a sorted set)."""
    return f"relay:{{relay}}:feed:{table}"


def owned_key(node: str) -> str:
    """The mailboxes whose sessions a node has (a set)."""
    return f"relay:{{relay}}:owned:{node}"


def lost_key(node: str) -> str:
    """The claims that a node lost and has not settled (a hash)."""
    return f"relay:{{relay}}:lost:{node}"


def table_key(table: str) -> str:
    """The hash of a table's rows."""
    return f"relay:{{relay}}:t:{table}"


def index_key(table: str, index: str, parts: tuple[Id, ...]) -> str:
    """A sorted set of an index."""
    return f"relay:{{relay}}:i:{table}:{index}" + (f":{key_of(*parts)}" if parts else "")


def group_key(table: str, group: str) -> str:
    """The hash of a table's groups of one kind."""
    return f"relay:{{relay}}:g:{table}:{group}"


def number_key(table: str) -> str:
    """The number given last to a row of a table."""
    return f"relay:{{relay}}:n:{table}"


BODY_BEGINS = b"relay:{relay}:body:"
"""What the key of each body begins with, as the server says it."""

BESIDE = re.compile(rb"relay:\{relay\}:[ig]:(?P<table>[a-z_]+):")
"""Keys of indexes and groups, which lie beside the rows of a table, as the server says them."""


def body_key(seq: int) -> str:
    """The sealed body of a message."""
    return f"{BODY_BEGINS.decode()}{seq}"


def recent_key(client: str, account: str) -> str:
    """When a client's last messages of an account came in."""
    return f"relay:{{relay}}:recent:{key_of(client, account)}"
