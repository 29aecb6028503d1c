"""The routes of opt-outs and suppressions: whom an account does not write to.

Law: an address comes in the body of a request, never in a path that a proxy writes down, and goes out as a keyed hash.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, Field

from relay.admin.asking import in_time
from relay.admin.queries import LONGEST, PageFilter
from relay.admin.shapes import Moment, moment, moment_or_none
from relay.core.address import ADDRESS_MOST, is_address
from relay.core.suppression import SuppressionKind
from relay.errors import UnknownAccount
from relay.store.ports.reading import WrongCursor
from relay.store.ports.suppressions import Suppressions, SuppressionView

PREFIX = "/api/v1"

_CURSOR = re.compile(r"([0-9a-f]{64}):([a-z]{1,16})", re.ASCII)

Sender = Annotated[
    str, Path(description="The account's sender address or one of its aliases, whatever its case.", max_length=LONGEST)
]


class OptOutAsked(BaseModel, extra="forbid"):
    """Who is meant."""

    recipient: str = Field(max_length=ADDRESS_MOST, description="His address, whatever its case.")


class OptedOut(BaseModel):
    """What an opt-out did."""

    is_new: bool = Field(description="false: he had opted out before.")


class Lifted(BaseModel):
    """What does not stand against a recipient any more."""

    lifted: list[SuppressionKind] = Field(description="Empty: nothing stood.")


class HiddenRecipient(BaseModel):
    """A recipient of whom only the hash is kept."""

    hash: str = Field(description="Hexadecimal, of the one spelling of the address.")


class Suppression(BaseModel):
    """What stands against a recipient."""

    recipient: HiddenRecipient
    kind: SuppressionKind = Field(description="optout: he asked for no more mail; unknown: so says his provider.")
    since: Moment
    until: Moment | None = Field(description="null: for good.")


class SuppressionPage(BaseModel):
    """What stands against the recipients of an account."""

    items: list[Suppression]
    next_cursor: str | None


def optout_routes(suppressions: Suppressions) -> APIRouter:
    """Opt-outs of an account; before the routes of accounts, whose senders may contain a slash."""
    routes = APIRouter(prefix=PREFIX, tags=["optouts"])

    @routes.get("/accounts/{sender:path}/optouts", summary="List whom an account does not write to")
    async def optouts(sender: Sender, asked: Annotated[PageFilter, Query()]) -> SuppressionPage:
        """Who asked for no more mail, and who is suppressed as unknown to his provider; by keyed hash."""
        after = _after(asked.cursor)
        with _known():
            found = await in_time(suppressions.all_of(sender, most=asked.limit + 1, after=after))
        page = found[: asked.limit]
        cursor = f"{page[-1].recipient_hash}:{page[-1].kind}" if len(found) > asked.limit else None
        return SuppressionPage(items=[_shown(each) for each in page], next_cursor=cursor)

    @routes.post("/accounts/{sender:path}/optouts", summary="Write to a recipient no more")
    async def opt_out(sender: Sender, asked: OptOutAsked) -> OptedOut:
        """For good, for all addresses of the account: his address is refused at RCPT with 550 5.7.1."""
        recipient = _checked(asked)
        with _known():
            return OptedOut(is_new=await in_time(suppressions.opt_out(sender, recipient)))

    @routes.post("/accounts/{sender:path}/optouts/remove", summary="Write to a recipient again")
    async def remove(sender: Sender, asked: OptOutAsked) -> Lifted:
        """Takes back an opt-out, and lifts a suppression."""
        recipient = _checked(asked)
        with _known():
            return Lifted(lifted=list(await in_time(suppressions.lift(sender, recipient))))

    return routes


@contextmanager
def _known() -> Iterator[None]:
    """Makes an account that the routing lacks a 404."""
    try:
        yield
    except UnknownAccount:
        raise HTTPException(404, "the routing in force has no account of this address") from None


def _checked(asked: OptOutAsked) -> str:
    recipient = asked.recipient.strip()
    if not is_address(recipient):
        raise HTTPException(400, "recipient: this is not an e-mail address")
    return recipient


def _after(cursor: str | None) -> tuple[str, str]:
    if cursor is None:
        return "", ""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise WrongCursor
    return match[1], match[2]


def _shown(view: SuppressionView) -> Suppression:
    return Suppression(
        recipient=HiddenRecipient(hash=view.recipient_hash),
        kind=view.kind,
        since=moment(view.since),
        until=moment_or_none(view.until),
    )
