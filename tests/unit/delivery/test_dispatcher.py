"""The dispatcher on virtual time: log in first, then take; nobody waits for anybody; nothing is left unreported."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from relay.core.envelope import Claim, LoginFailure, Result, Verdict
from relay.core.limits import SECOND
from relay.core.words import MailboxId, Stage
from relay.delivery.dispatcher import Dispatcher, DispatcherSettings
from relay.delivery.keeper import SessionTerms
from relay.errors import CorruptValue, StoreBroken, StoreFull, StoreUnavailable
from relay.store.ports.sessions import SessionEvent
from tests.fakes.network import on_virtual_time
from tests.fakes.observer import FakeObserver
from tests.fakes.store import FakeStore
from tests.fakes.upstream import DELIVERED, WRONG_PASSWORD, FakeSession, FakeUpstream

pytestmark = pytest.mark.timeout(30)  # who waits for nothing on virtual time spins

ROSSI = MailboxId("aruba", "rossi@studio.it")
BIANCHI = MailboxId("aruba", "bianchi@studio.it")
VERDI = MailboxId("gmail", "verdi@gmail.com")
OPENED, CLOSED, DECLINED = SessionEvent.OPENED, SessionEvent.CLOSED, SessionEvent.DECLINED


@dataclass
class Node:
    """A dispatcher with everything around it."""

    store: FakeStore = field(default_factory=FakeStore)
    upstream: FakeUpstream = field(default_factory=FakeUpstream)
    observer: FakeObserver = field(default_factory=FakeObserver)
    terms: SessionTerms = field(default_factory=SessionTerms)
    settings: DispatcherSettings = field(default_factory=DispatcherSettings)
    running: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(
            self.store,
            self.upstream,
            node="node-1",
            observe=self.observer,
            terms_of=lambda provider: self.terms,
            settings=self.settings,
        )

    async def stop(self) -> None:
        await self.dispatcher.stop()
        assert self.running is not None
        await self.running

    def check_all_reported(self) -> None:
        """Every session that was asked for has one report, every opened one was closed, every claim was settled."""
        for mailbox, box in self.store.boxes.items():
            assert (box.opening, box.sessions) == (0, 0), mailbox
        assert self.store.claimed == {}
        for session in self.upstream.sessions:
            assert not session.is_usable, "a session was left open"


@asynccontextmanager
async def delivering(node: Node) -> AsyncIterator[Node]:
    """The dispatcher runs; in the end it stops and has left nothing behind."""
    node.running = asyncio.ensure_future(node.dispatcher.run())
    yield node
    await node.stop()
    node.check_all_reported()


def run(main: Callable[[Node], Awaitable[None]], node: Callable[[], Node] = Node) -> Node:
    """Runs a test around a node that delivers."""

    async def whole(_: object) -> Node:
        async with delivering(node()) as it:
            await main(it)
        return it

    return on_virtual_time(whole)


# the ordinary way


def test_mail_is_delivered_and_settled() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1", "m2", "m3")
        await node.store.until_settled(3)
        assert [result.verdict for result in node.store.results()] == [Verdict.DELIVERED] * 3
        assert node.store.gated == ["m1", "m2", "m3"]

    node = run(main)
    assert [(claim.message, recorded) for claim, _, recorded in node.observer.attempts] == [
        ("m1", True),
        ("m2", True),
        ("m3", True),
    ]


def test_nothing_is_taken_before_a_login_has_worked() -> None:
    async def main(node: Node) -> None:
        is_let_in = asyncio.Event()

        async def hang(mailbox: MailboxId) -> None:
            await is_let_in.wait()

        node.upstream.login = hang
        node.store.put(ROSSI, "m1")
        await asyncio.sleep(100)
        assert node.store.claimed == {}
        is_let_in.set()
        await node.store.until_settled(1)

    run(main)


def test_a_session_is_used_for_the_next_message() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, *(f"m{number}" for number in range(10)))
        await node.store.until_settled(10)
        assert len(node.upstream.logins) == 1

    run(main)


def test_no_more_sessions_are_opened_than_the_store_asked_for() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, *(f"m{number}" for number in range(20)), connections=3)
        await node.store.until_settled(20)
        assert len(node.upstream.logins) == 3
        assert node.upstream.busiest == 3

    run(main)


def test_a_message_leaves_only_over_its_own_mailboxs_session() -> None:
    async def main(node: Node) -> None:
        node.store.content_of = lambda claim: claim.mailbox.username.encode()
        for mailbox in (ROSSI, BIANCHI, VERDI):
            node.store.put(mailbox, *(f"m{number}" for number in range(5)), connections=2)
        await node.store.until_settled(15)
        for session in node.upstream.sessions:
            assert set(session.sent) <= {session.mailbox.username.encode()}

    run(main)


def test_a_session_ends_after_its_messages() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, *(f"m{number}" for number in range(7)))
        await node.store.until_settled(7)
        assert [len(session.sent) for session in node.upstream.sessions] == [3, 3, 1]

    node = run(main, lambda: Node(terms=SessionTerms(messages=3)))
    assert node.observer.closed == [(ROSSI, 3), (ROSSI, 3), (ROSSI, 1)]


def test_an_idle_session_ends_after_its_time_and_not_before() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        await asyncio.sleep(29)
        assert node.store.events(ROSSI) == [OPENED]
        await asyncio.sleep(2)
        assert node.store.events(ROSSI) == [OPENED, CLOSED]
        assert node.upstream.sessions[0].closed == 1

    run(main)


def test_work_ends_idleness() -> None:
    async def main(node: Node) -> None:
        for number in range(5):
            node.store.put(ROSSI, f"m{number}")
            await node.store.until_settled(number + 1)
            await asyncio.sleep(25)
        assert len(node.upstream.logins) == 1

    run(main)


def test_a_session_that_the_store_wants_closed_is_closed() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        await asyncio.sleep(1)
        node.store.to_close = {ROSSI: 1}
        node.store.change()
        await node.store.until(lambda: CLOSED in node.store.events(ROSSI))

    run(main)


def test_a_session_that_died_while_idle_is_reported_and_replaced() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        node.upstream.sessions[0].hang_up()
        node.store.put(ROSSI, "m2")
        await node.store.until_settled(2)
        assert node.store.events(ROSSI) == [OPENED, CLOSED, OPENED]
        assert {result.verdict for result in node.store.results()} == {Verdict.DELIVERED}

    run(main)


def test_an_idle_node_does_nothing_but_beat() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        await asyncio.sleep(60)
        node.store.calls.clear()
        await asyncio.sleep(3600)
        assert set(node.store.names()) == {"heartbeat"}
        assert len(node.store.names()) == 180

    run(main)


# one doctor's trouble stays his own


def test_a_login_that_hangs_holds_up_nobody() -> None:
    async def main(node: Node) -> None:
        async def hang_for_rossi(mailbox: MailboxId) -> None:
            await asyncio.sleep(1000 if mailbox == ROSSI else 0.01)

        node.upstream.login = hang_for_rossi
        node.store.put(ROSSI, "m1")
        node.store.put(BIANCHI, "m2")
        start = asyncio.get_running_loop().time()
        await node.store.until_settled(1)
        assert asyncio.get_running_loop().time() - start < 1
        await asyncio.sleep(2000)

    run(main)


def test_a_refused_login_is_reported_and_spends_no_retry() -> None:
    async def main(node: Node) -> None:
        node.upstream.refuses[ROSSI] = WRONG_PASSWORD
        node.store.put(ROSSI, "m1", "m2")
        node.store.put(BIANCHI, "m3")
        await node.store.until_settled(1)
        await asyncio.sleep(100)
        assert node.store.failures(ROSSI) == [WRONG_PASSWORD]
        assert list(node.store.settled) == ["m3"]
        node.upstream.refuses.clear()
        node.store.release(ROSSI)
        await node.store.until_settled(3)

    node = run(main)
    assert node.observer.failures == [(ROSSI, WRONG_PASSWORD)]


def test_a_transmission_that_hangs_holds_up_nobody() -> None:
    async def main(node: Node) -> None:
        healthy = node.upstream.act

        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if session.mailbox == ROSSI:
                await asyncio.sleep(500)
            return await healthy(session, gate)

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        node.store.put(BIANCHI, *(f"b{number}" for number in range(50)))
        await node.store.until(lambda: len(node.store.settled) == 50)
        assert asyncio.get_running_loop().time() < 2
        assert "m1" not in node.store.settled
        await node.store.until_settled(51)

    run(main)


def test_no_provider_takes_more_than_half_of_the_nodes_sessions() -> None:
    async def main(node: Node) -> None:
        for number in range(20):
            node.store.put(MailboxId("aruba", f"doctor{number}"), *(f"{number}/{turn}" for turn in range(10)))
        node.store.put(VERDI, "v1")
        await node.store.until(lambda: "v1" in node.store.settled)
        assert asyncio.get_running_loop().time() < 0.1
        await node.store.until(lambda: len(node.store.settled) == 201)
        assert node.upstream.busiest <= 5

    run(main, lambda: Node(settings=DispatcherSettings(node_sessions=8)))


def test_idle_sessions_give_way_to_those_who_wait_for_a_place() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        node.store.put(BIANCHI, "m2")
        await node.store.until_settled(2)
        assert asyncio.get_running_loop().time() < 1, "nobody waits for another's idle time"

    run(main, lambda: Node(settings=DispatcherSettings(node_sessions=2)))


# settling


def test_a_settle_and_the_take_that_follows_share_a_commit() -> None:
    async def main(node: Node) -> None:
        node.store.slowness = 50
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until(lambda: node.store.names("settle", "take").count("settle") == 1)
        for _ in range(10):
            await asyncio.sleep(0)
        assert node.store.names("settle", "take")[-2:] == ["settle", "take"]
        assert node.store.settled == {}, "the take did not wait for the settle's commit"
        await node.store.until_settled(2)

    run(main)


@pytest.mark.parametrize("error", [StoreFull, StoreUnavailable])
def test_an_outcome_that_could_not_be_recorded_is_recorded_later(error: type[Exception]) -> None:
    async def main(node: Node) -> None:
        is_away = True

        def trouble(name: str) -> None:
            if is_away and name == "settle":
                raise error

        node.store.trouble = trouble
        node.store.put(ROSSI, "m1")
        await asyncio.sleep(5)
        assert node.store.results() == []
        is_away = False
        await node.store.until_settled(1)
        assert node.upstream.sessions[0].dots == 1, "it was sent once"

    node = run(main)
    assert {name for name, _ in node.observer.store_failures} == {"settle"}


def test_a_late_outcome_is_told_as_not_recorded() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            node.store.claimed.clear()
            return Result(Verdict.DEFERRED, "outage", Stage.MAIL, None, is_mail_written=True, is_end_known=True)

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)

    node = run(main)
    assert [recorded for _, _, recorded in node.observer.attempts] == [False]


# the store is away


@pytest.mark.parametrize("call", ["take", "wait", "session", "refused", "heartbeat", "gate"])
def test_delivery_goes_on_when_the_store_is_back(call: str) -> None:
    async def main(node: Node) -> None:
        is_away = True

        def trouble(name: str) -> None:
            if is_away and name == call:
                raise StoreUnavailable

        node.store.trouble = trouble
        node.upstream.refuses[VERDI] = WRONG_PASSWORD
        node.store.put(VERDI, "v1")
        node.store.put(ROSSI, "m1")
        await asyncio.sleep(50)
        is_away = False
        await node.store.until(lambda: Verdict.DELIVERED in {result.verdict for result in node.store.results()})
        assert asyncio.get_running_loop().time() < 55
        await node.store.until(lambda: node.store.failures(VERDI) == [WRONG_PASSWORD])

    node = run(main)
    assert call in {name for name, _ in node.observer.store_failures} or call == "wait"


def test_an_attempt_whose_gate_could_not_be_asked_sent_no_dot_and_keeps_its_place() -> None:
    async def main(node: Node) -> None:
        def trouble(name: str) -> None:
            if name == "gate" and not node.store.settled:
                raise StoreUnavailable

        node.store.trouble = trouble
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(2)
        first, second = node.store.settled["m1"]
        assert (first.verdict, first.is_mail_written, first.is_end_known) == (Verdict.DROPPED, True, False)
        assert second.verdict is Verdict.DELIVERED
        assert sum(session.dots for session in node.upstream.sessions) == 1

    run(main)


def test_a_store_that_fails_at_the_gate_costs_few_logins() -> None:
    async def main(node: Node) -> None:
        def trouble(name: str) -> None:
            if name == "gate":
                raise StoreUnavailable

        node.store.trouble = trouble
        node.store.put(ROSSI, "m1")
        await asyncio.sleep(20)
        assert len(node.upstream.logins) <= 21

    run(main)


def test_content_that_cannot_be_read_now_lets_the_others_pass() -> None:
    async def main(node: Node) -> None:
        def content_of(claim: Claim) -> bytes:
            if claim.message == "m1":
                raise StoreUnavailable
            return b"Subject: x\r\n\r\n"

        node.store.content_of = content_of
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until_settled(2)
        assert [result.verdict for result in node.store.settled["m1"]] == [Verdict.DEFERRED]
        assert [result.is_mail_written for result in node.store.settled["m1"]] == [False]
        assert node.store.settled["m2"] == [DELIVERED]

    node = run(main)
    assert [name for name, _ in node.observer.store_failures] == ["content"]


@pytest.mark.parametrize("call", ["take", "settle", "session", "heartbeat"])
def test_a_store_beyond_repair_ends_the_dispatcher_loudly(call: str) -> None:
    async def main(_: object) -> None:
        node = Node()

        def trouble(name: str) -> None:
            if name == call:
                raise StoreBroken

        node.store.trouble = trouble
        node.store.put(ROSSI, "m1")
        with pytest.raises(StoreBroken):
            await node.dispatcher.run()
        assert all(not session.is_usable for session in node.upstream.sessions)
        await node.dispatcher.stop()

    on_virtual_time(main)


# claims that are no longer ours


def test_an_attempt_whose_claim_was_lost_is_broken_off_before_the_dot() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            await asyncio.sleep(1000)
            raise AssertionError("it went on")

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.store.claimed))
        (claim,) = node.store.claimed.values()
        node.store.lost = [claim]
        await node.store.until_settled(1)
        (result,) = node.store.results()
        assert (result.verdict, result.is_mail_written, result.is_end_known) == (Verdict.DROPPED, True, False)
        assert node.upstream.sessions[0].dots == 0
        assert not node.upstream.sessions[0].is_usable
        assert node.observer.lost == [claim]
        assert asyncio.get_running_loop().time() < 25

    run(main)


def test_after_the_gate_the_reply_is_still_heard() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            assert await gate()
            await asyncio.sleep(100)
            return DELIVERED

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.store.gated))
        node.store.lost = list(node.store.claimed.values())
        await node.store.until_settled(1)
        assert node.store.results()[0].verdict is Verdict.DELIVERED

    node = run(main)
    assert [recorded for _, _, recorded in node.observer.attempts] == [True], "a late delivered is a fact"


def test_a_claim_that_nobody_works_on_may_be_lost() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        claim = next(call.claim for call in node.store.calls if call.claim is not None)
        node.store.lost = [claim]
        await asyncio.sleep(30)
        assert node.observer.lost == [claim]

    run(main)


# what nobody foresaw


@pytest.mark.parametrize("is_gated", [False, True])
def test_a_broken_attempt_is_settled_and_told_and_the_others_go_on(is_gated: bool) -> None:
    async def main(node: Node) -> None:
        healthy = node.upstream.act

        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if session.mailbox == ROSSI and not node.store.settled:
                if is_gated:
                    await gate()
                raise ZeroDivisionError
            return await healthy(session, gate)

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        (result,) = node.store.results()
        assert result.verdict is (Verdict.IN_DOUBT if is_gated else Verdict.DEFERRED)
        assert result.reply_class == "unknown"
        assert result.is_mail_written
        assert not result.is_end_known
        node.store.put(ROSSI, "m2")
        await node.store.until_settled(2)
        assert node.store.settled["m2"] == [DELIVERED]
        assert len(node.upstream.sessions) == 2, "the session was not used again"

    node = run(main)
    ((what, error, claim),) = node.observer.breaks
    assert (what, type(error)) == ("attempt", ZeroDivisionError)
    assert claim is not None
    assert claim.message == "m1"


def test_content_that_does_not_open_defers_its_own_delivery_and_gives_the_slot_back() -> None:
    async def main(node: Node) -> None:
        def content_of(claim: Claim) -> bytes:
            if claim.message == "m1":
                raise CorruptValue
            return b"Subject: x\r\n\r\n"

        node.store.content_of = content_of
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until_settled(2)
        (result,) = node.store.settled["m1"]
        assert (result.verdict, result.is_mail_written) == (Verdict.DEFERRED, False)
        assert node.store.settled["m2"] == [DELIVERED]
        assert len(node.upstream.sessions) == 1, "nothing was wrong with the session"

    run(main)


def test_a_broken_login_is_reported() -> None:
    async def main(node: Node) -> None:
        async def break_down(mailbox: MailboxId) -> None:
            raise ZeroDivisionError

        node.upstream.login = break_down
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.store.failures(ROSSI)))
        (failure,) = node.store.failures(ROSSI)
        assert (failure.reply_class, failure.is_login_sent) == ("unknown", True)

    node = run(main)
    assert [what for what, _, _ in node.observer.breaks] == ["login"]


def test_a_session_that_cannot_even_be_closed_is_reported_as_closed() -> None:
    async def main(node: Node) -> None:
        class Stubborn(FakeSession):
            async def close(self) -> None:
                self.is_up = False
                raise ZeroDivisionError

        async def open_stubborn(mailbox: MailboxId) -> FakeSession:
            return Stubborn(node.upstream, mailbox)

        node.upstream.open = open_stubborn  # type: ignore[method-assign]
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)

    node = run(main)
    assert node.store.events(ROSSI) == [OPENED, CLOSED]
    assert [what for what, _, _ in node.observer.breaks] == ["close"]


# stopping


def test_stopping_lets_attempts_finish_and_takes_nothing_new() -> None:
    async def main(_: object) -> None:
        node = Node(upstream=FakeUpstream(seconds=5.0))
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until(lambda: bool(node.store.claimed))
        stopping = asyncio.ensure_future(node.dispatcher.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        node.store.put(BIANCHI, "m3")
        await stopping
        await node.running
        assert list(node.store.settled) == ["m1"]
        assert node.store.settled["m1"] == [DELIVERED]
        node.check_all_reported()

    on_virtual_time(main)


@pytest.mark.parametrize("is_gated", [False, True])
def test_at_the_end_of_the_drain_attempts_are_cut_short_and_settled(is_gated: bool) -> None:
    async def main(_: object) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if is_gated:
                await gate()
            await asyncio.sleep(10_000)
            raise AssertionError("it went on")

        node = Node(upstream=FakeUpstream(act))
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: node.upstream.under_way == 1)
        start = asyncio.get_running_loop().time()
        await node.stop()
        assert asyncio.get_running_loop().time() - start == pytest.approx(30)
        (result,) = node.store.results()
        assert result.verdict is (Verdict.IN_DOUBT if is_gated else Verdict.DROPPED)
        assert result.is_mail_written
        assert not result.is_end_known
        assert node.dispatcher.cut_short == 1
        node.check_all_reported()

    on_virtual_time(main)


def test_a_login_under_way_at_the_end_of_the_drain_counts_as_a_login() -> None:
    async def main(_: object) -> None:
        node = Node()

        async def hang(mailbox: MailboxId) -> None:
            await asyncio.sleep(10_000)

        node.upstream.login = hang
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.upstream.logins))
        await node.stop()
        assert node.store.failures(ROSSI) == [
            LoginFailure("network", Stage.AUTH, None, is_provider=False, is_login_sent=True)
        ]
        node.check_all_reported()

    on_virtual_time(main)


def test_who_still_waits_for_a_place_is_declined() -> None:
    async def main(_: object) -> None:
        node = Node(settings=DispatcherSettings(node_sessions=1), upstream=FakeUpstream(seconds=5.0))
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        node.store.put(BIANCHI, "m2")
        await node.store.until(lambda: bool(node.upstream.logins))
        await node.stop()
        assert node.store.events(BIANCHI) == [DECLINED]
        node.check_all_reported()

    on_virtual_time(main)


def test_a_session_that_opens_while_stopping_is_closed_again() -> None:
    async def main(_: object) -> None:
        node = Node(upstream=FakeUpstream(seconds=5.0))
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.upstream.logins))
        await node.stop()
        assert node.store.events(ROSSI) == [OPENED, CLOSED]
        assert node.store.settled == {}
        node.check_all_reported()

    on_virtual_time(main)


def test_what_a_take_grants_while_stopping_goes_back() -> None:
    async def main(_: object) -> None:
        node = Node()
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        await asyncio.sleep(1)
        answer = node.store.holding["take"] = asyncio.Event()
        node.store.calls.clear()
        node.store.put(ROSSI, "m2")
        await node.store.until(lambda: node.store.names() == ["take"])
        stopping = asyncio.ensure_future(node.stop())
        await asyncio.sleep(1)
        answer.set()
        await stopping
        assert [result.verdict for result in node.store.settled["m2"]] == [Verdict.DROPPED]
        assert sum(session.dots for session in node.upstream.sessions) == 1
        node.check_all_reported()

    on_virtual_time(main)


def test_stopping_twice_and_before_the_start_is_harmless() -> None:
    async def main(_: object) -> None:
        node = Node()
        await node.dispatcher.stop()
        await node.dispatcher.run()
        await node.dispatcher.stop()
        again = Node()
        again.running = asyncio.ensure_future(again.dispatcher.run())
        await asyncio.sleep(1)
        await asyncio.gather(again.dispatcher.stop(), again.dispatcher.stop())
        await again.running

    on_virtual_time(main)


def test_a_dispatcher_that_is_cancelled_leaves_no_session_open() -> None:
    async def main(_: object) -> None:
        node = Node(upstream=FakeUpstream(seconds=50.0))
        running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: node.upstream.under_way == 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert all(not session.is_usable for session in node.upstream.sessions)

    on_virtual_time(main)


# wherever an attempt is broken off


def test_an_attempt_that_loses_its_claim_at_any_step_is_settled_exactly_once() -> None:
    steps = 0

    async def lose_after(many: int) -> bool:
        node = Node(settings=DispatcherSettings(heartbeat=10**6 * SECOND))
        node.store.slowness = 2
        async with delivering(node):
            node.store.put(ROSSI, "m1")
            await node.store.until(lambda: bool(node.store.claimed))
            (claim,) = node.store.claimed.values()
            for _ in range(many):
                await asyncio.sleep(0 if many % 2 else 0.005)
            is_over = bool(node.store.settled)
            node.dispatcher._lose(claim)
            await node.store.until_settled(1)
        assert len([call for call in node.store.calls if call.name == "settle" and call.claim == claim]) == 1
        (first, *_) = node.store.settled["m1"]
        is_sent = node.upstream.sessions[0].dots > 0
        assert is_sent is (first.verdict is Verdict.DELIVERED)
        return is_over

    while not on_virtual_time(lambda _, many=steps: lose_after(many)):  # type: ignore[misc]
        steps += 1
    assert steps > 3
