"""The parts of the service that deliver: who looks up hosts, who logs in with providers, and the dispatcher.

Law: as for all parts: each gets plain values, ports and callables.
"""

from concurrent.futures import Executor
from functools import cache

from relay.app import settings
from relay.app.means import Means
from relay.app.observation import DeliveryObserver
from relay.app.routing import RoutingKeeper
from relay.app.storage import Storage
from relay.core.classify import Context
from relay.core.words import MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.resolver import ExecutorResolver, RememberingResolver, Resolve
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.tokens import TokenSource
from relay.delivery.trust import SystemTrust
from relay.store.ports import Store
from relay.store.ports.outcomes import Outcomes

LOOKUPS: int = 2
"""Threads that look up names, for each provider: one that hangs leaves the others' alone."""


def resolver(means: Means) -> Resolve:
    """Looks up the hosts of providers."""

    @cache
    def lookups_of(provider: str) -> Executor:
        return means.threads.pool(f"lookup-{provider}", LOOKUPS)

    return RememberingResolver(ExecutorResolver(lookups_of))


def upstream(
    means: Means, store: Store, keeper: RoutingKeeper, *, resolve: Resolve, tokens: TokenSource
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
