"""The dispatcher on virtual time: log in first, then take; nobody waits for anybody."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from relay.core.envelope import Result, Verdict
from relay.core.limits import MINUTE, Limit
from relay.core.words import MailboxId
from relay.delivery.keeper import SessionTerms
from relay.delivery.settings import DispatcherSettings
from relay.delivery.thrift import PATIENCE, REMEMBERED, Thrift
from relay.store.ports.sessions import SessionEvent
from tests.fakes.upstream import DELIVERED, WRONG_PASSWORD, FakeSession, FakeUpstream
from tests.unit.delivery.node import BIANCHI, CLOSED, LOST, OPENED, ROSSI, VERDI, Node, run

pytestmark = pytest.mark.timeout(120)  # who waits for nothing on virtual time spins


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


def test_mail_now_and_then_does_not_use_up_the_logins_of_its_mailbox() -> None:
    """One mail every 40 s, and sessions that end after 30: ten logins would be gone in seven minutes."""

    async def main(node: Node) -> None:
        logins: list[float] = []
        for number in range(90):
            node.store.put(ROSSI, f"m{number}")
            await node.store.until_settled(number + 1)
            logins += [asyncio.get_running_loop().time()] * (len(node.upstream.logins) - len(logins))
            await asyncio.sleep(40)
        worst = max(sum(at <= other <= at + 600 for other in logins) for at in logins)
        assert worst <= 6
        assert len(logins) < 45, "no login limit was given to the store of this test: this is thrift alone"

    run(main)


def test_refused_logins_are_not_forgotten_by_thrift() -> None:
    thrift, limit = Thrift(), Limit(4, 10 * MINUTE)
    assert thrift.idle_time(ROSSI, limit, 0, usual=7) == 7
    thrift.logged_in(ROSSI, limit, 0)
    assert thrift.idle_time(ROSSI, limit, 0, usual=7) == 7
    thrift.logged_in(ROSSI, limit, 0)
    assert thrift.idle_time(ROSSI, limit, 0, usual=7) == PATIENCE
    assert thrift.idle_time(ROSSI, limit, 0, usual=2 * PATIENCE) == 2 * PATIENCE
    assert thrift.idle_time(BIANCHI, limit, 0, usual=7) == 7
    assert thrift.idle_time(ROSSI, limit, 10 * MINUTE + 1, usual=7) == 7
    assert thrift.idle_time(ROSSI, Limit(40, MINUTE), 0, usual=7) == 7, "an edited limit begins anew"


def test_thrift_remembers_no_more_mailboxes_than_logged_in_lately() -> None:
    thrift, limit = Thrift(), Limit(4, MINUTE)
    for number in range(5 * REMEMBERED):
        thrift.logged_in(MailboxId("aruba", str(number)), limit, number * MINUTE)
    assert len(thrift._windows) <= 2 * REMEMBERED


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


def test_a_session_that_is_thrown_out_before_it_served_is_reported_as_lost_and_no_attempt() -> None:
    class ThrowsOut(FakeUpstream):
        async def open(self, mailbox: MailboxId) -> FakeSession:
            session = await super().open(mailbox)
            if len(self.logins) < 3:
                session.hang_up()
            return session

    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        assert node.store.events(ROSSI)[:5] == [OPENED, LOST, OPENED, LOST, OPENED]
        assert {result.verdict for _, result, _ in node.observer.attempts} <= {Verdict.DELIVERED}, "no other was begun"

    run(main, lambda: Node(upstream=ThrowsOut()))


def test_where_only_a_knock_is_wanted_nobody_logs_in_before_it_is_answered() -> None:
    async def main(node: Node) -> None:
        node.store.barred.add("aruba")
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        assert node.upstream.knocks == [ROSSI]
        assert node.store.events(ROSSI)[:2] == [SessionEvent.KNOCKED, OPENED]
        assert len(node.upstream.logins) == 1

    run(main)


def test_a_knock_that_is_refused_is_reported_as_a_session_that_could_not_be_opened() -> None:
    async def main(node: Node) -> None:
        node.upstream.refuses[ROSSI] = WRONG_PASSWORD
        node.store.barred.add("aruba")
        node.store.put(ROSSI, "m1")
        await node.store.until(lambda: bool(node.store.failures(ROSSI)))
        assert (node.upstream.knocks, node.upstream.logins) == ([ROSSI], [])

    run(main)


def test_a_session_that_its_provider_ends_after_a_while_is_only_closed() -> None:
    async def main(node: Node) -> None:
        node.store.put(ROSSI, "m1")
        await node.store.until_settled(1)
        node.upstream.sessions[0].hang_up()
        node.store.put(ROSSI, "m2")
        await node.store.until_settled(2)
        assert LOST not in node.store.events(ROSSI)

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


def test_among_many_idle_sessions_a_dead_one_costs_its_claim_nothing_but_a_turn() -> None:
    async def main(node: Node) -> None:
        doctors = [MailboxId("aruba", f"doctor{number}") for number in range(40)]
        for doctor in doctors:
            node.store.put(doctor, f"{doctor.username}/1")
        await node.store.until(lambda: len(node.store.settled) == 40)
        await asyncio.sleep(0.5)
        node.store.put(doctors[1], "now")
        await node.store.until(lambda: "now" in node.store.settled)
        node.upstream.of(doctors[0])[0].hang_up()
        node.store.put(doctors[0], "next")
        await node.store.until(lambda: DELIVERED in node.store.settled.get("next", []))
        first, *_ = node.store.settled["next"]
        assert (first.verdict, first.is_mail_written) in ((Verdict.DROPPED, False), (Verdict.DELIVERED, True))
        assert node.store.events(doctors[0]) == [OPENED, CLOSED, OPENED]

    run(main)
