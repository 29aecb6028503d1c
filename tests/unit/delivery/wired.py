"""A session that is logged in with a scripted peer, on virtual time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from relay.core.classify import NO_CONTEXT
from relay.core.envelope import Envelope, Recipient, Result
from relay.core.limits import MINUTE, SECOND
from relay.core.routing import Timeouts
from relay.delivery.commands import Offer
from relay.delivery.habits import Habits
from relay.delivery.transaction import SmtpSession
from relay.delivery.wire import Wire
from tests.fakes.network import NetworkLoop, Pipe, connect, on_virtual_time
from tests.fakes.peer import Peer, Script

ONE_BY_ONE = Offer()
TOGETHER = Offer(has_pipelining=True)
BOTH = pytest.mark.parametrize("offer", [ONE_BY_ONE, TOGETHER], ids=["one by one", "pipelined"])
CONTENT = b"Subject: ricetta\r\n\r\nBuongiorno\r\n.\r\nfine\r\n"
TIMEOUTS = Timeouts(connect=30 * SECOND, command=MINUTE, data=3 * MINUTE, final=10 * MINUTE)
ENVELOPE = Envelope("dottore@example.it", (Recipient("paziente@example.org"),))


@dataclass
class Gate:
    """Says what it was told to, and remembers what had been written when it was asked."""

    pipe: Pipe
    opens: bool = True
    asked: list[bytes] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None

    async def __call__(self) -> bool:
        self.asked.append(b"".join(self.pipe.written))
        if self.before is not None:
            await self.before()
        return self.opens


@dataclass
class Wired:
    """Both ends of one session."""

    peer: Peer
    wire: Wire
    pipe: Pipe
    session: SmtpSession
    habits: Habits
    gate: Gate

    async def send(self, content: bytes = CONTENT, envelope: Envelope = ENVELOPE) -> Result:
        return await self.session.transmit(envelope, content, self.gate)

    @property
    def was_reset(self) -> bool:
        return self.pipe.is_aborted


async def log_in(loop: NetworkLoop, script: Script | None = None, *, offer: Offer | None = None) -> Wired:
    """The banner is read; the rest of the login is another test's matter."""
    peer = Peer(script or {})
    wire = Wire(loop)
    pipe = connect(loop, wire, peer)
    await wire.reply(MINUTE)
    habits = Habits()
    session = SmtpSession(
        wire,
        offer or Offer(has_pipelining=True),
        context=NO_CONTEXT,
        timeouts=TIMEOUTS,
        habits=habits,
        is_current=lambda: True,
    )
    return Wired(peer, wire, pipe, session, habits, Gate(pipe))


def sent(script: Script | None = None, *, offer: Offer = TOGETHER) -> tuple[Wired, Result]:
    """One message to a peer that follows the script."""

    async def main(loop: NetworkLoop) -> tuple[Wired, Result]:
        wired = await log_in(loop, script, offer=offer)
        return wired, await wired.send()

    return on_virtual_time(main)
