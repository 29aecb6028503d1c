"""The routes that change accounts, or try them.

Law: each is one thing that an admin says, done by the clerk and answered with a sentence; who is not there is 404, with
whom was perhaps meant; what a body held is in no answer.
"""

from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Path, Query

from relay.admin.account_shapes import Done, NewSecret, Pause, SecretKept, TestResult
from relay.admin.clerk import Clerk, Impossible
from relay.admin.lists import PREFIX
from relay.admin.queries import LONGEST, NoFilter
from relay.admin.showing_accounts import done_of, kept_of, tried_of
from relay.core.secretuse import Credential
from relay.core.words import AccountId
from relay.store.ports.control import ADMIN

Sender = Annotated[str, Path(description="Any address that it sends as, whatever its case.", max_length=LONGEST)]
Nothing = Annotated[NoFilter, Query()]

ONE_OF_TWO = "give one of password and refresh_token, and nothing else"


ORDERS = ("pause", "resume", "fixed", "test", "password")
"""What can be said about an account; no address ends with one of them after a slash."""


def unsaid_routes() -> APIRouter:
    """405 for whoever asks where something can only be said; included before what shows accounts, to which the path of
    an order would be an address that nobody has.
    """
    routes = APIRouter(prefix=f"{PREFIX}/accounts")

    async def unsaid() -> None:
        raise HTTPException(405, headers={"Allow": "POST"})

    for order in ORDERS:
        methods = ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"]
        routes.add_api_route(f"/{{sender:path}}/{order}", unsaid, methods=methods, include_in_schema=False)
    return routes


def acting_routes(clerk: Clerk) -> APIRouter:
    """What can be said about an account."""
    routes = APIRouter(prefix=f"{PREFIX}/accounts", tags=["accounts"])
    place = "/{sender:path}"

    @routes.post(f"{place}/pause", summary="Keep an account's mail back")
    async def pause(sender: Sender, asked: Nothing, body: Annotated[Pause | None, Body()] = None) -> Done:
        """Its mail alone: that of other accounts of the same mailbox goes on."""
        why = "" if body is None else body.why
        return done_of(await clerk.pause(account_of(clerk, sender), why=why, by=ADMIN))

    @routes.post(f"{place}/resume", summary="Let an account's mail go again")
    async def resume(sender: Sender, asked: Nothing) -> Done:
        """Where its mailbox itself is stopped, the answer says so: this does not mend it."""
        return done_of(await clerk.resume(account_of(clerk, sender), by=ADMIN))

    @routes.post(f"{place}/fixed", summary="Say that an account's mailbox is mended")
    async def fixed(sender: Sender, asked: Nothing) -> Done:
        """It is tried at once; if that works, what waits goes out."""
        return done_of(await clerk.fixed(account_of(clerk, sender), by=ADMIN))

    @routes.post(f"{place}/test", summary="Try an account's mailbox now")
    async def test(sender: Sender, asked: Nothing) -> TestResult:
        """Logs in, says MAIL FROM and RCPT TO the own address, RSET and QUIT; within all limits. Nothing is sent."""
        return tried_of(await clerk.test(account_of(clerk, sender), by=ADMIN))

    @routes.post(
        f"{place}/password",
        summary="Set what an account's mailbox logs in with, and try it",
        responses={409: {"description": "It is not kept here, or cannot be one; `detail` says what to do instead."}},
    )
    async def password(sender: Sender, asked: Nothing, body: NewSecret) -> SecretKept:
        """The routing has to name `password: secret:NAME` for it. The answer waits at most 20 seconds for the try."""
        value, kind = _only(body)
        try:
            return kept_of(await clerk.set_secret(account_of(clerk, sender), value, kind=kind, by=ADMIN))
        except Impossible as error:
            raise HTTPException(409, str(error)) from None

    return routes


NOBODY = "there is no account of this sender in the routing"


def account_of(clerk: Clerk, address: str) -> AccountId:
    """Who is meant; 404: nobody."""
    found = clerk.find(address)
    if found is not None:
        return found
    like = clerk.like(address)
    raise HTTPException(404, NOBODY if like is None else f"{NOBODY}; did you mean {like}?")


def _only(body: NewSecret) -> tuple[str, Credential]:
    both = ((body.password, Credential.PASSWORD), (body.refresh_token, Credential.REFRESH_TOKEN))
    given = [(value.get_secret_value(), kind) for value, kind in both if value is not None]
    if len(given) != 1:
        raise HTTPException(400, ONE_OF_TWO)
    return given[0]
