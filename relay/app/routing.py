"""The routing in force: read from its files, applied to the store, and handed to whoever asks.

Law: a routing is checked whole before it is applied; a bad edit is refused, said loudly, and the running one stays.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from relay.admin import Readiness
from relay.app.shelf import SecretShelf
from relay.config.problems import Loaded, Problem, Severity
from relay.config.references import Cause, Fingerprinted, Resolve, Unresolved, fingerprints
from relay.core.meaning import Fault
from relay.core.routing import Auth, Routing, SecretKind, SecretReference
from relay.core.secretuse import OWN, SecretUse, mailbox_use, oauth_use, users_of, uses_of
from relay.core.words import MailboxId
from relay.errors import ConfigError, CorruptValue, StoreUnavailable, TemporaryError
from relay.observe import Log, Metrics
from relay.store.needs import Runner
from relay.store.ports import RoutingStore

EDIT = "routing-edit"
"""What readiness calls an edit that was refused: the running routing works on, so the node stays ready."""

SHOWN: int = 20
"""Problems of a refused edit that are logged; `relay check` lists all."""

PAUSE: float = 5.0
"""Seconds before a good edit is offered again to a store that did not take it."""

PAUSE_AWAY: float = 1.0
"""The same, to a store that was away."""


class NoRouting(ConfigError):
    """the routing cannot be used, and none was ever applied"""


class Watch(Protocol):
    """The routing on disk."""

    def changes(self) -> AsyncIterator[Loaded[Routing]]:
        """Each time that it was edited since it was loaded."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the keeper of the routing works with."""

    watch: Watch
    resolve: Resolve
    """Finds a secret; blocks for a file."""
    store: RoutingStore
    key: bytes = field(repr=False)
    """Of the fingerprints; as old as the store."""
    run: Runner
    """Where blocking work runs."""
    log: Log
    metrics: Metrics
    readiness: Readiness
    wall_seconds: Callable[[], float]
    shelf: SecretShelf = field(default_factory=SecretShelf)
    """Where stored secrets are."""


class RoutingKeeper:
    """Keeps the routing in force, and follows the edits of its files."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._version = 0
        self._routing = Routing()
        self._last: Fingerprinted | None = None
        self._listeners: list[Callable[[], None]] = []
        self._applying = asyncio.Lock()
        self._lacking: frozenset[str] = frozenset()
        """Providers whose OAuth2 client has a secret that is not there."""

    def routing(self) -> Routing:
        """The routing in force; empty before the start."""
        return self._routing

    def resolved(self, reference: SecretReference, use: SecretUse = OWN) -> str | None:
        """A secret for one use, looked up anew; None: there is none, or it is for another."""
        secret = self._desk.resolve(reference, use)
        return None if isinstance(secret, Unresolved) else secret

    def secret_of(self, mailbox: MailboxId) -> str | None:
        """What this mailbox logs in with, looked up anew: a login is rare, and a password file may have changed."""
        secret = self._secret_of(mailbox)
        return None if isinstance(secret, Unresolved) else secret

    def why_without(self, mailbox: MailboxId) -> str | None:
        """Why a mailbox has nothing to log in with, in one sentence; None: it has, or needs nothing."""
        provider = self._routing.providers.get(mailbox.provider)
        if provider is None or provider.auth is Auth.NONE:
            return None
        secret = self._secret_of(mailbox)
        if not isinstance(secret, Unresolved):
            return None
        is_unset = _is_stored(self._routing.password_of(mailbox)) and secret.cause is Cause.MISSING
        return f"{secret.reason}: set it (relay account set-password)" if is_unset else secret.reason

    async def use_of(self, name: str) -> SecretUse | None:
        """What the routing in force uses a stored secret for; None: for nothing."""
        routing = self._routing
        return await self._desk.run(lambda: uses_of(routing).get(name))

    async def users_of(self, name: str) -> list[str]:
        """Who uses a stored secret by the routing in force: senders, and keys of the routing."""
        routing = self._routing
        return await self._desk.run(lambda: users_of(routing, name))

    def _secret_of(self, mailbox: MailboxId) -> str | Unresolved:
        routing = self._routing
        reference, provider = routing.password_of(mailbox), routing.providers.get(mailbox.provider)
        if reference is None or provider is None:
            return Unresolved("the routing names no password for it")
        return self._desk.resolve(reference, mailbox_use(provider, mailbox.username))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls `listener` whenever routing or secrets may be others."""
        self._listeners.append(listener)

    async def start(self, loaded: Loaded[Routing]) -> None:
        """Applies what the files say, or goes on with what was applied last.

        NoRouting: the files are refused and nothing was ever applied.
        """
        if loaded.value is not None:
            await self._look_at_applied()
            return await self._apply(loaded.value)
        applied = await self._desk.store.applied()
        if applied is None:
            raise NoRouting
        self._take_over(applied.version, applied.routing)
        return self._refuse(loaded.problems)

    async def _look_at_applied(self) -> None:
        """What was applied last is not needed where the files are good; that it cannot be read is said."""
        try:
            await self._desk.store.applied()
        except CorruptValue as error:
            self._desk.log.trouble(what="routing", text=str(error))

    async def follow(self) -> None:
        """Takes or refuses each edit; runs until it is cancelled."""
        async for loaded in self._desk.watch.changes():
            if loaded.value is None:
                self._refuse(loaded.problems)
            else:
                await self._apply_at_last(loaded.value)

    async def _apply_at_last(self, routing: Routing) -> None:
        """A store that is away takes it later; an edit that comes meanwhile waits."""
        while True:
            try:
                return await self._apply(routing)
            except StoreUnavailable:
                await asyncio.sleep(PAUSE_AWAY)  # that it is away is said once for all
            except TemporaryError as error:
                self._desk.log.trouble(what="routing", text=str(error))
                await asyncio.sleep(PAUSE)

    async def refresh(self) -> None:
        """Looks up every secret anew and puts in force what changed. StoreError: not now; the next edit does it too."""
        await self._apply(None)

    async def _apply(self, routing: Routing | None) -> None:
        """Puts a routing in force; None: the one that is, with the secrets of now."""
        async with self._applying:
            await self._put_in_force(self._routing if routing is None else routing)

    async def _put_in_force(self, routing: Routing) -> None:
        desk, last = self._desk, self._last
        looked = await self._look(routing, last)
        if await desk.shelf.bind():
            looked = await self._look(routing, looked)
        self._last, prints = looked, looked.found
        version = await desk.store.apply(routing, prints)
        if version != self._version:
            self._take_over(version, routing)
        else:
            desk.metrics.routing_applied(self._routing, desk.wall_seconds())
        desk.readiness.clear(EDIT)
        await self._say_which_clients_lack()
        self._say_what_is_kept_back(routing, prints, {} if last is None else last.found)
        for listener in self._listeners:
            listener()

    async def _look(self, routing: Routing, last: Fingerprinted | None) -> Fingerprinted:
        """The fingerprints of a routing with the secrets of now."""
        desk, mark = self._desk, self._desk.shelf.changes
        prints = await desk.run(lambda: fingerprints(routing, desk.resolve, desk.key, last=last, shelf=desk.shelf))
        return Fingerprinted(routing, prints, mark)

    async def _say_which_clients_lack(self) -> None:
        """Providers whose OAuth2 client has a secret that is not there: said once, and when it is."""
        routing, resolve = self._routing, self._desk.resolve
        lacking = await self._desk.run(lambda: _lacking(routing, resolve))
        for name in lacking.keys() - self._lacking:
            self._desk.log.trouble(what=f"{Fault.OAUTH_SECRET}: {name}", text=lacking[name])
        for name in self._lacking - lacking.keys():
            self._desk.log.recovered_from(what=f"{Fault.OAUTH_SECRET}: {name}")
        self._lacking = frozenset(lacking)

    def _say_what_is_kept_back(
        self, routing: Routing, prints: Mapping[MailboxId, str | None], before: Mapping[MailboxId, str | None]
    ) -> None:
        """Mailboxes that have lost, or never had, what the store should give them: why, and what to do."""
        lost = (box for box, value in prints.items() if value is None and before.get(box, "") is not None)
        for mailbox in islice((box for box in lost if _is_stored(routing.password_of(box))), SHOWN):
            senders = ", ".join(account.sender for account in routing.by_mailbox[mailbox][:SHOWN])
            self._desk.log.trouble(what=f"no-credentials: {senders}", text=str(self.why_without(mailbox)))

    def _take_over(self, version: int, routing: Routing) -> None:
        self._version, self._routing = version, routing
        self._desk.metrics.routing_applied(routing, self._desk.wall_seconds())
        self._desk.log.routing_applied(
            version=version,
            accounts=len(routing.accounts),
            mailboxes=len(routing.by_mailbox),
            providers=len(routing.providers),
        )

    def _refuse(self, problems: Sequence[Problem]) -> None:
        errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
        self._desk.log.routing_refused(errors[:SHOWN], running=self._version)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._desk.readiness.set(EDIT, f"the edit is refused, the one before runs on: {errors[0]}{more}")
        self._desk.metrics.routing_refused()


def _lacking(routing: Routing, resolve: Resolve) -> dict[str, str]:
    """Why the secrets of OAuth2 clients are not there, by provider."""
    clients = {each.name: each.oauth for each in routing.providers.values() if each.auth is Auth.OAUTH2}
    named = {name: client for name, client in clients.items() if client is not None}
    found = {
        name: resolve(client.client_secret, oauth_use(client))
        for name, client in named.items()
        if client.client_secret is not None
    }
    return {name: secret.reason for name, secret in found.items() if isinstance(secret, Unresolved)}


def _is_stored(reference: SecretReference | None) -> bool:
    return reference is not None and reference.kind is SecretKind.STORED
