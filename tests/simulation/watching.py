"""Who looks on in a simulated world: the dispatcher's observer, the looks at the queue, what clients were told.

Law: nothing here changes what the relay does.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.core.envelope import Claim, LoginFailure, Result, Taken
from relay.core.limits import SECOND
from relay.core.words import MailboxId
from relay.store.ports.reading import MessageQuery
from relay.store.sqlite import SqliteStore


class Watcher:
    """The dispatcher's observer: remembers what nobody foresaw, forgets the rest."""

    def __init__(self) -> None:
        self.broken_by: list[str] = []
        self.is_dead = False

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None: ...
    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None: ...
    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None: ...
    def login_failed(self, mailbox: MailboxId, failure: LoginFailure) -> None: ...
    def claim_lost(self, claim: Claim) -> None: ...
    def store_failed(self, operation: str, error: Exception) -> None: ...

    def broken(self, what: str, error: Exception, claim: Claim | None = None) -> None:
        if not self.is_dead:
            self.broken_by.append(f"{what}: {error!r}")


@dataclass
class Vigil:
    """When the node looked at its queue, and when it had to at the latest: seconds."""

    looks: list[float] = field(default_factory=list)
    told_to_look: list[tuple[int, float]] = field(default_factory=list)
    """By the look of this number, at this time."""
    mail_came: list[float] = field(default_factory=list)


class WatchedStore:
    """The store as the dispatcher sees it, with a note of every look."""

    def __init__(self, store: SqliteStore, vigil: Vigil) -> None:
        self._store = store
        self._vigil = vigil

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        loop = asyncio.get_running_loop()
        self._vigil.looks.append(loop.time())
        number = len(self._vigil.looks)
        taken = await self._store.take(node, idle, most)
        if taken.wake_at is not None:
            at = loop.time() + max(0, taken.wake_at - self._store.now()) / SECOND
            self._vigil.told_to_look.append((number, at))
        return taken


@dataclass
class Admin:
    """Asks now and then why mail is not moving, and notes where nobody can say."""

    unanswered: list[str] = field(default_factory=list)
    """Deliveries with neither a time at which they move nor anybody who has to act."""
    looks: int = 0

    async def watch(self, store: SqliteStore) -> None:
        """Ever more rarely, as people do."""
        pause = 0.7
        while True:
            await asyncio.sleep(pause)
            pause *= 3
            await self.look(store)

    async def look(self, store: SqliteStore) -> int | None:
        """At all that is not final; the last eta of all, wall time."""
        page = await store.messages(MessageQuery(states=frozenset({"waiting", "held"}), limit=1000))
        self.looks += 1
        last: int | None = None
        for message in page.items:
            for delivery in message.deliveries:
                last = max(last or 0, delivery.eta or 0) or None
                if delivery.state in ("waiting", "held") and delivery.eta is None and delivery.needs is None:
                    at = asyncio.get_running_loop().time()
                    self.unanswered.append(f"{message.id} is {delivery.state} at {at:.3f} s for {delivery.reason}")
        return last

    async def under_way(self, store: SqliteStore) -> set[tuple[str, str]]:
        """The deliveries that a provider is answering right now."""
        page = await store.messages(MessageQuery(states=frozenset({"sending"}), limit=1000))
        return {
            (message.id, delivery.recipient_hash)
            for message in page.items
            for delivery in message.deliveries
            if delivery.state == "sending"
        }


class Silence:
    """A log that nobody reads."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@dataclass
class Told:
    """What the clients know: which messages were accepted, and what was submitted at all."""

    accepted: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    submitted: set[str] = field(default_factory=set)
