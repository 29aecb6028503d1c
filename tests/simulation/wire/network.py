"""The network of the simulated world: listeners, hosts, and the lines between them, over all lives of the relay.

Law: the relay's process owns no line; when it dies, the other ends live on and find out in their own time.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.loop import VirtualLoop
from tests.simulation.wire.lines import Line, Weather

Factory = Callable[[], asyncio.BaseProtocol]
Host = Callable[["Network"], asyncio.Protocol]


@dataclass
class Doorway:
    """What a listener of the relay returns: an `asyncio.Server` as far as it is used."""

    network: "Network"
    name: str

    def close(self) -> None:
        """Takes no more connections."""
        self.network.listeners.pop(self.name, None)


@dataclass(frozen=True)
class Name:
    """Stands for the bound socket of a listener."""

    name: str


@dataclass
class Network:
    """Who can be reached, and who is connected."""

    seed: str
    weather: Weather
    hosts: dict[tuple[str, int], Host] = field(default_factory=dict)
    listeners: dict[str, Factory] = field(default_factory=dict)
    upstream: list[tuple[Line, Line]] = field(default_factory=list)
    """The relay's end and the provider's, of every connection of this life."""
    down: set[str] = field(default_factory=set)
    """Hosts that refuse connections."""
    dead: set[str] = field(default_factory=set)
    """Hosts that never answer."""
    _dice: dict[str, random.Random] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(init=False)

    def dice(self, of: str) -> random.Random:
        """Everybody has his own luck, so that one's trouble does not change another's."""
        if of not in self._dice:
            self._dice[of] = random.Random(f"{self.seed}/{of}")
        return self._dice[of]

    def calm(self) -> None:
        """From now on nothing is lost."""
        self.weather = self.weather.calm()
        self.down.clear()
        self.dead.clear()

    async def dial(self, host: str, port: int, factory: Factory) -> tuple[Line, asyncio.Protocol]:
        """The relay calls a provider."""
        dice = self.dice(host)
        await asyncio.sleep(dice.uniform(*self.weather.latency))
        if host in self.dead:
            await asyncio.Event().wait()
        if host in self.down or (host, port) not in self.hosts:
            raise ConnectionRefusedError
        ours = factory()
        assert isinstance(ours, asyncio.Protocol)
        pair = self._connect(ours, self.hosts[host, port](self), dice, peer=host)
        self.upstream.append(pair)
        pair[0]._protocol.connection_made(pair[0])
        pair[1]._protocol.connection_made(pair[1])
        return pair[0], ours

    async def call_in(self, listener: str, client: asyncio.Protocol, *, who: str, address: str) -> Line:
        """A client calls the relay; ConnectionRefusedError: nobody listens."""
        dice = self.dice(who)
        await asyncio.sleep(dice.uniform(*self.weather.latency))
        factory = self.listeners.get(listener)
        if factory is None:
            raise ConnectionRefusedError
        theirs = factory()
        assert isinstance(theirs, asyncio.Protocol)
        caller, relay = self._connect(client, theirs, dice, peer=address)
        client.connection_made(caller)
        theirs.connection_made(relay)
        return caller

    def crash(self, now: float, dice: random.Random) -> None:
        """The relay died: providers may still read what was under way, and then see the connection gone."""
        self.listeners.clear()
        for ours, theirs in self.upstream:
            if ours.gone_at is None:
                ours.gone_at = now
            if theirs.gone_at is None:
                if dice.random() < 0.5:
                    theirs.read_what_is_left()
                theirs.gone_at = now
                theirs._protocol.connection_lost(ConnectionResetError("the relay died"))
        self.upstream.clear()

    def _connect(
        self, ours: asyncio.Protocol, theirs: asyncio.Protocol, dice: random.Random, *, peer: str
    ) -> tuple[Line, Line]:
        weather = self.weather
        first, second = (Line(self.loop, weather, dice, peer) for _ in range(2))
        first.join(second, ours)
        second.join(first, theirs)
        for line in (first, second):
            fate = dice.random()
            if fate < weather.cut + weather.mute:
                line.break_after(dice.choice([20, 100, 400, 3000]) + dice.randint(0, 99), is_silent=fate < weather.mute)
        return first, second


class WireLoop(VirtualLoop):
    """A loop whose connections are lines of a network."""

    def __init__(self, start: float, network: Network) -> None:
        super().__init__(start)
        self._network = network
        network.loop = self

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Factory, host: str, port: int, **options: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        return await self._network.dial(host, port, protocol_factory)

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Factory, *, sock: Name, **options: Any
    ) -> Doorway:
        self._network.listeners[sock.name] = protocol_factory
        return Doorway(self._network, sock.name)
