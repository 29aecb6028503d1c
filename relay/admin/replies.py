"""The routes that show what providers said: the replies which no rule understands, and those of a message unmasked.

Law: a list is masked, and names no mailbox and no recipient; what is unmasked is shown of one message at a time, and
who reads it is written down before he does.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, BeforeValidator, Field

from relay.admin.asking import in_time
from relay.admin.lists import PREFIX
from relay.admin.queries import LONGEST, NoFilter, without_blanks
from relay.admin.shapes import Moment, moment
from relay.core.words import AccountId, MessageId
from relay.store.ports.control import ADMIN
from relay.store.ports.reading import PAGE_MOST, Reading
from relay.store.ports.riddles import Riddle, SaidVerbatim

Unmasking = Callable[[MessageId, AccountId, str], None]
"""Is told that somebody reads what was said of a message of an account, and who."""


class Riddles(Protocol):
    """What of the riddles' port it needs."""

    async def all(self, *, provider: str | None = None, most: int = PAGE_MOST) -> Sequence[Riddle]: ...

    async def said(self, message: MessageId) -> Sequence[SaidVerbatim]: ...


class Reply(BaseModel):
    """A wording that no rule understands."""

    provider: str
    stage: str = Field(description="Where it was said: connect, ehlo, starttls, auth, mail, rcpt, data, eod.")
    code: int
    text: str = Field(description="Addresses, hosts, ids and times in it are masked.")
    count: int = Field(description="How often it came.")
    first_at: Moment
    last_at: Moment


class Replies(BaseModel):
    """Replies, the last that came first; at most the thousand last."""

    items: list[Reply]
    next_cursor: None = None


class Verbatim(BaseModel):
    """What a provider answered, in its own words."""

    at: Moment
    domain: str = Field(description="The recipient's.")
    stage: str
    class_: str = Field(serialization_alias="class")
    reply: str = Field(description="Printable, on one line, not masked: it may name the recipient, hosts and sessions.")


class Unmasked(BaseModel):
    """What was said of a message; a provider's support asks for it."""

    id: str
    account: str
    mailbox: str | None = Field(description="The login at the provider; null: its account is gone.")
    replies: list[Verbatim] = Field(description="The oldest first; empty: it met no refusal in the last 30 days.")


class ReplyFilter(NoFilter):
    """Which replies."""

    provider: Annotated[
        str | None,
        Field(max_length=LONGEST, description="Only of this provider, by its name in the routing."),
        BeforeValidator(without_blanks),
    ] = None


def reply_routes(riddles: Riddles, reading: Reading, unmasking: Unmasking) -> APIRouter:
    """The list, and what was said of a message."""
    routes = APIRouter(prefix=PREFIX)

    @routes.get("/messages/{id}/unmasked", tags=["messages"], summary="Show what providers said of a message, unmasked")
    async def unmasked(
        ident: Annotated[str, Path(alias="id", description="As in `queued as`.", max_length=LONGEST)],
        asked: Annotated[NoFilter, Query()],
    ) -> Unmasked:
        """Their refusals of the last 30 days in their own words, for their support; the log says who asked."""
        found = await in_time(reading.message(ident))
        if found is None:
            raise HTTPException(404, "there is no message of this id; its history may be over")
        account = await in_time(reading.account(found.account))
        mailbox = None if account is None or account.mailbox is None else account.mailbox.username
        unmasking(found.id, found.account, ADMIN)
        said = await in_time(riddles.said(found.id))
        return Unmasked(
            id=found.id, account=found.account, mailbox=mailbox, replies=[_verbatim_of(each) for each in said]
        )

    @routes.get("/replies", tags=["replies"], summary="List the replies that no rule understands")
    async def replies(asked: Annotated[ReplyFilter, Query()]) -> Replies:
        """What providers said that the relay could only treat by its code, with how often they said it."""
        found = await in_time(riddles.all(provider=asked.provider, most=PAGE_MOST))
        return Replies(items=[_reply_of(each) for each in found])

    return routes


def _reply_of(riddle: Riddle) -> Reply:
    return Reply(
        provider=riddle.provider,
        stage=riddle.stage.value,
        code=riddle.code,
        text=riddle.text,
        count=riddle.many,
        first_at=moment(riddle.first_at),
        last_at=moment(riddle.last_at),
    )


def _verbatim_of(said: SaidVerbatim) -> Verbatim:
    return Verbatim(
        at=moment(said.at), domain=said.domain, stage=said.stage.value, class_=said.reply_class, reply=said.text
    )
