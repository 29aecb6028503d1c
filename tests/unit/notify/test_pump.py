"""The outbox pump: every failure is told once, by a way that works, and a crash in between changes nothing."""

import asyncio
import email
import email.policy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC

import pytest

from relay.core.envelope import Envelope, Kind, NewMessage, Recipient
from relay.core.failuretext import Language
from relay.core.reply import Reply
from relay.core.routing import Account, Routing
from relay.core.words import MailboxId, Plan
from relay.errors import StoreBroken, StoreFull
from relay.notify import OutboxPump, ReportSettings
from relay.notify import pump as pump_module
from relay.notify.pump import SECOND_AFTER
from relay.observe import Log
from relay.store.ports import Delay, OutboxEntry, OutboxKind

DOCTOR, VENDOR, PATIENT = "m.rossi@studiorossi.it", "servizio@vendor.example", "anna.verdi@example.com"
ROUTING = Routing(
    accounts={
        DOCTOR: Account(DOCTOR, Plan.PERSONAL, MailboxId("libero", DOCTOR)),
        VENDOR: Account(VENDOR, Plan.BUSINESS, MailboxId("aruba", VENDOR)),
    }
)
ENTRY = OutboxEntry(
    id=1,
    kind=OutboxKind.BOUNCE,
    message="A1",
    delivery=7,
    account=DOCTOR,
    envelope=Envelope(DOCTOR, (Recipient(PATIENT),)),
    reason="recipient-unknown",
    reply=Reply(550, "5.1.1", "no such user"),
    accepted_at=1_795_340_102_000_000,
    at=1_795_340_109_000_000,
    now=1_795_340_109_000_000,
    is_mailbox_stopped=False,
    headers=b"Subject: Ricetta\r\nMessage-ID: <abc@studiorossi.it>\r\n",
)

TURNS = 1000
"""Turns of the loop after which what was waited for does not come."""


class Store:
    """An outbox and an intake that remember, and fail when they are told to."""

    def __init__(self, *entries: OutboxEntry) -> None:
        self.entries = list(entries)
        self.messages: list[NewMessage] = []
        self.failures: list[Exception] = []
        self.steps: list[str] = []
        self.looked = asyncio.Event()
        self.looks = 0

        self.stopped: set[str] = set()

    async def outbox(self, most: int, after: int = 0) -> list[OutboxEntry]:
        self.looks += 1
        self.looked.set()
        return [each for each in self.entries if each.id > after][:most]

    def is_stopped(self, account: str) -> bool:
        return account in self.stopped

    async def done(self, entry: int) -> None:
        self.steps.append(f"done {entry}")
        self.entries = [each for each in self.entries if each.id != entry]

    async def put(self, message: NewMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.steps.append(f"put {message.id}")
        self.messages.append(message)
        self.entries = [each for each in self.entries if each.id != message.answers]

    async def lost(self) -> int:
        return sum(step.startswith("give up") for step in self.steps)

    async def give_up(self, entry: int) -> None:
        self.steps.append(f"give up {entry}")
        self.entries = [each for each in self.entries if each.id != entry]

    def has_space(self) -> bool:
        return True


class World:
    """A pump on a store, run until the outbox is empty."""

    def __init__(self, *entries: OutboxEntry, routing: Routing = ROUTING, notices_from: str | None = VENDOR) -> None:
        self.store = Store(*entries)
        self.lines: list[str] = []
        self.routing = routing
        settings = ReportSettings("relay.example.it", Language.ENGLISH, UTC, notices_from)
        self.pump = OutboxPump(
            self.store,
            self.store,
            settings,
            routing=lambda: self.routing,
            randomness=bytes,
            log=Log(self.lines.append, lambda: 0.0),
        )

    async def until(self, has_come: Callable[[], bool]) -> None:
        """Lets the pump run until something holds."""
        running = asyncio.create_task(self.pump.run())
        for _ in range(TURNS):
            if has_come() or running.done():
                break
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()

    async def drain(self) -> None:
        await self.until(lambda: self.store.looks > 0 and not self.store.entries)

    @property
    def report(self):
        (message,) = self.store.messages
        return email.message_from_bytes(message.content, policy=email.policy.default)

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]


async def test_a_failed_delivery_is_told_to_its_sender_through_his_own_mailbox():
    world = World(ENTRY)
    await world.drain()
    (message,) = world.store.messages
    assert message.kind is Kind.REPORT
    assert message.wants_express
    assert message.account == DOCTOR
    assert message.envelope.sender == DOCTOR
    assert message.envelope.recipients == (Recipient(DOCTOR, notify=("NEVER",)),)
    assert world.report["To"].addresses[0].addr_spec == DOCTOR
    assert world.report["Message-ID"] == message.header_message_id
    assert PATIENT in message.content.decode()


async def test_an_entry_is_not_done_when_its_report_is_durable_but_when_it_arrives():
    world = World(ENTRY)
    await world.drain()
    assert world.store.steps == ["put A1-report-7-1"]
    assert world.store.messages[0].answers == ENTRY.id


async def test_a_crash_between_the_two_gives_the_same_message_again():
    first, second = World(ENTRY), World(replace(ENTRY, now=ENTRY.now + 1_000_000))
    await first.drain()
    await second.drain()
    assert first.store.messages[0].id == second.store.messages[0].id


async def test_two_deliveries_of_one_message_are_two_reports():
    world = World(ENTRY, replace(ENTRY, id=2, delivery=8))
    await world.drain()
    assert [message.id for message in world.store.messages] == ["A1-report-7-1", "A1-report-8-2"]


async def test_while_the_own_mailbox_is_stopped_it_goes_discreetly_through_the_notices_account():
    world = World(replace(ENTRY, is_mailbox_stopped=True))
    await world.drain()
    (message,) = world.store.messages
    assert message.account == VENDOR
    assert message.envelope.sender == VENDOR
    assert message.envelope.recipients[0].address == DOCTOR
    for trace in (PATIENT, "Ricetta", "abc@studiorossi.it"):
        assert trace not in message.content.decode()


async def test_what_waits_for_a_way_is_passed_over_and_stops_nobody_else():
    world = World(*(replace(ENTRY, id=number, delivery=number, is_mailbox_stopped=True) for number in range(1, 120)))
    world.store.entries.append(replace(ENTRY, id=120))
    world.store.stopped = {VENDOR}
    await world.until(lambda: bool(world.store.messages))
    assert [message.id for message in world.store.messages] == ["A1-report-7-120"]
    assert len(world.store.entries) == 119


async def test_an_entry_that_has_the_number_of_one_that_waited_is_seen():
    world = World(replace(ENTRY, is_mailbox_stopped=True))
    world.store.stopped = {VENDOR}
    running = asyncio.create_task(world.pump.run())
    for _ in range(50):
        await asyncio.sleep(0)
    world.store.entries = [replace(ENTRY, delivery=8)]
    world.pump.wake()
    for _ in range(50):
        await asyncio.sleep(0)
    running.cancel()
    assert [message.id for message in world.store.messages] == ["A1-report-8-1"]


async def test_while_something_waits_it_looks_again_by_itself(monkeypatch):
    monkeypatch.setattr(pump_module, "AGAIN", 0.0)
    world = World(replace(ENTRY, is_mailbox_stopped=True))
    world.store.stopped = {VENDOR}
    await world.until(lambda: world.store.looks > 5)
    world.store.stopped = set()
    await world.until(lambda: not world.store.entries)
    assert [message.account for message in world.store.messages] == [VENDOR]


async def test_what_no_account_can_send_in_time_is_given_up_and_said():
    week = 7 * 24 * 3600 * 1_000_000
    world = World(replace(ENTRY, is_mailbox_stopped=True, now=ENTRY.at + week + 1), notices_from=None)
    await world.drain()
    assert world.events == ["report_skipped"]
    assert world.store.steps == ["give up 1"], "and whoever runs the relay is told"


REFUSED = replace(ENTRY, refused_by=MailboxId("libero", DOCTOR), refused_at=ENTRY.at, now=ENTRY.at + SECOND_AFTER)


async def test_a_report_that_was_refused_goes_once_more_and_discreetly_through_the_notices_account():
    world = World(REFUSED)
    await world.drain()
    (message,) = world.store.messages
    assert (message.id, message.account) == ("A1-report-7-1-again", VENDOR)
    assert message.envelope.recipients[0].address == DOCTOR
    assert PATIENT not in message.content.decode()


async def test_the_second_report_waits_until_the_guard_has_seen_what_the_refusal_was(monkeypatch):
    monkeypatch.setattr(pump_module, "SECOND_AFTER", 1000)
    world = World(replace(REFUSED, now=ENTRY.at + 999))
    await world.until(lambda: world.store.looks > 3)
    assert world.store.messages == []
    world.store.entries = [replace(REFUSED, now=ENTRY.at + 1000)]
    await world.until(lambda: not world.store.entries)
    assert [message.account for message in world.store.messages] == [VENDOR]


@pytest.mark.parametrize("notices_from", [None, DOCTOR])
async def test_a_report_never_goes_again_through_the_mailbox_that_refused_it(notices_from):
    world = World(REFUSED, notices_from=notices_from)
    await world.drain()
    assert world.store.messages == []
    assert world.store.steps == ["give up 1"]
    assert world.events == ["report_skipped"]


async def test_a_report_that_the_notices_mailbox_refused_waits_for_the_own_one_and_goes_through_it():
    entry = replace(REFUSED, refused_by=MailboxId("aruba", VENDOR))
    world = World(replace(entry, is_mailbox_stopped=True))
    await world.until(lambda: world.store.looks > 0)
    assert world.store.messages == []
    world = World(entry)
    await world.drain()
    assert [message.account for message in world.store.messages] == [DOCTOR]


async def test_the_report_of_a_removed_account_goes_discreetly():
    world = World(ENTRY, routing=Routing(accounts={VENDOR: ROUTING.accounts[VENDOR]}))
    await world.drain()
    assert world.store.messages[0].account == VENDOR
    assert PATIENT not in world.store.messages[0].content.decode()


async def test_when_no_account_is_left_the_log_says_so():
    world = World(ENTRY, routing=Routing())
    await world.drain()
    assert world.store.messages == []
    assert world.events == ["report_skipped"]
    assert PATIENT not in "".join(world.lines)


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRY, envelope=Envelope("", (Recipient(PATIENT),))),
        replace(ENTRY, envelope=Envelope(DOCTOR, (Recipient(PATIENT, notify=("NEVER",)),))),
        replace(ENTRY, message="A1-report-7"),
    ],
)
async def test_nobody_is_told_who_does_not_want_it_and_no_report_is_reported(entry):
    world = World(entry)
    await world.drain()
    assert world.store.messages == []
    assert world.store.steps == ["done 1"]
    assert world.events == ["report_skipped"]


async def test_a_store_that_is_full_loses_no_report(monkeypatch):
    monkeypatch.setattr(pump_module, "PAUSE", 0.0)
    world = World(ENTRY)
    world.store.failures = [StoreFull(), StoreFull()]
    await world.drain()
    assert world.store.steps == ["put A1-report-7-1"]
    assert world.events == ["trouble", "trouble", "reported"]


async def test_a_broken_store_ends_the_pump_instead_of_going_on_half():
    world = World(ENTRY)
    world.store.failures = [StoreBroken()]
    with pytest.raises(StoreBroken):
        await world.drain()


async def test_it_sleeps_until_it_is_woken():
    world = World()
    running = asyncio.create_task(world.pump.run())
    await world.store.looked.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert world.store.looks == 1
    world.store.entries.append(ENTRY)
    world.pump.wake()
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    assert [message.id for message in world.store.messages] == ["A1-report-7-1"]


async def test_a_wake_during_the_work_is_not_lost():
    world = World(ENTRY)

    async def put(message: NewMessage) -> None:
        world.store.entries.clear()
        world.pump.wake()

    world.store.put = put  # type: ignore[method-assign]
    await world.until(lambda: world.store.looks >= 3)
    assert world.store.looks == 3, "two looks to see it empty, and one for the wake"


async def test_the_log_names_the_report_and_never_the_patient():
    world = World(ENTRY)
    await world.drain()
    assert json.loads(world.lines[0]) | {"time": ""} == {
        "time": "", "event": "reported", "id": "A1-report-7-1", "about": "A1", "account": DOCTOR,
        "reason": "recipient-unknown",
    }  # fmt: skip


async def test_an_international_sender_gets_an_international_report():
    doctor = "andré@studiorossi.it"
    entry = replace(ENTRY, envelope=Envelope(doctor, (Recipient(PATIENT),)))
    world = World(entry)
    await world.drain()
    envelope = world.store.messages[0].envelope
    assert envelope.needs_smtputf8
    assert envelope.is_8bit
    assert f"To: <{doctor}>\r\n".encode() in world.store.messages[0].content


# notices of delay and confirmations

LATE = replace(
    ENTRY,
    kind=OutboxKind.DELAYED,
    reason="limit",
    reply=None,
    delay=Delay(
        since=ENTRY.accepted_at, eta=ENTRY.at + 3_600_000_000, needs=None, until=ENTRY.at + 60_000_000, others=2
    ),
)
HANDED_OVER = replace(
    ENTRY,
    kind=OutboxKind.RELAYED,
    reason="delivered",
    envelope=Envelope(DOCTOR, (Recipient(PATIENT, ("SUCCESS",)),)),
)


async def test_a_notice_of_delay_goes_from_the_own_mailbox_and_lives_no_longer_than_what_it_is_about() -> None:
    world = World(replace(LATE, reason="queue"))
    await world.drain()
    (message,) = world.store.messages
    assert (message.id, message.account, message.kind) == ("A1-report-delayed-7", DOCTOR, Kind.REPORT)
    assert (message.wants_express, message.lifetime) == (True, 60_000_000)
    assert world.report["Subject"] == "Your mail is late"
    assert b"Action: delayed" in message.content


@pytest.mark.parametrize(("notices_from", "through"), [(VENDOR, VENDOR), (None, DOCTOR)])
async def test_a_notice_of_what_a_limit_keeps_back_takes_no_slot_of_it(notices_from: str | None, through: str) -> None:
    world = World(LATE, notices_from=notices_from)
    await world.drain()
    assert [message.account for message in world.store.messages] == [through]


async def test_a_notice_of_delay_goes_around_a_mailbox_that_is_stopped_and_names_nobody() -> None:
    world = World(replace(LATE, is_mailbox_stopped=True))
    await world.drain()
    (message,) = world.store.messages
    assert message.account == VENDOR
    assert PATIENT.encode() not in message.content


@pytest.mark.parametrize("eta", [None, LATE.now, LATE.now + 240_000_000])
async def test_a_mail_that_is_about_to_leave_is_not_called_late(eta: int | None) -> None:
    assert LATE.delay is not None
    world = World(replace(LATE, delay=replace(LATE.delay, eta=eta)))
    await world.until(lambda: world.store.looks > 1)
    assert (world.store.messages, len(world.store.entries)) == ([], 1)


async def test_a_confirmation_says_relayed() -> None:
    world = World(HANDED_OVER)
    await world.drain()
    (message,) = world.store.messages
    assert message.id == "A1-report-relayed-7"
    assert message.lifetime is None
    assert b"Action: relayed" in message.content


async def test_what_held_a_mail_to_the_end_is_in_its_bounce() -> None:
    world = World(replace(ENTRY, reason="auth-rejected", reply=None, since=ENTRY.accepted_at))
    await world.drain()
    text = next(world.report.iter_parts()).get_content()
    assert "password of your mailbox was refused" in text
    assert "Since 2026-11-22 09:35 UTC" in text


@pytest.mark.parametrize("entry", [ENTRY, LATE, HANDED_OVER])
async def test_never_suppresses_every_report(entry: OutboxEntry) -> None:
    world = World(replace(entry, envelope=Envelope(DOCTOR, (Recipient(PATIENT, ("NEVER",)),))))
    await world.drain()
    assert world.store.messages == []
    assert world.store.steps == ["done 1"]


@pytest.mark.parametrize("entry", [ENTRY, LATE, HANDED_OVER])
async def test_no_report_is_reported_on(entry: OutboxEntry) -> None:
    world = World(replace(entry, message="A1-report-delayed-7"))
    await world.drain()
    assert world.store.messages == []


@pytest.mark.parametrize("entry", [ENTRY, LATE, HANDED_OVER], ids=["failed", "late", "relayed"])
@pytest.mark.parametrize("notices_from", [None, DOCTOR, VENDOR, "nobody@vendor.example"])
async def test_a_report_goes_through_nothing_that_is_broken_and_waits_for_the_first_way(entry, notices_from):
    world = World(replace(entry, is_mailbox_stopped=True), notices_from=notices_from)
    world.store.stopped = {DOCTOR, VENDOR}
    running = asyncio.create_task(world.pump.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert (world.store.messages, world.lines) == ([], [])
    assert len(world.store.entries) == 1, "it waits in the outbox, where readiness sees it"
    world.store.entries = [entry]
    world.pump.look_again()
    for _ in range(50):
        await asyncio.sleep(0)
    running.cancel()
    assert [message.account for message in world.store.messages] == [DOCTOR]
    assert world.store.entries == []
