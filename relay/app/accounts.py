"""The parts of the service that serve whoever looks after accounts: who tries mailboxes,
who sets what they log in with, and who does what admins say.

Law: as for all parts: each gets plain values, ports and callables.
"""

from collections.abc import Callable

from relay.app import settings
from relay.app.clerk import AccountClerk
from relay.app.clerkmeans import ClerkMeans, Trying
from relay.app.machine import RunIn
from relay.app.means import Means
from relay.app.observation import DeliveryObserver
from relay.app.passwords import PasswordDesk
from relay.app.routing import RoutingKeeper
from relay.app.storage import Storage
from relay.core.failuretext import Language
from relay.core.tested import Finding, Tested
from relay.core.words import AccountId, MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.oauth import OAuthTokens
from relay.delivery.smtp import SmtpUpstream
from relay.delivery.tester import Tester, TesterStore
from relay.errors import RelayError
from relay.store.ports import Store


def tester(
    means: Means,
    storage: Storage,
    store: Store,
    *,
    upstream: SmtpUpstream,
    dispatcher: Dispatcher,
    fatal: Callable[[RelayError], None],
) -> Tester:
    """Tries mailboxes by hand; `fatal` is told that the store is beyond repair."""

    def on_fatal(error: BaseException) -> None:
        if isinstance(error, RelayError):
            fatal(error)

    return Tester(
        upstream,
        TesterStore(storage.store.books.trials, store),
        node=storage.node,
        observe=DeliveryObserver(means.log, means.metrics),
        make_room=dispatcher.let_go,
        on_fatal=on_fatal,
    )


class Elsewhere:
    """Tries no mailbox: its logins and sessions belong to the nodes that deliver."""

    async def test(self, account: AccountId, mailbox: MailboxId) -> Tested:
        """That it was not tried, and who would."""
        return Tested(account, mailbox, Finding.NOT_NOW, "elsewhere")


def password_desk(means: Means, storage: Storage, keeper: RoutingKeeper) -> PasswordDesk:
    """Sets what mailboxes log in with."""
    return PasswordDesk(storage.store.books.secrets, keeper, hook=means.config.notices.ops_webhook_secret)


def clerk(means: Means, storage: Storage, keeper: RoutingKeeper, *, tries: Trying, tokens: OAuthTokens) -> AccountClerk:
    """Does what admins say about accounts."""
    run = RunIn(means.threads.pool("why-without", 1))
    return AccountClerk(
        ClerkMeans(
            routing=keeper.routing,
            control=storage.store.books.control,
            reading=storage.store,
            trying=tries,
            keeping=password_desk(means, storage, keeper),
            why_without=lambda mailbox: run(lambda: keeper.secrets.why_without(mailbox)),
            contact=means.config.contact,
            log=means.log,
            metrics=means.metrics,
            language=Language(means.config.language),
            zone=settings.ZONE,
            wall=means.clock.wall,
            clock=means.clock.monotonic,
            mended=tokens.mended,
        )
    )
