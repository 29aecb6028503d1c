"""Who asks for access tokens in the service: the client of the routing in force, and nobody without its secret."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from relay.admin import Readiness
from relay.app.machine import MachineClock, Threads
from relay.app.means import Means
from relay.app.routing import RoutingKeeper
from relay.app.secretsinforce import SecretsInForce
from relay.app.settings import has_client, oauth_identity
from relay.app.tokens import token_source
from relay.config.references import References, Unresolved
from relay.config.service import ServiceConfig
from relay.core.meaning import Fault
from relay.core.routing import Account, Auth, OAuthClient, Provider, Routing, SecretKind, SecretReference
from relay.core.secretuse import OWN, SecretUse
from relay.core.words import MailboxId, Plan
from relay.delivery.oauth_endpoint import OAuthIdentity
from relay.delivery.tokens import NoToken
from relay.observe import Log, Metrics, as_json
from tests.fakes.oauth import OAuthServer, refusal
from tests.fakes.tokens import FakeRefreshTokens

T = TypeVar("T")

ANNA = MailboxId("outlook", "anna@hotmail.it")
CLIENT = OAuthClient("id", SecretReference(SecretKind.ENV, "CLIENT"), "https://login.example/token", "smtp")
ENVIRONMENT = {"CLIENT": "client-secret"}


def routing(client: OAuthClient | None = CLIENT) -> Routing:
    provider = Provider("outlook", "h.example", 587, auth=Auth.OAUTH2, oauth=client)
    return Routing({}, {"outlook": provider}, {ANNA.username: Account(ANNA.username, Plan.PERSONAL, ANNA)})


def resolved(reference: SecretReference, use: SecretUse = OWN) -> str | None:
    found = References(ENVIRONMENT)(reference, use)
    return None if isinstance(found, Unresolved) else found


def test_the_client_is_that_of_the_routing_with_its_secret() -> None:
    found = oauth_identity(routing(), ANNA, resolved)
    assert found == OAuthIdentity("outlook", "https://login.example/token", "smtp", "id", "client-secret")
    assert oauth_identity(routing(replace(CLIENT, client_secret=None)), ANNA, resolved) == replace(
        found, client_secret=None
    )


@pytest.mark.parametrize(
    "client",
    [
        None,
        replace(CLIENT, client_secret=SecretReference(SecretKind.ENV, "NOT_SET")),
        replace(CLIENT, token_url=""),
    ],
)
def test_without_all_of_it_there_is_no_client(client: OAuthClient | None) -> None:
    assert oauth_identity(routing(client), ANNA, resolved) is None


def test_a_secret_that_is_not_there_is_told_from_a_client_that_is_refused() -> None:
    lacking = replace(CLIENT, client_secret=SecretReference(SecretKind.ENV, "NOT_SET"))
    assert has_client(routing(lacking), ANNA)
    assert not has_client(routing(None), ANNA)


def test_a_mailbox_that_no_account_uses_is_asked_for_by_nobody() -> None:
    assert oauth_identity(routing(), MailboxId("outlook", "gone@hotmail.it"), resolved) is None


async def at_once(work: Callable[[], T]) -> T:
    return work()


class Keeper:
    """The routing in force, as a test has it."""

    def __init__(self, now: Routing) -> None:
        self.now = now
        self.secrets = SecretsInForce(self.routing, References(ENVIRONMENT), run=at_once)

    def routing(self) -> Routing:
        return self.now


async def test_the_service_asks_the_address_of_the_routing_and_says_in_the_log_what_is_wrong(tmp_path: Path) -> None:
    lines: list[str] = []
    log = Log(lines.append, lambda: 0.0, form=as_json)
    means = Means(
        cast(ServiceConfig, None),
        {},
        MachineClock(),
        Threads(),
        log,
        Metrics("0"),
        Readiness(lambda: 0.0),
        References(ENVIRONMENT),
    )

    async def resolve(provider: str, host: str) -> list[str]:
        raise OSError("no names here")

    async with OAuthServer() as server:
        keeper = Keeper(routing(replace(CLIENT, token_url=server.url)))
        made: dict[str, Any] = {"resolve": resolve, "refresh_tokens": FakeRefreshTokens(ANNA)}
        tokens = token_source(means, cast(RoutingKeeper, keeper), **made)
        server.script = [refusal("invalid_grant", 50173)]
        with pytest.raises(NoToken) as caught:
            await tokens(ANNA)
        assert caught.value.fault is Fault.OAUTH_PASSWORD_CHANGED
        assert await tokens(ANNA) == await tokens(ANNA)
        assert server.asked[0].form["client_secret"] == "client-secret"
        keeper.now = routing(replace(CLIENT, client_secret=SecretReference(SecretKind.ENV, "NOT_SET")))
        with pytest.raises(NoToken) as caught:
            await tokens(ANNA)
        assert (caught.value.fault, caught.value.is_provider) == (Fault.OAUTH_SECRET, True), "nobody refused it"
        keeper.now = routing(replace(CLIENT, token_url=server.url))
    (line,) = [json.loads(line) for line in lines]
    assert (line["event"], line["provider"], line["mailbox"]) == ("token_refused", "outlook", "anna@hotmail.it")
    assert (line["reason"], line["said"]) == ("oauth-password-changed", "invalid_grant AADSTS50173")
    unconnected = token_source(means, cast(RoutingKeeper, keeper), resolve=resolve)
    with pytest.raises(NoToken) as caught:
        await unconnected(ANNA)
    assert caught.value.fault is Fault.NO_TOKEN
