"""The service: every part of the relay put together, and started in order.

Law: nothing says that it is ready before it can work.
"""

import asyncio
from dataclasses import replace

from relay.admin import Part
from relay.app import accounts, admin, delivery, notices, settings, submission, tokens
from relay.app.announcing import Announcer, nothing
from relay.app.hookkeys import HookKeys
from relay.app.machine import crash_point_of
from relay.app.means import Means
from relay.app.nodestore import NodeStore
from relay.app.noticewatch import NoticeWatch
from relay.app.observation import StoreListener
from relay.app.orphans import Orphans
from relay.app.outcomes import open_outcomes, settle_kept
from relay.app.presence import Presence, Scout
from relay.app.pulse import LoopLag
from relay.app.routing import RoutingKeeper
from relay.app.routingdesk import Watch, routing_desk
from relay.app.running import Running
from relay.app.scraping import SelfLook
from relay.app.sockets import address_of, bind
from relay.app.stopping import Stop
from relay.app.storage import Storage, StorageNeeds, open_storage
from relay.app.supervision import Supervisor
from relay.app.systemd import Watchdog
from relay.app.unsent import Senders
from relay.config.problems import Loaded
from relay.core.routing import Routing
from relay.errors import RelayError
from relay.store.ports import Store
from relay.store.ports.nodes import NodeView


class Service:
    """One relay, from its start to its stop."""

    def __init__(self, means: Means, supervisor: Supervisor, hurry: asyncio.Event) -> None:
        """`hurry` ends a drain: set from outside, or when the store has failed and nothing can be recorded any more."""
        self._means = means
        self._supervisor = supervisor
        self._is_urgent = hurry
        self._running = Running()
        self._presence = Presence(means.readiness, means.log)

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
        keeper = self._running.keeper = RoutingKeeper(routing_desk(means, storage, store, watch))
        store.obey(keeper)
        await keeper.start(loaded)
        await self._start_certificates()
        self._bind()
        await self._begin(storage, store, keeper)
        means.readiness.clear(Part.SERVICE)

    async def stop(self) -> int:
        """Ends everything in order, however far the start came; how many attempts were cut short."""
        return await Stop(
            self._means,
            self._running,
            supervisor=self._supervisor,
            presence=self._presence,
            hurry=self._is_urgent,
        ).run()

    # what it stands on

    def _storage_needs(self) -> StorageNeeds:
        means, running = self._means, self._running
        return StorageNeeds(
            config=means.config,
            environ=means.environ,
            clock=means.clock,
            threads=means.threads,
            listener=StoreListener(
                means.log,
                means.metrics,
                something_owed=running.wake_pump,
                way_changed=running.look_again,
                concern=running.wake_notices,
                routed=running.rerouted,
            ),
            fatal=self._store_failed,
            crash_point=crash_point_of(means.environ),
            log=means.log,
        )

    def _store_failed(self, error: RelayError) -> None:
        self._supervisor.fail("store", error)
        self._is_urgent.set()

    async def _start_certificates(self) -> None:
        if not self._means.role.takes_mail:
            return
        certificates = self._running.certificates = submission.certificate_keeper(self._means)
        if certificates is not None:
            await certificates.start()

    def _bind(self) -> None:
        """All sockets, before anything is ready: from here on the kernel keeps clients until they are taken."""
        config = self._means.config
        listen = config.submission.listen if self._means.role.takes_mail else ()
        addresses = [(listener.address, "smtp") for listener in listen]
        for address, what in [*addresses, (config.http.listen, "http")]:
            bound = bind(address.host, address.port)
            self._running.sockets.append(bound)
            self._means.log.listening(what=what, address=address_of(bound))

    # what works on it

    async def _begin(self, storage: Storage, store: Store, keeper: RoutingKeeper) -> None:
        means, supervisor = self._means, self._supervisor
        hook_keys = notices.hook_keys(means, keeper)
        watch = NoticeWatch(means.readiness, means.clock.wall)
        certificates = self._running.certificates
        look = admin.self_look(means, storage, store, certificates, hook_keys=hook_keys, notices=watch.look)
        self._make_delivery(storage, store, keeper)
        self._serve_admins(storage, store, keeper, look=look)
        await self._move_mail(storage, store, keeper)
        if certificates is not None:
            supervisor.start("certificates", certificates.follow())
        supervisor.start("routing", keeper.follow())
        if settings.is_shared(means.config):
            supervisor.start("other nodes", keeper.keep_up())
        await storage.keys.finish()
        supervisor.start("pulse", LoopLag(means.metrics.loop_was_late).run())
        self._tell_people(storage, store, keeper, hook_keys=hook_keys, watch=watch, look=look)
        self._announce(storage, store)
        if means.manager.watchdog_seconds:
            own = None if settings.is_shared(means.config) else store
            supervisor.start("watchdog", Watchdog(means.manager, own).run())

    def _make_delivery(self, storage: Storage, store: Store, keeper: RoutingKeeper) -> None:
        """Who logs in with providers, and, where this node delivers, who sends and who tries by hand."""
        means, running = self._means, self._running
        resolve = delivery.resolver(means)
        refresh_tokens = tokens.refresh_tokens(means, storage, keeper)
        running.tokens = tokens.token_source(means, keeper, resolve=resolve, refresh_tokens=refresh_tokens)
        upstream = delivery.upstream(means, store, keeper, resolve=resolve, tokens=running.tokens)
        if not means.role.delivers:
            return
        running.dispatcher = delivery.dispatcher(
            means, storage, store, keeper=keeper, upstream=upstream, outcomes=running.outcomes
        )
        running.tester = accounts.tester(
            means, storage, store, upstream=upstream, dispatcher=running.dispatcher, fatal=self._store_failed
        )

    def _serve_admins(self, storage: Storage, store: Store, keeper: RoutingKeeper, *, look: SelfLook) -> None:
        means, running = self._means, self._running
        assert running.tokens is not None
        tries = running.tester or accounts.Elsewhere()
        running.admin = admin.server(
            means,
            storage,
            store,
            look=look,
            desks=admin.Desks(
                accounts.clerk(means, storage, keeper, tries=tries, tokens=running.tokens),
                accounts.password_desk(means, storage, keeper),
                notices.Board(storage.store.books.notices, running.wake_notices),
            ),
            routing=keeper.routing,
            sockets=running.sockets,
        )
        self._supervisor.start("admin", running.admin.serve())

    async def _move_mail(self, storage: Storage, store: Store, keeper: RoutingKeeper) -> None:
        """What waits goes out before anything new comes in."""
        means, running = self._means, self._running
        if running.dispatcher is not None:
            running.pump = notices.outbox_pump(means, store, keeper)
            self._supervisor.start("outbox", running.pump.run())
            self._supervisor.start("delivery", running.dispatcher.run())
        if means.role.takes_mail:
            *listeners, _ = running.sockets
            running.submission = submission.server(means, store, storage.store.books, keeper)
            tls = None if running.certificates is None else running.certificates.context
            await running.submission.start(listeners, tls=tls)

    def _tell_people(
        self,
        storage: Storage,
        store: Store,
        keeper: RoutingKeeper,
        *,
        hook_keys: HookKeys | None,
        watch: NoticeWatch,
        look: SelfLook,
    ) -> None:
        means, book = self._means, storage.store.books.notices
        client = notices.web_client(means)
        if means.role.delivers:
            sender = notices.notice_sender(means, client, hook_keys)
            pump = notices.notice_pump(means, store, book, keeper=keeper, sender=sender, watch=watch)
            self._running.notices = pump
            self._supervisor.start("notices", pump.run())
            self._supervisor.start("terms", notices.terms_watch(means, book, keeper).run())
        heartbeat = notices.heartbeat(means, client, look.look)
        if heartbeat is not None:
            self._supervisor.start("heartbeat", heartbeat.run())

    def _announce(self, storage: Storage, store: Store) -> None:
        """This node tells the others how it is, and looks whether the store is there."""
        means, keeper, then = self._means, self._running.keeper, nothing
        if keeper is not None and means.role.delivers:
            then = Orphans(storage.nodes, keeper, node=storage.node).look
        elif not means.role.delivers:
            then = Senders(storage.nodes, means.readiness, means.log).look
        announcer = self._running.announcer = Announcer(storage.nodes, lambda: self._view(storage), then=then)
        self._supervisor.start("announcing", announcer.run())
        self._supervisor.start("scout", Scout(store, self._presence).run())

    def _view(self, storage: Storage) -> NodeView:
        running = self._running
        is_draining = running.is_draining
        view = admin.node_view(self._means, storage, running.sockets, running.dispatcher, is_draining=is_draining)
        if running.is_stopped:
            view = replace(view, is_stopped=True, sessions=0, under_way=0)
        return view if running.keeper is None else replace(view, lacks=tuple(running.keeper.lacks()))
