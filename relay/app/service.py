"""The service: every part of the relay put together, started in order and stopped in order.

Law: nothing says that it is ready before it can work; at a stop the listeners close, nothing new is taken, attempts
finish or time out, leases go back, the store closes, and the admin port closes last.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from socket import socket
from typing import Any

from relay.admin import AdminServer, Part
from relay.app import accounts, notices, parts, settings
from relay.app.announcing import Announcer
from relay.app.certificates import CertificateKeeper
from relay.app.machine import crash_point_of
from relay.app.nodestore import NodeStore
from relay.app.noticewatch import NoticeWatch
from relay.app.observation import StoreListener
from relay.app.outcomes import open_outcomes, settle_kept
from relay.app.presence import Presence, Scout
from relay.app.pulse import LoopLag
from relay.app.routing import RoutingKeeper
from relay.app.routingdesk import Watch
from relay.app.sockets import address_of, bind
from relay.app.storage import Storage, StorageNeeds, open_storage
from relay.app.supervision import Supervisor
from relay.app.systemd import Watchdog
from relay.app.tokens import token_source
from relay.config.problems import Loaded
from relay.core.limits import SECOND
from relay.core.routing import Routing
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.oauth import OAuthTokens
from relay.delivery.tester import Tester
from relay.errors import RelayError, StoreUnavailable
from relay.notify import OutboxPump
from relay.notify.noticepump import NoticePump
from relay.store.outcomes import OutcomeJournal
from relay.store.ports import Store
from relay.store.ports.nodes import NodeView
from relay.submission import SubmissionServer

CLOSING: float = 15.0
"""Seconds that a store or a server gets to close; one that hangs is left to the recovery of the next start."""

HELPERS = (
    "announcing",
    "scout",
    "routing",
    "other nodes",
    "certificates",
    "outbox",
    "notices",
    "terms",
    "pulse",
    "heartbeat",
    "watchdog",
)
"""What is ended when mail has stopped moving."""


@dataclass(slots=True)
class Running:
    """What runs so far: a stop takes what is there, however far the start came."""

    storage: Storage | None = None
    certificates: CertificateKeeper | None = None
    submission: SubmissionServer | None = None
    dispatcher: Dispatcher | None = None
    tester: Tester | None = None
    tokens: OAuthTokens | None = None
    pump: OutboxPump | None = None
    notices: NoticePump | None = None
    admin: AdminServer | None = None
    outcomes: OutcomeJournal | None = None
    announcer: Announcer | None = None
    keeper: RoutingKeeper | None = None
    sockets: list[socket] = field(default_factory=list)


class Service:
    """One relay, from its start to its stop."""

    def __init__(self, means: parts.Means, supervisor: Supervisor, hurry: asyncio.Event) -> None:
        """`hurry` ends a drain: set from outside, or when the store has failed and nothing can be recorded any more."""
        self._means = means
        self._supervisor = supervisor
        self._is_urgent = hurry
        self._running = Running()
        self._is_draining = False
        self._presence = Presence(means.readiness, means.log)

    # the start

    async def start(self, loaded: Loaded[Routing], watch: Watch) -> None:
        """Returns when mail is accepted and delivered. RelayError: it cannot be; `stop` takes back what was begun."""
        means = self._means
        means.readiness.set(Part.SERVICE, "the relay is starting")
        if loaded.value is not None:
            means.metrics.routing_applied(loaded.value, means.clock.wall_seconds())
        storage = self._running.storage = await open_storage(self._storage_needs())
        store = NodeStore(storage.store, means.metrics.store_took, means.clock.monotonic, presence=self._presence)
        self._running.outcomes = await open_outcomes(means, storage)
        await settle_kept(means, store, self._running.outcomes)
        means.log.recovered(in_doubt=await store.recover(storage.node))
        keeper = self._running.keeper = parts.routing_keeper(means, storage, store, watch)
        store.obey(keeper)
        await keeper.start(loaded)
        certificates = self._running.certificates = parts.certificate_keeper(means) if means.role.takes_mail else None
        if certificates is not None:
            await certificates.start()
        self._bind()
        await self._begin(storage, store, keeper)
        means.readiness.clear(Part.SERVICE)

    def _storage_needs(self) -> StorageNeeds:
        means = self._means
        return StorageNeeds(
            config=means.config,
            environ=means.environ,
            clock=means.clock,
            threads=means.threads,
            listener=StoreListener(
                means.log,
                means.metrics,
                something_owed=self._wake_pump,
                way_changed=self._look_again,
                concern=self._wake_notices,
                routed=self._rerouted,
            ),
            fatal=self._store_failed,
            crash_point=crash_point_of(means.environ),
            log=means.log,
        )

    def _store_failed(self, error: RelayError) -> None:
        self._supervisor.fail("store", error)
        self._is_urgent.set()

    def _wake_pump(self) -> None:
        if self._running.pump is not None:
            self._running.pump.wake()

    def _look_again(self) -> None:
        if self._running.pump is not None:
            self._running.pump.look_again()
        self._wake_notices()

    def _wake_notices(self) -> None:
        if self._running.notices is not None:
            self._running.notices.wake()

    def _rerouted(self) -> None:
        if self._running.keeper is not None:
            self._running.keeper.wake()
        if self._running.notices is not None:
            self._running.notices.rerouted()

    def _bind(self) -> None:
        """All sockets, before anything is ready: from here on the kernel keeps clients until they are taken."""
        config = self._means.config
        listen = config.submission.listen if self._means.role.takes_mail else ()
        addresses = [(listener.address, "smtp") for listener in listen]
        for address, what in [*addresses, (config.http.listen, "http")]:
            bound = bind(address.host, address.port)
            self._running.sockets.append(bound)
            self._means.log.listening(what=what, address=address_of(bound))

    async def _begin(self, storage: Storage, store: Store, keeper: RoutingKeeper) -> None:
        running, means, supervisor = self._running, self._means, self._supervisor
        *listeners, _ = running.sockets
        hook_keys = notices.hook_keys(means, keeper)
        watch = NoticeWatch(means.readiness, means.clock.wall)
        look = parts.self_look(means, storage, store, running.certificates, hook_keys=hook_keys, notices=watch.look)
        resolve = parts.resolver(means)
        refresh_tokens = parts.refresh_tokens(means, storage, keeper)
        running.tokens = token_source(means, keeper, resolve=resolve, refresh_tokens=refresh_tokens)
        upstream = parts.smtp_upstream(means, store, keeper, resolve=resolve, tokens=running.tokens)
        if means.role.delivers:
            running.dispatcher = parts.dispatcher(
                means, storage, store, keeper=keeper, upstream=upstream, outcomes=running.outcomes
            )
            running.tester = accounts.tester(
                means, storage, store, upstream=upstream, dispatcher=running.dispatcher, fatal=self._store_failed
            )
        tries = running.tester or accounts.Elsewhere()
        clerk = accounts.clerk(means, storage, keeper, tries=tries, tokens=running.tokens)
        passwords = parts.password_desk(means, storage, keeper)
        running.admin = parts.admin_server(
            means,
            storage,
            store,
            look=look,
            clerk=clerk,
            passwords=passwords,
            board=notices.Board(storage.store.books.notices, self._wake_notices),
            sockets=running.sockets,
        )
        supervisor.start("admin", running.admin.serve())
        if running.dispatcher is not None:
            running.pump = parts.outbox_pump(means, store, keeper)
            supervisor.start("outbox", running.pump.run())
            supervisor.start("delivery", running.dispatcher.run())
        if means.role.takes_mail:
            running.submission = parts.submission_server(means, store, storage.store.books, keeper)
            tls = None if running.certificates is None else running.certificates.context
            await running.submission.start(listeners, tls=tls)
        if running.certificates is not None:
            supervisor.start("certificates", running.certificates.follow())
        supervisor.start("routing", keeper.follow())
        if settings.is_shared(means.config):
            supervisor.start("other nodes", keeper.keep_up())
        await storage.keys.finish()
        supervisor.start("pulse", LoopLag(means.metrics.loop_was_late).run())
        client = notices.web_client(means)
        if means.role.delivers:
            sender = notices.notice_sender(means, client, hook_keys)
            running.notices = notices.notice_pump(
                means, store, storage.store.books.notices, keeper=keeper, sender=sender, watch=watch
            )
            supervisor.start("notices", running.notices.run())
            supervisor.start("terms", notices.terms_watch(means, storage.store.books.notices, keeper).run())
        running.announcer = Announcer(storage.nodes, lambda: self._view(storage))
        supervisor.start("announcing", running.announcer.run())
        supervisor.start("scout", Scout(store, self._presence).run())
        heartbeat = notices.heartbeat(means, client, look.look)
        if heartbeat is not None:
            supervisor.start("heartbeat", heartbeat.run())
        if means.manager.watchdog_seconds:
            supervisor.start(
                "watchdog", Watchdog(means.manager, None if settings.is_shared(means.config) else store).run()
            )

    def _view(self, storage: Storage) -> NodeView:
        running = self._running
        return parts.node_view(self._means, storage, running.sockets, running.dispatcher, is_draining=self._is_draining)

    # the stop

    async def stop(self) -> int:
        """Ends everything in order, however far the start came; how many attempts were cut short."""
        running, supervisor = self._running, self._supervisor
        self._means.readiness.set(Part.SERVICE, "the relay is stopping")
        self._is_draining = True
        await self._drain()
        for what in HELPERS:
            await supervisor.cancel(what)
        if running.outcomes is not None:
            await self._bounded("outcomes", running.outcomes.close())
        if running.storage is not None:
            await self._bounded("store", running.storage.close())
        if running.admin is not None:
            running.admin.close()
            await supervisor.until_done("admin", CLOSING)
        for bound in running.sockets:
            bound.close()
        return running.dispatcher.cut_short if running.dispatcher is not None else 0

    async def _drain(self) -> None:
        """Clients finish what they have begun, attempts end; what takes too long, or hinders a hurry, is cut."""
        running = self._running
        work: list[asyncio.Task[Any]] = []
        if running.announcer is not None:
            work.append(asyncio.create_task(running.announcer.announce()))
        if running.submission is not None:
            running.submission.stop_listening()
            work.append(asyncio.create_task(running.submission.drain()))
        if running.dispatcher is not None:
            work.append(asyncio.create_task(running.dispatcher.stop()))
        if running.tester is not None:
            work.append(asyncio.create_task(running.tester.stop()))
        if work:
            await self._until_drained(work)
        if running.submission is not None:
            await self._bounded("submission", running.submission.close())
        await self._supervisor.cancel("delivery")
        if running.tokens is not None:
            await self._bounded("tokens", running.tokens.close())

    async def _until_drained(self, work: list["asyncio.Task[Any]"]) -> None:
        hurried = asyncio.create_task(self._is_urgent.wait())
        drained = asyncio.create_task(asyncio.wait(work))
        longest = self._means.config.drain / SECOND + CLOSING
        await asyncio.wait({drained, hurried}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not drained.done():
            await self._hurry(work)

    async def _hurry(self, work: list["asyncio.Task[Any]"]) -> None:
        """Whatever is under way is cut short; its results are still recorded."""
        if self._running.dispatcher is not None:
            self._running.dispatcher.hurry()
        if self._running.submission is not None:
            await self._bounded("submission", self._running.submission.close())
        _, late = await asyncio.wait(work, timeout=CLOSING)
        for task in late:
            task.cancel()

    async def _bounded(self, what: str, work: Awaitable[None]) -> None:
        """A part that fails or hangs while it closes is said; the others are closed all the same."""
        try:
            async with asyncio.timeout(CLOSING):
                await work
        except StoreUnavailable as error:
            self._presence.missed(error)
        except (RelayError, TimeoutError) as error:
            self._means.log.failed(what=f"closing {what}", error=error)
