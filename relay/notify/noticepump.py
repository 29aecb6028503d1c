"""The pump of notices: looks at what somebody has to know of, writes to him, and sends to the webhook of ops.

Law: a word counts as said after the mails of it are durable, and no longer when one of them is refused or expires: then
it is said once more, to who can act instead. A crash in between puts the same mails once more, which changes nothing. A
mail that has no road waits for one, an hour at most, before ops alone are told. It never polls.
"""

import asyncio
from collections.abc import Sequence
from math import inf

from relay.core.announcing import UNTOLD, Situation, notice_of, word_of
from relay.core.circle import Addressee
from relay.core.concerns import ONCE, Concern, ConcernKind, Subject
from relay.core.envelope import Letter
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.notice import Notice
from relay.core.notice_json import write_notice
from relay.core.reminding import STEADY, Word
from relay.core.returned import REMIND_AFTER, address_key, refusals_of
from relay.core.routing import Account
from relay.core.telling import NoRoad, Telling, Trouble
from relay.core.words import AccountId
from relay.errors import StoreUnavailable, TemporaryError
from relay.notify.letter import write_letter
from relay.notify.noticedesk import NoticeDesk
from relay.notify.post import Post, Sends
from relay.notify.untold import Untold
from relay.observe import Log, Told
from relay.store.ports import Intake
from relay.store.ports.notices import DueConcern, Heard, Notices

BATCH: int = 50
"""Concerns looked at in one go."""

AGAIN: int = 5 * MINUTE
"""Until it looks again whether there is a road: a health that changes wakes it at once."""

ROAD_PATIENCE: int = HOUR
"""So long a word waits for a road that is only stopped; then ops are told alone."""

PAUSE: float = 30.0
"""Seconds before another try when the store takes nothing."""

PAUSE_AWAY: float = 1.0
"""The same when the store is away: who has to know hears of it as soon as it is back."""

UNSENDABLE_EVERY: int = 23 * HOUR
"""Ops hear of the same hindrance at the same mailbox once a day: with each day's reminder, which comes a day later and
a little."""

NO_ACCOUNT = "no-account"

RELOOKED: int = 1000
"""Concerns that are looked at again at once when a road may have opened: the others are when their time comes."""


class NoticePump:
    """Tells whoever has to be told, whenever it is woken or something is due."""

    def __init__(self, notices: Notices, intake: Intake, desk: NoticeDesk, *, sender: Sends | None, log: Log) -> None:
        """`sender` None: ops have no webhook."""
        self._notices = notices
        self._intake = intake
        self._desk = desk
        self._post = Post(notices, sender, observe=desk.observe, show=desk.show_backlog)
        self._log = log
        self._untold = Untold(desk.show_untold)
        self._is_due = asyncio.Event()
        self._is_rerouted = False
        self._had_road = True

    def wake(self) -> None:
        """There may be something to tell, or a mailbox works again through which people are told."""
        self._is_due.set()

    def rerouted(self) -> None:
        """Another routing: there may be roads and addresses that there were not."""
        self._is_rerouted = True
        self._is_due.set()

    async def run(self) -> None:
        """Runs until it is cancelled; what is due at the start is told first."""
        has_begun = False
        while True:
            self._is_due.clear()
            try:
                if not has_begun:
                    await self._recall()
                    has_begun = True
                await self._look_at_roads()
                while await self._turn():
                    pass
                await self._post.count()
                await self._rest()
            except StoreUnavailable:
                await asyncio.sleep(PAUSE_AWAY)  # that it is away is said once for all
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
        """Looks at all that is due, and sends one notice to the webhook."""
        concerns = await self._notices.due(BATCH)
        for each in concerns:
            if await self._look(each):
                break  # others of these may be over with it, so they are asked for anew
        return await self._post.turn() or bool(concerns)

    # one concern

    async def _look(self, due: DueConcern) -> bool:
        """Whether an end was said, which may have been that of others too."""
        if _is_moot(due):
            self._note(due, None)
            await self._notices.forget(due.concern.id)
            return False
        found = word_of(due.concern, due.told_at, due.now)
        after = None if found.look_at is None else max(0, found.look_at - due.now)
        if found.word is Word.HEALED and due.is_ill:
            await self._not_yet(due)
            return False
        if found.word is None:
            self._review(due)
            await self._notices.looked(due.concern.id, after=after)
            return False
        notice = self._notice_of(due, found.word)
        if notice is None:
            await self._notices.looked(due.concern.id, after=REMIND_AFTER)
            return False
        heard = due.heard if found.word is Word.HEALED else ()
        plan = self._plan(due.concern, found.word, _concerned(due), heard, now=due.now)
        if not plan.is_told or (plan.unsendable is NoRoad.STOPPED and _waited(due) < ROAD_PATIENCE):
            await self._put_off(due, found.word, notice, plan)
            return False
        for addressee in plan.people:
            await self._write(due, notice, addressee, plan.through)
        await self._notices.said(due, after=after, notice=write_notice(notice) if plan.to_webhook else None)
        await self._say_unsendable(due, notice, None if found.word is Word.HEALED else plan.unsendable)
        return found.word is Word.HEALED

    def _notice_of(self, due: DueConcern, word: Word) -> Notice | None:
        """The notice; None: it takes something not that is said of it, and nobody's mail has to stop for that."""
        try:
            return notice_of(due.concern, word, _situation(due))
        except ValueError as error:
            self._log.trouble(what="notices", text=f"{due.concern.kind}: {error}")
            return None

    async def _not_yet(self, due: DueConcern) -> None:
        """Its cause is over, and yet nothing goes: nobody hears that it works before it does."""
        is_gone = due.concern.subject != Subject() and not due.accounts
        self._review(due)
        await self._notices.looked(due.concern.id, after=None if is_gone else STEADY)

    def _plan(
        self,
        concern: Concern,
        word: Word,
        senders: Sequence[AccountId],
        heard: Sequence[Heard] = (),
        *,
        now: int | None = None,
    ) -> Telling:
        return self._desk.plan(concern, word, senders, has_webhook=self._post.has_webhook, heard=heard, now=now)

    async def _write(self, due: DueConcern, notice: Notice, addressee: Addressee, through: Account | None) -> None:
        assert through is not None, "people are told through an account"
        desk, key = self._desk, address_key(addressee.email)
        letter = write_letter(
            notice,
            addressee,
            through=through,
            sheet=desk.sheet_of(notice, addressee),
            settings=desk.settings,
            now=desk.moment(notice.at),
            tells=Letter(due.concern.id, due.words, key),
            times=refusals_of(due.concern.detail).get(key, (0, 0))[1],
        )
        await self._intake.put(letter)
        desk.observe(notice, Told.MAILED, reader=addressee.reader, letter=letter.id)

    # who cannot be told

    async def _put_off(self, due: DueConcern, word: Word, notice: Notice, plan: Telling) -> None:
        """Nobody is told now: there may be a road soon."""
        waited = _waited(due)
        is_stale = waited >= _lasts(due.concern, word)
        self._note(due, None if is_stale else plan.unsendable)
        if word is not Word.HEALED and (plan.unsendable is not NoRoad.STOPPED or waited >= ROAD_PATIENCE):
            await self._say_unsendable(due, notice, None if is_stale else plan.unsendable)
        await self._notices.looked(due.concern.id, after=None if is_stale else AGAIN)

    async def _say_unsendable(self, due: DueConcern, notice: Notice, why: NoRoad | None) -> None:
        """Shows it, and lets ops know, once a day."""
        self._note(due, why)
        if why is None or due.concern.kind is ConcernKind.UNSENDABLE:
            return
        is_new = await self._notices.raise_concern(
            ConcernKind.UNSENDABLE, due.concern.subject, reason=why, again_after=UNSENDABLE_EVERY
        )
        if is_new:
            self._desk.observe(notice, Told.UNSENDABLE, reader=self._desk.reader(notice), why=why)

    def _note(self, due: DueConcern, why: NoRoad | None) -> None:
        self._untold.note(due.concern.id, why, due.now - _waited(due))

    def _review(self, due: DueConcern) -> None:
        """Nothing is to be said now; of whoever was not told, whether he could be by now."""
        if due.concern.id in self._untold:
            is_open = due.concern.closed_at is None
            plan = self._plan(due.concern, Word.FIRST, _concerned(due), now=due.now)
            self._note(due, plan.unsendable if is_open else None)

    async def _recall(self) -> None:
        """After a restart: whose people were not told of what is still open."""
        for concern in await self._notices.concerns(RELOOKED):
            if concern.told_at is not None and concern.kind not in UNTOLD | ONCE:
                plan = self._plan(concern, Word.FIRST, self._desk.senders(concern.subject))
                self._untold.remember(concern.id, plan.unsendable, concern.told_at)
        self._untold.show()

    async def _look_at_roads(self) -> None:
        """Where a road has opened, whoever waits for one is looked at now."""
        is_rerouted, self._is_rerouted = self._is_rerouted, False
        had_road, self._had_road = self._had_road, isinstance(self._desk.road(Trouble()), Account)
        waiting = self._untold.waiting(RELOOKED)
        if waiting and (is_rerouted or (self._had_road and not had_road)):
            await asyncio.gather(*(self._notices.looked(each, after=0) for each in waiting))


def _is_moot(due: DueConcern) -> bool:
    """The mail of an account that is gone has gone too: nobody has to know of it any more."""
    concern = due.concern
    is_gone = concern.kind is ConcernKind.ACCOUNT_STRANDED and concern.reason == NO_ACCOUNT
    return is_gone and concern.closed_at is None and not due.waiting


def _lasts(concern: Concern, word: Word) -> float:
    """For how long a word is worth telling: until it is over, but for what is said once and for an end."""
    if concern.kind is ConcernKind.UNSENDABLE:
        return 0  # the log has said it, and a webhook would have been told
    if word is Word.HEALED:
        return REMIND_AFTER
    return 7 * REMIND_AFTER if concern.kind in ONCE else inf


def _waited(due: DueConcern) -> int:
    """For how long this word has been due."""
    told = 0 if due.told_at is None else due.told_at + REMIND_AFTER
    return due.now - max(due.concern.closed_at or due.concern.opened_at, 0 if due.concern.closed_at else told)


def _concerned(due: DueConcern) -> tuple[AccountId, ...]:
    """A provider's trouble is told to ops, and not of each of its doctors."""
    subject = due.concern.subject
    return () if subject.mailbox is None and subject.account is None else due.accounts


def _situation(due: DueConcern) -> Situation:
    since = min((each.since for each in due.heard), default=None)
    named = _concerned(due)
    affected = 0 if named else len(due.accounts)
    return Situation(due.now, due.words, named, due.waiting, due.next_try, since=since, affected=affected)
