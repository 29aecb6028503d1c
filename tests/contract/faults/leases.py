"""Stores that do not know who holds a delivery.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Mapping, Sequence

from relay.core.envelope import Claim, Result, Taken, Verdict
from relay.core.words import MailboxId
from tests.contract.model import ModelStore
from tests.contract.model_data import Attempt


class GateIgnoresTheLease(ModelStore):
    """The gate looks at the delivery and not at the lease."""

    async def gate(self, claim: Claim) -> bool:
        attempt = self.attempt_of(claim)
        return attempt is not None and not attempt.is_over


class LateDeliveredRefused(ModelStore):
    """A fact that comes late is no fact."""

    def deliver_late(self, attempt: Attempt, result: Result) -> bool:
        return False


class LateDeliveredNotTakenOut(ModelStore):
    """A late delivered is acknowledged, and the delivery stays where it is."""

    def deliver_late(self, attempt: Attempt, result: Result) -> bool:
        return True


class LateDeferredAccepted(ModelStore):
    """Whoever comes late decides all the same."""

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        attempt = self.attempt_of(claim)
        if attempt is not None:
            attempt.lapsed_at = None
        verdict = await super().settle(claim, result)
        return result.verdict if verdict is None and result.verdict is Verdict.DEFERRED else verdict


class LeaseIgnored(ModelStore):
    """A claim is for ever."""

    def sweep(self) -> None:
        return None


class TakeDoesNotRenew(ModelStore):
    """Only a heartbeat renews a lease."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        self.sweep()
        known = self.disk.leases.get(node)
        taken = await super().take(node, idle, most)
        if known is not None and not taken.claims:
            self.disk.leases[node] = known
        return taken


class HeartbeatTellsNothing(ModelStore):
    """A node is not told what it lost."""

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        await super().heartbeat(node)
        return []


class GatedHandedOutEarly(ModelStore):
    """What passed the gate goes to another node when the lease ends."""

    def runs_out(self, attempt: Attempt) -> int:
        return self.disk.leases.get(attempt.claim.node, 0)
