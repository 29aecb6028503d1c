"""A sick provider on a real socket, and beside it a healthy one: whatever the one does, the other must not notice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.limits import MINUTE
from relay.core.routing import Provider, Tls
from relay.core.words import MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.keeper import SessionTerms
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.trust import SystemTrust
from tests.fakes.observer import FakeObserver
from tests.fakes.peer import Dialogue, Peer
from tests.fakes.store import FakeStore

SICK = MailboxId("sick", "dottore@example.it")
WELL = MailboxId("well", "collega@example.it")
LOOK_AGAIN = 0.005
"""Seconds between two looks whether a provider keeps the relay waiting."""


@dataclass
class Case:
    """Delivery between the two."""

    sick: Peer
    well: Peer
    store: FakeStore
    observer: FakeObserver
    _sent: int = 0

    async def send(self) -> Result:
        """One mail through the sick provider; how its attempt ended."""
        self._sent += 1
        message = f"sick{self._sent}"
        self.store.put(SICK, message)
        await self.store.until(lambda: message in self.store.settled)
        return self.store.settled[message][0]

    async def refusal(self) -> LoginFailure:
        """One mail for which no session comes about; why not."""
        before = len(self.store.failures(SICK))
        self.store.put(SICK, "waits")
        await self.store.until(lambda: len(self.store.failures(SICK)) > before)
        assert "waits" not in self.store.settled, "a failed login spends no try of a message"
        return self.store.failures(SICK)[-1]

    async def recover(self) -> None:
        """The provider is well again: what waits is delivered."""
        self.store.release(SICK)
        await self.store.until(lambda: bool(self.sick.messages) and not self.store.claimed)

    async def check_the_other(self) -> None:
        """The healthy provider's mail goes as ever."""
        before = len(self.well.messages)
        message = f"well{before}"
        self.store.put(WELL, message)
        await self.store.until(lambda: message in self.store.settled)
        assert self.store.settled[message][0].verdict is Verdict.DELIVERED


@asynccontextmanager
async def misfortune(
    sick: Peer, *, is_hastened: bool = False, elsewhere: Provider | None = None
) -> AsyncIterator[Case]:
    """Both providers listen, delivery runs; in the end nothing broke or is left open, and the healthy one delivers.

    `is_hastened`: while the sick one keeps the relay waiting, time flies.
    `elsewhere`: the sick one is not the scripted peer but listens there already.
    """
    loop = asyncio.get_running_loop()
    well = Peer()
    servers = [await loop.create_server(partial(Dialogue, peer), "127.0.0.1", 0) for peer in (sick, well)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    names = zip((SICK.provider, WELL.provider), ports, strict=True)
    providers = {name: Provider(name, "127.0.0.1", port, tls=Tls.NONE) for name, port in names}
    if elsewhere is not None:
        providers["sick"] = replace(elsewhere, name="sick")
    case = Case(sick, well, FakeStore(), FakeObserver())
    dispatcher = Dispatcher(
        case.store,
        SmtpUpstream(
            "relay.example.it",
            lambda mailbox: Route(providers[mailbox.provider], "segreta"),
            resolve=_here,
            trust=SystemTrust(),
        ),
        node="node-1",
        observe=case.observer,
        terms_of=lambda provider: SessionTerms(),
        fence=Fence(lambda: 0, lease=MINUTE),
    )
    running = asyncio.ensure_future(dispatcher.run())
    try:
        async with hastened(sick) if is_hastened else nullcontext():
            yield case
            await case.check_the_other()
    finally:
        await dispatcher.stop()
        await running
        for server in servers:
            server.close()
            await server.wait_closed()
    assert case.observer.breaks == []
    for dialogue in [*sick.dialogues, *well.dialogues]:
        await asyncio.wait_for(asyncio.shield(dialogue.lost), 60)


@asynccontextmanager
async def hastened(peer: Peer) -> AsyncIterator[None]:
    """While a dialogue keeps the relay waiting each turn of the loop is a second, whatever the machine does."""
    loop = asyncio.get_running_loop()
    ahead = 0.0

    async def hasten() -> None:
        nonlocal ahead
        while True:
            is_waiting = any(dialogue.keeps_waiting for dialogue in peer.dialogues)
            ahead += is_waiting
            await asyncio.sleep(0 if is_waiting else LOOK_AGAIN)

    of_the_machine = loop.time
    loop.time = lambda: of_the_machine() + ahead  # type: ignore[method-assign]
    hastening = asyncio.ensure_future(hasten())
    try:
        yield
    finally:
        hastening.cancel()
        with suppress(asyncio.CancelledError):
            await hastening


async def _here(provider: str, host: str) -> Sequence[str]:
    return ["127.0.0.1"]
