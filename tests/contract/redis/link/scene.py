"""A link as the relay makes it, on the machine's clock, which a test may put forward."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

from relay.store.redis.address import parse_address
from relay.store.redis.durability import Durability
from relay.store.redis.joining import Rules
from relay.store.redis.layout import Identity
from relay.store.redis.link import Link
from relay.store.redis.patience import Patience
from relay.store.redis.scripts import Script
from tests.fakes.redisservers import Server

SECOND = 1_000_000
MINUTE = 60 * SECOND

LONG = 60 * SECOND
PATIENT = Patience(connect=LONG, reply=LONG, whole=LONG, confirm=LONG, replica=LONG, sentinel=LONG)
"""For what is not about time-outs: this machine may be slow."""

BRIEF = Patience(connect=LONG, reply=SECOND // 2, whole=LONG, confirm=SECOND // 5, replica=LONG, sentinel=LONG)
"""For what is: the test waits no longer than it must, and takes it well when a slow machine takes longer."""

STORE = "store-1"


class Clock:
    """The machine's, which a test puts forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def boottime(self) -> int:
        return time.monotonic_ns() // 1000 + self.ahead

    def advance(self, microseconds: int) -> None:
        self.ahead += microseconds


def script(text: str, name: str = "tried") -> Script:
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


PING = script("return 'pong'", "ping")
COUNT = script("return redis.call('INCR', KEYS[1])", "count")
KEY = "relay:{relay}:tried"


def rules(durability: Durability = Durability.CHECKED, *, store_id: str | None = None, scripts: str = "s1") -> Rules:
    return Rules(durability, Identity(scripts, store_id), lambda: STORE)


def link_to(
    place: Server | str,
    wanted: Rules | None = None,
    *,
    patience: Patience = PATIENT,
    clock: Clock | None = None,
    change: Callable[[str], str] = str,
) -> Link:
    """A link that is not connected yet; `change` rewrites the address."""
    address = change(place if isinstance(place, str) else place.address)
    boottime = (clock or Clock()).boottime
    return Link(parse_address(address), wanted or rules(), boottime=boottime, chance=lambda: 0.5, patience=patience)


def calls_of(server: Server, command: str) -> int:
    """How often the server was asked that."""
    with server.client() as client:
        stats: Any = client.info("commandstats")
        return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])
