"""The parts of the service, each made from what it needs: what is wired to what stands here and nowhere else.

Law: a part gets plain values, ports and callables; none of them learns where they come from.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cache
from socket import gethostname, socket

from relay import __version__
from relay.admin import (
    AdminServer,
    AdminSources,
    Clerk,
    ListensAt,
    Node,
    NoticeBoard,
    Readiness,
    admin_app,
    admin_token,
)
from relay.app import settings
from relay.app.certificates import CertificateKeeper
from relay.app.hookkeys import HookKeys
from relay.app.machine import MachineClock, RunIn, Threads, randomness
from relay.app.observation import DeliveryObserver, SubmissionObserver
from relay.app.others import Others
from relay.app.passwords import PasswordDesk
from relay.app.pulse import StoreWatch
from relay.app.reading import TimedReading
from relay.app.refresh_tokens import StoredRefreshTokens
from relay.app.routing import RoutingKeeper
from relay.app.routingdesk import Desk, Watch
from relay.app.scraping import Scrape, SelfLook
from relay.app.shelf import SecretShelf
from relay.app.sockets import address_of
from relay.app.storage import Storage
from relay.app.systemd import ServiceManager
from relay.config.references import Resolve
from relay.config.service import ServiceConfig
from relay.core.classify import Context
from relay.core.words import MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.resolver import ExecutorResolver, RememberingResolver
from relay.delivery.resolver import Resolve as Resolver
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.tokens import TokenSource
from relay.delivery.trust import SystemTrust
from relay.notify import OutboxPump
from relay.observe import Log, Metrics
from relay.store.ports import Store
from relay.store.ports.books import Books
from relay.store.ports.nodes import NodeView, Role
from relay.store.ports.outcomes import Outcomes
from relay.submission import (
    Authenticator,
    Dns,
    Domains,
    Enquiries,
    Recipients,
    SubmissionServer,
    read_certificate,
)
from relay.vault import expiry_of

HASHES: int = 2
"""Threads that hash passwords: each takes a core and 19 MB."""

LOOKUPS: int = 2
"""Threads that look up names, for each provider: one that hangs leaves the others' alone."""

ID_BYTES: int = 10
"""80 bits of chance make 20 characters: no two messages share an id, and nobody guesses one."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all parts are made with."""

    config: ServiceConfig
    environ: Mapping[str, str]
    clock: MachineClock
    threads: Threads
    log: Log
    metrics: Metrics
    readiness: Readiness
    resolve: Resolve = field(repr=False)
    """Finds a secret."""
    shelf: SecretShelf = field(default_factory=SecretShelf)
    """Where it looks for stored ones; opened with the store."""
    manager: ServiceManager = field(default_factory=lambda: ServiceManager({}, pid=0))
    """Watches this process; by default nobody does."""
    role: Role = Role.ALL
    """What this node does."""
    started_at: int = 0
    """Wall time in microseconds."""


def routing_keeper(means: Means, storage: Storage, store: Store, watch: Watch) -> RoutingKeeper:
    """Keeps the routing in force, with the secrets of the store that is open now."""
    means.shelf.open(storage.store.books.secrets)
    others = None
    if settings.is_shared(means.config):
        others = Others(
            storage.data.path / "routing.seen",
            delivers=means.role.delivers,
            run=RunIn(means.threads.pool("others", 1)),
            log=means.log,
            readiness=means.readiness,
        )
    return RoutingKeeper(
        Desk(
            watch=watch,
            resolve=means.resolve,
            store=store,
            key=storage.key,
            run=RunIn(means.threads.pool("fingerprints", 1)),
            log=means.log,
            metrics=means.metrics,
            readiness=means.readiness,
            wall_seconds=means.clock.wall_seconds,
            shelf=means.shelf,
            others=others,
        )
    )


def refresh_tokens(means: Means, storage: Storage, keeper: RoutingKeeper) -> StoredRefreshTokens:
    """What mailboxes with OAuth2 are connected by."""
    run = RunIn(means.threads.pool("refresh-tokens", 1))
    return StoredRefreshTokens(keeper.routing, means.resolve, storage.store.books.secrets, run=run)


def password_desk(means: Means, storage: Storage, keeper: RoutingKeeper) -> PasswordDesk:
    """Sets what mailboxes log in with."""
    return PasswordDesk(storage.store.books.secrets, keeper, hook=means.config.notices.ops_webhook_secret)


def certificate_keeper(means: Means) -> CertificateKeeper | None:
    """Keeps the certificate that clients are shown; None: no listener has TLS."""
    files = settings.certificate_files(means.config)
    if files is None:
        return None
    for listener in files.listeners:
        means.metrics.handshake_failed(listener, 0)  # a series that begins at one shows no increase
    return CertificateKeeper(
        files,
        lambda certificate, key: read_certificate(certificate, key, expiry_of),
        run=RunIn(means.threads.pool("certificates", 1)),
        log=means.log,
        readiness=means.readiness,
    )


def submission_server(means: Means, store: Store, books: Books, keeper: RoutingKeeper) -> SubmissionServer:
    """Takes mail from clients."""
    authenticator = Authenticator(
        keeper.routing,
        keeper.secrets.resolved,
        executor=means.threads.pool("hashes", HASHES),
        key=randomness(32),
        clock=means.clock.monotonic,
    )
    keeper.on_change(authenticator.forget)
    return SubmissionServer(
        store,
        keeper.routing,
        settings=settings.submission_settings(means.config),
        authenticator=authenticator,
        new_id=lambda: randomness(ID_BYTES).hex(),
        wall_clock=means.clock.wall_seconds,
        observe=SubmissionObserver(means.log, means.metrics, clock=means.clock.monotonic),
        enquiries=Enquiries(store.pause_of, books.foresight, recipients(means, books), books.unheard),
    )


def recipients(means: Means, books: Books) -> Recipients:
    """Says whom an account does not write to, and which domains take no mail."""
    dns = Dns(means.config.submission.nameservers)
    return Recipients(books.suppressions, Domains(dns, means.clock.monotonic))


def resolver(means: Means) -> Resolver:
    """Looks up the hosts of providers."""

    @cache
    def lookups_of(provider: str) -> Executor:
        return means.threads.pool(f"lookup-{provider}", LOOKUPS)

    return RememberingResolver(ExecutorResolver(lookups_of))


def smtp_upstream(
    means: Means, store: Store, keeper: RoutingKeeper, *, resolve: Resolver, tokens: TokenSource
) -> SmtpUpstream:
    """Logs in with providers."""
    rules = settings.reply_rules()

    def route_of(mailbox: MailboxId) -> Route | None:
        provider = settings.provider_of(keeper.routing(), mailbox)
        if provider is None:
            return None
        own = rules.get(provider.profile or "", ())
        context = Context(provider.name, rules=own, has_worked=store.has_worked(mailbox))
        return Route(provider, keeper.secrets.of(mailbox), context)

    return SmtpUpstream(
        settings.hostname_of(means.config),
        route_of,
        resolve=resolve,
        trust=SystemTrust(),
        tokens=tokens,
    )


def dispatcher(
    means: Means,
    storage: Storage,
    store: Store,
    *,
    keeper: RoutingKeeper,
    upstream: SmtpUpstream,
    outcomes: Outcomes | None = None,
) -> Dispatcher:
    """Delivers; `outcomes`: where those wait that the store cannot take."""
    made = Dispatcher(
        store,
        upstream,
        node=storage.node,
        observe=DeliveryObserver(means.log, means.metrics),
        terms_of=lambda name: settings.session_terms(keeper.routing(), name),
        fence=Fence(means.clock.boottime, lease=settings.store_settings(means.config).lease),
        outcomes=outcomes,
        settings=settings.dispatcher_settings(means.config),
    )
    keeper.on_change(made.look_again)
    return made


def outbox_pump(means: Means, store: Store, keeper: RoutingKeeper) -> OutboxPump:
    """Reports what failed."""
    return OutboxPump(
        store,
        store,
        settings.report_settings(means.config),
        routing=keeper.routing,
        randomness=randomness,
        log=means.log,
    )


def self_look(
    means: Means,
    storage: Storage,
    store: Store,
    certificates: CertificateKeeper | None,
    *,
    hook_keys: HookKeys | None = None,
    notices: Callable[[], Mapping[str, float]] = dict,
) -> SelfLook:
    """Looks at this node."""
    clock, wall = means.clock.monotonic, means.clock.wall_seconds
    watch = StoreWatch(store, means.readiness, means.log, clock=clock, wall=wall, flaws=storage.flaws)
    return SelfLook(
        watch=watch,
        readiness=means.readiness,
        data=storage.data,
        wall=wall,
        expiries=dict if certificates is None else certificates.expiries,
        hook_keys=hook_keys,
        notices=notices,
    )


def node_view(
    means: Means, storage: Storage, sockets: Sequence[socket], dispatcher: Dispatcher | None, *, is_draining: bool
) -> NodeView:
    """How this node is now; the last of its sockets is that of HTTP, and one that stops has closed some."""
    kinds = ["smtp"] * (len(sockets) - 1) + ["http"]
    listeners = [f"{kind} {address_of(each)}" for kind, each in zip(kinds, sockets, strict=True) if each.fileno() >= 0]
    return NodeView(
        node=storage.node,
        name=gethostname(),
        role=means.role,
        version=__version__,
        started_at=means.started_at,
        listeners=tuple(listeners),
        sessions=0 if dispatcher is None else dispatcher.sessions,
        under_way=0 if dispatcher is None else dispatcher.under_way,
        is_draining=is_draining,
    )


def admin_server(
    means: Means,
    storage: Storage,
    store: Store,
    *,
    look: SelfLook,
    clerk: Clerk,
    passwords: PasswordDesk,
    board: NoticeBoard,
    sockets: Sequence[socket],
) -> AdminServer:
    """Shows what there is on the last of these sockets. ConfigError: the token's file cannot be used."""
    *listeners, http = [address_of(each) for each in sockets]
    listens_at = [*(ListensAt("smtp", address) for address in listeners), ListensAt("http", http)]
    return AdminServer(
        admin_app(
            AdminSources(
                node=Node(__version__, storage.node, means.started_at, listens_at, means.role),
                nodes=storage.nodes,
                token=admin_token(means.config.data_dir / "admin.token", randomness),
                readiness=means.readiness,
                look=look.look,
                metrics=Scrape(means.metrics, store, means.clock.monotonic, look=look, nodes=storage.nodes),
                reading=TimedReading(storage.store, means.metrics.store_took, means.clock.monotonic),
                counts=store,
                suppressions=storage.store.books.suppressions,
                recipients=storage.store.books.recipients,
                clerk=clerk,
                healths=storage.store.books.healths,
                riddles=storage.store.books.riddles,
                notices=board,
                unforeseen=lambda error: means.log.failed(what="admin", error=error),
                unmasking=lambda message, account, by: means.log.reply_unmasked(message, account=account, by=by),
                keys=storage.keys,
                secrets=passwords,
            )
        ),
        sockets[-1],
    )
