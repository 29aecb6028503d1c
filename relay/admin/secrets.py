"""The routes of stored secrets: their names and what each is for; a value goes in and never comes out.

Law: no answer, no error and no log has a value in it.
"""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, Field, SecretStr

from relay.admin.asking import in_time
from relay.admin.lists import PREFIX
from relay.admin.shapes import Moment, moment
from relay.core.secretuse import UseKind
from relay.errors import PermanentError
from relay.store.ports.secrets import SecretName

Name = Annotated[str, Path(description="As the configuration says after `secret:`.", max_length=1024)]


Force = Annotated[bool, Query(description="Also one that is in use.")]
Over = Annotated[bool, Query(description="Also over the password of an account, and without trying it.")]

SHOWN: int = 5
"""Users of a secret that are named: who drops it sees what he would do."""

FORCE = "to forget it all the same: force=true (relay secret drop --force)"

UNTRIED = "to replace it untried: force=true (relay secret set --force)"


class SecretKeeper(Protocol):
    """Who keeps them."""

    async def names(self) -> Sequence[SecretName]: ...

    async def set_named(self, name: str, value: str, /) -> bool: ...

    def warning_of(self, name: str, value: str, /) -> str | None: ...

    async def users_of(self, name: str, /) -> Sequence[str]: ...

    async def drop(self, name: str, /) -> bool: ...


class Secret(BaseModel):
    """A stored secret, without its value."""

    name: str
    kind: UseKind | None = Field(
        description="mailbox, oauth-client, or own: it never leaves the relay; null: nothing yet."
    )
    host: str | None = Field(description="The only host that it is sent to; null: none.")
    login: str | None = Field(description="The only login, or client id, that it is sent with.")
    changed_at: Moment = Field(description="When somebody set it.")


class Secrets(BaseModel):
    """All stored secrets, by name."""

    items: list[Secret]
    next_cursor: None = None


class Value(BaseModel):
    """A new value."""

    value: SecretStr = Field(description="A password, a token or a key.")


class Kept(BaseModel):
    """What became of it."""

    name: str
    is_new: bool = Field(description="false: the very same was there.")
    warning: str | None = Field(None, description="Why it does not serve what uses it; null: it does.")


class Forgotten(BaseModel):
    """What is not there any more."""

    name: str


def secret_routes(desk: SecretKeeper) -> APIRouter:
    """Lists, sets and forgets secrets."""
    routes = APIRouter(prefix=PREFIX)

    @routes.get("/secrets", tags=["secrets"], summary="List the stored secrets, without their values")
    async def secrets() -> Secrets:
        """What each is called, what it is for, and since when it is what it is."""
        return Secrets(items=[_secret_of(each) for each in await in_time(desk.names())])

    @routes.put(
        "/secrets/{name:path}",
        tags=["secrets"],
        summary="Keep a secret",
        responses={409: {"description": "It is what an account logs in with; `detail` says of whom, and what to do."}},
    )
    async def keep(name: Name, given: Value, force: Over = False) -> Kept:
        """In force at once. It is for what the routing uses it for, or for its first use, and for nothing else.

        What an account logs in with already is set by .../accounts/{sender}/password, which tries it; here only with
        force=true.
        """
        value = given.value.get_secret_value()
        users = [] if force else await desk.users_of(name)
        if users and await _is_of_mailbox(desk, name):
            more = f" and {len(users) - 1} more" if len(users) > 1 else ""
            remedy = f"relay account set-password {users[0]} keeps it and tries it at once; {UNTRIED}"
            raise HTTPException(409, f"secret:{name} is what {users[0]}{more} logs in with: {remedy}")
        try:
            is_new = await desk.set_named(name, value)
        except PermanentError as error:
            raise HTTPException(400, str(error)) from None
        return Kept(name=name, is_new=is_new, warning=desk.warning_of(name, value))

    @routes.delete(
        "/secrets/{name:path}",
        tags=["secrets"],
        summary="Forget a secret",
        responses={409: {"description": "It is in use; `detail` says by whom."}},
    )
    async def forget(name: Name, force: Force = False) -> Forgotten:
        """One that is in use only with force=true: its mailboxes are held as no-credentials then."""
        users = [] if force else await desk.users_of(name)
        if users and any(each.name == name for each in await in_time(desk.names())):
            more = f" and {len(users) - SHOWN} more" if len(users) > SHOWN else ""
            raise HTTPException(409, f"secret:{name} is in use by {', '.join(users[:SHOWN])}{more}; {FORCE}")
        if not await desk.drop(name):
            raise HTTPException(404, "there is no secret of this name")
        return Forgotten(name=name)

    return routes


async def _is_of_mailbox(desk: SecretKeeper, name: str) -> bool:
    """Whether there is one of this name, for a mailbox; the first value of a new name replaces none."""
    known = [each.use for each in await in_time(desk.names()) if each.name == name]
    return any(use is not None and use.kind is UseKind.MAILBOX for use in known)


def _secret_of(each: SecretName) -> Secret:
    use = each.use
    return Secret(
        name=each.name,
        kind=None if use is None else use.kind,
        host=None if use is None else use.host or None,
        login=None if use is None else use.login or None,
        changed_at=moment(each.changed_at),
    )
