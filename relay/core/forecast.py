"""The forecast: when a delivery that waits will leave, if nothing new happens.

Law: it is the schedule itself, run ahead on a copy; so it is exact where attempts last as long as it was told, logins
and probes work and nothing is added. Beyond its bound it goes on at the pace of the narrowest limit, and says so.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

from relay.core.limits import SECOND, Instant
from relay.core.rotation import Line
from relay.core.schedule import Schedule
from relay.core.terms import Standing
from relay.core.words import AccountId, Lane, MailboxId

FORECAST_STEPS: int = 2_000
"""How many attempts are run ahead at most: some tens of milliseconds, and more mail than a doctor has waiting."""

COMPANY: int = 32
"""Mailboxes that are run ahead together where they share a total; in larger company each is told its fair share."""

ATTEMPT: int = SECOND
"""How long an attempt lasts where nothing is known: with an attachment and a provider that scans it."""


class Rotation(Protocol):
    """What is looked ahead from: the schedule, or what another node can see of it."""

    def look(self, mailbox: MailboxId) -> Line: ...
    def preview(self, lines: Iterable[Line]) -> Schedule: ...


@dataclass(frozen=True, slots=True)
class Place:
    """The `position`-th delivery (the next is 1) of a lane of an account."""

    mailbox: MailboxId
    account: AccountId
    lane: Lane
    position: int = 1


def forecast(schedule: Rotation, place: Place, *, now: Instant, latency: int = ATTEMPT) -> Instant | None:
    """When it will be taken, with attempts of `latency` microseconds; None: not before somebody acts."""
    return Outlook(schedule, place.mailbox, now=now, latency=latency).leaves_at(
        place.account, place.lane, place.position
    )


class Outlook:
    """A mailbox run ahead: exactly for `steps` attempts, and from there at its pace."""

    def __init__(
        self,
        schedule: Rotation,
        mailbox: MailboxId,
        *,
        now: Instant,
        latency: int = ATTEMPT,
        steps: int = FORECAST_STEPS,
        newcomer: tuple[AccountId, Lane] | None = None,
    ) -> None:
        """With a `newcomer`, as if one more of this account had come in just now."""
        line = schedule.look(mailbox)
        company = _company(line)
        self._line = line
        self._began = now
        self._latency = latency
        self._crowd = len(line.provider.busy) if company is None else 1
        self._ahead = schedule.preview(company or [line])
        if newcomer is not None:
            self._ahead.add_ready(mailbox, *newcomer, now, 1)
        self._lines = {each.mailbox: each for each in self._ahead.lines()}
        self._totals = self._ahead.host(mailbox.provider).totals.whole
        self._now = now
        self._steps = self._steps_left = steps
        self._busy: Counter[MailboxId] = Counter()
        self._running: list[tuple[Instant, int, MailboxId, Instant]] = []
        self._logins = {each.mailbox: _connects_at(each, now) for each in self._lines.values()}
        self._left: dict[tuple[AccountId, Lane], list[Instant]] = {}
        self._is_over = False
        for each in self._lines.values():
            for _ in range(each.ledger.in_flight):
                self._begin(each.mailbox)
        own = sum(each.ledger.in_flight for each in self._lines.values())
        self._strangers = max(0, self._totals.in_flight - own)
        """Attempts of others under the same totals; they end as ours do."""

    def leaves_at(self, account: AccountId, lane: Lane, position: int) -> Instant | None:
        """When the `position`-th of a lane of an account is taken; None: not before somebody acts."""
        left = self._left.setdefault((account, lane), [])
        while len(left) < position and not self._is_over and self._steps_left > 0:
            self._step()
        if len(left) >= position:
            return max(left[position - 1], self._began + (position - 1) * self._share())
        return None if self._is_over else self._beyond(account, position - len(left))

    def drained_at(self, account: AccountId) -> Instant | None:
        """When the last that is ready now of an account is taken; None: nothing is, or not before somebody acts."""
        many = self._line.ready.get(account, (0, 0))
        instants = [self.leaves_at(account, lane, n) for lane, n in zip(Lane, many, strict=True) if n]
        known = [instant for instant in instants if instant is not None]
        return max(known) if known and len(known) == len(instants) else None

    @property
    def spent(self) -> int:
        """Steps that were run ahead so far."""
        return self._steps - self._steps_left

    def _beyond(self, account: AccountId, more: int) -> Instant:
        """What has room goes at once, the rest at the pace of the narrowest limit.

        The accounts of a mailbox take turns, and so do the mailboxes of a total.
        """
        line, latency = self._lines[self._line.mailbox], self._latency
        sharing = sum(1 for other in line.ready if other != account) + 1
        many = min(more * sharing, max(more, line.express + line.bulk))
        waits = [many * latency // max(1, line.terms.connections), many * self._share()]
        for limit, window in zip(line.terms.limits, line.ledger.windows, strict=True):
            late = max(0, many - window.room(self._now))
            waits.append(late * (_width(limit.width) + latency) // window.ceiling())
        return self._now + max(waits)

    def _share(self) -> int:
        """The pace that the totals leave to each of a crowd; 0: whoever shares them is run ahead as well."""
        if self._crowd == 1:
            return 0
        totals = self._line.provider.terms.total_limits
        return max((_width(limit.width) + self._latency) * self._crowd // limit.count for limit in totals)

    def _step(self) -> None:
        """Takes what may be taken now, and goes to the next instant at which something happens."""
        self._steps_left -= 1
        idle = {mailbox: self._sessions(line) - self._busy[mailbox] for mailbox, line in self._lines.items()}
        for grant in self._ahead.grant(self._now, idle, max(1, self._steps_left)):
            self._steps_left -= 1
            idle[grant.mailbox] -= 1
            self._begin(grant.mailbox)
            self._left.setdefault((grant.account, grant.lane), []).append(self._now)
        instants = [at for at in self._logins.values() if at is not None and at > self._now]
        instants += [at for at in (self._ahead.wake_at(self._now, idle),) if at is not None]
        instants += [self._running[0][0]] if self._running else []
        instants += [self._began + self._latency] if self._strangers else []
        if not instants:
            self._is_over = True
            return
        self._now = max(self._now, min(instants))
        if self._strangers and self._now >= self._began + self._latency:
            for _ in range(self._strangers):
                self._totals.end(self._began, self._now)
            self._strangers = 0
        while self._running and self._running[0][0] <= self._now:
            self._end()

    def _begin(self, mailbox: MailboxId) -> None:
        self._busy[mailbox] += 1
        heappush(self._running, (self._now + self._latency, len(self._running), mailbox, self._now))

    def _end(self) -> None:
        """An attempt ends, and what was in doubt about its mailbox with it."""
        _, _, mailbox, started = heappop(self._running)
        self._busy[mailbox] -= 1
        self._ahead.end(mailbox, started, self._now, self._now)
        standing = self._lines[mailbox].standing
        if standing.is_careful or standing.is_fresh:
            self._ahead.set_standing(mailbox, Standing(slow=standing.slow), self._now)

    def _sessions(self, line: Line) -> int:
        """How many sessions a mailbox can have at this instant."""
        connects_at = self._logins[line.mailbox]
        if connects_at is None or connects_at > self._now:
            return line.sessions - line.opening
        return 1 if line.standing.is_careful else line.terms.connections


def _company(line: Line) -> list[Line] | None:
    """Whoever shares a total with this mailbox, itself among them; None: too many to be run ahead."""
    if not line.provider.terms.total_limits:
        return [line]
    if len(line.provider.busy) > COMPANY:
        return None
    return [line, *(each for each in line.provider.busy.values() if each is not line)]


def _connects_at(line: Line, now: Instant) -> Instant | None:
    """When a login may be tried next: by the mailbox's budget, its provider's host, and who has enough sessions; None:
    not foreseeable.
    """
    instants = [line.provider.standing.opens_at(now)]
    if not line.is_free_to_try:
        instants += [line.logins.opens_at(now), line.refusals.opens_at(now)]
    known = [instant for instant in instants if instant is not None]
    if len(known) < len(instants):
        return None
    return max(*known, line.standing.logs_in_at, line.crowded_until, line.provider.crowded_until)


def _width(width: int) -> int:
    """A calendar day is a day."""
    return width or 24 * 60 * 60 * SECOND
