"""The pump of notices: looks at what somebody has to know of, writes to him, and sends to the webhook of ops.

Law: a word counts as said after the mails of it are durable; a crash in between puts the same mails once more, which
changes nothing. A mail that has no road waits for one, an hour at most, before ops alone are told. It never polls.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from relay.core.announcing import Situation, notice_of, word_of
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.notice import Notice, NoticeType
from relay.core.notice_json import read_notice, write_notice
from relay.core.notices import Sheet
from relay.core.routing import Account, Routing
from relay.core.telling import REMIND_AFTER, Addressee, NoRoad, Telling, Trouble, Word, carrier, circle, telling
from relay.core.webhooks import Later, Outcome, Sent
from relay.core.words import AccountId, MailboxId
from relay.errors import TemporaryError
from relay.notify.letter import LetterSettings, write_letter
from relay.observe import Log
from relay.store.ports import Intake
from relay.store.ports.notices import DueConcern, DueTelling, Notices

BATCH: int = 50
"""Concerns looked at in one go."""

AGAIN: int = 5 * MINUTE
"""Until it looks again whether there is a road: a health that changes wakes it at once."""

ROAD_PATIENCE: int = HOUR
"""So long a word waits for a road that is only stopped; then ops are told alone."""

PAUSE: float = 30.0
"""Seconds before another try when the store takes nothing."""

UNREADABLE, NO_WEBHOOK = "unreadable", "no-webhook"
"""Why a notice was given up without being sent."""


class Sends(Protocol):
    """Sends to the webhook."""

    async def send(self, notice: Notice, tries: int) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """What the pump asks about people and roads."""

    settings: LetterSettings
    routing: Callable[[], Routing]
    is_stopped: Callable[[AccountId], bool]
    """Whether nothing goes through the mailbox of an account, or through its provider."""
    sheet_of: Callable[[Notice, Addressee], Sheet]
    moment: Callable[[int], datetime]
    """Wall time in microseconds as an aware moment."""
    show_untold: Callable[[frozenset[NoRoad]], None]
    """Hears why there are people who were not told; empty: there are none."""
    notices_from: str | None = None
    postmaster: str | None = None


class NoticePump:
    """Tells whoever has to be told, whenever it is woken or something is due."""

    def __init__(self, notices: Notices, intake: Intake, desk: NoticeDesk, *, sender: Sends | None, log: Log) -> None:
        """`sender` None: ops have no webhook."""
        self._notices = notices
        self._intake = intake
        self._desk = desk
        self._sender = sender
        self._log = log
        self._untold: dict[int, NoRoad] = {}
        """Open concerns whose people were not told, and why."""
        self._is_due = asyncio.Event()

    def wake(self) -> None:
        """There may be something to tell, or a road may be open."""
        self._is_due.set()

    async def run(self) -> None:
        """Runs until it is cancelled; what is due at the start is told first."""
        while True:
            self._is_due.clear()
            try:
                while await self._turn():
                    pass
                await self._rest()
            except TemporaryError as error:
                self._log.trouble(what="notices", text=str(error))
                await asyncio.sleep(PAUSE)

    async def _rest(self) -> None:
        """Until something is due, or it is woken."""
        left = await self._notices.rest()
        try:
            async with asyncio.timeout(None if left is None else left / SECOND):
                await self._is_due.wait()
        except TimeoutError:
            return

    async def _turn(self) -> bool:
        """Looks at all that is due, and sends one notice to the webhook: a receiver that hangs holds up no mail."""
        concerns = await self._notices.due(BATCH)
        for each in concerns:
            await self._look(each)
        tellings = await self._notices.tellings(1)
        for waiting in tellings:
            await self._send(waiting)
        return bool(concerns or tellings)

    # one concern

    async def _look(self, due: DueConcern) -> None:
        found = word_of(due.concern, due.told_at, due.now)
        after = None if found.look_at is None else max(0, found.look_at - due.now)
        if found.word is None:
            self._note(due, None if due.concern.closed_at is not None else self._untold.get(due.concern.id))
            await self._notices.looked(due.concern.id, after=after)
            return
        notice = notice_of(due.concern, found.word, _situation(due))
        plan = self._plan(notice, due)
        if not plan.is_told or (plan.unsendable is NoRoad.STOPPED and _waited(due) < ROAD_PATIENCE):
            self._note(due, plan.unsendable)
            await self._notices.looked(due.concern.id, after=AGAIN)
            return
        for addressee in plan.people:
            await self._write(notice, addressee, plan.through)
        await self._notices.said(due, after=after, notice=write_notice(notice) if plan.to_webhook else None)
        self._note(due, None if found.word is Word.HEALED else plan.unsendable)

    def _plan(self, notice: Notice, due: DueConcern) -> Telling:
        desk = self._desk
        routing = desk.routing()
        accounts = [routing.accounts[each] for each in _concerned(due) if each in routing.accounts]
        people = circle(notice.type, notice.reason, accounts, desk.postmaster)
        trouble = Trouble(notice.provider, _ill(notice)) if notice.type in _ILL else Trouble()
        road = carrier(routing, desk.notices_from, trouble, self._is_stopped)
        return telling(people, road, has_webhook=self._sender is not None)

    def _is_stopped(self, mailbox: MailboxId) -> bool:
        accounts = self._desk.routing().by_mailbox.get(mailbox, ())
        return any(self._desk.is_stopped(each.sender) for each in accounts[:1])

    async def _write(self, notice: Notice, addressee: Addressee, through: Account | None) -> None:
        assert through is not None, "people are told through an account"
        desk = self._desk
        letter = write_letter(
            notice,
            addressee,
            through=through,
            sheet=desk.sheet_of(notice, addressee),
            settings=desk.settings,
            now=desk.moment(notice.at),
        )
        await self._intake.put(letter)

    def _note(self, due: DueConcern, why: NoRoad | None) -> None:
        if why is None:
            self._untold.pop(due.concern.id, None)
        else:
            self._untold[due.concern.id] = why
        self._desk.show_untold(frozenset(self._untold.values()))

    # the webhook

    async def _send(self, waiting: DueTelling) -> None:
        if self._sender is None:
            await self._notices.dead(waiting.id, error=NO_WEBHOOK)
            return
        try:
            notice = read_notice(waiting.notice)
        except ValueError:
            await self._notices.dead(waiting.id, error=UNREADABLE)
            return
        outcome = await self._sender.send(notice, waiting.tries + 1)
        if isinstance(outcome, Sent):
            await self._notices.sent(waiting.id)
        elif isinstance(outcome, Later):
            await self._notices.later(waiting.id, after=outcome.after, error=outcome.reason)
        else:
            await self._notices.dead(waiting.id, error=outcome.reason)


def _waited(due: DueConcern) -> int:
    """For how long this word has been due."""
    told = 0 if due.told_at is None else due.told_at + REMIND_AFTER
    return due.now - max(due.concern.closed_at or due.concern.opened_at, 0 if due.concern.closed_at else told)


def _concerned(due: DueConcern) -> tuple[AccountId, ...]:
    """A provider's trouble is told to ops, and not of each of its doctors."""
    subject = due.concern.subject
    return () if subject.mailbox is None and subject.account is None else due.accounts


def _situation(due: DueConcern) -> Situation:
    return Situation(due.now, due.words, _concerned(due), due.waiting, due.next_try)


_ILL = frozenset(
    {
        NoticeType.STOPPED,
        NoticeType.STILL_STOPPED,
        NoticeType.AUTH_OUTAGE,
        NoticeType.PROVIDER_BLOCKED,
        NoticeType.PROVIDER_STOPPED,
    }
)
"""Something that carries mail does not, so the notice must not pass through it."""


def _ill(notice: Notice) -> MailboxId | None:
    if notice.provider is None or notice.mailbox is None:
        return None
    return MailboxId(notice.provider, notice.mailbox)
