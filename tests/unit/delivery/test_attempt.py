"""One attempt, alone: it ends in a result, whatever breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from relay.core.envelope import Claim, Envelope, Recipient, Result, Verdict
from relay.core.reply import read_reply
from relay.core.words import Lane, MailboxId, Stage
from relay.delivery.attempt import Attempt
from relay.delivery.pool import OpenSession
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.fakes.observer import FakeObserver
from tests.fakes.store import FakeStore
from tests.fakes.upstream import DELIVERED, FakeSession, FakeUpstream

ROSSI = MailboxId("aruba", "rossi@studio.it")
CLAIM = Claim(
    attempt=1,
    delivery=1,
    message="m1",
    mailbox=ROSSI,
    account="rossi@studio.it",
    lane=Lane.EXPRESS,
    node="node-1",
    envelope=Envelope("rossi@studio.it", (Recipient("paziente@example.org"),)),
    size=10,
    tries=0,
    doubts=0,
)


def attempt(claim: Claim = CLAIM) -> tuple[Attempt, FakeSession, FakeStore]:
    store = FakeStore()
    store.claimed[1] = claim
    session = FakeSession(FakeUpstream(), ROSSI)
    return Attempt(claim, OpenSession(ROSSI, session), store, FakeObserver()), session, store


def test_an_attempt_broken_off_before_it_began_sends_nothing_and_gives_its_slot_back() -> None:
    async def main(_: NetworkLoop) -> None:
        it, session, _store = attempt()
        assert it.abort()
        result = await it.run()
        assert (result.verdict, result.stage) == (Verdict.DROPPED, Stage.MAIL)
        assert not result.is_mail_written
        assert result.is_end_known
        assert session.sent == []
        assert it.opened.is_usable, "nothing was done to the session"

    on_virtual_time(main)


def test_a_session_on_which_a_provider_spoke_of_itself_is_used_no_more() -> None:
    said = read_reply(550, "5.7.1 Client host is on our block list")
    blocked = Result(
        Verdict.HELD, "ip-blocked", Stage.MAIL, said, is_mail_written=True, is_end_known=True, is_provider=True
    )

    async def refuse(_session: FakeSession, _gate: Callable[[], Awaitable[bool]]) -> Result:
        return blocked

    async def main(_: NetworkLoop) -> None:
        it, session, _store = attempt()
        session.upstream.act = refuse
        assert await it.run() == blocked
        assert not it.opened.is_usable

    on_virtual_time(main)


def test_the_first_refusal_that_nobody_understands_loses_no_mail() -> None:
    said = read_reply(599, "zz")
    riddle = Result(Verdict.DEFERRED, "unknown", Stage.EOD, said, is_mail_written=True, is_end_known=True)

    async def refuse(_session: FakeSession, gate: Callable[[], Awaitable[bool]]) -> Result:
        await gate()
        return riddle

    async def main(_: NetworkLoop) -> None:
        it, session, _store = attempt()
        session.upstream.act = refuse
        assert (await it.run()).verdict is Verdict.DEFERRED
        it, session, _store = attempt(replace(CLAIM, tries=2))
        session.upstream.act = refuse
        assert (await it.run()).verdict is Verdict.BOUNCED

    on_virtual_time(main)


def test_an_attempt_that_is_over_cannot_be_broken_off() -> None:
    async def main(_: NetworkLoop) -> None:
        it, _session, _store = attempt()
        assert await it.run() == DELIVERED
        assert not it.abort()
        await asyncio.sleep(1)
        assert it.is_gated

    on_virtual_time(main)


def test_a_cancellation_from_outside_is_not_swallowed() -> None:
    async def main(_: NetworkLoop) -> None:
        it, session, _store = attempt()
        running = asyncio.ensure_future(it.run())
        await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert not session.is_usable

    on_virtual_time(main)
