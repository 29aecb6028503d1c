"""Taking: the schedule's grants become claims, its wish for sessions becomes logins under way.

Law: what is handed out is recorded with it: an attempt holds its slots, a login its place, before anybody acts on it.
"""

from collections.abc import Collection, Mapping

from relay.core.envelope import Claim, Taken
from relay.core.lifecycle import State
from relay.core.limits import Instant
from relay.core.terms import Grant
from relay.core.words import MailboxId
from relay.errors import CorruptValue, StoreUnavailable
from relay.store.engine.moves import CORRUPT, Moves
from relay.store.engine.probing import probe_of
from relay.store.engine.running import Running, claim_of
from relay.store.engine.statements import load_statements
from relay.store.engine.timers import Timers
from relay.store.sqlite.leases import Leases
from relay.store.sqlite.parts import Parts

_LIMITS = load_statements("limits")


class Taking:
    """Hands out work."""

    def __init__(self, parts: Parts, moves: Moves, leases: Leases, timers: Timers, *, next_attempt: int) -> None:
        self._context = parts.context
        self._parts = parts
        self._moves = moves
        self._leases = leases
        self._timers = timers
        parts.claims.number_from(next_attempt)

    def take(
        self, node: str, idle: Mapping[MailboxId, int], most: int, left_to_others: Collection[MailboxId] = frozenset()
    ) -> Taken:
        """What may be sent now, who should log in, and when to ask again."""
        context = self._context
        self._leases.sweep()
        self._leases.extend(node)
        self._timers.ring()
        now = context.clock.now()
        left = dict(idle)
        claims = []
        for grant in self._parts.schedule.grant(now, idle, most):
            claim = self._claim(grant, node, now)
            if claim is not None:
                left[grant.mailbox] -= 1
                claims.append(claim)
        opened = self._parts.schedule.open_sessions(now, most - len(claims), left=left_to_others)
        for mailbox, many in opened.items():
            context.database.write_many(_LIMITS["begin_login"], [(context.names.mailbox(mailbox), now)] * many)
            context.book.change(mailbox, many, many)
        closed = self._parts.schedule.close_sessions(now, left)
        has_all = 0 < most == len(claims) + sum(opened.values())
        wake_at = now if has_all else self._wake_at(node, left, now)
        knock = frozenset(m for m in opened if context.schedule.host(m.provider).standing.is_barred)
        return Taken(tuple(claims), opened, closed, wake_at, context.changes, knock)

    def _claim(self, grant: Grant, node: str, now: Instant) -> Claim | None:
        """None: its envelope does not open; it is held, and its slots are given back."""
        context = self._context
        account = context.names.account(grant.account)
        entry = self._parts.heads.pop(account, grant.lane)
        if entry is None:
            raise StoreUnavailable("the count of what is ready is wrong; it is counted again")
        if grant.is_probe:
            entry = probe_of(context, grant.mailbox, entry)
        attempt = context.claims.next_number()
        try:
            claim = claim_of(entry, context.seals, attempt, grant.mailbox, node, is_probe=grant.is_probe)
        except CorruptValue:
            self._parts.schedule.end(grant.mailbox, now, None, now)
            self._moves.hold(entry, State.WAITING, reason=CORRUPT, reply=None)
            return None
        self._parts.claims.begin(Running(claim, entry, context.names.mailbox(grant.mailbox), now))
        return claim

    def _wake_at(self, node: str, left: Mapping[MailboxId, int], now: Instant) -> Instant | None:
        instants = (
            self._parts.schedule.wake_at(now, left),
            self._timers.wakes_at(now),
            self._leases.wakes_at(node),
        )
        return min((instant for instant in instants if instant is not None), default=None)
