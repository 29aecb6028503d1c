"""The schedule: which mailbox may send next, and which should log in.

Law: per provider the mailboxes that may send now share its totals by deficit round robin weighted by plan; inside an
account express goes before bulk; and no step looks at more than the mailboxes with an idle session, so that a backlog
of any length costs nothing while it waits. It counts what is ready and never holds the queue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

from relay.core.ledger import MailboxLedger, TotalLedger
from relay.core.limits import Instant, Limit, RollingWindow
from relay.core.words import AccountId, Lane, MailboxId


@dataclass(frozen=True, slots=True)
class MailboxTerms:
    """What binds a mailbox: its own limits, weight in the rotation, sessions at once, logins."""

    limits: tuple[Limit, ...] = ()
    weight: int = 1
    connections: int = 1
    login_limit: Limit = Limit(10, 600_000_000)
    express_share: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """What binds all mailboxes of a provider together."""

    total_limits: tuple[Limit, ...] = ()
    total_connections: int = 20
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a mailbox or provider may be used: freely, or only by one probe from `probe_at` on, or not at all."""

    is_stopped: bool = False
    probe_at: Instant | None = None
    is_proven: bool = True
    slow: int = 1

    def opens_at(self, now: Instant) -> Instant | None:
        """The earliest instant of use; None: not before something changes."""
        return now if not self.is_stopped else self.probe_at


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt that still counts: `ended_at` None while it runs."""

    mailbox: MailboxId
    started_at: Instant
    ended_at: Instant | None
    many: int = 1


class Memory(Protocol):
    """Where the schedule learns of a mailbox or provider that it meets for the first time, or again after a rest."""

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms: ...
    def provider_terms(self, provider: str) -> ProviderTerms: ...
    def mailbox_standing(self, mailbox: MailboxId) -> Standing: ...
    def provider_standing(self, provider: str) -> Standing: ...
    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]: ...
    def provider_past(self, provider: str) -> Iterable[PastAttempt]: ...
    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]: ...
    def civil_offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """The next delivery that may be sent: the oldest ready one of this lane of this account."""

    mailbox: MailboxId
    account: AccountId
    lane: Lane


@dataclass(slots=True)
class _Line:
    """One mailbox in the schedule."""

    mailbox: MailboxId
    terms: MailboxTerms
    ledger: MailboxLedger
    logins: RollingWindow
    standing: Standing
    provider: "_Provider"
    ready: dict[AccountId, list[int]] = field(default_factory=dict)
    waiting: int = 0
    sessions: int = 0
    opening: int = 0
    turn: int | None = None
    credit: int = 0
    alarm: Instant | None = None


@dataclass(slots=True)
class _Provider:
    """One provider in the schedule, with the mailboxes that want a session in the order of their turns."""

    name: str
    terms: ProviderTerms
    totals: TotalLedger
    standing: Standing
    sessions: int = 0
    wanting: list[tuple[int, MailboxId]] = field(default_factory=list)


_LANES = (Lane.EXPRESS, Lane.BULK)


class Schedule:
    """Decides, and remembers what it decided; every instant is an argument."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lines: dict[MailboxId, _Line] = {}
        self._providers: dict[str, _Provider] = {}
        self._turns = count()
        self._alarms: list[tuple[Instant, MailboxId]] = []

    # what waits

    def add_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        """Deliveries of this account became ready to send."""
        line = self._line(mailbox)
        counts = line.ready.setdefault(account, [0, 0])
        counts[lane is Lane.BULK] += many
        line.waiting += many
        self._refresh(line, now)

    def remove_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        """Deliveries that were ready are not any more: held, cancelled, expired or moved."""
        line = self._line(mailbox)
        self._count_off(line, account, lane, many)
        self._refresh(line, now)

    def ready_of(self, mailbox: MailboxId, account: AccountId) -> tuple[int, int]:
        """How many are ready: express, bulk."""
        line = self._lines.get(mailbox)
        express, bulk = line.ready.get(account, (0, 0)) if line is not None else (0, 0)
        return express, bulk

    # what may go

    def grant(self, now: Instant, idle: Mapping[MailboxId, int], most: int) -> list[Grant]:
        """At most `most` grants and `idle[m]` per mailbox, in order, with slots of all limits taken."""
        self._ring_alarms(now)
        left = {mailbox: many for mailbox, many in idle.items() if many > 0}
        turns = [(line.turn, m) for m in left if (line := self._lines.get(m)) is not None and line.turn is not None]
        heapify(turns)
        grants: list[Grant] = []
        while turns and len(grants) < most:
            _, mailbox = heappop(turns)
            line = self._lines[mailbox]
            grant = self._next_of(line, now)
            if grant is None:
                continue
            grants.append(grant)
            left[mailbox] -= 1
            self._pass_turn(line, now)
            if left[mailbox] and line.turn is not None:
                heappush(turns, (line.turn, mailbox))
        return grants

    def _next_of(self, line: _Line, now: Instant) -> Grant | None:
        if not line.provider.totals.has_room(line.mailbox, now):
            return None
        choice = self._choose(line, now)
        if choice is None:
            self._refresh(line, now)
            return None
        account, lane = choice
        line.ledger.start(now)
        line.provider.totals.start(line.mailbox, now)
        self._count_off(line, account, lane, 1)
        if account in line.ready:
            line.ready[account] = line.ready.pop(account)
        return Grant(line.mailbox, account, lane)

    def _choose(self, line: _Line, now: Instant) -> tuple[AccountId, Lane] | None:
        """The account whose turn it is inside the mailbox, and express before bulk inside the account."""
        if not self._may_use(line, now) or not line.ledger.has_room(now):
            return None
        has_bulk_room = not line.terms.express_share or line.ledger.has_room(now, line.terms.express_share)
        for account, (express, bulk) in line.ready.items():
            if express:
                return account, Lane.EXPRESS
            if bulk and has_bulk_room:
                return account, Lane.BULK
        return None

    def _may_use(self, line: _Line, now: Instant) -> bool:
        """Health: freely, or one probe at a time once its hour has come."""
        standing = line.standing
        if not standing.is_stopped:
            return True
        return standing.probe_at is not None and now >= standing.probe_at and line.ledger.in_flight == 0

    def _pass_turn(self, line: _Line, now: Instant) -> None:
        """After a grant: a mailbox keeps its place until its weight is spent, then goes to the tail."""
        line.credit -= 1
        if line.credit <= 0:
            line.turn, line.credit = next(self._turns), line.terms.weight
        self._refresh(line, now)

    # who should log in

    def open_sessions(self, now: Instant, most: int) -> dict[MailboxId, int]:
        """Mailboxes next in order that want a session; the sessions and logins named are reserved at once."""
        self._ring_alarms(now)
        opened: dict[MailboxId, int] = {}
        for provider in self._providers.values():
            kept: list[tuple[int, MailboxId]] = []
            while provider.wanting and most > 0 and self._may_connect(provider, now):
                _, mailbox = heappop(provider.wanting)
                line = self._lines.get(mailbox)
                if line is None or line.turn is None or not self._wants_session(line, now):
                    continue
                if line.provider is not provider or not line.logins.has_room(now):
                    self._set_alarm(line, line.logins.opens_at(now))
                    continue
                self._reserve_session(line, now)
                opened[mailbox] = opened.get(mailbox, 0) + 1
                most -= 1
                heappush(provider.wanting, (line.turn, mailbox))
            for entry in kept:
                heappush(provider.wanting, entry)
        return opened

    def _may_connect(self, provider: _Provider, now: Instant) -> bool:
        if provider.sessions >= provider.terms.total_connections:
            return False
        standing = provider.standing
        if not standing.is_stopped:
            return True
        return standing.probe_at is not None and now >= standing.probe_at and not self._is_probing(provider)

    def _is_probing(self, provider: _Provider) -> bool:
        return any(line.opening for line in self._lines.values() if line.provider is provider)

    def _wants_session(self, line: _Line, now: Instant) -> bool:
        """Fewer sessions than the mailbox may have and could use at once; one until a login has worked."""
        allowed = line.terms.connections
        if not line.standing.is_proven or line.standing.is_stopped:
            allowed = 1
        return line.sessions < min(allowed, line.ledger.in_flight + line.waiting) and line.sessions < (
            line.ledger.in_flight + line.ledger.room(now)
        )

    def _reserve_session(self, line: _Line, now: Instant) -> None:
        line.sessions += 1
        line.opening += 1
        line.provider.sessions += 1
        line.logins.start(now)
