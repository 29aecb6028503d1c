"""One mailbox and one provider as the schedule sees them: what is ready, whose turn it is, how many sessions there are.

Law: a line holds counts and slots, never deliveries; what it may do follows from its terms, standing and ledger alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from relay.core.ledger import MailboxLedger, TotalLedger
from relay.core.limits import SECOND, Instant, RollingWindow
from relay.core.terms import MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.witnesses import Witnesses
from relay.core.words import AccountId, Lane, MailboxId

CROWDED: int = 45 * SECOND
"""After `too many connections`: until one more session is tried. It is not a failure, and nothing is probed."""


LAST: int = 1 << 61
"""Behind every turn that there will be."""


@dataclass(slots=True)
class ProviderLine:
    """One provider, with the mailboxes that want a session in the order of their turns."""

    name: str
    terms: ProviderTerms
    totals: TotalLedger
    standing: Standing
    sessions: int = 0
    opening: int = 0
    wanting: list[tuple[int, MailboxId]] = field(default_factory=list)
    doubtful: list[tuple[int, MailboxId]] = field(default_factory=list)
    """As `wanting`, of those whose login may hang or fail: they have half of the places at most, and who is only new
    comes before who met trouble.
    """
    under_way: dict[MailboxId, "Line"] = field(default_factory=dict)
    """The mailboxes that log in just now."""
    crowded_until: Instant = 0
    """Until then it has told us that there are too many sessions."""
    busy: dict[MailboxId, "Line"] = field(default_factory=dict)
    """The mailboxes with something ready to send."""
    witnesses: Witnesses = field(default_factory=Witnesses)

    def copy(self, mailboxes: Iterable[MailboxId]) -> "ProviderLine":
        """Another one with these mailboxes alone, in which no session is wanted yet."""
        return replace(self, totals=self.totals.copy(mailboxes), wanting=[], doubtful=[], under_way={}, busy={})

    def may_connect(self, now: Instant) -> bool:
        """Under its ceiling, and freely or, while the host fails, by one probe at a time."""
        if self.sessions >= self.terms.total_connections or now < self.crowded_until:
            return False
        opens_at = self.standing.opens_at(now)
        if opens_at is None or opens_at > now:
            return False
        busy = self.sessions if self.standing.is_one_by_one else self.opening
        return not self.standing.is_stopped or busy == 0

    # what may hang leaves room for others

    def begin(self, line: "Line", many: int = 1) -> None:
        """A mailbox opens so many sessions; negative: it has, or has given up."""
        self.opening += many
        line.opening += many
        if line.opening:
            self.under_way[line.mailbox] = line
        else:
            self.under_way.pop(line.mailbox, None)

    def may_doubt(self) -> bool:
        """Whether one more login may begin that perhaps hangs: half of the places stay for others."""
        doubtful = sum(line.opening for line in self.under_way.values() if line.is_doubtful)
        return doubtful < max(1, self.terms.total_connections // 2)

    def many_wanting(self) -> int:
        """How many want a session that they might get."""
        return len(self.wanting) + (len(self.doubtful) if self.may_doubt() else 0)

    def probe_rank(self, line: "Line") -> tuple[int, int, int]:
        """Whose probe comes first: of who met nothing, then in turns; of who was let in before.

        Whose lines break while those of others hold shows nothing.
        """
        accused_at, is_new = self.witnesses.accused.get(line.mailbox, 0), int(not line.standing.is_proven)
        is_ill = int(self.witnesses.breaks_alone(line.mailbox))
        return (is_new, is_ill, accused_at) if self.standing.is_for_proven else (is_ill, accused_at, is_new)


@dataclass(slots=True)
class Line:
    """One mailbox: `turn` is its place in the provider's rotation, None while it is not in it."""

    mailbox: MailboxId
    provider: ProviderLine
    terms: MailboxTerms
    standing: Standing
    ledger: MailboxLedger
    logins: RollingWindow
    refusals: RollingWindow
    """Logins that were refused; one under way may be."""
    ready: dict[AccountId, list[int]] = field(default_factory=dict)
    express: int = 0
    bulk: int = 0
    sessions: int = 0
    opening: int = 0
    turn: int | None = None
    credit: int = 0
    alarm: Instant | None = None
    is_in_wanting: bool = False
    is_among_doubtful: bool = False
    stands_at: int = 0
    """Where it stands while it wants a session."""
    crowded_until: Instant = 0
    """Until then its provider has told us that it has too many sessions."""

    def copy(self, provider: ProviderLine) -> "Line":
        """Another one at this copy of its provider."""
        ready = {account: counts.copy() for account, counts in self.ready.items()}
        ledger, logins, refusals = self.ledger.copy(), self.logins.copy(), self.refusals.copy()
        return replace(
            self, provider=provider, ledger=ledger, logins=logins, refusals=refusals, ready=ready, is_in_wanting=False
        )

    def count(self, account: AccountId, lane: Lane, many: int) -> None:
        """Adds to (or, negative, takes from) what is ready of an account."""
        counts = self.ready.setdefault(account, [0, 0])
        counts[lane is Lane.BULK] += many
        if lane is Lane.BULK:
            self.bulk += many
        else:
            self.express += many
        if counts == [0, 0]:
            del self.ready[account]
        if self.ready:
            self.provider.busy[self.mailbox] = self
        else:
            self.provider.busy.pop(self.mailbox, None)

    @property
    def is_doubtful(self) -> bool:
        """Whether its next login may well hang or fail: it never worked, or met trouble the last time."""
        return self.standing.is_careful or self.mailbox in self.provider.witnesses.accused

    @property
    def is_troubled(self) -> bool:
        """Whether it met trouble the last time: whoever did not, and is doubtful because he is new, goes before it."""
        standing = self.standing
        return standing.is_stopped or standing.logs_in_at > 0 or self.mailbox in self.provider.witnesses.accused

    @property
    def place(self) -> int:
        """Its place among those that want a session; it has to have a turn."""
        assert self.turn is not None
        return self.turn + LAST if self.is_troubled else self.turn

    def may_use(self, now: Instant) -> bool:
        """Freely, or one probe at a time once its hour has come."""
        if not self.standing.is_stopped:
            return True
        probe_at = self.standing.probe_at
        return probe_at is not None and now >= probe_at and self.ledger.in_flight == 0

    def has_room(self, now: Instant) -> bool:
        """Whether its own limits let some ready delivery go."""
        if self.express and self.ledger.has_room(now):
            return True
        return bool(self.bulk) and self.ledger.has_room(now, self.terms.express_share)

    def may_send(self, now: Instant) -> bool:
        """Whether it belongs into the rotation: something is ready, its health and its own limits let it go."""
        return self.may_use(now) and self.has_room(now)

    def sends_at(self, now: Instant) -> Instant | None:
        """The earliest instant at which `may_send` can become true if nothing else happens."""
        usable = self.standing.opens_at(now)
        if usable is None or (self.standing.is_stopped and self.ledger.in_flight):
            return None
        has_room_at = self._has_room_at(now)
        return None if has_room_at is None else max(has_room_at, usable)

    def _has_room_at(self, now: Instant) -> Instant | None:
        """When `has_room` can become true; None: nothing is ready, or it cannot before an attempt ends."""
        openings = [self.ledger.opens_at(now)] if self.express else []
        if self.bulk:
            openings.append(self.ledger.opens_at(now, self.terms.express_share))
        return min((opening for opening in openings if opening is not None), default=None)

    def tries_at(self, probe_at: Instant, now: Instant) -> Instant:
        """When a probe that may go at `probe_at` really goes: its mail needs room in its own limits, and without a
        session a login, which has budgets of its own. What nobody can foresee is not waited for.
        """
        waits = [now, probe_at, self._has_room_at(now) or now]
        if not self.sessions:
            waits += [self.provider.crowded_until, self.logs_in_at(now) or now]
        return max(waits)

    def choose(self, now: Instant) -> tuple[AccountId, Lane] | None:
        """The account whose turn it is inside the mailbox; express before bulk inside the account."""
        if not self.may_use(now) or not self.ledger.has_room(now):
            return None
        has_bulk_room = not self.terms.express_share or self.ledger.has_room(now, self.terms.express_share)
        for account, (express, bulk) in self.ready.items():
            if express:
                return account, Lane.EXPRESS
            if bulk and has_bulk_room:
                return account, Lane.BULK
        return None

    def wants_session(self, now: Instant) -> bool:
        """Fewer sessions than it may have and could use at once. One at a time until a login has worked, and while none
        is open: a password that was changed is refused once, not once for each session.
        """
        if self.opening and self.opening == self.sessions:
            return False
        allowed = 1 if self.standing.is_careful else self.terms.connections
        if self.sessions >= allowed:
            return False
        useful = min(self.express + self.bulk, self.ledger.room(now))
        return self.sessions < self.ledger.in_flight - self.ledger.elsewhere + useful

    def may_log_in(self, now: Instant) -> bool:
        """Within its budget; beside another session only with logins to spare, for when that one ends."""
        if now < max(self.crowded_until, self.standing.logs_in_at):
            return False
        if self.is_free_to_try:
            return True
        if not self.refusals.has_room(now):
            return False
        return has_logins_to_spare(self.logins, now) if self.sessions else self.logins.has_room(now)

    def logs_in_at(self, now: Instant) -> Instant | None:
        """The earliest instant at which it may, if nothing else happens."""
        shut_until = max(self.crowded_until, self.standing.logs_in_at)
        if self.is_free_to_try:
            return max(now, shut_until)
        opens_at = _spares_at(self.logins, now) if self.sessions else self.logins.opens_at(now)
        refusals_at = self.refusals.opens_at(now)
        return None if opens_at is None or refusals_at is None else max(opens_at, refusals_at, shut_until)

    @property
    def is_free_to_try(self) -> bool:
        """Whether its next login is outside every budget: the credential is new, and nothing of it is under way."""
        return self.standing.is_fresh and not self.sessions

    def is_kept_out(self, now: Instant) -> bool:
        """Whether nobody may log in as it now, if it had no session."""
        if now < max(self.crowded_until, self.standing.logs_in_at):
            return True
        return not self.is_free_to_try and not (self.logins.has_room(now) and self.refusals.has_room(now))

    def is_spent(self, now: Instant) -> bool:
        """Whether some of its login budgets is used up."""
        return not (self.logins.is_idle(now) and self.refusals.is_idle(now))

    def is_at_rest(self, now: Instant) -> bool:
        """Whether nothing of it needs to be in memory."""
        busy = self.express or self.bulk or self.sessions or self.ledger.in_flight or now < self.crowded_until
        return not busy and self.ledger.is_idle(now) and not self.is_spent(now)


def has_logins_to_spare(logins: RollingWindow, now: Instant) -> bool:
    """Whether more than half of the budget is left."""
    return 2 * logins.room(now) > logins.count


def _spares_at(logins: RollingWindow, now: Instant) -> Instant | None:
    """The earliest instant with more than half of the budget left, if no login follows."""
    surplus = logins.used(now) + logins.count // 2 + 1 - logins.count
    for opening, many in [(now, 0), *logins.openings(now)]:
        surplus -= many
        if surplus <= 0:
            return opening
    return None


def take_in(ledger: MailboxLedger | RollingWindow, past: PastAttempt) -> None:
    """Counts an attempt of the past, running or ended."""
    if past.ended_at is not None:
        ledger.remember(past.started_at, past.ended_at, past.many)
        return
    for _ in range(past.many):
        ledger.start(past.started_at)
