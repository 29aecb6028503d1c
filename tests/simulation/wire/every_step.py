"""One small scenario, so small that its process can be killed at every step that it takes.

Law: two doctors, three mails, one provider that hangs up after a dot; each run differs from the others only in where
the process dies.
"""

import asyncio
import random
from dataclasses import dataclass

from relay.core.limits import SECOND
from relay.delivery.keeper import SessionTerms
from tests.simulation.loop import VirtualLoop
from tests.simulation.machine import Crash
from tests.simulation.provider import Faults
from tests.simulation.wire.clinic import Mail
from tests.simulation.wire.faults import Fault, WireFaults
from tests.simulation.wire.lines import Weather
from tests.simulation.wire.network import Network, WireLoop
from tests.simulation.wire.scenario import WireScenario
from tests.simulation.wire.world import WireWorld

NEVER = 10**9


@dataclass(frozen=True)
class Death:
    """Where the first life ends: at the n-th durable step, or before the n-th round of the loop; and the second."""

    durable_step: int = NEVER
    round: int = NEVER
    again: int = NEVER
    """The durable step at which the second life ends."""


class OneFault(WireFaults):
    """The first mail of the first doctor is not answered: the provider hangs up after its dot."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_is_due", True)

    def draw(self, stage: str, dice: random.Random) -> Fault | None:
        """Once."""
        if stage != "DOT" or not self.__dict__["_is_due"]:
            return None
        object.__setattr__(self, "_is_due", False)
        return Fault.DROP


class MortalLoop(WireLoop):
    """Counts its rounds, and dies before one of them."""

    def __init__(self, start: float, network: Network, dies_before: int) -> None:
        super().__init__(start, network)
        self.rounds = 0
        self._dies_before = dies_before

    def _run_once(self) -> None:
        self.rounds += 1
        if self.rounds == self._dies_before:
            raise Crash(f"round {self.rounds}")
        super()._run_once()  # type: ignore[misc]


SMALL = WireScenario(
    mailboxes=2,
    limits=("2/10s",),
    totals=("3/10s",),
    connections=1,
    total_connections=2,
    messages=3,
    span=1.0,
    crashes=0,
    latency=(0.001, 0.01),
    faults=Faults(),
    wall_steps=0,
    reboots=False,
    weather=Weather(latency=(0.001, 0.01)),
    offer=("PIPELINING", "SIZE 30000000", "8BITMIME", "AUTH PLAIN LOGIN"),
)


class SmallWorld(WireWorld):
    """The scenario, with one death, or two."""

    def __init__(self, death: Death) -> None:
        self._death = death
        super().__init__(0, SMALL)
        self.terms = SessionTerms(messages=5, idle=4 * SECOND)
        self.providers[0].faults = OneFault()
        self.steps_passed: list[int] = []
        self.rounds_made: list[int] = []

    def replay(self) -> str:
        """How to see this run again."""
        return f"{self._death}"

    def fate(self) -> int | None:
        """The durable step of this life's death."""
        return {1: self._death.durable_step, 2: self._death.again}.get(self.lives, NEVER)

    def new_loop(self, start: float) -> VirtualLoop:
        """A loop that may die."""
        return MortalLoop(start, self.network, self._death.round if self.lives == 1 else NEVER)

    def heal(self) -> None:
        """The one fault is all there is."""

    def bury(self, now: float) -> None:
        """Up to here all runs are the same; what becomes of the last octets, and how long nobody is there, differs."""
        self.dice = random.Random(f"after {self._death}")
        super().bury(now)

    async def life(self) -> None:
        """As ever; and counts."""
        await super().life()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MortalLoop)
        self.rounds_made.append(loop.rounds)
        self.steps_passed.append(NEVER - (self.crash_in or NEVER))

    def _plan_mails(self) -> list[tuple[float, list[Mail]]]:
        mails = [
            Mail("m0", "d0a@d.test", ("p0@r.test",), b"first\r\n..\r\n"),
            Mail("m1", "d0a@d.test", ("p1@r.test",), b"second\r\n"),
            Mail("m2", "d1a@d.test", ("p2@r.test",), b"third\r\n"),
        ]
        return [(0.0, mails[:1]), (0.05, mails[1:2]), (0.1, mails[2:])]
