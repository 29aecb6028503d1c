"""The pump of notices: each word is said once, to the right people, by a road that is not broken."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from relay.core.circle import Addressee, Reader
from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.envelope import Letter, NewMessage
from relay.core.failuretext import Language
from relay.core.limits import HOUR, MINUTE
from relay.core.notice import Notice, NoticeType, told
from relay.core.notice_json import read_notice, write_notice
from relay.core.notices import Sheet
from relay.core.reminding import STEADY
from relay.core.returned import RETRY_AFTER, address_key, with_refusal
from relay.core.routing import Account, Owner, Routing
from relay.core.telling import NoRoad
from relay.core.webhooks import Dead, Later, Outcome, Sent
from relay.core.words import MailboxId, Plan
from relay.errors import StoreFull
from relay.notify import noticepump
from relay.notify.letter import LetterSettings
from relay.notify.noticedesk import NoticeDesk
from relay.notify.noticepump import AGAIN, UNSENDABLE_EVERY, NoticePump
from relay.notify.post import Backlog
from relay.observe import Log, Told
from relay.store.ports.notices import DeadLetter, DueConcern, DueTelling, Heard, Unposted

AT = 1_795_340_102_000_000
ROSSI, SERVICE, OPS = "m.rossi@libero.it", "servizio@vendor.example", "ops@vendor.example"
MAILBOX = MailboxId("libero", ROSSI)
ROUTING = Routing(
    accounts={
        ROSSI: Account(ROSSI, Plan.PERSONAL, MAILBOX, owner=Owner("Dr. M. Rossi", "rossi@other.example")),
        SERVICE: Account(SERVICE, Plan.BUSINESS, MailboxId("aruba", SERVICE)),
    }
)
OTHER = Routing(
    accounts={
        "elsewhere@vendor.example": Account(
            "elsewhere@vendor.example", Plan.BUSINESS, MailboxId("aruba", "elsewhere@vendor.example")
        )
    }
)

DAY = 24 * HOUR
STOPPED = Concern(4, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=MAILBOX), "auth-rejected", AT)
DUE = DueConcern(STOPPED, None, 0, AT, (ROSSI,), 30, None)
TURNS = 500
"""Turns of the loop after which what was waited for does not come."""


class Store:
    """The port of notices and the intake in one: it remembers what it was told."""

    def __init__(self, *concerns: DueConcern) -> None:
        self.owed = list(concerns)
        self.waiting: list[DueTelling] = []
        self.steps: list[str] = []
        self.letters: list[NewMessage] = []
        self.queued: list[str | None] = []
        self.failures: list[Exception] = []
        self.raised: list[tuple[Subject, str]] = []
        self.open: list[Concern] = []
        self.letters_given_up = 0
        self.put_off: list[Unposted] = []
        self.rests = 0

    async def due(self, most: int) -> list[DueConcern]:
        return self.owed[:most]

    def _is_over(self, concern: int) -> None:
        self.owed = [each for each in self.owed if each.concern.id != concern]

    async def looked(self, concern: int, *, after: int | None) -> None:
        if after != 0:
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
        self.put_off.append(Unposted(WAITING.notice, error))
        self.steps.append(f"later {telling} {after} {error}")

    async def dead(self, telling: int, *, error: str) -> None:
        self.letters_given_up += 1
        self.steps.append(f"dead {telling} {error}")

    async def unposted(self) -> Unposted | None:
        return next(iter(self.put_off), None)

    async def hurry(self) -> None:
        self.steps.append("hurried")

    async def rest(self) -> int | None:
        self.rests += 1
        return None

    async def forget(self, concern: int) -> None:
        self._is_over(concern)
        self.steps.append(f"forgot {concern}")

    async def raise_concern(self, kind: ConcernKind, subject: Subject, *, reason: str, again_after: int) -> bool:
        assert (kind, again_after) == (ConcernKind.UNSENDABLE, UNSENDABLE_EVERY)
        is_new = (subject, reason) not in self.raised
        self.raised.append((subject, reason))
        return is_new

    async def concerns(self, most: int) -> list[Concern]:
        return self.open[:most]

    async def dead_letters(self, most: int) -> list[DeadLetter]:
        return [DeadLetter(9, "{}", 10, "status-500", AT)] * min(most, self.letters_given_up)

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
        self.routing = ROUTING
        self.stopped: set[str] = set()
        self.untold: frozenset[NoRoad] = frozenset()
        self.since: Mapping[NoRoad, int] = {}
        self.lines: list[str] = []
        self.backlogs: list[Backlog] = []
        self.heard: list[tuple[NoticeType, Told, Reader, str | None]] = []
        desk = NoticeDesk(
            LetterSettings("relay.example.it"),
            routing=lambda: self.routing,
            is_stopped=lambda account: account in self.stopped,
            sheet_of=self.sheet,
            moment=lambda wall: datetime.fromtimestamp(wall / 1_000_000, UTC),
            show_untold=self.show,
            show_backlog=self.backlogs.append,
            observe=self.observe,
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

    def show(self, untold: Mapping[NoRoad, int]) -> None:
        self.untold, self.since = frozenset(untold), untold

    def observe(
        self, notice: Notice, told: Told, *, reader: Reader, letter: str | None = None, why: str | None = None
    ) -> None:
        assert (letter is not None) == (told is Told.MAILED)
        self.heard.append((notice.type, told, reader, why))

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
    assert world.heard == [(NoticeType.STOPPED, Told.MAILED, Reader.DOCTOR, None)]


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


def refused(*emails: str, at: int = AT) -> DueConcern:
    """The same, after its mails to these were refused."""
    detail: dict[str, str] = {}
    for each in emails:
        detail = with_refusal(detail, address_key(each), at)
    return replace(DUE, concern=replace(STOPPED, detail=detail))


async def test_a_doctor_whose_address_refused_it_is_told_by_the_vendor_and_that_is_shown() -> None:
    world = await World(refused("Rossi@other.example"), sender=Sender()).rest()
    assert [each.envelope.recipients[0].address for each in world.store.letters] == [OPS]
    assert world.untold == {NoRoad.REFUSED}
    assert world.store.raised == [(STOPPED.subject, NoRoad.REFUSED)]
    assert world.heard[-1] == (NoticeType.STOPPED, Told.UNSENDABLE, Reader.DOCTOR, NoRoad.REFUSED)


async def test_where_nobody_takes_it_the_word_is_not_said_and_that_is_shown() -> None:
    world = await World(refused("rossi@other.example", OPS)).rest()
    assert world.store.letters == []
    assert world.store.steps == [f"looked 4 {AGAIN}"]
    assert world.untold == {NoRoad.REFUSED}


async def test_a_day_later_whoever_refused_it_is_tried_once_more_with_another_mail() -> None:
    first = await World(DUE).rest()
    again = replace(refused("rossi@other.example"), now=AT + RETRY_AFTER)
    world = await World(again).rest()
    (letter,), (before,) = world.store.letters, first.store.letters
    assert letter.envelope.recipients == before.envelope.recipients
    assert letter.id != before.id, "a message of the same id would not be put"
    assert letter.tells == Letter(STOPPED.id, 0, address_key("rossi@other.example"))


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


async def test_whoever_heard_of_another_cause_hears_of_the_end_in_one_mail() -> None:
    over = replace(STOPPED, reason="unknown", closed_at=AT + HOUR)
    gone, earlier = Heard("no-credentials", (), AT), Heard("auth-rejected", (ROSSI,), AT - DAY)
    due = replace(DUE, concern=over, told_at=AT, words=1, now=AT + HOUR + STEADY, heard=(gone, earlier))
    world = await World(due).rest()
    assert world.store.steps == [f"put {OPS}", "put rossi@other.example", "said 4 None"]
    (_, doctor) = world.store.letters
    assert b"2026-11-21" in doctor.content, "since it stood still for whatever cause"
    by_hook = await World(due, sender=Sender()).rest()
    assert by_hook.store.steps == ["put rossi@other.example", "said 4 None"], "ops have the webhook"


# who cannot be told

UNSENDABLE = Concern(7, ConcernKind.UNSENDABLE, Subject(mailbox=MAILBOX), "no-sender", AT, AT)


async def test_that_somebody_cannot_be_told_is_told_to_ops_once_a_day_and_mailbox() -> None:
    again = replace(DUE, concern=replace(STOPPED, id=5, reason="account-blocked"))
    world = await World(DUE, again, notices_from=None, sender=Sender()).rest()
    assert set(world.store.raised) == {(STOPPED.subject, "no-sender")}
    assert world.heard == [(NoticeType.STOPPED, Told.UNSENDABLE, Reader.DOCTOR, "no-sender")], "of one mailbox one word"
    assert world.store.steps == [f"said 4 {DAY}", f"said 5 {DAY}"], "the webhook has the rest"


async def test_ops_hear_by_webhook_that_somebody_cannot_be_told() -> None:
    world = await World(replace(DUE, concern=UNSENDABLE), notices_from=None, sender=Sender()).rest()
    (queued,) = world.store.queued
    notice = json.loads(queued or "")
    assert (notice["type"], notice["reason"], notice["needs"]) == ("notice.unsendable", "no-sender", "ops")
    assert world.store.raised == [], "that it cannot be told is not told in turn"


async def test_without_a_webhook_the_log_has_said_it_and_that_is_all() -> None:
    world = await World(replace(DUE, concern=UNSENDABLE), notices_from=None).rest()
    assert world.store.steps == ["looked 7 None"]
    assert (world.store.raised, world.untold) == ([], frozenset())


async def test_a_road_that_is_only_stopped_is_nobodys_news_before_the_hour_is_over() -> None:
    world = World(DUE, sender=Sender())
    world.stopped = {SERVICE}
    await world.rest()
    assert world.store.raised == []


async def test_that_it_works_again_is_not_told_a_day_late() -> None:
    over = replace(STOPPED, closed_at=AT + HOUR)
    late = replace(DUE, concern=over, told_at=AT, words=1, now=AT + HOUR + DAY)
    world = await World(late, notices_from=None).rest()
    assert world.store.steps == ["looked 4 None"]
    assert (world.store.raised, world.untold) == ([], frozenset())


async def test_what_is_said_once_waits_for_a_road_for_a_week_and_ops_hear_of_that() -> None:
    once = Concern(8, ConcernKind.PAID_UNTIL, Subject("libero", MAILBOX, ROSSI), "7d-2027-03-01", AT, AT)
    world = await World(replace(DUE, concern=once), notices_from=None).rest()
    assert world.store.steps == [f"looked 8 {AGAIN}"]
    assert world.heard == [(NoticeType.PAID_UNTIL, Told.UNSENDABLE, Reader.VENDOR, "no-sender")]
    assert world.untold == {NoRoad.NO_SENDER}
    late = await World(replace(DUE, concern=once, now=AT + 7 * DAY), notices_from=None).rest()
    assert late.store.steps == ["looked 8 None"]
    assert late.untold == frozenset()


@pytest.mark.parametrize(("waiting", "step"), [(0, "forgot 4"), (3, f"said 4 {DAY}")])
async def test_an_account_that_is_gone_is_told_of_while_it_has_mail(waiting: int, step: str) -> None:
    gone = Concern(4, ConcernKind.ACCOUNT_STRANDED, Subject(account="old@studio.it"), "no-account", AT)
    world = await World(replace(DUE, concern=gone, accounts=(), waiting=waiting, now=AT + DAY), sender=Sender()).rest()
    assert world.store.steps == [step]


async def test_after_a_restart_readiness_still_says_who_was_not_told() -> None:
    world = World(notices_from=None, sender=Sender())
    world.store.open = [replace(STOPPED, told_at=AT), replace(STOPPED, id=5), replace(UNSENDABLE, told_at=AT)]
    await world.rest()
    assert world.untold == {NoRoad.NO_SENDER}
    world = World(sender=Sender())
    world.store.open = [replace(STOPPED, told_at=AT)]
    await world.rest()
    assert world.untold == frozenset()


async def test_whoever_waits_for_a_road_is_looked_at_when_it_opens_and_not_at_every_health() -> None:
    world = World(DUE, sender=Sender())
    world.stopped = {SERVICE}
    running = asyncio.create_task(world.pump.run())
    await turns()
    world.pump.wake()  # another mailbox's health
    await turns()
    assert world.store.steps == [f"looked 4 {AGAIN}"]
    world.stopped = set()
    world.store.owed = [DUE]
    world.pump.wake()
    await turns()
    assert world.store.steps[1:] == ["looked 4 0", "put rossi@other.example", f"said 4 {DAY}"]
    assert world.untold == frozenset()
    await ended(running)


async def test_another_routing_may_have_an_address_or_a_road() -> None:
    world = World(DUE, notices_from="elsewhere@vendor.example")
    running = asyncio.create_task(world.pump.run())
    await turns()
    assert world.untold == {NoRoad.NO_ACCOUNT}
    world.routing = replace(ROUTING, accounts={**ROUTING.accounts, **OTHER.accounts})
    world.store.owed = [DUE]
    world.pump.rerouted()
    await turns()
    assert world.store.steps[-2:] == ["put rossi@other.example", f"said 4 {DAY}"]
    assert world.untold == frozenset()
    await ended(running)


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def ended(running: "asyncio.Task[None]") -> None:
    running.cancel()
    await asyncio.wait({running})


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
    said = told(read_notice(world.store.queued[0] or ""))
    assert (said["accounts"], said["accounts_total"]) == ([], len(DUE.accounts)), (
        "how many it hits is what ops ask first"
    )
    by_mail = await World(outage).rest()
    assert by_mail.store.steps[0] == f"put {OPS}"


async def test_what_no_notice_takes_is_in_the_log_and_keeps_nobody_else_from_being_told() -> None:
    odd = replace(DUE, concern=replace(STOPPED, id=3, subject=Subject(mailbox=MailboxId("li/bero", ROSSI))))
    world = await World(odd, DUE).rest()
    assert world.store.steps == [f"looked 3 {DAY}", "put rossi@other.example", f"said 4 {DAY}"]
    (line,) = map(json.loads, world.lines)
    assert (line["event"], line["what"], line["text"]) == (
        "trouble", "notices", "mailbox-stopped: a notice does not take this as its provider",
    )  # fmt: skip


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
    assert world.store.steps == ["sent 9", "hurried", "later 10 300 status-500", "dead 11 status-410"]
    assert [(told, reader, why) for _, told, reader, why in world.heard] == [
        (Told.POSTED, Reader.OPS, None),
        (Told.DEFERRED, Reader.OPS, "status-500"),
        (Told.DEAD, Reader.OPS, "status-410"),
    ]
    assert world.backlogs[-1] == Backlog(1, AT, "status-500"), "readiness says so"
    assert [tries for _, tries in sender.sent] == [3, 3, 3]


async def test_what_waits_for_a_webhook_gets_its_try_when_it_takes_notices_again() -> None:
    world = World(sender=Sender(Sent(), Later(300, "timeout"), Sent(), Sent()))
    world.store.waiting = [replace(WAITING, id=each) for each in (9, 10, 11, 12)]
    await world.rest()
    assert world.store.steps == ["sent 9", "hurried", "later 10 300 timeout", "sent 11", "hurried", "sent 12"]


async def test_a_notice_that_alone_is_refused_does_not_use_up_its_tries_at_once() -> None:
    world = World(sender=Sender(Sent(), *(Later(300, "status-500"), Sent()) * 3))
    world.store.waiting = [replace(WAITING, id=each) for each in (8, 10, 11, 10, 12, 10, 13)]
    await world.rest()
    assert world.store.steps.count("hurried") == 2, "at the start, and once for it"


async def test_it_says_since_when_somebody_has_not_been_told() -> None:
    late, later = replace(DUE, now=AT + HOUR), replace(DUE, concern=replace(STOPPED, id=5), now=AT + DAY)
    world = await World(late, later, notices_from=None, sender=Sender()).rest()
    assert world.since == {NoRoad.NO_SENDER: AT}
    told = replace(STOPPED, told_at=AT + HOUR)
    world = World(notices_from=None, sender=Sender())
    world.store.open = [told]
    await world.rest()
    assert world.since == {NoRoad.NO_SENDER: AT + HOUR}, "after a restart from when he should have been"


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
    world.store.owed = [DUE]
    world.pump.wake()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert len(world.store.letters) == 1
    running.cancel()
    await asyncio.wait({running})
