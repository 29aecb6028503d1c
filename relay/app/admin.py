"""The parts of the service that show it: how this node is, and the server for admins and whoever watches.

Law: as for all parts: each gets plain values, ports and callables.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from socket import gethostname, socket

from relay import __version__
from relay.admin import AdminServer, AdminSources, Clerk, ListensAt, Node, NoticeBoard, admin_app, admin_token
from relay.app.certificates import CertificateKeeper
from relay.app.hookkeys import HookKeys
from relay.app.machine import randomness
from relay.app.means import Means
from relay.app.passwords import PasswordDesk
from relay.app.pulse import StoreWatch
from relay.app.reading import TimedReading
from relay.app.scraping import Scrape, SelfLook
from relay.app.settings import is_shared
from relay.app.sockets import address_of
from relay.app.storage import Storage
from relay.app.unsent import ReadingAmongNodes
from relay.core.routing import Routing
from relay.delivery.dispatcher import Dispatcher
from relay.store.ports import Store
from relay.store.ports.nodes import NodeView
from relay.store.ports.reading import Reading


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


@dataclass(frozen=True, slots=True)
class Desks:
    """Who does what admins ask for."""

    clerk: Clerk
    passwords: PasswordDesk
    board: NoticeBoard


def server(
    means: Means,
    storage: Storage,
    store: Store,
    *,
    look: SelfLook,
    desks: Desks,
    routing: Callable[[], Routing],
    sockets: Sequence[socket],
) -> AdminServer:
    """Shows what there is on the last of these sockets. ConfigError: the token's file cannot be used."""
    *listeners, http = [address_of(each) for each in sockets]
    listens_at = [*(ListensAt("smtp", address) for address in listeners), ListensAt("http", http)]
    reading: Reading = TimedReading(storage.store, means.metrics.store_took, means.clock.monotonic)
    if is_shared(means.config):
        reading = ReadingAmongNodes(reading, storage.nodes, routing)
    return AdminServer(
        admin_app(
            AdminSources(
                node=Node(__version__, storage.node, means.started_at, listens_at, means.role),
                nodes=storage.nodes,
                token=admin_token(means.config.data_dir / "admin.token", randomness),
                readiness=means.readiness,
                look=look.look,
                metrics=Scrape(means.metrics, store, means.clock.monotonic, look=look, nodes=storage.nodes),
                reading=reading,
                counts=store,
                suppressions=storage.store.books.suppressions,
                recipients=storage.store.books.recipients,
                clerk=desks.clerk,
                healths=storage.store.books.healths,
                riddles=storage.store.books.riddles,
                notices=desks.board,
                unforeseen=lambda error: means.log.failed(what="admin", error=error),
                unmasking=lambda message, account, by: means.log.reply_unmasked(message, account=account, by=by),
                keys=storage.keys,
                secrets=desks.passwords,
            )
        ),
        sockets[-1],
    )
