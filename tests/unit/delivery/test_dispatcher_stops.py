"""Stopping: nothing new is taken, what is under way ends or is cut short, nothing is left unreported."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.limits import SECOND
from relay.core.words import MailboxId, Stage
from relay.delivery.settings import DispatcherSettings
from tests.fakes.network import on_virtual_time
from tests.fakes.upstream import DELIVERED, FakeSession, FakeUpstream
from tests.unit.delivery.node import BIANCHI, CLOSED, DECLINED, OPENED, ROSSI, Node

pytestmark = pytest.mark.timeout(120)  # who waits for nothing on virtual time spins


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
        assert asyncio.get_running_loop().time() - start == pytest.approx(30 if is_gated else 15)
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
        await node.dispatcher.stop()

    on_virtual_time(main)


def test_a_drain_that_is_longer_than_the_longest_reply_leaves_nothing_in_doubt() -> None:
    """As the shipped units have it: what passes the gate within the first minute has its ten for the reply."""
    settings = DispatcherSettings(drain=660 * SECOND)
    assert settings.before_gate == 60 * SECOND

    async def main(_: object) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            is_early = session.mailbox == ROSSI
            await asyncio.sleep(50 if is_early else 70)
            assert await gate()
            await asyncio.sleep(599)
            return DELIVERED

        node = Node(upstream=FakeUpstream(act), settings=settings)
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "early")
        node.store.put(BIANCHI, "late")
        await node.store.until(lambda: node.upstream.under_way == 2)
        await node.stop()
        assert node.store.settled["early"] == [DELIVERED]
        (late,) = node.store.settled["late"]
        assert (late.verdict, late.is_end_known) == (Verdict.DROPPED, False), "it is back at its place, not in doubt"
        assert node.store.gated == ["early"]
        node.check_all_reported()

    on_virtual_time(main)


@pytest.mark.parametrize(("drain", "before_gate"), [(0, 0), (30, 15), (600, 300), (601, 1), (3600, 3000)])
def test_the_last_part_of_a_drain_is_for_replies(drain: int, before_gate: int) -> None:
    assert DispatcherSettings(drain=drain * SECOND).before_gate == before_gate * SECOND


def test_the_lease_is_renewed_while_it_drains() -> None:
    async def main(_: object) -> None:
        async def act(session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
            assert await gate()
            await asyncio.sleep(300)
            return DELIVERED

        node = Node(upstream=FakeUpstream(act), settings=DispatcherSettings(drain=660 * SECOND))
        node.running = asyncio.ensure_future(node.dispatcher.run())
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.store.gated))
        node.store.calls.clear()
        await node.stop()
        assert len(node.store.names("heartbeat")) >= 14
        assert node.store.settled["m1"] == [DELIVERED]

    on_virtual_time(main)
