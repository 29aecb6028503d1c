"""The routing in force: read from its files, applied to the store, and handed to whoever asks.

Law: a routing is checked whole before it is applied; a bad edit is refused, said loudly, and the running one stays.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from relay.admin import Readiness
from relay.app.complaints import Complaints, is_stored, lacking_clients
from relay.app.others import LEFT_MOST, Others
from relay.app.shelf import SecretShelf
from relay.config.problems import Loaded, Problem, Severity
from relay.config.references import Cause, Fingerprinted, Resolve, Unresolved, fingerprints
from relay.core.nodesecrets import Weighed, is_of_one_node
from relay.core.routing import Auth, Routing, SecretReference
from relay.core.secretuse import OWN, SecretUse, mailbox_use, users_of, uses_of
from relay.core.words import MailboxId
from relay.errors import ConfigError, CorruptValue, StaleRouting, StoreUnavailable, TemporaryError
from relay.observe import Log, Metrics
from relay.store.needs import Runner
from relay.store.ports import AppliedRouting, RoutingStore
from relay.store.ports.routing import NONE_APPLIED

EDIT = "routing-edit"
"""What readiness calls an edit that was refused: the running routing works on, so the node stays ready."""

SHOWN: int = 20
"""Problems of a refused edit that are logged; `relay check` lists all."""

PAUSE: float = 5.0
"""Seconds before a good edit is offered again to a store that did not take it."""

PAUSE_AWAY: float = 1.0
"""The same, to a store that was away."""

PATIENCE: float = 1.0
"""Seconds that delivery waits for the routing of others to be taken over; then it looks whether it is to stop."""


class NoRouting(ConfigError):
    """the routing cannot be used, and none was ever applied"""


class Watch(Protocol):
    """The routing on disk."""

    @property
    def digest(self) -> str:
        """Of the bytes that were loaded last."""

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
    others: Others | None = None
    """This node among others; None: it is alone, and what its files say counts."""


class RoutingKeeper:
    """Keeps the routing in force, and follows the edits of its files."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._version = 0
        self._routing = Routing()
        self._last: Fingerprinted | None = None
        self._listeners: list[Callable[[], None]] = []
        self._applying = asyncio.Lock()
        self._complaints = Complaints(desk.log, desk.resolve, desk.run)
        self._in_force = NONE_APPLIED
        self._files: Routing | None = None
        """What this node's files said when they were good last."""
        self._compared: tuple[Routing | None, int, bool] = (None, 0, True)
        """Files, a version, and whether they said the same: comparing very many accounts takes its time."""
        self._news = asyncio.Event()
        self._abreast = asyncio.Event()
        """Set while this node works with what is in force."""

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
        is_unset = is_stored(self._routing.password_of(mailbox)) and secret.cause is Cause.MISSING
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
        desk = self._desk
        if loaded.value is not None:
            if desk.others is None:
                await self._look_at_applied()
                return await self._apply(loaded.value)
            await desk.others.begin()
            return await self._read(loaded.value, is_start=True)
        applied = await desk.store.applied()
        if applied is None:
            raise NoRouting
        if desk.others is None:
            self._take_over(applied)
        else:
            await desk.others.begin()
            await self._apply(None)
        return self._refuse(loaded.problems)

    async def _look_at_applied(self) -> AppliedRouting | None:
        """What was applied last is not needed where the files are good; that it cannot be read is said."""
        try:
            return await self._desk.store.applied()
        except CorruptValue as error:
            self._desk.log.trouble(what="routing", text=str(error))
            return None

    async def _read(self, routing: Routing, *, is_start: bool = False) -> None:
        """Good files of a node among others: an edit counts, and what is only different is said."""
        self._files = routing
        await self._apply(routing, digest=self._desk.watch.digest, is_start=is_start)

    async def follow(self) -> None:
        """Takes or refuses each edit; runs until it is cancelled."""
        async for loaded in self._desk.watch.changes():
            if loaded.value is None:
                self._refuse(loaded.problems)
            else:
                self._desk.readiness.clear(EDIT)
                await self._apply_at_last(loaded.value)

    async def _apply_at_last(self, routing: Routing | None) -> None:
        """A store that is away takes it later; an edit that comes meanwhile waits. None: what is in force by now."""
        while True:
            try:
                if routing is None:
                    return await self._follow_others()
                if self._desk.others is not None:
                    return await self._read(routing)
                return await self._apply(routing)
            except StoreUnavailable:
                await asyncio.sleep(PAUSE_AWAY)  # that it is away is said once for all
            except TemporaryError as error:
                self._desk.log.trouble(what="routing", text=str(error))
                await asyncio.sleep(PAUSE)

    async def refresh(self) -> None:
        """Looks up every secret anew and puts in force what changed. StoreError: not now; the next edit does it too."""
        await self._apply(None)

    # beside other nodes

    def wake(self) -> None:
        """Another node may have changed what is in force."""
        self._news.set()

    async def abreast(self) -> None:
        """Returns at once while this node works with what is in force; waits a moment for it. StaleRouting: not yet."""
        others = self._desk.others
        if others is None or self._abreast.is_set():
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._abreast.wait()
        except TimeoutError:
            raise StaleRouting from None

    async def not_as(self, opened: Collection[MailboxId]) -> Collection[MailboxId]:
        """As whom this node is not to log in though the store named them: what is in force is another secret by now."""
        last, routing = self._last, self._routing
        mine = [box for box in opened if box in routing.by_mailbox and is_of_one_node(routing, box)]
        if self._desk.others is None or last is None or not mine:
            return ()
        applied = await self._desk.store.applied() or NONE_APPLIED
        others = [box for box in mine if applied.fingerprints.get(box) != last.found.get(box)]
        if applied.version != self._version or not all(map(self.is_unable, others)):
            self.is_behind()
        return others

    def is_unable(self, mailbox: MailboxId) -> bool:
        """Whether this node has not, as far as it knows, what a mailbox logs in with, and others may."""
        return self._desk.others is not None and mailbox in self._desk.others.unable

    def is_behind(self) -> None:
        """The store says that another routing is in force."""
        self._abreast.clear()
        self.wake()

    async def keep_up(self) -> None:
        """Takes over what other nodes put in force; runs until it is cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._apply_at_last(None)

    async def _follow_others(self) -> None:
        async with self._applying:
            applied, last = await self._look_at_applied(), self._last
            if applied is None:
                return
            is_old = applied.version != self._version or applied.fingerprints != self._in_force.fingerprints
            if is_old or last is None or last.mark != self._desk.shelf.changes or not self._abreast.is_set():
                await self._put_in_force(None)

    # putting in force

    async def _apply(self, routing: Routing | None, *, digest: str | None = None, is_start: bool = False) -> None:
        """Puts a routing in force; None: the one that is, with the secrets of now."""
        async with self._applying:
            await self._put_in_force(routing, digest=digest, is_start=is_start)

    async def _put_in_force(self, files: Routing | None, *, digest: str | None = None, is_start: bool = False) -> None:
        desk, last = self._desk, self._last
        if desk.others is None:
            routing = self._routing if files is None else files
            looked = await self._look_twice(routing)
            weighed = Weighed(looked.found)
            version = await desk.store.apply(routing, looked.found)
            applied = AppliedRouting(version, routing, looked.found)
        else:
            applied, looked, weighed = await self._agree(files, digest)
        self._last, routing = looked, applied.routing
        if applied.version != self._version:
            self._take_over(applied)
        else:
            desk.metrics.routing_applied(self._routing, desk.wall_seconds())
        if desk.readiness.has(EDIT):
            desk.metrics.routing_refused()
        self._in_force = applied
        if desk.others is not None:
            desk.store.leave(tuple(islice(weighed.unable, LEFT_MOST)))
            desk.others.leave(weighed.unable, self.why_without)
            await self._say_how_it_stands(applied, looked, digest=digest, is_start=is_start)
        await self._complaints.say_which_clients_lack(routing)
        before = {} if last is None else last.found
        self._complaints.say_what_is_kept_back(routing, weighed.prints, before, self.why_without)
        for listener in self._listeners:
            listener()
        self._abreast.set()

    async def _agree(self, files: Routing | None, digest: str | None) -> tuple[AppliedRouting, Fingerprinted, Weighed]:
        """What is in force when this node has had its say, what its secrets are, and whom it leaves to others."""
        desk = self._desk
        assert desk.others is not None
        while True:
            found = await self._look_at_applied()
            applied = found or NONE_APPLIED
            if applied.version != self._version:
                self.is_behind()
            edit = files if digest is not None and desk.others.is_edit(digest, found) else None
            if found is None and edit is None:
                edit = self._routing
            routing = edit if edit is not None else applied.routing
            looked = await self._look_twice(routing)
            weighed = await desk.run(self._weighing(routing, looked, applied))
            if edit is None and weighed.prints == applied.fingerprints:
                return applied, looked, weighed
            try:
                version = await desk.store.apply_on(applied, routing, weighed.prints)
            except StaleRouting:
                continue
            by = applied.by if version == applied.version else None
            return AppliedRouting(version, routing, weighed.prints, by), looked, weighed

    def _weighing(self, routing: Routing, looked: Fingerprinted, applied: AppliedRouting) -> Callable[[], Weighed]:
        others, resolve = self._desk.others, self._desk.resolve
        assert others is not None
        return lambda: others.weigh(routing, looked.found, applied, lacking_clients(routing, resolve))

    async def _say_how_it_stands(
        self, applied: AppliedRouting, looked: Fingerprinted, *, digest: str | None, is_start: bool
    ) -> None:
        desk, files = self._desk, self._files
        assert desk.others is not None
        lacking = await desk.run(lambda: lacking_clients(applied.routing, desk.resolve))
        await desk.others.keep(applied.routing, looked.found, lacking=lacking, digest=digest)
        if files is None:
            return
        of, version, is_same = self._compared
        if of is not files or version != applied.version:
            is_same = files is applied.routing or await desk.run(lambda: files == applied.routing)
            self._compared = files, applied.version, is_same
        desk.others.compare(is_same=is_same, version=applied.version, by=applied.by, is_start=is_start)

    async def _look_twice(self, routing: Routing) -> Fingerprinted:
        """The fingerprints with the secrets of now, which are bound by looking at them."""
        looked = await self._look(routing, self._last)
        if await self._desk.shelf.bind():
            looked = await self._look(routing, looked)
        return looked

    async def _look(self, routing: Routing, last: Fingerprinted | None) -> Fingerprinted:
        """The fingerprints of a routing with the secrets of now."""
        desk, mark = self._desk, self._desk.shelf.changes
        prints = await desk.run(lambda: fingerprints(routing, desk.resolve, desk.key, last=last, shelf=desk.shelf))
        return Fingerprinted(routing, prints, mark)

    def _take_over(self, applied: AppliedRouting) -> None:
        version, routing = applied.version, applied.routing
        self._version, self._routing = version, routing
        self._desk.metrics.routing_applied(routing, self._desk.wall_seconds())
        self._desk.log.routing_applied(
            version=version,
            accounts=len(routing.accounts),
            mailboxes=len(routing.by_mailbox),
            providers=len(routing.providers),
            by=applied.by,
        )

    def _refuse(self, problems: Sequence[Problem]) -> None:
        errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
        self._desk.log.routing_refused(errors[:SHOWN], running=self._version)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        self._desk.readiness.set(EDIT, f"the edit is refused, the one before runs on: {errors[0]}{more}")
        self._desk.metrics.routing_refused()
