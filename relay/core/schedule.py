"""The schedule: which mailbox may send next, and which should log in.

Law: per provider the mailboxes that may send now share its totals by deficit round robin weighted by plan; inside an
account express goes before bulk; and no step looks at more than the mailboxes with an idle session, so that a backlog
of any length costs nothing while it waits. It counts what is ready and never holds the queue.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from relay.core.kinship import Kinship
from relay.core.limits import Instant
from relay.core.recounting import recount_mailbox, recount_provider, set_civil_offset, set_kinship
from relay.core.rotation import Line, ProviderLine
from relay.core.round import Round
from relay.core.sessions import close_sessions, open_sessions, reserve_session
from relay.core.terms import Grant, Memory, Standing
from relay.core.words import AccountId, Lane, MailboxId


class Schedule:
    """Decides, and remembers what it decided; every instant is an argument."""

    def __init__(self, memory: Memory, *, round_: Round | None = None) -> None:
        """`round_`: what is known already."""
        self._memory = memory
        self._round = Round(memory) if round_ is None else round_
        self._lines, self._providers = self._round.lines, self._round.providers

    # what waits

    def add_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        """Deliveries of this account became ready to send."""
        line = self.look(mailbox)
        line.count(account, lane, many)
        self._round.refresh(line, now)

    def remove_ready(self, mailbox: MailboxId, account: AccountId, lane: Lane, now: Instant, many: int = 1) -> None:
        """Deliveries that were ready are not any more: held, cancelled, expired or moved."""
        line = self.look(mailbox)
        line.count(account, lane, -many)
        self._round.refresh(line, now)

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
        self._round.ring_alarms(now)
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

    def start_trial(self, mailbox: MailboxId, now: Instant) -> None:
        """An attempt of no delivery takes its slots; `end` ends it like any other."""
        line = self.look(mailbox)
        self._round.start(line, now)
        self._round.refresh(line, now)

    def _next_of(self, line: Line, now: Instant) -> Grant | None:
        if not line.provider.totals.has_room(line.mailbox, now):
            return None
        choice = line.choose(now)
        if choice is None:
            self._round.refresh(line, now)
            return None
        account, lane = choice
        self._round.start(line, now)
        line.count(account, lane, -1)
        if account in line.ready:
            line.ready[account] = line.ready.pop(account)
        return Grant(line.mailbox, account, lane, is_probe=line.standing.is_stopped)

    def _pass_turn(self, line: Line, now: Instant) -> None:
        """After a grant: a mailbox keeps its place until its weight is spent, then goes to the tail."""
        line.credit -= 1
        if line.credit <= 0:
            self._round.send_to_tail(line)
        self._round.refresh(line, now)

    def end(self, mailbox: MailboxId, started: Instant, at: Instant | None, now: Instant) -> None:
        """An attempt ended at `at` (perhaps later than now, by linger); None: MAIL was not written, slots return."""
        self._round.end(self.look(mailbox), started, at, now)

    # who should log in

    def open_sessions(
        self, now: Instant, most: int, *, left: Collection[MailboxId] = frozenset()
    ) -> dict[MailboxId, int]:
        """Mailboxes next in order that want a session, but for those `left` to others; what is named is reserved."""
        return open_sessions(self._round, now, most, left=left)

    def close_sessions(self, now: Instant, idle: Mapping[MailboxId, int]) -> dict[MailboxId, int]:
        """Idle sessions to give up where others, earlier in order, find no place under the provider's ceiling.

        `idle` are the sessions that this take left idle: out of room, or not next in order under a closed total.
        """
        return close_sessions(self._round, now, idle)

    def reserve_session(self, mailbox: MailboxId, now: Instant) -> None:
        """A session that somebody wants by hand: it and its login count from now on, whoever is next in order."""
        line = self.look(mailbox)
        reserve_session(self._round, line, now)
        self._round.refresh(line, now)

    def session_opened(self, mailbox: MailboxId, now: Instant) -> None:
        """A reserved session is open: the login worked, and the credential is proven."""
        line = self.look(mailbox)
        line.provider.begin(line, -1)
        line.provider.witnesses.let_in(mailbox, is_acquitted=not line.provider.standing.is_one_by_one)
        self._round.end_login(line, now, now, is_refusal=False)
        self._round.refresh(line, now)

    def session_refused(
        self,
        mailbox: MailboxId,
        now: Instant,
        *,
        is_login_sent: bool,
        ends_at: Instant | None = None,
        is_refusal: bool = False,
    ) -> None:
        """A reserved session could not be opened; a login that was never sent is not counted.

        `ends_at`: until then the provider may still count it, because its answer never came; `is_refusal`: it counts
        among the refused ones.
        """
        line = self.look(mailbox)
        line.provider.begin(line, -1)
        at = (now if ends_at is None else ends_at) if is_login_sent else None
        self._round.end_login(line, now, at, is_refusal=is_refusal)
        self.session_closed(mailbox, now)

    def crowded(self, mailbox: MailboxId, until: Instant, now: Instant, *, is_provider: bool) -> None:
        """The provider has enough sessions of this mailbox, or of all of them: those that are open have to do."""
        line = self.look(mailbox)
        if is_provider:
            line.provider.crowded_until = max(until, line.provider.crowded_until)
        else:
            line.crowded_until = max(until, line.crowded_until)
        self._round.refresh(line, now)

    def session_closed(self, mailbox: MailboxId, now: Instant) -> None:
        """A session is gone."""
        line = self.look(mailbox)
        line.sessions -= 1
        line.provider.sessions -= 1
        self._round.refresh(line, now)

    def resume_sessions(self, mailbox: MailboxId, now: Instant, *, sessions: int, opening: int) -> None:
        """After the memory was loaded again under a living node: its sessions, `opening` of them not open yet."""
        line = self.look(mailbox)
        line.sessions += sessions
        line.provider.sessions += sessions
        line.provider.begin(line, opening)
        self._round.refresh(line, now)

    def has_logged_in(self, mailbox: MailboxId, now: Instant) -> bool:
        """Whether logins of a mailbox that is in memory count against its budgets."""
        line = self.look(mailbox) if self._round.kinship.has_kin(mailbox.provider) else self._lines.get(mailbox)
        return line is not None and line.is_spent(now)

    def accuse(self, provider: str, mailboxes: Iterable[MailboxId]) -> None:
        """These met what stops their provider: others probe before them, and they in turns."""
        self.host(provider).witnesses.accuse(mailboxes)

    def blame_drops(self, provider: str, mailboxes: Sequence[MailboxId]) -> None:
        """These lost mails after the dot, so many of them that it stops their provider."""
        self.host(provider).witnesses.drop(mailboxes)

    def clear(self, mailbox: MailboxId, now: Instant) -> None:
        """Its mail went through: whatever stopped its provider is not its own."""
        if self.host(mailbox.provider).witnesses.deliver(mailbox):
            self._round.refresh(self.look(mailbox), now)

    # health and terms

    def set_standing(self, mailbox: MailboxId, standing: Standing, now: Instant) -> None:
        """A mailbox's health changed."""
        line = self.look(mailbox)
        line.standing = standing
        line.ledger.set_slow(standing.slow)
        self._round.refresh(line, now)

    def set_provider_standing(self, provider: str, standing: Standing) -> None:
        """A provider's host fails, or works again."""
        self.host(provider).standing = standing

    def set_civil_offset(self, offset: int, now: Instant) -> None:
        """Takes over a corrected civil clock (civil minus relay time, microseconds) for calendar days."""
        set_civil_offset(self._round, offset, now)

    def set_kinship(self, kinship: Kinship, now: Instant) -> None:
        """Which mailboxes are one, under several names: their slots are counted again."""
        set_kinship(self._round, kinship, now)

    def reload(self, mailbox: MailboxId, now: Instant) -> None:
        """The mailbox's terms changed: its slots are counted again under the new limits, what is ready stays."""
        recount_mailbox(self._round, mailbox, now)

    def reload_all(self, mailboxes: Collection[MailboxId], now: Instant) -> None:
        """As `reload`, of each of them."""
        for mailbox in mailboxes:
            self.reload(mailbox, now)

    def reload_provider(self, name: str, now: Instant) -> None:
        """The provider's terms changed: its totals are counted again under the new limits."""
        recount_provider(self._round, name)

    # when to look again

    def wake_at(self, now: Instant, idle: Mapping[MailboxId, int]) -> Instant | None:
        """The earliest instant at which more could be granted or opened if nothing else happens."""
        alarm = self._round.next_alarm()
        instants = [] if alarm is None else [alarm]
        for mailbox, many in idle.items():
            line = self._lines.get(mailbox)
            if many > 0 and line is not None and line.turn is not None:
                instants += filter(None, [line.provider.totals.opens_at(mailbox, now)])
        for provider in self._providers.values():
            probe_at = provider.standing.probe_at
            is_wanted = bool(provider.wanting or provider.doubtful)
            if is_wanted and provider.standing.is_stopped and probe_at is not None and probe_at > now:
                instants.append(probe_at)
            if is_wanted and provider.crowded_until > now:
                instants.append(provider.crowded_until)
        return min(instants, default=None)

    def rest(self, now: Instant) -> None:
        """Lets go of what needs not be in memory."""
        for mailbox in [mailbox for mailbox, line in self._lines.items() if line.is_at_rest(now)]:
            del self._lines[mailbox]
        for provider in self._providers.values():
            provider.totals.forget_idle(now)

    # for others to read

    def look(self, mailbox: MailboxId) -> Line:
        """A mailbox as it stands; to be read and not changed."""
        return self._round.look(mailbox)

    def host(self, name: str) -> ProviderLine:
        """A provider as it stands; to be read and not changed."""
        return self._round.host(name)

    def lines(self) -> list[Line]:
        """All mailboxes that are in memory, to be read and not changed."""
        return list(self._lines.values())

    def preview(self, lines: Iterable[Line]) -> "Schedule":
        """A copy with these mailboxes alone, to run ahead with: what is decided in it has no effect here."""
        return Schedule(self._memory, round_=self._round.copy(lines))
