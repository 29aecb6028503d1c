"""Leases: until when a node's claims are its own, and what becomes of them after.

Law: a claim that did not pass the gate goes back to the queue when its lease ends; one that did is handed out again
only after gate + final timeout + linger, in doubt; after the node's own restart, after linger alone.
"""

from relay.core.envelope import Claim
from relay.core.health import HealthEvent
from relay.core.limits import Instant
from relay.core.meaning import ReplyClass
from relay.core.symptoms import may_have_been_refused
from relay.store.engine.healths import Symptom, change_mailbox
from relay.store.engine.running import Running
from relay.store.engine.settling import Settling
from relay.store.engine.statements import load_statements
from relay.store.engine.trials import end_trials
from relay.store.sqlite.parts import Parts

_SQL = load_statements("queue")
_LIMITS = load_statements("limits")

WRITTEN_PART: int = 3
"""A lease is written again when a third of it has passed: after a crash it may seem to end that much too early."""


class Leases:
    """The leases of all nodes."""

    def __init__(self, parts: Parts, settling: Settling) -> None:
        context = parts.context
        self._context = context
        self._parts = parts
        self._settling = settling
        self._until: dict[str, Instant] = dict(context.database.read(_SQL["get_nodes"]))
        self._written = dict(self._until)
        self._lost: dict[str, dict[int, Claim]] = {}
        self._look_at: Instant = 0
        """Nothing ends before: neither what is under way, nor what is begun after the last look."""

    def extend(self, node: str) -> None:
        """The node lives: its claims are its own for another while."""
        until = self._context.clock.now() + self._context.settings.lease
        self._until[node] = until
        if until - self._written.get(node, 0) >= self._context.settings.lease // WRITTEN_PART:
            self._context.database.write(_SQL["set_lease"], (node, until))
            self._written[node] = until

    def lost(self, node: str) -> list[Claim]:
        """The claims that a node lost and has not settled."""
        return list(self._lost.get(node, {}).values())

    def settled(self, claim: Claim) -> None:
        """The node knows."""
        lost = self._lost.get(claim.node)
        if lost is not None:
            lost.pop(claim.attempt, None)

    def recover(self, node: str) -> int:
        """The node's old process is dead: its attempts and sessions end; how many attempts are in doubt."""
        context, now, doubts = self._context, self._context.clock.now(), 0
        for running in self._parts.claims.of_node(node):
            doubts += running.gated_at is not None and not running.is_lost
            self._settling.abandon(running, at=now + self._linger(running))
        self._lost.pop(node, None)
        end_trials(context, node)
        for mailbox, (sessions, opening) in self._parts.book:
            self._parts.schedule.resume_sessions(mailbox, now, sessions=-sessions, opening=-opening)
            context.book.change(mailbox, -sessions, -opening)
        self._end_logins(now)
        return doubts

    def _end_logins(self, now: Instant) -> None:
        """Logins of the dead process: the provider may count them until linger is over, and may have refused those of a
        password that nobody has seen work: a crash loop shows a wrong one no more often than a relay that lives.
        """
        context = self._context
        for (number,) in context.database.read(_LIMITS["mailboxes_logging_in"]):
            mailbox = context.names.mailbox_name(number)
            is_suspect = may_have_been_refused(context.remembrance.health(mailbox))
            ends_at = now + context.routes.linger_of(mailbox)
            context.database.write(_LIMITS["end_logins_of"], (ends_at, is_suspect, number))
            context.schedule.reload(mailbox, now)
            if is_suspect:
                pause = context.settings.health.second_refusal
                symptom = Symptom(HealthEvent.LOGIN_BUSY, ReplyClass.AUTH_TEMPORARY, retry_after=pause)
                change_mailbox(context, mailbox, symptom)

    def sweep(self) -> None:
        """Ends what has run out, at the instant at which it did."""
        now = self._context.clock.now()
        if now < self._look_at:
            return
        for running in self._context.claims:
            if running.lapsed_at is None and (until := self._until.get(running.claim.node, 0)) <= now:
                self._lapse(running, until)
            if running.lapsed_at is not None and (ends := self._ends_at(running)) <= now:
                self._settling.abandon(running, at=ends)
        ends_at = [self._ends_at(running) for running in self._context.claims]
        self._look_at = min([*ends_at, now + self._context.settings.lease])

    def _lapse(self, running: Running, until: Instant) -> None:
        self._lost.setdefault(running.claim.node, {})[running.claim.attempt] = running.claim
        if running.gated_at is None:
            self._settling.abandon(running, at=until + self._linger(running))
        else:
            self._parts.claims.lapse(running, until)

    def wakes_at(self, node: str) -> Instant | None:
        """When the next claim runs out; those that `node` is about to renew aside."""
        ends_at = [
            self._ends_at(running)
            for running in self._context.claims
            if running.claim.node != node or running.lapsed_at is not None
        ]
        return min(ends_at, default=None)

    def _ends_at(self, running: Running) -> Instant:
        """The instant at which a claim runs out: its lease first, then, past the gate, the time for a reply."""
        if running.lapsed_at is None or running.gated_at is None:
            return self._until.get(running.claim.node, 0)
        final = self._context.routes.final_of(running.claim.mailbox)
        return max(running.lapsed_at, running.gated_at + final + self._linger(running))

    def _linger(self, running: Running) -> int:
        return self._context.routes.linger_of(running.claim.mailbox)
