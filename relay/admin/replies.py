"""The route that lists the replies which no rule understands, so that a rule can be written.

Law: they are masked, and none of them names a mailbox or a recipient.
"""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, Field

from relay.admin.asking import in_time
from relay.admin.lists import PREFIX
from relay.admin.queries import LONGEST, NoFilter, without_blanks
from relay.admin.shapes import Moment, moment
from relay.store.ports.reading import PAGE_MOST
from relay.store.ports.riddles import Riddle


class Riddles(Protocol):
    """What of the riddles' port it needs."""

    async def all(self, *, provider: str | None = None, most: int = PAGE_MOST) -> Sequence[Riddle]: ...


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


class ReplyFilter(NoFilter):
    """Which replies."""

    provider: Annotated[
        str | None,
        Field(max_length=LONGEST, description="Only of this provider, by its name in the routing."),
        BeforeValidator(without_blanks),
    ] = None


def reply_routes(riddles: Riddles) -> APIRouter:
    """The list."""
    routes = APIRouter(prefix=PREFIX)

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
