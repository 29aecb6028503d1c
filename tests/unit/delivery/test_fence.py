"""The fence: a node that stood still beyond its lease sends nothing more, whatever it was doing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from relay.core.envelope import Claim, Result, Verdict
from relay.core.limits import MINUTE, SECOND
from relay.core.words import Stage
from relay.delivery.fence import BEFORE_DOT, BEFORE_MAIL, Fence
from relay.errors import StoreUnavailable
from tests.fakes.upstream import DELIVERED, FakeSession
from tests.unit.delivery.node import CLOSED, OPENED, ROSSI, VERDI, Node, run

pytestmark = pytest.mark.timeout(120)  # who waits for nothing on virtual time spins


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


# the fence alone


def test_what_was_claimed_is_held_for_a_lease_from_before_the_call() -> None:
    clock = Clock()
    fence = Fence(clock, lease=MINUTE)
    asked_at = fence.now()
    clock.now += 10 * SECOND  # the store takes its time, and nobody knows when it heard
    assert not fence.renewed(asked_at)
    assert fence.left == 50 * SECOND
    clock.now += 50 * SECOND - 1
    assert fence.holds(asked_at)
    clock.now += 1
    assert not fence.holds(asked_at)
    assert fence.left == 0


def test_a_renewal_in_time_keeps_what_was_claimed_before() -> None:
    clock = Clock()
    fence = Fence(clock, lease=MINUTE)
    claimed_at = fence.now()
    fence.renewed(claimed_at)
    for _ in range(10):
        clock.now += 59 * SECOND
        assert not fence.renewed(fence.now())
        assert fence.holds(claimed_at)


def test_a_renewal_that_comes_too_late_gives_nothing_back() -> None:
    clock = Clock()
    fence = Fence(clock, lease=MINUTE)
    claimed_at = fence.now()
    fence.renewed(claimed_at)
    clock.now += MINUTE
    again_at = fence.now()
    assert fence.renewed(again_at)
    assert not fence.holds(claimed_at), "another node may have it by now"
    assert fence.holds(again_at)


def test_a_renewal_asked_for_in_time_and_answered_too_late_gives_nothing_back() -> None:
    clock = Clock()
    fence = Fence(clock, lease=MINUTE)
    claimed_at = fence.now()
    fence.renewed(claimed_at)
    clock.now += 59 * SECOND
    asked_at = fence.now()
    clock.now += 2 * SECOND  # the store may have heard it after the end
    assert fence.renewed(asked_at)
    assert not fence.holds(claimed_at)
    assert fence.holds(asked_at)


def test_answers_out_of_order_never_shorten_the_lease() -> None:
    clock = Clock()
    fence = Fence(clock, lease=MINUTE)
    early = fence.now()
    clock.now += SECOND
    late = fence.now()
    fence.renewed(late)
    fence.renewed(early)
    assert fence.left == MINUTE


def test_nothing_is_held_before_the_first_answer() -> None:
    fence = Fence(Clock(), lease=MINUTE)
    assert not fence.holds(fence.now())


@pytest.mark.parametrize("needed", [BEFORE_MAIL, BEFORE_DOT])
def test_a_lease_about_to_end_is_not_enough_to_begin_with(needed: int) -> None:
    clock = Clock()
    fence = Fence(clock, lease=MINUTE)
    holds = fence.hold(fence.now())
    fence.renewed(fence.now())
    clock.now += MINUTE - needed - 1
    assert holds(needed)
    clock.now += 1
    assert not holds(needed)


# the dispatcher behind it


def store_away(node: Node) -> None:
    def trouble(name: str) -> None:
        if name in ("heartbeat", "take"):
            raise StoreUnavailable

    node.store.trouble = trouble


def test_a_process_that_stood_still_before_mail_begins_nothing() -> None:
    async def main(node: Node) -> None:
        def content_of(claim: Claim) -> bytes:
            if not node.slept:
                node.slept = MINUTE  # it stood still while the body was read
            return b"Subject: x\r\n\r\n"

        node.store.content_of = content_of
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: DELIVERED in node.store.settled.get("m1", []))
        *dropped, _ = node.store.settled["m1"]
        assert {(each.verdict, each.is_mail_written) for each in dropped} == {(Verdict.DROPPED, False)}
        assert [len(session.sent) for session in node.upstream.sessions] == [0, 1], "the session of before served none"

    run(main)


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_process_that_stood_still_at_the_gate_writes_no_dot(is_asked: bool) -> None:
    """Before the store was asked, or after it had said yes."""

    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if node.slept:
                return DELIVERED
            if not is_asked:
                node.slept = 15 * MINUTE
            opened = asyncio.ensure_future(gate())
            if is_asked:
                await asyncio.sleep(0)
                node.slept = 15 * MINUTE
            assert not await opened
            session.hang_up()
            return Result(Verdict.DROPPED, "unknown", Stage.DATA, None, is_mail_written=True, is_end_known=False)

        node.store.slowness = 3
        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: "m1" in node.store.settled)
        assert node.store.gated == (["m1"] if is_asked else [])
        (first, *_) = node.store.settled["m1"]
        assert first.verdict is Verdict.DROPPED, "no dot was written, so nothing is in doubt"
        await node.store.until_settled(2)

    run(main)


def test_an_answer_that_renews_the_lease_does_not_open_the_gate_for_what_was_lost() -> None:
    """It stood still between the store's yes and the dot, and the next take is answered before it looks again."""

    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if node.slept:
                return DELIVERED
            answer = node.store.holding["gate"] = asyncio.Event()
            opened = asyncio.ensure_future(gate())
            await asyncio.sleep(1)
            node.slept = 15 * MINUTE
            await asyncio.sleep(25)  # a heartbeat, which renews
            assert node.dispatcher._fence.left > BEFORE_DOT
            answer.set()
            assert not await opened
            session.hang_up()
            return Result(Verdict.DROPPED, "unknown", Stage.DATA, None, is_mail_written=True, is_end_known=False)

        node.upstream.act = act
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(2)
        assert [result.verdict for result in node.store.settled["m1"]] == [Verdict.DROPPED, Verdict.DELIVERED]

    run(main)


def test_when_the_lease_ends_what_has_not_passed_the_gate_is_broken_off_and_the_rest_is_heard() -> None:
    async def main(node: Node) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            if session.mailbox == ROSSI:
                assert await gate()
                await asyncio.sleep(100)
                return DELIVERED
            await asyncio.sleep(1000)
            raise AssertionError("it went on")

        node.upstream.act = act
        node.store.put(ROSSI, "gated")
        node.store.put(VERDI, "slow")
        await node.store.until(lambda: node.upstream.under_way == 2 and bool(node.store.gated))
        store_away(node)
        start = asyncio.get_running_loop().time()
        await node.store.until(lambda: "slow" in node.store.settled)
        assert asyncio.get_running_loop().time() - start <= 61
        assert [result.verdict for result in node.store.settled["slow"]] == [Verdict.DROPPED]
        await node.store.until(lambda: "gated" in node.store.settled)
        assert node.store.settled["gated"] == [DELIVERED]

    run(main)


def test_sessions_that_were_idle_over_the_end_of_a_lease_are_closed() -> None:
    """Another node may have logged in as their mailboxes."""

    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        assert node.store.events(ROSSI) == [OPENED]
        node.slept = 15 * MINUTE
        node.store.change()
        await node.store.until(lambda: node.store.events(ROSSI) == [OPENED, CLOSED])

    run(main)
