"""OAuth2 in a provider's entry: the client that the relay is registered as, laid over what the profile knows.

Law: a token is asked for over https only, but on this machine; a tenant becomes part of the address here and nowhere
else.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Required

from pydantic import AfterValidator, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from relay.config import fields
from relay.config.service import STRICT
from relay.config.values import is_loopback
from relay.core.routing import Auth, OAuthClient
from relay.core.weburl import parse_web_url

TENANT = "{tenant}"
"""Stands in a `token_url` where the tenant goes."""

_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII)


def _token_url(text: str) -> str:
    url = parse_web_url(text.replace(TENANT, "common", 1))
    if url.scheme != "https" and not is_loopback(url.host):
        raise ValueError("a refresh token goes over https:// alone; http:// is for this machine")
    return text


def _tenant(text: str) -> str:
    if not _TENANT.fullmatch(text):
        raise ValueError("not a tenant; write consumers, common, organizations, its id or its domain")
    return text


TokenUrl = Annotated[fields.Text, AfterValidator(_token_url)]
Tenant = Annotated[fields.Text, AfterValidator(_tenant)]


@with_config(STRICT)
class OAuthDefaults(TypedDict, total=False):
    """What a profile knows of the provider's authorization server: the same keys as an entry's, but for the client."""

    token_url: TokenUrl
    scope: fields.Text
    tenant: Tenant


@with_config(STRICT)
class OAuthEntry(TypedDict, total=False):
    """The relay's own identity at the provider's authorization server."""

    client_id: Required[fields.Text]
    """As registered there."""
    client_secret: fields.Secret
    """env:NAME, file:PATH or secret:NAME; none: a client that is registered without one."""
    token_url: TokenUrl
    """Where access tokens are asked for; {tenant} in it is replaced. Default: the profile's."""
    scope: fields.Text
    """What is asked for; default: the profile's, else what the owner permitted."""
    tenant: Tenant
    """Microsoft's: consumers, organizations, common, an organisation's id or domain; default: the profile's."""


OAUTH_DEFAULTS: TypeAdapter[Any] = TypeAdapter(OAuthDefaults)
"""Reads a profile's."""


def client_of(values: Mapping[str, Any]) -> OAuthClient | None:
    """The client of a provider's entry with its profile's values below; None: nobody registered one."""
    if "client_id" not in values:
        return None
    token_url = values.get("token_url", "").replace(TENANT, values.get("tenant", "common"), 1)
    return OAuthClient(values["client_id"], values.get("client_secret"), token_url, values.get("scope", ""))


def trouble_with_oauth(auth: Auth, values: Mapping[str, Any], own: Mapping[str, Any]) -> str | None:
    """What an entry with this client lacks or has too much; None: nothing. `own` is what it says itself: the tenant of
    its profile has no place in a token_url of its own, and nobody meant it to.
    """
    token_url = values.get("token_url")
    if auth is Auth.OAUTH2 and "client_id" in values and token_url is None:
        return "the key 'token_url' is missing: without a profile nobody knows where tokens are asked for"
    if "tenant" in own and TENANT not in (token_url or ""):
        return f"a tenant has no place in this token_url; write {TENANT} where it belongs"
    return None


def idle_client(auth: Auth, values: Mapping[str, Any]) -> str | None:
    """Why nobody ever asks as this client, where whoever wrote it seems to think so; None: somebody does, or may."""
    if auth is Auth.OAUTH2 or "client_id" not in values or "token_url" in values:
        return None
    return "not used: without a profile that knows OAuth2 it needs `auth: oauth2` and a `token_url` here"
