"""The schedule: which mailbox may send next, and which should log in.

Law: per provider the mailboxes that may send now share its totals by deficit round robin weighted by plan; inside an
account express goes before bulk; and no step looks at more than the mailboxes with an idle session, so that a backlog
of any length costs nothing while it waits. It counts what is ready and never holds the queue.
"""

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import count

from relay.core.limits import Instant
from relay.core.loading import load_ledger, load_line, load_logins, load_provider, load_totals
from relay.core.rotation import Line, ProviderLine
from relay.core.terms import Grant, Memory, Standing
from relay.core.words import AccountId, Lane, MailboxId

_FAR: int = 1 << 62
"""The turn of a mailbox that is not in the rotation: after all others."""


class Schedule:
    """Decides, and remembers what it decided; every instant is an argument."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lines: dict[MailboxId, Line] = {}
        self._providers: dict[str, ProviderLine] = {}
        self._turns = count()
        self._alarms: list[tuple[Instant, MailboxId]] = []

    # what waits

    def add_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        """Deliveries of this account became ready to send."""
        line = self.look(mailbox)
        line.count(account, lane, many)
        self._refresh(line, now)

    def remove_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        """Deliveries that were ready are not any more: held, cancelled, expired or moved."""
        line = self.look(mailbox)
        line.count(account, lane, -many)
        self._refresh(line, now)

    def move_account(self, account: AccountId, origin: MailboxId, target: MailboxId | None, now: Instant) -> None:
        """What is ready of an account follows it to another mailbox, or leaves the schedule."""
        for lane, many in zip(Lane, self.ready_of(origin, account), strict=True):
            if many:
                self.remove_ready(origin, account, lane, now, many)
                if target is not None:
                    self.add_ready(target, account, lane, now, many)

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

    def _next_of(self, line: Line, now: Instant) -> Grant | None:
        if not line.provider.totals.has_room(line.mailbox, now):
            return None
        choice = line.choose(now)
        if choice is None:
            self._refresh(line, now)
            return None
        account, lane = choice
        line.ledger.start(now)
        line.provider.totals.start(line.mailbox, now)
        line.count(account, lane, -1)
        if account in line.ready:
            line.ready[account] = line.ready.pop(account)
        return Grant(line.mailbox, account, lane, is_probe=line.standing.is_stopped)

    def _pass_turn(self, line: Line, now: Instant) -> None:
        """After a grant: a mailbox keeps its place until its weight is spent, then goes to the tail."""
        line.credit -= 1
        if line.credit <= 0:
            line.turn, line.credit = next(self._turns), line.terms.weight
        self._refresh(line, now)

    def end(self, mailbox: MailboxId, started: Instant, at: Instant | None, now: Instant) -> None:
        """An attempt ended at `at` (perhaps later than now, by linger); None: MAIL was not written, slots return."""
        line = self.look(mailbox)
        if at is None:
            line.ledger.give_back(started)
            line.provider.totals.give_back(mailbox, started)
        else:
            line.ledger.end(started, at)
            line.provider.totals.end(mailbox, started, at)
        self._refresh(line, now)

    # who should log in

    def open_sessions(self, now: Instant, most: int) -> dict[MailboxId, int]:
        """Mailboxes next in order that want a session; the sessions and logins named are reserved at once."""
        self._ring_alarms(now)
        opened: dict[MailboxId, int] = {}
        for provider in self._providers.values():
            while most > 0 and provider.may_connect(now):
                line = self._next_wanting(provider, now)
                if line is None:
                    break
                self._reserve(line, now)
                opened[line.mailbox] = opened.get(line.mailbox, 0) + 1
                most -= 1
        return opened

    def _next_wanting(self, provider: ProviderLine, now: Instant) -> Line | None:
        """The first in order that wants a session and has login budget; the others leave the list until they do."""
        while provider.wanting:
            turn, mailbox = heappop(provider.wanting)
            line = self._lines.get(mailbox)
            if line is None or not line.is_in_wanting:
                continue
            line.is_in_wanting = False
            if line.turn is None or not line.wants_session(now):
                continue
            if turn != line.turn:
                self._push_wanting(line)
            elif not line.may_log_in(now):
                self._set_alarm(line, line.logs_in_at(now))
            else:
                return line
        return None

    def _reserve(self, line: Line, now: Instant) -> None:
        line.sessions += 1
        line.opening += 1
        line.provider.sessions += 1
        line.provider.opening += 1
        line.logins.start(now)
        if line.wants_session(now):
            self._push_wanting(line)

    def close_sessions(self, now: Instant, idle: Mapping[MailboxId, int]) -> dict[MailboxId, int]:
        """Idle sessions to give up where others, earlier in order, find no place under the provider's ceiling.

        `idle` are the sessions that this take left idle: out of room, or not next in order under a closed total.
        """
        closed: dict[MailboxId, int] = {}
        spare = {mailbox: many for mailbox, many in idle.items() if many > 0}
        for name in sorted({mailbox.provider for mailbox in spare}):
            provider = self._providers.get(name)
            if provider is not None and provider.sessions >= provider.terms.total_connections:
                closed |= self._give_up(provider, {m: many for m, many in spare.items() if m.provider == name}, now)
        return closed

    def _give_up(self, provider: ProviderLine, idle: Mapping[MailboxId, int], now: Instant) -> dict[MailboxId, int]:
        """The sessions whose next turn is farthest away, as many as are wanted."""
        head = self._next_wanting(provider, now)
        if head is None or head.turn is None:
            return {}
        self._push_wanting(head)
        wanted, closed = len(provider.wanting), {}
        turns = [
            (_FAR if line.turn is None else line.turn, m) for m in idle if (line := self._lines.get(m)) is not None
        ]
        for turn, mailbox in sorted(turns, reverse=True):
            many = min(idle[mailbox], wanted)
            if turn < head.turn or many < 1:
                break
            closed[mailbox] = many
            wanted -= many
        return closed

    def session_opened(self, mailbox: MailboxId, now: Instant) -> None:
        """A reserved session is open: the login worked, and the credential is proven."""
        line = self.look(mailbox)
        self._opening_over(line)
        line.logins.end(now, now)
        self._refresh(line, now)

    def session_refused(
        self, mailbox: MailboxId, now: Instant, *, is_login_sent: bool, ends_at: Instant | None = None
    ) -> None:
        """A reserved session could not be opened; a login that was never sent is not counted.

        `ends_at`: until then the provider may still count it, because its answer never came.
        """
        line = self.look(mailbox)
        self._opening_over(line)
        if is_login_sent:
            line.logins.end(now, now if ends_at is None else ends_at)
        else:
            line.logins.give_back(now)
        self.session_closed(mailbox, now)

    def crowded(self, mailbox: MailboxId, until: Instant, now: Instant, *, is_provider: bool) -> None:
        """The provider has enough sessions of this mailbox, or of all of them: those that are open have to do."""
        line = self.look(mailbox)
        if is_provider:
            line.provider.crowded_until = max(until, line.provider.crowded_until)
        else:
            line.crowded_until = max(until, line.crowded_until)
        self._refresh(line, now)

    def session_closed(self, mailbox: MailboxId, now: Instant) -> None:
        """A session is gone."""
        line = self.look(mailbox)
        line.sessions -= 1
        line.provider.sessions -= 1
        self._refresh(line, now)

    def resume_sessions(self, mailbox: MailboxId, now: Instant, *, sessions: int, opening: int) -> None:
        """After the memory was loaded again under a living node: its sessions, `opening` of them not open yet."""
        line = self.look(mailbox)
        line.sessions += sessions
        line.opening += opening
        line.provider.sessions += sessions
        line.provider.opening += opening
        self._refresh(line, now)

    def _opening_over(self, line: Line) -> None:
        line.opening -= 1
        line.provider.opening -= 1

    # health and terms

    def set_standing(self, mailbox: MailboxId, standing: Standing, now: Instant) -> None:
        """A mailbox's health changed."""
        line = self.look(mailbox)
        line.standing = standing
        line.ledger.set_slow(standing.slow)
        self._refresh(line, now)

    def set_provider_standing(self, provider: str, standing: Standing) -> None:
        """A provider's host fails, or works again."""
        self.host(provider).standing = standing

    def set_civil_offset(self, offset: int, now: Instant) -> None:
        """Takes over a corrected civil clock (civil minus relay time, microseconds) for calendar days."""
        for line in self._lines.values():
            line.ledger.set_offset(offset)
        for provider in self._providers.values():
            provider.totals.set_offset(offset)
        for line in self._lines.values():
            self._refresh(line, now)

    def reload(self, mailbox: MailboxId, now: Instant) -> None:
        """The mailbox's terms changed: its slots are counted again under the new limits, what is ready stays."""
        line = self._lines.get(mailbox)
        if line is None:
            return
        line.terms = self._memory.mailbox_terms(mailbox)
        line.standing = self._memory.mailbox_standing(mailbox)
        line.ledger = load_ledger(self._memory, mailbox, line.provider)
        line.ledger.set_slow(line.standing.slow)
        line.logins = load_logins(self._memory, mailbox)
        line.turn, line.is_in_wanting = None, False
        self._refresh(line, now)

    def reload_provider(self, name: str, now: Instant) -> None:
        """The provider's terms changed: its totals are counted again under the new limits."""
        provider = self._providers.get(name)
        if provider is None:
            return
        provider.terms = self._memory.provider_terms(name)
        provider.standing = self._memory.provider_standing(name)
        provider.totals = load_totals(self._memory, name, provider.terms)

    # when to look again

    def wake_at(self, now: Instant, idle: Mapping[MailboxId, int]) -> Instant | None:
        """The earliest instant at which more could be granted or opened if nothing else happens."""
        while self._alarms and self._is_stale(self._alarms[0]):
            heappop(self._alarms)
        instants = [self._alarms[0][0]] if self._alarms else []
        for mailbox, many in idle.items():
            line = self._lines.get(mailbox)
            if many > 0 and line is not None and line.turn is not None:
                instants += filter(None, [line.provider.totals.opens_at(mailbox, now)])
        for provider in self._providers.values():
            probe_at = provider.standing.probe_at
            if provider.wanting and provider.standing.is_stopped and probe_at is not None and probe_at > now:
                instants.append(probe_at)
            if provider.wanting and provider.crowded_until > now:
                instants.append(provider.crowded_until)
        return min(instants, default=None)

    def rest(self, now: Instant) -> None:
        """Lets go of what needs not be in memory."""
        for mailbox in [mailbox for mailbox, line in self._lines.items() if line.is_at_rest(now)]:
            del self._lines[mailbox]
        for provider in self._providers.values():
            provider.totals.forget_idle(now)

    def _is_stale(self, alarm: tuple[Instant, MailboxId]) -> bool:
        line = self._lines.get(alarm[1])
        return line is None or line.alarm != alarm[0]

    def _ring_alarms(self, now: Instant) -> None:
        while self._alarms and (self._alarms[0][0] <= now or self._is_stale(self._alarms[0])):
            alarm = heappop(self._alarms)
            line = self._lines.get(alarm[1])
            if line is not None and line.alarm == alarm[0]:
                line.alarm = None
                self._refresh(line, now)

    def _set_alarm(self, line: Line, at: Instant | None) -> None:
        if at is not None and at != line.alarm:
            heappush(self._alarms, (at, line.mailbox))
        line.alarm = at

    def _refresh(self, line: Line, now: Instant) -> None:
        """Puts a mailbox into the rotation (newcomers at the tail) or takes it out, as what it may do has changed."""
        if not (line.express or line.bulk):
            line.turn = line.alarm = None
        elif not line.may_send(now):
            line.turn = None
            at = line.sends_at(now)
            self._set_alarm(line, None if at is None else max(at, now + 1))
        else:
            if line.turn is None:
                line.turn, line.credit = next(self._turns), line.terms.weight
            line.alarm = None
            if not line.is_in_wanting and line.wants_session(now):
                self._push_wanting(line)

    def _push_wanting(self, line: Line) -> None:
        if line.turn is not None:
            line.is_in_wanting = True
            heappush(line.provider.wanting, (line.turn, line.mailbox))

    def lines(self) -> list[Line]:
        """All mailboxes that are in memory, to be read and not changed."""
        return list(self._lines.values())

    def preview(self, lines: Iterable[Line]) -> "Schedule":
        """A copy with these mailboxes alone, to run ahead with: what is decided in it has no effect here."""
        ahead, chosen = Schedule(self._memory), {line.mailbox: line for line in lines}
        for line in chosen.values():
            provider = ahead._providers.get(line.provider.name) or line.provider.copy(chosen)
            ahead._providers[provider.name] = provider
            copied = ahead._lines[line.mailbox] = line.copy(provider)
            if copied.alarm is not None:
                heappush(ahead._alarms, (copied.alarm, copied.mailbox))
        ahead._turns = count(1 + max((line.turn or 0 for line in chosen.values()), default=0))
        return ahead

    # what is met for the first time

    def look(self, mailbox: MailboxId) -> Line:
        """A mailbox as it stands; for others to be read and not changed."""
        line = self._lines.get(mailbox)
        if line is None:
            line = self._lines[mailbox] = load_line(self._memory, mailbox, self.host(mailbox.provider))
        return line

    def host(self, name: str) -> ProviderLine:
        """A provider as it stands; for others to be read and not changed."""
        provider = self._providers.get(name)
        if provider is None:
            provider = self._providers[name] = load_provider(self._memory, name)
        return provider
