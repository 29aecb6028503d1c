"""The schedule by definition: who is in the rotation, who is next, who wants a session, when more can happen.

Law: this shares no code with the schedule; whoever may send is in the rotation, found out by asking everybody again.
Where the order is not promised (who came first while nobody looked, which provider first) mailboxes stand together in
one group, and a hint, the choice of the adapter under test, is followed if it lies within it.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.words import AccountId, Lane, MailboxId
from tests.contract.counting import NOTHING, Rule, Run, leaves_room

T = TypeVar("T", bound=Hashable)
Ready = dict[AccountId, tuple[int, int]]
"""Per account: express, bulk."""


class Facts(Protocol):
    """What is asked for everything, each time anew."""

    def mailboxes(self) -> list[MailboxId]: ...
    def ready(self, mailbox: MailboxId, at: int) -> Ready: ...
    def terms(self, mailbox: MailboxId) -> MailboxTerms: ...
    def provider_terms(self, provider: str) -> ProviderTerms: ...
    def standing(self, mailbox: MailboxId) -> Standing: ...
    def provider_standing(self, provider: str) -> Standing: ...
    def runs(self, provider: str) -> list[Run]:
        """What counts in its totals."""

    def own_runs(self, mailbox: MailboxId) -> list[Run]:
        """What counts in its own limits, through whichever entry it was sent."""

    def logins(self, mailbox: MailboxId) -> list[Run]: ...
    def refusals(self, mailbox: MailboxId) -> list[Run]:
        """Logins that were refused, and those under way."""

    def sessions(self, mailbox: MailboxId) -> int: ...
    def opening(self, mailbox: MailboxId) -> int: ...
    def crowded_until(self, whom: MailboxId | str) -> int:
        """Until when a mailbox, or a provider by its name, has enough sessions."""

    def accused_at(self, mailbox: MailboxId) -> int:
        """When it met last what stopped its provider, if it has not worked since; 0: it has not."""

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        """Whether its lines break again while mails of others go through."""

    def offset(self) -> int: ...
    def timers(self) -> set[int]: ...


@dataclass(frozen=True)
class Choice:
    """What goes next."""

    mailbox: MailboxId
    account: AccountId
    lane: Lane
    is_probe: bool


@dataclass
class Queue:
    """Groups in order; inside a group nobody is before the others."""

    groups: list[set[Hashable]] = field(default_factory=list)

    def members(self) -> set[Hashable]:
        return set().union(*self.groups)

    def drop(self, member: Hashable) -> None:
        self.groups = [rest for group in self.groups if (rest := group - {member})]

    def enter(self, members: set[Hashable]) -> None:
        if members:
            self.groups.append(set(members))

    def first(self, candidates: set[T]) -> set[T]:
        """Those candidates of whom none is before another."""
        for group in self.groups:
            found = {candidate for candidate in candidates if candidate in group}
            if found:
                return found
        return set()

    def put_first(self, member: Hashable, candidates: set[T]) -> None:
        """A member was next: it stands before the others of its group, if all of them could have been."""
        for index, group in enumerate(self.groups):
            if member in group and len(group) > 1 and group <= candidates:
                self.groups[index : index + 1] = [{member}, group - {member}]
                return


class Order:
    """Who is next."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.turns: dict[str, Queue] = {}
        self.accounts: dict[MailboxId, Queue] = {}
        self.credit: dict[MailboxId, int] = {}
        self.left: frozenset[MailboxId] = frozenset()
        """Whom the node that asks leaves to others."""

    # what may go

    def own_rules(self, mailbox: MailboxId) -> list[Rule]:
        zone, slow = self.facts.provider_terms(mailbox.provider).zone, self.facts.standing(mailbox).slow
        return [Rule(limit, slow, zone, self.facts.offset()) for limit in self.facts.terms(mailbox).limits]

    def own_runs(self, mailbox: MailboxId) -> list[Run]:
        return self.facts.own_runs(mailbox)

    def total_rules(self, provider: str) -> list[Rule]:
        terms = self.facts.provider_terms(provider)
        return [Rule(limit, 1, terms.zone, self.facts.offset()) for limit in terms.total_limits]

    def in_flight(self, mailbox: MailboxId) -> int:
        return sum(run.ended is None for run in self.own_runs(mailbox))

    def in_flight_here(self, mailbox: MailboxId) -> int:
        """Of them those that its own sessions carry."""
        return sum(run.ended is None for run in self.own_runs(mailbox) if run.mailbox == mailbox)

    def own_room(self, mailbox: MailboxId, at: int, *, is_bulk: bool = False) -> int:
        runs, share = self.own_runs(mailbox), self.facts.terms(mailbox).express_share if is_bulk else NOTHING
        return min((rule.room(runs, at, share) for rule in self.own_rules(mailbox)), default=1 << 30)

    def total_room(self, mailbox: MailboxId, at: int) -> bool:
        runs = self.facts.runs(mailbox.provider)
        return all(leaves_room(rule, runs, mailbox, at) for rule in self.total_rules(mailbox.provider))

    def may_use(self, mailbox: MailboxId, at: int) -> bool:
        standing = self.facts.standing(mailbox)
        is_due = standing.probe_at is not None and at >= standing.probe_at
        return not standing.is_stopped or (is_due and self.in_flight(mailbox) == 0)

    def lanes(self, mailbox: MailboxId, account: AccountId, at: int) -> list[Lane]:
        """The lanes of an account out of which something may go, the first one first."""
        express, bulk = self.facts.ready(mailbox, at).get(account, (0, 0))
        lanes = [Lane.EXPRESS] if express and self.own_room(mailbox, at) else []
        return [*lanes, Lane.BULK] if bulk and self.own_room(mailbox, at, is_bulk=True) else lanes

    def may_send(self, mailbox: MailboxId, at: int) -> bool:
        accounts = self.facts.ready(mailbox, at)
        return self.may_use(mailbox, at) and any(self.lanes(mailbox, account, at) for account in accounts)

    # the rotation

    def refresh(self, now: int) -> None:
        """Whoever may send is in the rotation, newcomers at the tail; whoever may not is not."""
        self.let_go(now)
        entering: dict[str, set[Hashable]] = {}
        for mailbox in self.facts.mailboxes():
            if mailbox not in self.turns[mailbox.provider].members() and self.may_send(mailbox, now):
                entering.setdefault(mailbox.provider, set()).add(mailbox)
                self.credit[mailbox] = self.facts.terms(mailbox).weight
        for provider, members in entering.items():
            self.turns[provider].enter(members)

    def let_go(self, now: int) -> None:
        """Whoever may not send leaves the rotation; who came to may send in the meantime is found by the next take."""
        for mailbox in self.facts.mailboxes():
            self._refresh_accounts(mailbox, now)
            queue = self.turns.setdefault(mailbox.provider, Queue())
            if not self.may_send(mailbox, now):
                queue.drop(mailbox)

    def _refresh_accounts(self, mailbox: MailboxId, now: int) -> None:
        queue, ready = self.accounts.setdefault(mailbox, Queue()), self.facts.ready(mailbox, now)
        waiting: set[Hashable] = {account for account, lanes in ready.items() if any(lanes)}
        for gone in queue.members() - waiting:
            queue.drop(gone)
        queue.enter(waiting - queue.members())

    def forget(self) -> None:
        """The order begins anew, as it may after a restart."""
        self.turns, self.accounts, self.credit = {}, {}, {}

    def send_to_tail(self, mailbox: MailboxId) -> None:
        """A mailbox begins anew, as after an edit of its terms."""
        self.turns.setdefault(mailbox.provider, Queue()).drop(mailbox)

    def grant(
        self,
        now: int,
        idle: Mapping[MailboxId, int],
        most: int,
        *,
        claim: Callable[[Choice], None],
        hints: Sequence[tuple[MailboxId, AccountId]] = (),
    ) -> list[Choice]:
        """At most `most` choices; `claim` is told of each and has to make the facts show it."""
        left, choices = dict(idle), list[Choice]()
        self.refresh(now)
        while len(choices) < most:
            hint = hints[len(choices)] if len(choices) < len(hints) else None
            choice = self._next(now, left, hint)
            if choice is None:
                break
            choices.append(choice)
            left[choice.mailbox] -= 1
            claim(choice)
            self._pass_turn(choice, now)
        return choices

    def _next(self, now: int, left: Mapping[MailboxId, int], hint: tuple[MailboxId, AccountId] | None) -> Choice | None:
        first: set[MailboxId] = set()
        for queue in self.turns.values():
            candidates = {m for m in left if m in queue.members() and left[m] > 0 and self.total_room(m, now)}
            first |= queue.first(candidates)
        if not first:
            return None
        mailbox = hint[0] if hint is not None and hint[0] in first else min(first)
        self.turns[mailbox.provider].put_first(mailbox, first)
        able = {account for account in self.facts.ready(mailbox, now) if self.lanes(mailbox, account, now)}
        accounts = self.accounts[mailbox].first(able)
        account = hint[1] if hint is not None and hint[1] in accounts else min(accounts)
        lane = self.lanes(mailbox, account, now)[0]
        return Choice(mailbox, account, lane, self.facts.standing(mailbox).is_stopped)

    def _pass_turn(self, choice: Choice, now: int) -> None:
        mailbox = choice.mailbox
        self.accounts[mailbox].drop(choice.account)
        self.credit[mailbox] -= 1
        if self.credit[mailbox] == 0:
            self.turns[mailbox.provider].drop(mailbox)
        self.refresh(now)

    # sessions

    def wants_session(self, mailbox: MailboxId, at: int) -> bool:
        """Whether one more session could be used and is allowed to it."""
        if not self.may_send(mailbox, at):
            return False
        standing = self.facts.standing(mailbox)
        is_first = 0 < self.facts.opening(mailbox) == self.facts.sessions(mailbox)
        is_careful = is_first or standing.is_stopped or not standing.is_proven or standing.logs_in_at
        allowed = 1 if is_careful else self.facts.terms(mailbox).connections
        waiting = sum(map(sum, self.facts.ready(mailbox, at).values()))
        useful = self.in_flight_here(mailbox) + min(waiting, self.own_room(mailbox, at))
        return self.facts.sessions(mailbox) < min(allowed, useful) and self.may_log_in(mailbox, at)

    def may_log_in(self, mailbox: MailboxId, at: int) -> bool:
        """Beside another session only while more than half of the login budget is left; with a new secret always."""
        standing = self.facts.standing(mailbox)
        if at < max(self.facts.crowded_until(mailbox), standing.logs_in_at):
            return False
        if standing.is_fresh and not self.facts.sessions(mailbox):
            return True
        if not self.may_be_refused(mailbox, at):
            return False
        limit = self.facts.terms(mailbox).login_limit
        room = Rule(limit).room(self.facts.logins(mailbox), at)
        return room * 2 > limit.count if self.facts.sessions(mailbox) else room > 0

    def may_be_refused(self, mailbox: MailboxId, at: int) -> bool:
        """Whether one refused login more would be within what a mailbox may have of them."""
        return Rule(self.facts.terms(mailbox).refused_logins).room(self.facts.refusals(mailbox), at) > 0

    def needs_session(self, mailbox: MailboxId, at: int) -> bool:
        """Whether it wants one and has none to spare; when it gets more than that is the schedule's affair."""
        return self.wants_session(mailbox, at) and self.facts.sessions(mailbox) <= self.in_flight_here(mailbox)

    def may_connect(self, provider: str, at: int) -> bool:
        """Whether the provider's host may be called."""
        mine = [mailbox for mailbox in self.facts.mailboxes() if mailbox.provider == provider]
        if sum(map(self.facts.sessions, mine)) >= self.facts.provider_terms(provider).total_connections:
            return False
        if at < self.facts.crowded_until(provider):
            return False
        standing = self.facts.provider_standing(provider)
        if not standing.is_stopped:
            return True
        busy = self.facts.sessions if standing.is_one_by_one else self.facts.opening
        return standing.probe_at is not None and at >= standing.probe_at and not any(map(busy, mine))

    def is_doubtful(self, mailbox: MailboxId) -> bool:
        """Whether its login may well hang or fail."""
        return self.is_troubled(mailbox) or not self.facts.standing(mailbox).is_proven

    def is_troubled(self, mailbox: MailboxId) -> bool:
        """Whether it met trouble the last time."""
        standing = self.facts.standing(mailbox)
        return standing.is_stopped or standing.logs_in_at > 0 or self.facts.accused_at(mailbox) > 0

    def may_begin(self, mailbox: MailboxId) -> bool:
        """Logins that may well hang have half of a provider's places at most, and one at least."""
        provider = mailbox.provider
        doubtful = [m for m in self.facts.mailboxes() if m.provider == provider and self.is_doubtful(m)]
        most = max(1, self.facts.provider_terms(provider).total_connections // 2)
        return not self.is_doubtful(mailbox) or sum(map(self.facts.opening, doubtful)) < most

    def open(
        self,
        now: int,
        most: int,
        *,
        reserve: Callable[[MailboxId], None],
        hints: Mapping[MailboxId, int] | None = None,
    ) -> dict[MailboxId, int]:
        """Sessions to open, at most `most`; `reserve` is told of each and has to make the facts show it."""
        opened: dict[MailboxId, int] = {}
        while sum(opened.values()) < most:
            everybody = set(self.facts.mailboxes())
            welcome = everybody if hints is None else {m for m in hints if hints[m] > opened.get(m, 0)}
            first = self._next_to_connect(now, welcome)
            if not first:
                break
            mailbox = min(first & welcome or first)
            opened[mailbox] = opened.get(mailbox, 0) + 1
            reserve(mailbox)
        return opened

    def _next_to_connect(self, now: int, welcome: set[MailboxId]) -> set[MailboxId]:
        """Who is next of those that need a session, or want one and are welcome to it, and are not left to others."""
        first: set[MailboxId] = set()
        for provider, queue in self.turns.items():
            if self.may_connect(provider, now):
                needing = {m for m in self.facts.mailboxes() if self.needs_session(m, now)}
                wanting = needing | {m for m in welcome if self.wants_session(m, now)}
                wanting = {m for m in wanting if m.provider == provider and m not in self.left and self.may_begin(m)}
                if not self.facts.provider_standing(provider).is_stopped:
                    wanting = self._new_before_troubled(wanting)
                first |= queue.first(self._showing_most(provider, wanting))
        return first

    def _new_before_troubled(self, wanting: set[MailboxId]) -> set[MailboxId]:
        """Of those whose login may hang, whoever is only new, where there is one."""
        doubtful = {m for m in wanting if self.is_doubtful(m)}
        troubled = {m for m in doubtful if self.is_troubled(m)}
        return wanting - troubled if doubtful - troubled else wanting

    def _showing_most(self, provider: str, wanting: set[MailboxId]) -> set[MailboxId]:
        """Of those that might probe a provider that is stopped, whose probe shows most; of any other, all."""
        standing, mine = self.facts.provider_standing(provider), {m for m in wanting if m.provider == provider}
        if not standing.is_stopped or not mine:
            return mine

        def rank(mailbox: MailboxId) -> tuple[int, int, int]:
            accused_at, is_new = self.facts.accused_at(mailbox), int(not self.facts.standing(mailbox).is_proven)
            is_ill = int(self.facts.breaks_alone(mailbox))
            return (is_new, is_ill, accused_at) if standing.is_for_proven else (is_ill, accused_at, is_new)

        best = min(map(rank, mine))
        return {mailbox for mailbox in mine if rank(mailbox) == best}

    # when more can happen

    def could(self, at: int, idle: Mapping[MailboxId, int]) -> bool:
        """Whether a take at this instant would give anything."""
        for mailbox in self.facts.mailboxes():
            if self.may_send(mailbox, at):
                if idle.get(mailbox, 0) > 0 and self.total_room(mailbox, at):
                    return True
                if (
                    self.needs_session(mailbox, at)
                    and self.may_connect(mailbox.provider, at)
                    and self.may_begin(mailbox)
                    and mailbox not in self.left
                ):
                    return True
        return False

    def wake_at(self, now: int, idle: Mapping[MailboxId, int]) -> int | None:
        """The earliest instant at which a take would give anything, if nothing else happens."""
        changes = {now} | self.facts.timers()
        for mailbox in self.facts.mailboxes():
            runs = [*self.facts.runs(mailbox.provider), *self.own_runs(mailbox)]
            logins = self.facts.logins(mailbox)
            for rule in [*self.own_rules(mailbox), *self.total_rules(mailbox.provider)]:
                changes |= rule.changes(runs, now)
            changes |= Rule(self.facts.terms(mailbox).login_limit).changes(logins, now)
            changes |= Rule(self.facts.terms(mailbox).refused_logins).changes(self.facts.refusals(mailbox), now)
            changes.add(self.facts.standing(mailbox).logs_in_at)
            changes |= {self.facts.crowded_until(mailbox), self.facts.crowded_until(mailbox.provider)}
            standings = (self.facts.standing(mailbox), self.facts.provider_standing(mailbox.provider))
            changes |= {standing.probe_at for standing in standings if standing.probe_at is not None}
        return next((at for at in sorted(changes) if at >= now and self.could(at, idle)), None)
