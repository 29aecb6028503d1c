"""Every claim is settled once, whatever fails: the store, the lease, or what nobody foresaw."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from relay.core.envelope import Claim, Result, Verdict
from relay.core.limits import SECOND
from relay.core.words import MailboxId, Stage
from relay.delivery.keeper import SessionTerms
from relay.delivery.settings import DispatcherSettings
from relay.errors import (
    CorruptValue,
    MessageUnreadable,
    StoreBroken,
    StoreFull,
    StoreSilent,
    StoreUnavailable,
)
from tests.fakes.network import on_virtual_time
from tests.fakes.upstream import DELIVERED, WRONG_PASSWORD, FakeSession, deliver
from tests.unit.delivery.node import CLOSED, OPENED, ROSSI, VERDI, Node, delivering, run

pytestmark = pytest.mark.timeout(120)  # who waits for nothing on virtual time spins


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


def test_what_the_store_knows_better_is_told_as_what_became_of_it() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            return Result(
                Verdict.BOUNCED, "recipient-refused", Stage.RCPT, None, is_mail_written=True, is_end_known=True
            )

        node.upstream.act = act
        node.store.judges["m1"] = Verdict.ASIDE
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)

    node = run(main)
    (told,) = [result for _, result, _ in node.observer.attempts]
    assert (told.verdict, told.reply_class) == (Verdict.ASIDE, "recipient-refused")


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
                raise MessageUnreadable
            return b"Subject: x\r\n\r\n"

        node.store.content_of = content_of
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until_settled(2)
        assert [result.verdict for result in node.store.settled["m1"]] == [Verdict.DEFERRED]
        assert [result.is_mail_written for result in node.store.settled["m1"]] == [False]
        assert node.store.settled["m2"] == [DELIVERED]

    node = run(main)
    assert [name for name, _ in node.observer.store_failures] == ["content"]


def test_mail_for_which_the_store_is_away_keeps_its_place() -> None:
    async def main(node: Node) -> None:
        errors = [StoreUnavailable(), StoreSilent(), StoreFull()]

        def content_of(_: Claim) -> bytes:
            if errors:
                raise errors.pop()
            return b"Subject: x\r\n\r\n"

        node.store.content_of = content_of
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(4)
        *before, last = node.store.settled["m1"]
        assert [result.verdict for result in before] == [Verdict.DROPPED] * 3
        assert last == DELIVERED

    run(main)


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


def test_content_that_does_not_open_holds_its_own_delivery_and_gives_the_slot_back() -> None:
    async def main(node: Node) -> None:
        def content_of(claim: Claim) -> bytes:
            if claim.message == "m1":
                raise CorruptValue
            return b"Subject: x\r\n\r\n"

        node.store.content_of = content_of
        node.store.put(ROSSI, "m1", "m2")
        await node.store.until_settled(2)
        (result,) = node.store.settled["m1"]
        assert (result.verdict, result.is_mail_written) == (Verdict.CORRUPT, False)
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
            node.dispatcher._under_way.lose(claim)
            await node.store.until_settled(1)
        assert len([call for call in node.store.calls if call.name == "settle" and call.claim == claim]) == 1
        (first, *_) = node.store.settled["m1"]
        is_sent = node.upstream.sessions[0].dots > 0
        assert is_sent is (first.verdict is Verdict.DELIVERED)
        return is_over

    while not on_virtual_time(lambda _, many=steps: lose_after(many)):  # type: ignore[misc]
        steps += 1
    assert steps > 3


def test_an_attempt_is_settled_even_when_nobody_knows_what_becomes_of_its_session() -> None:
    async def main(node: Node) -> None:
        def unknown(provider: str) -> SessionTerms:
            raise KeyError(provider)

        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: node.upstream.under_way == 1)
        node.dispatcher._keeper._terms_of = unknown
        await node.store.until_settled(1)
        assert node.store.settled["m1"] == [DELIVERED]

    node = run(main)
    assert [what for what, _, _ in node.observer.breaks] == ["keep"]
    assert node.store.events(ROSSI) == [OPENED, CLOSED]


def test_a_claim_lost_twice_is_broken_off_once() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            await asyncio.sleep(1000)
            raise AssertionError("it went on")

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: node.upstream.under_way == 1)
        assert node.dispatcher.under_way == 1
        (claim,) = node.store.claimed.values()
        node.dispatcher._under_way.lose(claim)
        node.dispatcher._under_way.lose(claim)
        await node.store.until_settled(1)
        assert [result.verdict for result in node.store.results()] == [Verdict.DROPPED]
        node.upstream.act = deliver
        await node.store.until_settled(2)

    run(main)
