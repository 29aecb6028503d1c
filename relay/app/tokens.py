"""Access tokens as the service has them: the client of the routing in force, with its secret looked up anew.

Law: a client whose secret cannot be found is no client; nothing is asked in its name.
"""

from relay.app import settings
from relay.app.machine import randomness
from relay.app.parts import Means
from relay.app.routing import RoutingKeeper
from relay.core.limits import SECOND
from relay.core.words import MailboxId
from relay.delivery.oauth import OAuthTokens
from relay.delivery.oauth_endpoint import OAuthIdentity, TokenEndpoint
from relay.delivery.resolver import Resolve
from relay.delivery.tokens import NoRefreshTokens, RefreshTokens


def token_source(
    means: Means, keeper: RoutingKeeper, *, resolve: Resolve, refresh_tokens: RefreshTokens | None = None
) -> OAuthTokens:
    """Gets mailboxes with `auth: oauth2` what they log in with; without `refresh_tokens` nobody is connected."""

    def identity_of(mailbox: MailboxId) -> OAuthIdentity | None:
        return settings.oauth_identity(keeper.routing(), mailbox, keeper.resolved)

    return OAuthTokens(
        identity_of,
        refresh_tokens or NoRefreshTokens(),
        TokenEndpoint(resolve),
        clock=lambda: means.clock.boottime() / SECOND,
        chance=lambda: int.from_bytes(randomness(4), "big") / 2**32,
        observe=lambda mailbox, refusal: means.log.token_refused(mailbox, reason=refusal.fault, said=refusal.said),
    )
