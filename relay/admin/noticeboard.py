"""The routes of what somebody has to know: what is open, and the notices that the webhook of ops never took.

Law: an answer names senders, logins and words of closed lists; no owner's address and no patient.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, Field

from relay.admin.asking import in_time
from relay.admin.lists import PREFIX
from relay.admin.queries import PageFilter
from relay.admin.shapes import Moment, moment, moment_or_none
from relay.core.concerns import Concern, ConcernKind
from relay.core.notice import Notice, NoticeType
from relay.core.notice_json import read_notice
from relay.store.ports.notices import DeadLetter, Hearing
from relay.store.ports.reading import WrongCursor


class NoticeBoard(Protocol):
    """Who knows of them."""

    async def concerns(self, most: int, before: int | None = None) -> Sequence[Concern]: ...

    async def hearings(self, concerns: Sequence[Concern]) -> Mapping[int, Hearing]: ...

    async def waiting(self) -> int: ...

    async def dead_letters(self, most: int, before: int | None = None) -> Sequence[DeadLetter]: ...

    async def revive(self, telling: int, /) -> bool: ...


class Subject(BaseModel):
    """Whom it is about; what does not apply is null. All null: the relay itself."""

    provider: str | None
    mailbox: str | None = Field(description="The login at the provider.")
    account: str | None


class OpenConcern(BaseModel):
    """Something that somebody has to know of, and that is not over."""

    id: int
    kind: ConcernKind
    subject: Subject
    reason: str | None = Field(description="A reply class or fault, where the kind does not say it.")
    since: Moment
    told_at: Moment | None = Field(
        description="When somebody was told last: a mail to him went into the queue, or the webhook of ops "
        "took a notice; null: nobody was."
    )
    next_at: Moment | None = Field(
        description="When somebody is told next at the earliest, or the webhook is tried again; null: not by itself."
    )


class OpenConcerns(BaseModel):
    """A page of them, the newest first."""

    items: list[OpenConcern]
    next_cursor: str | None = Field(description="Ask with cursor= this for the next page; null: this was the last.")


class DeadNotice(BaseModel):
    """A notice that the webhook of ops never took."""

    id: int
    notice: str | None = Field(description="Its webhook-id; null: what is stored cannot be read.")
    type: NoticeType | None
    subject: Subject
    reason: str | None
    tries: int
    error: str = Field(description="Why it was given up: status-..., a kind of silence, no-webhook, unreadable.")
    given_up_at: Moment


class DeadNotices(BaseModel):
    """A page of them, the newest first."""

    items: list[DeadNotice]
    waiting: int = Field(description="How many wait for the webhook, and are not given up.")
    next_cursor: str | None = Field(description="Ask with cursor= this for the next page; null: this was the last.")


class Revived(BaseModel):
    """What is sent once more."""

    id: int


NEVER = Hearing(None, None)
"""Of what was over a moment ago."""

LetterId = Annotated[int, Path(alias="id", description="Of the dead letter.", ge=1, le=(1 << 63) - 1)]


def notice_routes(board: NoticeBoard) -> APIRouter:
    """Lists what is open and what was given up, and tries the latter once more."""
    routes = APIRouter(prefix=PREFIX, tags=["notices"])

    @routes.get("/notices", summary="List what somebody has to know of, and that is not over")
    async def notices(asked: Annotated[PageFilter, Query()]) -> OpenConcerns:
        """Mailboxes, providers and accounts in trouble, since when, and when somebody was told."""
        found = await in_time(board.concerns(asked.limit + 1, _before(asked.cursor)))
        heard = await in_time(board.hearings(found[: asked.limit]))
        shown = [_concern_of(each, heard.get(each.id, NEVER)) for each in found[: asked.limit]]
        return OpenConcerns(items=shown, next_cursor=str(shown[-1].id) if len(found) > asked.limit else None)

    @routes.get("/notices/dead", summary="List the notices that the webhook of ops never took")
    async def dead(asked: Annotated[PageFilter, Query()]) -> DeadNotices:
        """Given up after ten tries in some three days, or at once where the webhook said `410`."""
        found = await in_time(board.dead_letters(asked.limit + 1, _before(asked.cursor)))
        shown = [_letter_of(each) for each in found[: asked.limit]]
        waiting = await in_time(board.waiting())
        return DeadNotices(
            items=shown, waiting=waiting, next_cursor=str(shown[-1].id) if len(found) > asked.limit else None
        )

    @routes.post("/notices/dead/{id}/retry", summary="Send a notice once more")
    async def retry(ident: LetterId) -> Revived:
        """It goes to the webhook under its old id, with ten tries as at first."""
        if not await in_time(board.revive(ident)):
            raise HTTPException(404, f"no notice {ident} was given up: it was sent, or never was")
        return Revived(id=ident)

    return routes


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise WrongCursor
    return int(cursor)


def _concern_of(concern: Concern, heard: Hearing) -> OpenConcern:
    subject = concern.subject
    mailbox = subject.mailbox
    about = Subject(
        provider=subject.provider if mailbox is None else mailbox.provider,
        mailbox=None if mailbox is None else mailbox.username,
        account=subject.account,
    )
    return OpenConcern(
        id=concern.id,
        kind=concern.kind,
        subject=about,
        reason=concern.reason,
        since=moment(concern.opened_at),
        told_at=moment_or_none(heard.last_at),
        next_at=moment_or_none(heard.next_at),
    )


def _letter_of(letter: DeadLetter) -> DeadNotice:
    notice = _read(letter.notice)
    about = Subject(provider=None, mailbox=None, account=None)
    if notice is not None:
        account = notice.accounts[0] if notice.accounts else None
        about = Subject(provider=notice.provider, mailbox=notice.mailbox, account=account)
    return DeadNotice(
        id=letter.id,
        notice=None if notice is None else notice.id,
        type=None if notice is None else notice.type,
        subject=about,
        reason=None if notice is None else notice.reason,
        tries=letter.tries,
        error=letter.error,
        given_up_at=moment(letter.at),
    )


def _read(text: str) -> Notice | None:
    try:
        return read_notice(text)
    except ValueError:
        return None
