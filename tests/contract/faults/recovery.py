"""Stores that forget in a crash what they knew, or know too much.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from typing import Any

from relay.core.envelope import Claim
from relay.core.health import HealthEvent
from relay.core.lifecycle import State
from tests.contract.model import ModelStore
from tests.contract.model_data import Attempt, Disk, Process


class GateUnrecorded(ModelStore):
    """Nobody knows after a crash what passed the gate."""

    async def gate(self, claim: Claim) -> bool:
        passed = await super().gate(claim)
        attempt = self.attempt_of(claim)
        if attempt is not None and passed:
            attempt.gated_at, attempt.delivery.state = None, State.CLAIMED
        return passed


class RecoversNothing(ModelStore):
    """What was claimed at the crash stays claimed."""

    async def recover(self, node: str) -> int:
        return 0


class RecoversEverybody(ModelStore):
    """A node that starts ends the attempts of the others."""

    async def recover(self, node: str) -> int:
        return sum([await super(RecoversEverybody, self).recover(a.claim.node) for a in self.running()])


class EverythingInDoubt(ModelStore):
    """What was claimed and never passed the gate is in doubt after a crash."""

    async def recover(self, node: str) -> int:
        for attempt in self.running():
            await self.gate(attempt.claim)
        return await super().recover(node)


class SessionsSurvive(ModelStore):
    """The sessions of a dead process still count."""

    async def recover(self, node: str) -> int:
        sessions, openings = list(self.process.sessions), list(self.process.openings)
        doubts = await super().recover(node)
        self.process.sessions[:], self.process.openings[:] = sessions, openings
        return doubts

    def __init__(self, disk: Disk, process: Process, *given: Any) -> None:
        disk.planted = disk.planted or process
        super().__init__(disk, disk.planted, *given)


class DeathMakesSick(ModelStore):
    """Our own crash stops the mailboxes that were sending."""

    def abandon(self, attempt: Attempt, at: int) -> None:
        super().abandon(attempt, at)
        if attempt.gated_at is not None:
            self.change_health(attempt.mailbox, HealthEvent.UNREACHABLE, "network")
