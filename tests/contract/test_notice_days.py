"""The pump of notices on each store with books, over days of virtual time: a word, one each day, and the all-clear."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import pytest

from relay.core.busiest import TOLD_FROM
from relay.core.circle import Addressee, Reader
from relay.core.concerns import ConcernKind, Subject
from relay.core.envelope import LoginFailure, NewMessage
from relay.core.failuretext import Language
from relay.core.notice import Notice, NoticeType
from relay.core.notices import Sheet
from relay.core.reply import Reply
from relay.core.routing import Account, Owner, Routing
from relay.core.telling import NoRoad
from relay.core.words import MailboxId, Plan, Stage
from relay.notify.letter import LetterSettings
from relay.notify.noticedesk import NoticeDesk
from relay.notify.noticepump import NoticePump
from relay.observe import Log, Told
from tests.contract.adapters import BOOKKEEPERS
from tests.contract.harness import Make, run
from tests.contract.scene import AUTH_REFUSED, HOST_UNTRUSTED, NODE, A, B, Scene, message

DAY, STEADY, HOUR = 86_400, 900, 3_600
"""Seconds."""
BOX = MailboxId("p", A)
DOCTOR = Account(A, Plan.PERSONAL, BOX, owner=Owner("Dr. A", "a@other.example"))
VENDOR = Account(B, Plan.BUSINESS, MailboxId("q", B))
BLOCKED = LoginFailure(
    "account-blocked", Stage.AUTH, Reply(535, "5.7.0", "blocked"), is_provider=False, is_login_sent=True
)
STOPPED, ABOUT = ConcernKind.MAILBOX_STOPPED, Subject(mailbox=BOX)


class World:
    """A pump that runs beside a store, and remembers whom it told of what, and at which hour."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.told: list[tuple[NoticeType, Told, str | None]] = []
        self.letters: list[NewMessage] = []
        self.untold: frozenset[NoRoad] = frozenset()
        self.has_mail = False
        self.pump = self._pump()
        self.running = asyncio.create_task(self.pump.run())

    def _pump(self) -> NoticePump:
        desk = NoticeDesk(
            LetterSettings("relay.example.it"),
            routing=lambda: Routing(accounts={A: DOCTOR, B: VENDOR}),
            is_stopped=self.scene.store.is_stopped,
            sheet_of=lambda _, to: self._sheet(to),
            moment=lambda wall: datetime.fromtimestamp(wall / 1_000_000, UTC),
            show_untold=self._show,
            show_backlog=lambda _: None,
            observe=self._observe,
            notices_from=B,
        )
        return NoticePump(self.scene.books.notices, self, desk, sender=None, log=Log(lambda _: None, lambda: 0.0))

    @staticmethod
    def _sheet(to: Addressee) -> Sheet:
        return Sheet(to.reader, Language.ENGLISH, UTC, "P", accounts=to.accounts)

    def _show(self, untold: Mapping[NoRoad, int]) -> None:
        self.untold = frozenset(untold)

    def _observe(
        self, notice: Notice, told: Told, *, reader: Reader, letter: str | None = None, why: str | None = None
    ) -> None:
        self.told.append((notice.type, told, why))

    async def put(self, message: NewMessage) -> None:
        self.letters.append(message)
        await self.scene.store.put(message)

    def has_space(self) -> bool:
        return self.scene.store.has_space()

    async def begins(self) -> None:
        await self.scene.books.notices.raise_concern(STOPPED, ABOUT, reason="auth-rejected")
        await self.passes(0.001)

    async def ends(self) -> None:
        await self.scene.books.notices.lower_concern(STOPPED, ABOUT)
        await self.passes(0.001)

    async def passes(self, seconds: float) -> None:
        """So long; whoever listens to the store has woken the pump."""
        self.pump.wake()
        await self.scene.advance(seconds)

    async def arrives(self) -> None:
        """What was written gets to its reader."""
        await self.scene.send_all()

    async def dies(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})

    def words(self) -> list[NoticeType]:
        found, self.told = [kind for kind, _, _ in self.told], []
        return found


def lived(days: Callable[[World], Awaitable[None]]) -> None:
    for make in BOOKKEEPERS.values():

        async def scenario(make: Make = make) -> None:
            scene = Scene(make)
            await scene.route(DOCTOR, VENDOR)
            world = World(scene)
            await days(world)
            await world.dies()
            await scene.harness.close()

        run(scenario)


def test_a_trouble_is_told_once_then_once_a_day_and_then_that_it_is_over() -> None:
    async def days(world: World) -> None:
        await world.begins()
        assert world.words() == [NoticeType.STOPPED]
        await world.arrives()
        await world.passes(DAY - HOUR)
        assert world.words() == []
        await world.passes(2 * HOUR)
        await world.arrives()
        await world.passes(DAY)
        assert world.words() == [NoticeType.STILL_STOPPED] * 2
        await world.ends()
        await world.passes(STEADY - 60)
        assert world.words() == [], "what comes and goes is one trouble"
        await world.passes(120)
        assert world.words() == [NoticeType.HEALED]
        await world.passes(3 * DAY)
        assert world.words() == []
        assert len({letter.id for letter in world.letters}) == len(world.letters) == 4

    lived(days)


def test_what_comes_back_before_its_end_was_told_goes_on_as_one_trouble() -> None:
    async def days(world: World) -> None:
        await world.begins()
        await world.ends()
        await world.passes(STEADY - 60)
        await world.begins()
        await world.passes(HOUR)
        assert world.words() == [NoticeType.STOPPED]

    lived(days)


def test_of_a_recipient_who_gets_many_mails_a_day_somebody_is_told() -> None:
    async def days(world: World) -> None:
        for number in range(2 * TOLD_FROM):
            await world.scene.store.put(message(number, A, "paziente@famiglia.test"))
        await world.scene.store.heartbeat(NODE)
        await world.passes(HOUR)
        assert NoticeType.MANY_TO_ONE in world.words(), "it ended the pump, and the relay with it"

    lived(days)


def test_a_word_that_was_put_before_a_crash_and_said_after_it_is_one_mail() -> None:
    async def days(world: World) -> None:
        store = world.scene.books.notices
        await store.raise_concern(STOPPED, ABOUT, reason="auth-rejected")
        (due,) = await store.due(10)
        await world.passes(0.001)
        (letter,) = world.letters
        assert await store.said(due, after=0, notice=None) is False, "it counts as said"
        await world.scene.store.put(letter)
        taken = await world.scene.work()
        assert [claim.message for claim in taken] == [letter.id]

    lived(days)


@pytest.mark.parametrize("hours", [1, 30])
def test_a_restart_says_nothing_again(hours: int) -> None:
    async def days(world: World) -> None:
        await world.begins()
        await world.dies()
        await world.scene.harness.crash_and_restart()
        again = World(world.scene)
        await again.passes(hours * HOUR)
        assert again.words() == ([NoticeType.STILL_STOPPED] if hours > 24 else [])
        await again.dies()

    lived(days)


# a mailbox that is refused, works and is refused again


async def _tries(world: World, failure: LoginFailure | None) -> None:
    """The mailbox logs in, as soon as it may, with a mail that is delivered; `failure`: it is refused."""
    scene, mailbox = world.scene, BOX
    if not scene.running and not world.has_mail:
        world.has_mail = True
        await scene.mail(A, f"mail-{scene.store.now()}")
    while mailbox not in (opened := (await scene.take()).open):
        await _serve(scene, opened)
        await world.passes(10)
    await _serve(scene, {each: many for each, many in opened.items() if each != mailbox})
    if failure is not None:
        await scene.store.refused(mailbox, failure)
    else:
        await scene.open(mailbox)
        world.has_mail = False
        await _serve(scene, {})
        await scene.close(mailbox)
    await world.passes(0.001)


async def _serve(scene: Scene, opened: Mapping[MailboxId, int]) -> None:
    """Whatever else there is goes out: notices too."""
    for mailbox, many in opened.items():
        await scene.open(mailbox, many)
    await scene.take()
    for claim in list(scene.running):
        await scene.send(claim)


async def _told_of_its_password(world: World) -> None:
    """It worked, was refused twice, and its owner heard of it."""
    await _tries(world, None)
    await _tries(world, AUTH_REFUSED)
    await _tries(world, AUTH_REFUSED)
    await world.passes(HOUR / 2)
    assert world.words() == [NoticeType.STOPPED]


def test_nobody_hears_that_a_mailbox_works_while_its_next_stop_is_still_doubted() -> None:
    async def days(world: World) -> None:
        await _told_of_its_password(world)
        await _tries(world, None)
        await world.passes(STEADY / 3)
        await _tries(world, AUTH_REFUSED)
        await world.passes(STEADY * 2)
        assert world.words() == [], "it is doubted, and its mails are held: it does not work"
        await _tries(world, None)
        await world.passes(STEADY - 60)
        assert world.words() == [], "steady is counted from the end of the last stop"
        await world.passes(120)
        assert world.words() == [NoticeType.HEALED]
        await world.passes(3 * DAY)
        assert world.words() == []

    lived(days)


def test_another_reason_that_is_not_told_yet_keeps_back_the_good_news_too() -> None:
    async def days(world: World) -> None:
        await _told_of_its_password(world)
        await _tries(world, None)
        await world.passes(STEADY - 60)
        await _tries(world, BLOCKED)
        await world.passes(120)
        assert world.words() == [], "a stop within its reprieve"
        await world.passes(HOUR)
        assert world.words() == [NoticeType.STOPPED], "the new story, and no end of the old one before"
        await _tries(world, None)
        await world.passes(HOUR)
        assert world.words() == [NoticeType.HEALED], "once"

    lived(days)


def test_whoever_was_told_hears_of_the_end_although_another_reason_came_between_untold() -> None:
    async def days(world: World) -> None:
        await world.begins()
        assert world.words() == [NoticeType.STOPPED]
        raised = world.scene.books.notices.raise_concern(STOPPED, ABOUT, reason="network")
        assert await raised, "what passes by itself has an hour before it is told"
        await world.passes(STEADY * 2)
        assert world.words() == []
        await world.ends()
        await world.passes(STEADY + 60)
        assert world.words() == [NoticeType.HEALED]

    lived(days)


def test_nobody_hears_that_a_mailbox_works_while_its_provider_is_stopped() -> None:
    async def days(world: World) -> None:
        await _told_of_its_password(world)
        await _tries(world, None)
        await _tries(world, HOST_UNTRUSTED)
        await world.passes(STEADY * 2)
        assert NoticeType.HEALED not in world.words()
        await _tries(world, None)
        await world.passes(STEADY * 2)
        assert world.words().count(NoticeType.HEALED) == 1

    lived(days)
