"""Trying a mailbox by hand: what is found is told, what was begun is reported to the store, and one tries at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from relay.core import tested as findings
from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.reply import Reply
from relay.core.tested import Finding
from relay.core.words import AccountId, MailboxId, Stage
from relay.delivery import tester as testing
from relay.delivery.tester import MOST
from relay.delivery.upstream import LoginFailed
from relay.errors import StoreUnavailable, UnknownAccount
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.trials import NotNow, Trial
from tests.fakes.network import on_virtual_time
from tests.fakes.observer import FakeObserver
from tests.fakes.store import Box, FakeStore
from tests.fakes.upstream import WRONG_PASSWORD

ROSSI = "rossi@studio.it"
BOX = MailboxId("aruba", ROSSI)
TAKEN = Result(Verdict.DELIVERED, "delivered", Stage.RCPT, None, is_mail_written=True, is_end_known=True)
NOT_YOURS = Result(
    Verdict.HELD, "sender-refused", Stage.MAIL, Reply(553, "5.7.1", "no"), is_mail_written=True, is_end_known=True
)
NOBODY = Result(
    Verdict.BOUNCED, "recipient-unknown", Stage.RCPT, Reply(550, "5.1.1", "no"), is_mail_written=True, is_end_known=True
)
DOWN = LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False)
BARRED = LoginFailure(
    "ip-blocked", Stage.CONNECT, Reply(554, "5.7.1", "listed"), is_provider=True, is_login_sent=False
)  # fmt: skip


@dataclass
class FakeTrials:
    """Lets everybody try, but where it is told otherwise; remembers what it was told, and reserves the session."""

    log: list[str]
    store: FakeStore
    refusals: list[NotNow] = field(default_factory=list)
    full: NotNow | None = None
    trouble: list[Exception] = field(default_factory=list)
    ended: list[tuple[int, Result]] = field(default_factory=list)
    begun: int = 0
    is_new: bool = False
    was_out_of_reach: bool = False

    async def begin(self, account: AccountId, *, node: str) -> Trial | NotNow:
        if account != ROSSI and not account.startswith("many"):
            raise UnknownAccount
        self.log.append("begin")
        self.begun += 1
        if self.refusals:
            return self.refusals.pop(0)
        trial = Trial(account, MailboxId("aruba", account), node, self.is_new, self.was_out_of_reach)
        self.store.boxes.setdefault(trial.mailbox, Box()).opening += 1
        return trial

    async def claim(self, trial: Trial) -> int | NotNow:
        self.log.append("claim")
        return self.full or self.begun

    async def end(self, attempt: int, result: Result) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.log.append("end")
        self.ended.append((attempt, result))


@dataclass
class FakeSessions:
    """A provider that logs in whoever comes, and says `result`."""

    log: list[str]
    result: Result = TAKEN
    failure: LoginFailure | None = None
    wait: Callable[[], Awaitable[None]] | None = None
    mail_wait: Callable[[], Awaitable[None]] | None = None
    is_open: int = 0

    async def open(self, mailbox: MailboxId) -> "FakeSessions":
        self.log.append("login")
        if self.wait is not None:
            await self.wait()
        if self.failure is not None:
            raise LoginFailed(self.failure)
        self.is_open += 1
        return self

    async def rehearse(self, address: str) -> Result:
        self.log.append(f"mail {address}")
        if self.mail_wait is not None:
            await self.mail_wait()
        return self.result

    async def close(self) -> None:
        self.log.append("quit")
        self.is_open -= 1


class Shop:
    """A tester with everything around it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.store, self.observer = FakeStore(), FakeObserver()
        self.trials, self.provider = FakeTrials(self.log, self.store), FakeSessions(self.log)
        self.fatal: list[BaseException] = []
        self.tester = testing.Tester(
            self.provider,
            testing.TesterStore(self.trials, self.store),
            node="n",
            observe=self.observer,
            make_room=self._make_room,
            on_fatal=self.fatal.append,
        )

    async def _make_room(self, mailbox: MailboxId) -> None:
        self.log.append("room")

    async def test(self) -> findings.Tested:
        return await self.tester.test(ROSSI, BOX)

    @property
    def reports(self) -> list[SessionEvent]:
        return self.store.events(BOX)


def run(main: Callable[[Shop], Awaitable[None]]) -> Shop:
    async def whole(_: object) -> Shop:
        shop = Shop()
        await main(shop)
        await shop.tester.stop()
        assert shop.provider.is_open == 0
        assert not shop.fatal
        assert all((box.opening, box.sessions) == (0, 0) for box in shop.store.boxes.values())
        return shop

    return on_virtual_time(whole)


async def never() -> None:
    await asyncio.Event().wait()


def test_what_works_is_told_after_login_slot_mail_and_goodbye() -> None:
    async def main(shop: Shop) -> None:
        tested = await shop.test()
        assert tested == findings.Tested(ROSSI, BOX, Finding.WORKS, stage=Stage.RCPT)
        assert tested.is_good

    shop = run(main)
    assert shop.log == ["begin", "login", "claim", f"mail {ROSSI}", "end", "quit"]
    assert shop.reports == [SessionEvent.OPENED, SessionEvent.CLOSED]


@pytest.mark.parametrize("failure", [WRONG_PASSWORD, DOWN])
def test_a_login_that_fails_is_told_and_reported_and_says_no_mail(failure: LoginFailure) -> None:
    async def main(shop: Shop) -> None:
        shop.provider.failure = failure
        tested = await shop.test()
        assert (tested.finding, tested.reason, tested.stage) == (
            Finding.LOGIN_FAILED, failure.reply_class, failure.stage,
        )  # fmt: skip
        assert (tested.is_provider, tested.is_good) == (failure.is_provider, False)

    shop = run(main)
    assert shop.store.failures(BOX) == [failure]
    assert shop.log == ["begin", "login"]
    assert shop.observer.failures == [(BOX, failure)]


@pytest.mark.parametrize(
    ("result", "finding"), [(NOT_YOURS, Finding.SENDER_REFUSED), (NOBODY, Finding.RECIPIENT_REFUSED)]
)
def test_a_refusal_after_the_login_is_told_with_its_stage_and_ends_the_attempt(
    result: Result, finding: Finding
) -> None:
    async def main(shop: Shop) -> None:
        shop.provider.result = result
        tested = await shop.test()
        assert (tested.finding, tested.reason, tested.reply) == (finding, result.reply_class, result.reply)

    assert run(main).trials.ended == [(1, result)]


def test_without_room_in_a_limit_only_the_login_is_tried() -> None:
    async def main(shop: Shop) -> None:
        shop.trials.full = NotNow("limit", 7)
        tested = await shop.test()
        assert (tested.finding, tested.reason, tested.until) == (Finding.LOGIN_WORKS, "limit", 7)
        assert tested.is_good

    assert run(main).log == ["begin", "login", "claim", "quit"]


def test_what_the_store_does_not_allow_is_not_tried() -> None:
    async def main(shop: Shop) -> None:
        shop.trials.refusals = [NotNow("login", 9)]
        tested = await shop.test()
        assert (tested.finding, tested.reason, tested.until) == (Finding.NOT_NOW, "login", 9)

    assert run(main).log == ["begin"]


def test_an_idle_session_makes_room_for_it() -> None:
    async def main(shop: Shop) -> None:
        shop.trials.refusals = [NotNow("session")]
        assert (await shop.test()).finding is Finding.WORKS

    assert run(main).log[:4] == ["begin", "room", "begin", "login"]


def test_one_mailbox_is_tried_by_one_at_a_time() -> None:
    async def main(shop: Shop) -> None:
        going_on = asyncio.Event()

        async def until_told() -> None:
            await going_on.wait()

        shop.provider.wait = until_told
        first = asyncio.create_task(shop.test())
        await asyncio.sleep(1)
        assert (await shop.test()).reason == "testing"
        going_on.set()
        assert (await first).finding is Finding.WORKS
        assert (await shop.test()).finding is Finding.WORKS

    assert run(main).log.count("login") == 2


def test_only_so_many_are_tried_at_once() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.wait = never
        names = [f"many{number}@studio.it" for number in range(MOST)]
        tests = [asyncio.create_task(shop.tester.test(name, MailboxId("aruba", name))) for name in names]
        await asyncio.sleep(1)
        assert (await shop.test()).reason == "busy"
        await shop.tester.stop()
        assert [each.result().reason for each in tests] == ["stopping"] * MOST

    run(main)


def test_a_provider_that_never_answers_is_given_up_and_counts() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.wait = never
        tested = await shop.test()
        assert (tested.finding, tested.reason) == (Finding.LOGIN_FAILED, "network")

    (failure,) = run(main).store.failures(BOX)
    assert failure.is_login_sent


def test_a_mail_that_is_never_answered_ends_after_linger() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.mail_wait = never
        tested = await shop.test()
        assert (tested.finding, tested.is_good) == (Finding.LOGIN_WORKS, False)

    ((_, result),) = run(main).trials.ended
    assert (result.is_mail_written, result.is_end_known) == (True, False)


def test_whoever_hangs_up_while_it_runs_leaves_it_whole() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.wait = lambda: asyncio.sleep(5)
        asked = asyncio.create_task(shop.test())
        await asyncio.sleep(1)
        asked.cancel()
        await asyncio.sleep(10)

    shop = run(main)
    assert shop.log[-2:] == ["end", "quit"]
    assert shop.reports == [SessionEvent.OPENED, SessionEvent.CLOSED]


def test_a_stop_in_the_middle_ends_slot_and_session() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.mail_wait = never
        asked = asyncio.create_task(shop.test())
        await asyncio.sleep(1)
        await shop.tester.stop()
        assert (await asked).reason == "stopping"
        assert (await shop.test()).reason == "stopping"

    shop = run(main)
    assert [attempt for attempt, _ in shop.trials.ended] == [1]
    assert shop.reports == [SessionEvent.OPENED, SessionEvent.CLOSED]


def test_a_store_that_is_away_is_told_again_until_it_has_taken_the_end() -> None:
    async def main(shop: Shop) -> None:
        shop.trials.trouble = [StoreUnavailable(), StoreUnavailable()]
        assert (await shop.test()).finding is Finding.WORKS

    assert len(run(main).trials.ended) == 1


def test_an_account_that_nobody_knows_is_an_error_for_who_asked() -> None:
    async def main(shop: Shop) -> None:
        with pytest.raises(UnknownAccount):
            await shop.tester.test("nobody@d.test", BOX)
        assert (await shop.test()).finding is Finding.WORKS

    run(main)


def test_a_host_that_was_out_of_reach_before_is_not_put_off_by_a_trial() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.failure = DOWN
        shop.trials.was_out_of_reach = True
        await shop.test()
        shop.provider.failure = WRONG_PASSWORD
        await asyncio.sleep(60)
        await shop.test()

    down, wrong = run(main).store.failures(BOX)
    assert (down.is_outdated, wrong.is_outdated) == (True, False), "that it is still down is no news"


def test_a_host_that_was_out_of_reach_and_now_blocks_the_address_is_news() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.failure = BARRED
        shop.trials.was_out_of_reach = True
        assert (await shop.test()).reason == "ip-blocked"

    (barred,) = run(main).store.failures(BOX)
    assert not barred.is_outdated, "status, explain and ops hear of it as of any attempt"


def test_who_meets_a_closed_door_does_not_knock_as_fast_as_he_can_click() -> None:
    async def main(shop: Shop) -> None:
        shop.provider.failure = DOWN
        found = [(await shop.test()).reason for _ in range(20)]
        assert found == ["network", *["testing"] * 19]
        await asyncio.sleep(11)
        assert (await shop.test()).reason == "network"
        shop.trials.is_new = True
        assert (await shop.test()).reason == "network", "a new password is tried at once"

    assert run(main).log.count("login") == 3
