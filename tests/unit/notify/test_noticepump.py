"""The pump of notices: each word is said once, to the right people, by a road that is not broken."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.envelope import NewMessage
from relay.core.failuretext import Language
from relay.core.limits import DAY, HOUR, MINUTE
from relay.core.notice import Notice, NoticeType
from relay.core.notice_json import write_notice
from relay.core.notices import Sheet
from relay.core.routing import Account, Owner, Routing
from relay.core.telling import STEADY, Addressee, NoRoad
from relay.core.webhooks import Dead, Later, Outcome, Sent
from relay.core.words import MailboxId, Plan
from relay.errors import StoreFull
from relay.notify import noticepump
from relay.notify.letter import LetterSettings
from relay.notify.noticepump import AGAIN, NoticeDesk, NoticePump
from relay.observe import Log
from relay.store.ports.notices import DueConcern, DueTelling

AT = 1_795_340_102_000_000
ROSSI, SERVICE, OPS = "m.rossi@libero.it", "servizio@vendor.example", "ops@vendor.example"
MAILBOX = MailboxId("libero", ROSSI)
ROUTING = Routing(
    accounts={
        ROSSI: Account(ROSSI, Plan.PERSONAL, MAILBOX, owner=Owner("Dr. M. Rossi", "rossi@other.example")),
        SERVICE: Account(SERVICE, Plan.BUSINESS, MailboxId("aruba", SERVICE)),
    }
)
STOPPED = Concern(4, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=MAILBOX), "auth-rejected", AT)
DUE = DueConcern(STOPPED, None, 0, AT, (ROSSI,), 30, None)
TURNS = 500
"""Turns of the loop after which what was waited for does not come."""


class Store:
    """The port of notices and the intake in one: it remembers what it was told."""

    def __init__(self, *concerns: DueConcern) -> None:
        self.concerns = list(concerns)
        self.waiting: list[DueTelling] = []
        self.steps: list[str] = []
        self.letters: list[NewMessage] = []
        self.queued: list[str | None] = []
        self.failures: list[Exception] = []
        self.rests = 0

    async def due(self, most: int) -> list[DueConcern]:
        return self.concerns[:most]

    def _is_over(self, concern: int) -> None:
        self.concerns = [each for each in self.concerns if each.concern.id != concern]

    async def looked(self, concern: int, *, after: int | None) -> None:
        self._is_over(concern)
        self.steps.append(f"looked {concern} {after}")

    async def said(self, due: DueConcern, *, after: int | None, notice: str | None) -> bool:
        self._is_over(due.concern.id)
        self.steps.append(f"said {due.concern.id} {after}")
        self.queued.append(notice)
        return True

    async def tellings(self, most: int) -> list[DueTelling]:
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        return found

    async def sent(self, telling: int) -> None:
        self.steps.append(f"sent {telling}")

    async def later(self, telling: int, *, after: int, error: str) -> None:
        self.steps.append(f"later {telling} {after} {error}")

    async def dead(self, telling: int, *, error: str) -> None:
        self.steps.append(f"dead {telling} {error}")

    async def rest(self) -> int | None:
        self.rests += 1
        return None

    async def put(self, message: NewMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.steps.append(f"put {message.envelope.recipients[0].address}")
        self.letters.append(message)

    def has_space(self) -> bool:
        return True


class Sender:
    """The webhook, which answers as it is told to."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[tuple[Notice, int]] = []

    async def send(self, notice: Notice, tries: int) -> Outcome:
        self.sent.append((notice, tries))
        return self.outcomes.pop(0) if self.outcomes else Sent()


class World:
    """A pump on a store, run until it rests."""

    def __init__(
        self,
        *concerns: DueConcern,
        sender: Sender | None = None,
        notices_from: str | None = SERVICE,
        postmaster: str | None = OPS,
    ) -> None:
        self.store = Store(*concerns)
        self.stopped: set[str] = set()
        self.untold: frozenset[NoRoad] = frozenset()
        self.lines: list[str] = []
        desk = NoticeDesk(
            LetterSettings("relay.example.it"),
            routing=lambda: ROUTING,
            is_stopped=lambda account: account in self.stopped,
            sheet_of=self.sheet,
            moment=lambda wall: datetime.fromtimestamp(wall / 1_000_000, UTC),
            show_untold=self.show,
            notices_from=notices_from,
            postmaster=postmaster,
        )
        self.pump = NoticePump(
            self.store,  # type: ignore[arg-type]
            self.store,
            desk,
            sender=sender,
            log=Log(self.lines.append, lambda: 0.0),
        )

    def show(self, untold: frozenset[NoRoad]) -> None:
        self.untold = untold

    def sheet(self, _: Notice, addressee: Addressee) -> Sheet:
        return Sheet(addressee.reader, Language.ENGLISH, UTC, "Libero", accounts=addressee.accounts)

    async def rest(self) -> "World":
        """Lets it run until nothing is due."""
        running = asyncio.create_task(self.pump.run())
        for _ in range(TURNS):
            if self.store.rests or running.done():
                break
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()
        assert self.store.rests
        return self


async def test_the_owner_is_written_to_before_the_word_counts_as_said() -> None:
    world = await World(DUE).rest()
    assert world.store.steps == ["put rossi@other.example", f"said 4 {DAY}"]
    (letter,) = world.store.letters
    assert letter.account == SERVICE
    assert b"30 mails wait" in letter.content
    assert world.store.queued == [None], "there is no webhook"
    assert world.untold == frozenset()


async def test_ops_get_the_notice_by_webhook_as_well() -> None:
    world = await World(DUE, sender=Sender()).rest()
    (queued,) = world.store.queued
    assert queued is not None
    assert json.loads(queued)["type"] == "mailbox.stopped"


async def test_what_is_not_due_is_looked_at_when_it_is() -> None:
    quiet = replace(DUE, concern=replace(STOPPED, reason="network"), now=AT + MINUTE)
    world = await World(quiet).rest()
    assert world.store.steps == [f"looked 4 {HOUR - MINUTE}"]


async def test_a_day_later_it_is_a_reminder_and_at_the_end_all_clear() -> None:
    later = replace(DUE, told_at=AT, words=1, now=AT + DAY)
    over = replace(DUE, concern=replace(STOPPED, id=5, closed_at=AT + DAY), told_at=AT, words=1, now=AT + DAY + STEADY)
    world = await World(later, over).rest()
    subjects = [letter.content.partition(b"Subject: ")[2].partition(b"\r\n")[0] for letter in world.store.letters]
    assert subjects == [
        b"Reminder: the mail of m.rossi@libero.it does not leave",
        b"The mail of m.rossi@libero.it leaves again",
    ]
    assert world.store.steps[-1] == "said 5 None"


async def test_the_same_word_is_the_same_mail_after_a_crash() -> None:
    first, second = await World(DUE).rest(), await World(DUE).rest()
    assert first.store.letters == second.store.letters


async def test_a_road_that_is_stopped_is_waited_for_and_then_ops_are_told_alone() -> None:
    world = World(DUE, sender=Sender())
    world.stopped = {SERVICE}
    await world.rest()
    assert world.store.steps == [f"looked 4 {AGAIN}"]
    assert world.untold == {NoRoad.STOPPED}

    late = World(replace(DUE, now=AT + HOUR), sender=Sender())
    late.stopped = {SERVICE}
    await late.rest()
    assert late.store.steps == [f"said 4 {DAY}"]
    assert late.store.letters == []
    assert late.untold == {NoRoad.STOPPED}


async def test_without_any_road_it_is_shown_and_tried_again() -> None:
    world = await World(DUE, notices_from=None).rest()
    assert world.store.steps == [f"looked 4 {AGAIN}"]
    assert world.untold == {NoRoad.NO_SENDER}


async def test_nobody_is_told_through_the_mailbox_that_is_ill() -> None:
    own = Subject(mailbox=MailboxId("aruba", SERVICE))
    ill = replace(DUE, concern=replace(STOPPED, subject=own), accounts=(SERVICE,))
    world = await World(ill, sender=Sender()).rest()
    assert world.store.letters == []
    assert world.untold == {NoRoad.ILL}
    assert world.store.queued != [None]


async def test_a_providers_trouble_is_told_to_ops_and_not_to_each_doctor() -> None:
    subject = Subject(provider="libero")
    outage = replace(DUE, concern=replace(STOPPED, kind=ConcernKind.AUTH_OUTAGE, subject=subject))
    world = await World(outage, sender=Sender()).rest()
    assert world.store.letters == []
    assert json.loads(world.store.queued[0] or "")["accounts"] == []
    by_mail = await World(outage).rest()
    assert by_mail.store.steps[0] == f"put {OPS}"


async def test_what_the_store_does_not_take_is_tried_again(monkeypatch) -> None:
    monkeypatch.setattr(noticepump, "PAUSE", 0.0)
    world = World(DUE)
    world.store.failures = [StoreFull()]
    await world.rest()
    assert world.store.steps == ["put rossi@other.example", f"said 4 {DAY}"]
    assert json.loads(world.lines[0])["what"] == "notices"


# the webhook


WAITING = DueTelling(9, write_notice(Notice(id="c4-1-1", type=NoticeType.STOPPED, at=AT, provider="libero")), 2)


async def test_what_waits_for_the_webhook_is_sent_and_what_became_of_it_is_kept() -> None:
    sender = Sender(Sent(), Later(300, "status-500"), Dead("status-410"))
    world = World(sender=sender)
    world.store.waiting = [WAITING, replace(WAITING, id=10), replace(WAITING, id=11)]
    await world.rest()
    assert world.store.steps == ["sent 9", "later 10 300 status-500", "dead 11 status-410"]
    assert [tries for _, tries in sender.sent] == [3, 3, 3]


async def test_what_can_never_be_sent_is_a_dead_letter() -> None:
    unreadable = World(sender=Sender())
    unreadable.store.waiting = [replace(WAITING, notice="{}")]
    assert (await unreadable.rest()).store.steps == ["dead 9 unreadable"]
    nowhere = World()
    nowhere.store.waiting = [WAITING]
    assert (await nowhere.rest()).store.steps == ["dead 9 no-webhook"]


async def test_it_wakes_when_something_happens_and_when_something_is_due() -> None:
    world = World()
    running = asyncio.create_task(world.pump.run())
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert world.store.rests == 1, "it never polls"
    world.store.concerns = [DUE]
    world.pump.wake()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert len(world.store.letters) == 1
    running.cancel()
    await asyncio.wait({running})
