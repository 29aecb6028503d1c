"""Outcomes while the store is away: on this node's disk first, then in the store before all else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from relay.core.envelope import Result, Verdict
from relay.core.words import MailboxId, Stage
from relay.delivery.recording import replay
from relay.delivery.steady import SteadyStore
from relay.errors import CorruptValue, PermanentError, StoreBroken, StoreError, StoreFull, StoreUnavailable
from relay.store.ports.outcomes import Outcome
from relay.store.ports.sessions import SessionEvent
from tests.fakes.network import on_virtual_time
from tests.fakes.observer import FakeObserver
from tests.fakes.outcomes import RememberedOutcomes
from tests.fakes.upstream import DELIVERED, FakeSession
from tests.unit.delivery.node import ROSSI, VERDI, Node, run
from tests.unit.delivery.test_attempt import CLAIM

pytestmark = pytest.mark.timeout(120)  # who waits for nothing on virtual time spins


class Away:
    """What the store cannot do while it is away."""

    def __init__(self, node: Node, *names: str, error: Exception | None = None) -> None:
        self.names = set(names)
        self.asked: list[str] = []
        self.error = error or StoreUnavailable()
        node.store.trouble = self

    def __call__(self, name: str) -> None:
        if name in self.names:
            self.asked.append(name)
            raise self.error


def keeping() -> Node:
    return Node(outcomes=RememberedOutcomes())


def outcomes_of(node: Node) -> RememberedOutcomes:
    assert isinstance(node.outcomes, RememberedOutcomes)
    return node.outcomes


@pytest.mark.parametrize("error", [StoreUnavailable(), StoreFull()])
def test_an_outcome_that_the_store_cannot_take_is_kept_and_settled_before_anything_new(error: StoreError) -> None:
    async def main(node: Node) -> None:
        away = Away(node, "settle", "take", error=error)
        away.names = {"settle"}
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until(lambda: bool(outcomes_of(node).here))
        away.names = {"settle", "take", "heartbeat"}
        await asyncio.sleep(120)
        assert node.store.settled == {}
        assert [each.claim.message for each in outcomes_of(node).here] == ["m1"]
        assert node.observer.attempts == [], "nobody is told before the store knows"
        node.store.calls.clear()
        away.names = set()
        await node.store.until_settled(2)
        names = node.store.names("settle", "take")
        assert names[0] == "settle", "what waits is settled before anything is taken"
        assert node.store.settled["m1"] == [DELIVERED]
        assert outcomes_of(node).here == []

    node = run(main, keeping)
    assert [(claim.message, result.verdict) for claim, result, _ in node.observer.attempts] == [
        ("m1", Verdict.DELIVERED), ("m2", Verdict.DELIVERED),
    ]  # fmt: skip


def test_while_it_waits_nothing_new_is_sent() -> None:
    async def main(node: Node) -> None:
        away = Away(node, "settle")
        node.store.put(ROSSI, "m1", "m2", "m3")
        await asyncio.sleep(30)
        assert sum(session.dots for session in node.upstream.sessions) == 1
        away.names = set()
        await node.store.until_settled(3)

    run(main, keeping)


def test_what_passed_the_gate_ends_and_what_did_not_keeps_its_place() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if session.mailbox == ROSSI:
                assert await gate()
                session.dots += 1
                await asyncio.sleep(30)
                return DELIVERED
            await asyncio.sleep(10)
            if not await gate():
                raise AssertionError("the store is away")
            return DELIVERED

        node.upstream.act = act
        node.store.put(ROSSI, "gated")
        node.store.put(VERDI, "before")
        await node.store.until(lambda: node.upstream.under_way == 2 and bool(node.store.gated))
        away = Away(node, "take", "gate", "settle", "heartbeat", "session", "wait")
        await asyncio.sleep(50)
        kept = {each.claim.message: each.result.verdict for each in outcomes_of(node).here}
        assert kept == {"gated": Verdict.DELIVERED, "before": Verdict.DROPPED}
        away.names = set()
        back = asyncio.get_running_loop().time()
        await node.store.until(lambda: node.store.settled.get("before", [])[-1:] == [DELIVERED])
        assert asyncio.get_running_loop().time() - back < 5 + 11, "within 5 s, and what the attempt itself takes"

    run(main, keeping)


def test_a_store_that_is_away_is_asked_by_one_at_most_every_second_and_at_first_at_once() -> None:
    async def main(node: Node) -> None:
        for number in range(50):
            node.store.put(box_of(number), f"m{number}")
        await node.store.until(lambda: len(node.upstream.logins) == 50)
        away = Away(node, "take", "gate", "settle", "heartbeat", "session", "refused", "wait")
        await asyncio.sleep(30)
        away.asked.clear()
        await asyncio.sleep(60)
        assert len(away.asked) <= 3 * 61, "work, reports, heartbeat: each once a second"
        away.names = set()
        back = asyncio.get_running_loop().time()
        await node.store.until(lambda: Verdict.DELIVERED in {each.verdict for each in node.store.results()})
        assert asyncio.get_running_loop().time() - back < 5

    run(main, keeping)


def box_of(number: int) -> MailboxId:
    return ROSSI._replace(username=f"d{number}@studio.it", provider=f"p{number}")


def test_a_disk_that_keeps_nothing_leaves_the_outcome_in_memory() -> None:
    async def main(node: Node) -> None:
        outcomes_of(node).trouble = StoreFull()
        away = Away(node, "settle")
        node.store.put(ROSSI, "m1")
        await asyncio.sleep(10)
        assert outcomes_of(node).seen == []
        away.names = set()
        await node.store.until_settled(1)
        assert node.store.settled["m1"] == [DELIVERED]

    node = run(main, keeping)
    assert "outcomes" in {name for name, _ in node.observer.store_failures}


def test_a_stop_while_the_store_is_away_ends_in_time_and_leaves_the_outcome_for_the_next_start() -> None:
    async def main(_: object) -> None:
        node = keeping()
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.store.gated))
        Away(node, "take", "settle", "session", "heartbeat", "wait")
        start = asyncio.get_running_loop().time()
        await node.stop()
        assert asyncio.get_running_loop().time() - start < 10, "the store is not waited for as a provider is"
        assert [each.result for each in outcomes_of(node).here] == [DELIVERED]

    on_virtual_time(main)


def test_a_store_beyond_repair_is_not_taken_for_one_that_is_away() -> None:
    async def main(_: object) -> None:
        node = keeping()
        Away(node, "settle", error=StoreBroken())
        node.store.put(ROSSI, "m1")
        with pytest.raises(StoreBroken):
            await node.dispatcher.run()
        assert outcomes_of(node).here == []

    on_virtual_time(main)


# the replay alone

LATE = Result(Verdict.DEFERRED, "outage", Stage.MAIL, None, is_mail_written=True, is_end_known=True)


class Ledger:
    """Settles what it is told, or raises."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.settled: list[int] = []

    async def settle(self, claim: object, result: Result) -> Verdict | None:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.settled.append(claim.attempt)  # type: ignore[attr-defined]
        return result.verdict if result.verdict is Verdict.DELIVERED else None


def three() -> RememberedOutcomes:
    return RememberedOutcomes(*(Outcome(replace(CLAIM, attempt=number), DELIVERED, 0.0) for number in (1, 2, 3)))


async def test_a_replay_that_breaks_off_begins_with_what_was_not_settled() -> None:
    outcomes, ledger = three(), Ledger(None, StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await replay(ledger, outcomes, FakeObserver())
    assert [each.claim.attempt for each in outcomes.here] == [2, 3]
    assert await replay(ledger, outcomes, FakeObserver()) == 2
    assert ledger.settled == [1, 2, 3]


async def test_an_outcome_that_comes_too_late_is_told_as_such_and_is_over() -> None:
    outcomes, observer = RememberedOutcomes(Outcome(CLAIM, LATE, 0.0)), FakeObserver()
    await replay(Ledger(), outcomes, observer)
    assert outcomes.here == []
    assert [is_recorded for _, _, is_recorded in observer.attempts] == [False]


@pytest.mark.parametrize("error", [CorruptValue(), PermanentError()])
async def test_an_outcome_that_the_store_will_never_take_bars_no_other(error: Exception) -> None:
    outcomes, observer, ledger = three(), FakeObserver(), Ledger(error)
    await replay(ledger, outcomes, observer)
    assert ledger.settled == [2, 3]
    assert [what for what, _, _ in observer.breaks] == ["outcome"]


def test_a_login_for_which_the_store_has_no_password_now_is_none_and_stops_nobody() -> None:
    async def main(node: Node) -> None:
        tries = 0

        async def ask(mailbox: MailboxId) -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise StoreUnavailable

        node.upstream.login = ask
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        assert node.store.failures(ROSSI) == []
        assert node.store.events(ROSSI)[:2] == [SessionEvent.DECLINED, SessionEvent.OPENED]

    node = run(main)
    assert [name for name, _ in node.observer.store_failures] == ["login"]


# the reports


async def test_a_report_that_fails_again_and_again_bars_no_other() -> None:
    class Store:
        def __init__(self) -> None:
            self.told: list[str] = []
            self.is_away = True

        async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
            if self.is_away or mailbox == VERDI:
                raise StoreUnavailable
            self.told.append(mailbox.username)

    store = Store()
    steady = SteadyStore(store, FakeObserver(), pause=1000)  # type: ignore[arg-type]
    poison = asyncio.create_task(steady.report(VERDI, SessionEvent.CLOSED))
    await asyncio.sleep(0)
    others = [asyncio.create_task(steady.report(box_of(number), SessionEvent.CLOSED)) for number in range(5)]
    await asyncio.sleep(0.005)
    store.is_away = False
    await asyncio.wait_for(asyncio.gather(*others), 60)
    assert sorted(store.told) == [f"d{number}@studio.it" for number in range(5)]
    poison.cancel()
    await asyncio.wait([poison])


async def test_one_asks_for_all_while_the_store_is_away() -> None:
    class Store:
        def __init__(self) -> None:
            self.at_once = self.most = 0
            self.is_back = asyncio.Event()

        async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await asyncio.sleep(0.001)
            self.at_once -= 1
            if not self.is_back.is_set():
                raise StoreUnavailable

    store = Store()
    steady = SteadyStore(store, FakeObserver(), pause=1000)  # type: ignore[arg-type]
    reports = [asyncio.create_task(steady.report(box_of(number), SessionEvent.CLOSED)) for number in range(100)]
    await asyncio.sleep(0.1)
    store.most = 0
    await asyncio.sleep(0.1)
    assert store.most == 1
    store.is_back.set()
    await asyncio.wait_for(asyncio.gather(*reports), 60)
