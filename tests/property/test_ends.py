"""Whoever was told that a mailbox or a provider stands still hears once that it works again, whatever came in between.

Law: for each reader every "works again" follows a stop that he heard of, none follows another, and none is missing.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.core.circle import Addressee, Reader
from relay.core.concerns import ConcernKind, Subject
from relay.core.envelope import NewMessage
from relay.core.failuretext import Language
from relay.core.health import HealthEvent
from relay.core.limits import HOUR, MINUTE
from relay.core.notice import Notice, NoticeType
from relay.core.notices import Sheet
from relay.core.reminding import STEADY
from relay.core.routing import Account, Owner, Routing
from relay.core.webhooks import Outcome, Sent
from relay.core.words import MailboxId, Plan
from relay.notify.letter import LetterSettings
from relay.notify.noticedesk import NoticeDesk
from relay.notify.noticepump import NoticePump
from relay.observe import Log, Told
from relay.store.engine.concerns import close_concern, drop_concern, open_concern
from relay.store.engine.context import Context
from relay.store.engine.healths import Symptom, change_mailbox, change_provider
from tests.unit.store.workbench import Bench, provider

A, SERVICE, OPS, HOOK = "m.rossi@libero.it", "servizio@vendor.example", "ops@vendor.example", "webhook"
BOX, HOST = MailboxId("libero", A), "libero"
MAILBOX, BLOCKS = Subject(mailbox=BOX), Subject(provider=HOST)
BUSY = 2_000
"""Turns of the loop after which the pump would have rested."""


def _account(plan: Plan) -> Routing:
    owner = Owner("Dr. M. Rossi", "rossi@other.example")
    return Routing(
        providers={HOST: provider(HOST), "aruba": provider()},
        accounts={
            A: Account(A, plan, BOX, owner=owner),
            SERVICE: Account(SERVICE, Plan.BUSINESS, MailboxId("aruba", SERVICE)),
        },
    )


class Rests:
    """The port of notices, which counts how often the pump had nothing left to do."""

    def __init__(self, notices: object) -> None:
        self._notices = notices
        self.rests = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._notices, name)

    async def rest(self) -> None:
        self.rests += 1


class Hook:
    """The webhook of ops, which takes everything."""

    def __init__(self, hear: Callable[[str, NoticeType], None]) -> None:
        self._hear = hear

    async def send(self, notice: Notice, tries: int) -> Outcome:
        self._hear(HOOK, notice.type)
        return Sent()


class World:
    """A store, a pump beside it, and what each reader heard of a mailbox and of its provider."""

    def __init__(self, plan: Plan, *, has_hook: bool) -> None:
        self.bench = Bench()
        self.routing = _account(plan)
        self.heard: dict[tuple[str, str], list[NoticeType]] = {}
        self._letters: dict[str, str] = {}
        self._notices = Rests(self.bench.store.books.notices)
        desk = NoticeDesk(
            LetterSettings("relay.example.it"),
            routing=lambda: self.routing,
            is_stopped=lambda _: False,
            sheet_of=lambda _, to: self._sheet(to),
            moment=lambda wall: datetime.fromtimestamp(wall / 1_000_000, UTC),
            show_untold=lambda _: None,
            show_backlog=lambda _: None,
            observe=self._observe,
            notices_from=SERVICE,
            postmaster=OPS,
        )
        self.pump = NoticePump(
            self._notices,  # type: ignore[arg-type]
            self,
            desk,
            sender=Hook(self._hear) if has_hook else None,
            log=Log(lambda _: None, lambda: 0.0),
        )

    @staticmethod
    def _sheet(to: Addressee) -> Sheet:
        return Sheet(to.reader, Language.ENGLISH, UTC, "Libero", accounts=to.accounts)

    async def put(self, message: NewMessage) -> None:
        self._letters[message.id] = message.envelope.recipients[0].address

    def has_space(self) -> bool:
        return True

    def _observe(
        self, notice: Notice, told: Told, *, reader: Reader, letter: str | None = None, why: str | None = None
    ) -> None:
        if letter is not None:
            self._hear(self._letters[letter], notice.type)

    def _hear(self, who: str, kind: NoticeType) -> None:
        self.heard.setdefault((who, kind.partition(".")[0]), []).append(kind)

    async def begins(self) -> None:
        await self.bench.route(*self.routing.accounts.values(), providers=tuple(self.routing.providers.values()))

    async def does(self, step: str) -> None:
        """One thing happens, and whoever has to know is told."""
        if step in PASSES:
            for _ in range(PASSES[step] // STEADY):
                self.bench.clock.advance(STEADY)
                await self._told()
        elif step == "password is gone":
            await self.bench.route(
                *self.routing.accounts.values(), providers=tuple(self.routing.providers.values()), secrets={A: None}
            )
        elif step == "password is back":
            await self.begins()
        else:
            await self.bench.store._note(STEPS[step])
        await self._told()

    async def _told(self) -> None:
        running, before = asyncio.create_task(self.pump.run()), self._notices.rests
        for _ in range(BUSY):
            if self._notices.rests > before:
                break
            await asyncio.sleep(0)
        assert self._notices.rests > before, "it looks at the same again and again"
        running.cancel()
        await asyncio.wait({running})


def _stop(event: HealthEvent, reason: str) -> Callable[[Context], None]:
    return lambda context: _ignore(change_mailbox(context, BOX, Symptom(event, reason)))


def _host(event: HealthEvent, reason: str | None = None) -> Callable[[Context], None]:
    return lambda context: _ignore(change_provider(context, HOST, Symptom(event, reason)))


def _block(context: Context) -> None:
    """Many of its mailboxes are blocked in the same words, this one among them."""
    change_mailbox(context, BOX, Symptom(HealthEvent.BLOCKED, "account-blocked"))
    open_concern(context, ConcernKind.BLOCK, BLOCKS, reason="account-blocked")
    drop_concern(context, ConcernKind.MAILBOX_STOPPED, MAILBOX)


def _work(context: Context) -> None:
    change_mailbox(context, BOX, Symptom(HealthEvent.LET_IN))
    close_concern(context, ConcernKind.BLOCK, BLOCKS)


def _ignore(_: object) -> None:
    return None


STEPS: Mapping[str, Callable[[Context], None]] = {
    "password refused": _stop(HealthEvent.METHOD_REFUSED, "auth-method"),
    "blocked": _stop(HealthEvent.BLOCKED, "account-blocked"),
    "full": _stop(HealthEvent.SENDER_FULL, "sender-mailbox-full"),
    "riddle": _stop(HealthEvent.REFUSED, "unknown"),
    "line broken": _stop(HealthEvent.CUT_OFF, "network"),
    "same refusal": _stop(HealthEvent.GUARDED, "bounce-guard"),
    "many blocked": _block,
    "works": _work,
    "host gone": _host(HealthEvent.UNREACHABLE, "outage"),
    "logins out": _host(HealthEvent.LOGINS_OUT, "auth-outage"),
    "host back": _host(HealthEvent.LET_IN),
}
PASSES = {"a quarter": STEADY, "an hour": HOUR + 15 * MINUTE, "a day": 25 * HOUR}
MORE = ["password is gone", "password is back"]
HAPPENS = st.lists(st.sampled_from([*STEPS, *PASSES, *PASSES, *MORE]), max_size=12)


async def _lived(steps: list[str], plan: Plan, *, has_hook: bool) -> Mapping[tuple[str, str], list[NoticeType]]:
    world = World(plan, has_hook=has_hook)
    await world.begins()
    for step in [*steps, "password is back", "host back", "works", "a day"]:
        await world.does(step)
    return world.heard


def _is_end(kind: NoticeType) -> bool:
    return kind in (NoticeType.HEALED, NoticeType.PROVIDER_HEALED)


def _check(heard: Mapping[tuple[str, str], list[NoticeType]]) -> None:
    for who, kinds in heard.items():
        ends = [_is_end(each) for each in kinds]
        assert ends[-1], f"{who} never heard that it works again: {kinds}"
        assert not ends[0], f"{who} heard of the end of what he had not heard of: {kinds}"
        assert not any(one and next_one for one, next_one in pairwise(ends)), f"{who} twice: {kinds}"


@settings(max_examples=60)
@example(["password refused", "a quarter", "many blocked", "a quarter"], Plan.PERSONAL, True)
@example(["password refused", "riddle", "an hour"], Plan.PERSONAL, False)
@example(["blocked", "an hour", "same refusal", "a quarter", "password refused", "a day"], Plan.PERSONAL, True)
@example(["password refused", "password is gone", "an hour"], Plan.BUSINESS, False)
@example(["riddle", "password is gone", "a quarter"], Plan.PERSONAL, True)
@example(["password refused", "password is gone", "an hour", "works", "a quarter"], Plan.BUSINESS, False)
@example(["many blocked", "logins out", "host back", "a quarter"], Plan.PERSONAL, False)
@given(HAPPENS, st.sampled_from([Plan.PERSONAL, Plan.BUSINESS]), st.booleans())
def test_whoever_heard_of_a_stop_hears_of_one_end(steps: list[str], plan: Plan, has_hook: bool) -> None:
    _check(asyncio.run(_lived(steps, plan, has_hook=has_hook)))


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["password refused", "riddle", "a quarter"], {"rossi@other.example", OPS}),
        (["password refused", "same refusal", "a quarter"], {"rossi@other.example", OPS}),
        (["blocked", "an hour", "many blocked"], {"rossi@other.example", OPS}),
    ],
)
def test_the_one_who_was_told_of_the_first_cause_hears_of_the_end_of_the_last(steps: list[str], told: set[str]) -> None:
    heard = asyncio.run(_lived(steps, Plan.PERSONAL, has_hook=False))
    ends = [who for (who, _), kinds in heard.items() for each in kinds if _is_end(each)]
    assert set(ends) == told
    assert len(ends) == len(told), "each once"
