"""Leases on Redis: until when each node's claims are its own, and what becomes of them after.

Law: as on SQLite (relay/store/sqlite/leases.py); a lease is renewed by the scripts, and what ran out is judged here, at
the instant at which it did, by whichever node sees it first.
"""

import json
from dataclasses import replace

from relay.core.envelope import Claim
from relay.core.health import HealthEvent
from relay.core.limits import Instant
from relay.core.meaning import ReplyClass
from relay.core.symptoms import may_have_been_refused
from relay.core.words import MailboxId
from relay.store.engine.context import Context
from relay.store.engine.healths import Symptom, change_mailbox
from relay.store.engine.running import Running
from relay.store.engine.settling import Settling
from relay.store.engine.statements import load_statements
from relay.store.engine.trials import end_trials
from relay.store.redis.claims import RedisClaims
from relay.store.redis.keys import mailbox_of
from relay.store.redis.ledger import EVERYTHING
from relay.store.redis.opened import Opened
from relay.store.redis.rowkeys import LEASES, OWNERS, lost_key, owned_key, taken_key

_LIMITS = load_statements("limits")


class RedisLeases:
    """The leases of all nodes."""

    def __init__(self, context: Context, opened: Opened, claims: RedisClaims, settling: Settling, *, own: str) -> None:
        """`own`: the name of this node."""
        self._context = context
        self._opened = opened
        self._claims = claims
        self._settling = settling
        self._own = own
        self._just_lost: dict[str, dict[int, Claim]] = {}
        """What this operation has found to be lost, by node."""
        self._is_swept = False

    def forget(self) -> None:
        """Another operation begins."""
        self._just_lost.clear()
        self._is_swept = False

    def sweep(self) -> None:
        """Ends what has run out, at the instant at which it did; once for all that is judged together."""
        if self._is_swept:
            return
        self._is_swept = True
        now, until = self._context.clock.now(), self._until()
        for running in self._claims.some(lambda row: row["lapsed_at"] is not None or until.get(row["node"], 0) <= now):
            ends = until.get(running.claim.node, 0)
            if running.lapsed_at is None and ends <= now:
                self._lapse(running, ends)
            if running.lapsed_at is not None and (ends_at := self._ends_at(running)) <= now:
                self._settling.abandon(running, at=ends_at)
        for node, ends in until.items():
            if ends <= now and node != self._own:
                for mailbox in self._owned(node):
                    self._end_sessions(mailbox, now)

    def extend(self, node: str) -> None:
        """The node lives: its claims are its own for another while."""
        self._opened.ledger.act("attempts.extend", node, self._context.clock.now() + self._context.settings.lease)

    def is_held(self, node: str) -> bool:
        """Whether the lease of a node goes on: somebody has renewed it lately."""
        return self._until().get(node, 0) > self._context.clock.now()

    def lost(self, node: str) -> list[Claim]:
        """The claims that a node lost and has not settled."""
        known = sorted((int(name), told) for name, told in self._opened.ledger.asking.hscan(lost_key(node)))
        found = {attempt: self._lost_claim(attempt, told) for attempt, told in known} | self._just_lost.get(node, {})
        return [claim for claim in found.values() if claim is not None]

    def _lost_claim(self, attempt: int, told: bytes) -> Claim | None:
        """As it was handed out: its node looks for that one."""
        running = self._claims.get(attempt)
        if running is not None:
            return running.claim
        row = self._opened.ledger.named("attempts", attempt)
        claim = None if row is None else self._claims.ended(row)
        if claim is None:
            return None
        is_probe, tries, doubts = json.loads(told)
        return replace(claim, is_probe=is_probe, tries=tries, doubts=doubts)

    def settled(self, claim: Claim) -> None:
        """The node knows."""
        self._opened.ledger.act("attempts.known", lost_key(claim.node), claim.attempt)

    def recover(self, node: str) -> int:
        """The node's old process is dead: its attempts and sessions end; how many attempts are in doubt."""
        context, now, doubts = self._context, self._context.clock.now(), 0
        for running in self._claims.of_node(node):
            doubts += running.gated_at is not None and not running.is_lost
            self._settling.abandon(running, at=now + self._linger(running))
        self._opened.ledger.act("attempts.forget_lost", lost_key(node))
        self._opened.ledger.act("attempts.forget_lost", taken_key(node))
        end_trials(context, node)
        for mailbox in self._owned(node):
            self._end_sessions(mailbox, now)
        return doubts

    def _owned(self, node: str) -> list[MailboxId]:
        return [mailbox_of(member.decode()) for member in sorted(self._opened.ledger.asking.smembers(owned_key(node)))]

    def is_own(self, mailbox: MailboxId) -> bool:
        """Whether this node has the sessions of a mailbox; of one that lost its lease others have taken them away."""
        owner = self._opened.ledger.asking.hget(OWNERS, " ".join(mailbox))
        return owner is not None and owner.decode() == self._own

    def _end_sessions(self, mailbox: MailboxId, now: Instant) -> None:
        """Sessions of the dead process; its logins the provider may count until linger is over, and may have refused
        those of a password that nobody has seen work.
        """
        context, schedule = self._context, self._opened.schedule
        line = schedule.look(mailbox)
        sessions, opening = line.sessions, line.opening
        if sessions or opening:
            schedule.resume_sessions(mailbox, now, sessions=-sessions, opening=-opening)
        self._opened.ledger.act("owners.leave", " ".join(mailbox))
        if not opening:
            return
        is_suspect = may_have_been_refused(context.remembrance.health(mailbox))
        ends_at = now + context.routes.linger_of(mailbox)
        number = context.names.mailbox(mailbox)
        context.database.write(_LIMITS["end_logins_of"], (ends_at, is_suspect, number))
        schedule.end_logins(mailbox, ends_at, is_refusal=is_suspect)
        if is_suspect:
            pause = context.settings.health.second_refusal
            symptom = Symptom(HealthEvent.LOGIN_BUSY, ReplyClass.AUTH_TEMPORARY, retry_after=pause)
            change_mailbox(context, mailbox, symptom)

    def _until(self) -> dict[str, Instant]:
        found = self._opened.ledger.asking.zrange(LEASES, -EVERYTHING, EVERYTHING, most=EVERYTHING, reverse=False)
        return {member.decode(): int(until) for member, until in found}

    def _lapse(self, running: Running, until: Instant) -> None:
        claim = running.claim
        self._just_lost.setdefault(claim.node, {})[claim.attempt] = claim
        told = json.dumps([claim.is_probe, claim.tries, claim.doubts])
        self._opened.ledger.act("attempts.lost", lost_key(claim.node), claim.attempt, told)
        if running.gated_at is None:
            self._settling.abandon(running, at=until + self._linger(running))
        else:
            running.lapsed_at = until
            self._claims.lapse(running, until, ends_at=self._ends_at(running))

    def _ends_at(self, running: Running) -> Instant:
        """When the time for a reply is over that came after the gate."""
        assert running.lapsed_at is not None
        assert running.gated_at is not None
        final = self._context.routes.final_of(running.claim.mailbox)
        return max(running.lapsed_at, running.gated_at + final + self._linger(running))

    def _linger(self, running: Running) -> int:
        return self._context.routes.linger_of(running.claim.mailbox)
