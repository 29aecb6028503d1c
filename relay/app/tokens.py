"""Access tokens as the service has them: the client of the routing in force, with its secret looked up anew.

Law: a client whose secret cannot be found is no client; nothing is asked in its name.
"""

from relay.app import settings
from relay.app.machine import RunIn, randomness
from relay.app.means import Means
from relay.app.refresh_tokens import StoredRefreshTokens
from relay.app.routing import RoutingKeeper
from relay.app.storage import Storage
from relay.core.limits import SECOND
from relay.core.meaning import Fault, ReplyClass
from relay.core.words import MailboxId
from relay.delivery.oauth import OAuthTokens
from relay.delivery.oauth_endpoint import OAuthIdentity, TokenEndpoint
from relay.delivery.resolver import Resolve
from relay.delivery.tokens import NoRefreshTokens, NoToken, RefreshTokens


def refresh_tokens(means: Means, storage: Storage, keeper: RoutingKeeper) -> StoredRefreshTokens:
    """What mailboxes with OAuth2 are connected by."""
    run = RunIn(means.threads.pool("refresh-tokens", 1))
    return StoredRefreshTokens(keeper.routing, means.resolve, storage.store.books.secrets, run=run)


def token_source(
    means: Means, keeper: RoutingKeeper, *, resolve: Resolve, refresh_tokens: RefreshTokens | None = None
) -> OAuthTokens:
    """Gets mailboxes with `auth: oauth2` what they log in with; without `refresh_tokens` nobody is connected."""

    def identity_of(mailbox: MailboxId) -> OAuthIdentity | None:
        routing = keeper.routing()
        identity = settings.oauth_identity(routing, mailbox, keeper.secrets.resolved)
        if identity is None and settings.has_client(routing, mailbox):
            raise NoToken(ReplyClass.AUTH_METHOD, Fault.OAUTH_SECRET, is_provider=True)
        return identity

    return OAuthTokens(
        identity_of,
        refresh_tokens or NoRefreshTokens(),
        TokenEndpoint(resolve),
        clock=lambda: means.clock.boottime() / SECOND,
        chance=lambda: int.from_bytes(randomness(4), "big") / 2**32,
        observe=lambda mailbox, refusal: means.log.token_refused(mailbox, reason=refusal.fault, said=refusal.said),
    )
