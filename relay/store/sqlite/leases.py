"""Leases: until when a node's claims are its own, and what becomes of them after.

Law: a claim that did not pass the gate goes back to the queue when its lease ends; one that did is handed out again
only after gate + final timeout + linger, in doubt; after the node's own restart, after linger alone.
"""

from relay.core.envelope import Claim
from relay.core.limits import Instant
from relay.store.sqlite.context import Context
from relay.store.sqlite.running import Running
from relay.store.sqlite.settling import IN_DOUBT, Settling
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("queue")

LOST = "lost"
"""The class of an attempt that nobody reported on, before the gate."""


class Leases:
    """The leases of all nodes."""

    def __init__(self, context: Context, settling: Settling) -> None:
        self._context = context
        self._settling = settling
        self._until: dict[str, Instant] = dict(context.database.read(_SQL["get_nodes"]))
        self._lost: dict[str, list[Claim]] = {}
        self._look_at: Instant = 0
        """Nothing ends before."""

    def begin(self, node: str) -> None:
        """A node asks for work: without a lease it gets one."""
        if self._until.get(node, 0) < self._context.clock.now():
            self._renew(node)

    def renew(self, node: str) -> list[Claim]:
        """The node lives: its lease runs on; what it lost meanwhile."""
        self.sweep()
        self._renew(node)
        return self._lost.pop(node, [])

    def recover(self, node: str) -> int:
        """The node's old process is dead: its attempts end; how many are in doubt."""
        doubts = 0
        for running in self._context.claims.of_node(node):
            doubts += running.gated_at is not None and not running.is_lost
            self._abandon(running, self._context.clock.now() + self._linger(running))
        self._lost.pop(node, None)
        return doubts

    def sweep(self) -> None:
        """Ends what has run out."""
        now = self._context.clock.now()
        if now < self._look_at:
            return
        for running in self._context.claims:
            ends = self._ends_at(running)
            if ends > now:
                continue
            if running.gated_at is None:
                self._lost.setdefault(running.claim.node, []).append(running.claim)
                self._abandon(running, now + self._linger(running))
            else:
                self._abandon(running, now)
        self._look_at = self.wakes_at(None) or now + self._context.settings.lease

    def wakes_at(self, node: str | None) -> Instant | None:
        """When the next claim runs out; those of `node`, which is about to renew them, aside."""
        claims = self._context.claims
        return min((self._ends_at(running) for running in claims if running.claim.node != node), default=None)

    def _ends_at(self, running: Running) -> Instant:
        """The instant from which a claim is not its node's any more."""
        lease = self._until.get(running.claim.node, 0) + 1
        if running.gated_at is None:
            return lease
        final = self._context.routes.final_of(running.claim.mailbox)
        return max(lease, running.gated_at + final + self._linger(running))

    def _abandon(self, running: Running, at: Instant) -> None:
        self._settling.abandon(running, at=at, reason=LOST if running.gated_at is None else IN_DOUBT)

    def _linger(self, running: Running) -> int:
        return self._context.routes.linger_of(running.claim.mailbox)

    def _renew(self, node: str) -> None:
        until = self._context.clock.now() + self._context.settings.lease
        self._context.database.write(_SQL["set_lease"], (node, until))
        self._until[node] = until
