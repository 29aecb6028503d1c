"""A dispatcher on virtual time with everything around it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from relay.core.limits import MINUTE, SECOND
from relay.core.words import MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.keeper import SessionTerms
from relay.delivery.settings import DispatcherSettings
from relay.store.ports.outcomes import Outcomes
from relay.store.ports.sessions import SessionEvent
from tests.fakes.network import on_virtual_time
from tests.fakes.observer import FakeObserver
from tests.fakes.store import FakeStore
from tests.fakes.upstream import FakeUpstream

ROSSI = MailboxId("aruba", "rossi@studio.it")
BIANCHI = MailboxId("aruba", "bianchi@studio.it")
VERDI = MailboxId("gmail", "verdi@gmail.com")
OPENED, CLOSED, DECLINED = SessionEvent.OPENED, SessionEvent.CLOSED, SessionEvent.DECLINED
LOST = SessionEvent.LOST


@dataclass
class Node:
    """A dispatcher with everything around it."""

    store: FakeStore = field(default_factory=FakeStore)
    upstream: FakeUpstream = field(default_factory=FakeUpstream)
    observer: FakeObserver = field(default_factory=FakeObserver)
    terms: SessionTerms = field(default_factory=SessionTerms)
    settings: DispatcherSettings = field(default_factory=DispatcherSettings)
    lease: int = MINUTE
    outcomes: Outcomes | None = None
    slept: int = 0
    """Microseconds that the machine's clock went on while the process stood still."""
    running: "asyncio.Task[None] | None" = None

    def boottime(self) -> int:
        return int(asyncio.get_running_loop().time() * SECOND) + self.slept

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(
            self.store,
            self.upstream,
            node="node-1",
            observe=self.observer,
            terms_of=lambda provider: self.terms,
            fence=Fence(self.boottime, lease=self.lease),
            outcomes=self.outcomes,
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
