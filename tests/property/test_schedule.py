"""The schedule against its definition: random histories, the same choices, and no wake-up missed.

Law: the definition asks everybody again at every step and shares no code with the schedule.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from relay.core.ledger import MailboxLedger, TotalLedger
from relay.core.limits import MINUTE, Instant, Limit, RollingWindow
from relay.core.outages import REMEMBERED
from relay.core.rotation import Line, ProviderLine
from relay.core.round import Round
from relay.core.schedule import Schedule
from relay.core.terms import MailboxTerms, Memory, PastAttempt, ProviderTerms, Standing
from relay.core.words import AccountId, Lane, MailboxId
from tests.contract.counting import Rule, Run
from tests.contract.order import Choice, Order, Ready

MAILBOXES = [MailboxId("p", "a"), MailboxId("p", "b"), MailboxId("p", "c"), MailboxId("q", "d")]
ACCOUNTS = ["one", "two"]

limits = st.lists(st.builds(Limit, st.integers(1, 4), st.sampled_from([3, 10, 2 * MINUTE])), max_size=2).map(tuple)
terms = st.builds(
    MailboxTerms,
    limits=limits,
    weight=st.sampled_from([1, 1, 1, 3]),
    connections=st.integers(1, 3),
    login_limit=st.sampled_from([Limit(10, 10 * MINUTE), Limit(2, 10)]),
    express_share=st.sampled_from([Fraction(0), Fraction(1, 3)]),
)
provider_terms = st.builds(
    ProviderTerms,
    total_limits=st.lists(st.builds(Limit, st.integers(1, 4), st.sampled_from([4, 15])), max_size=1).map(tuple),
    total_connections=st.sampled_from([1, 3, 20]),
)
mailboxes = st.sampled_from([*MAILBOXES, MAILBOXES[0]])
lanes = st.sampled_from(list(Lane))


class Place:
    """All there is to know, kept in lists: the facts of the definition and the memory of the schedule."""

    def __init__(self) -> None:
        self.now = 1000
        self.waiting: dict[MailboxId, Ready] = {mailbox: {} for mailbox in MAILBOXES}
        self.mailbox: dict[MailboxId, MailboxTerms] = {}
        self.provider: dict[str, ProviderTerms] = {}
        self.standings: dict[MailboxId, Standing] = {}
        self.provider_standings: dict[str, Standing] = {}
        self.attempts: list[Run] = []
        self.begun: list[Run] = []
        self.refused: list[Run] = []
        self.open_sessions: dict[MailboxId, int] = dict.fromkeys(MAILBOXES, 0)
        self.openings: dict[MailboxId, list[Run]] = {mailbox: [] for mailbox in MAILBOXES}
        self.crowded: dict[MailboxId | str, int] = {}
        self.accused: dict[MailboxId, int] = {}
        self.accusations = 0
        self.broken: dict[MailboxId, tuple[Instant, bool]] = {}
        """When its line broke last, and whether mails of others went through since its first."""
        self.alone: set[MailboxId] = set()

    # for the definition

    def mailboxes(self) -> list[MailboxId]:
        return MAILBOXES

    def ready(self, mailbox: MailboxId, at: int) -> Ready:
        return self.waiting[mailbox]

    def terms(self, mailbox: MailboxId) -> MailboxTerms:
        return self.mailbox[mailbox]

    def provider_terms(self, provider: str) -> ProviderTerms:
        return self.provider[provider]

    def standing(self, mailbox: MailboxId) -> Standing:
        return self.standings.get(mailbox, Standing())

    def provider_standing(self, provider: str) -> Standing:
        return self.provider_standings.get(provider, Standing())

    def runs(self, provider: str) -> list[Run]:
        return [run for run in self.attempts if run.mailbox.provider == provider]

    def own_runs(self, mailbox: MailboxId) -> list[Run]:
        return [run for run in self.attempts if run.mailbox == mailbox]

    def logins(self, mailbox: MailboxId) -> list[Run]:
        return [run for run in self.begun if run.mailbox == mailbox]

    def refusals(self, mailbox: MailboxId) -> list[Run]:
        return [run for run in self.logins(mailbox) if run.ended is None or any(run is each for each in self.refused)]

    def sessions(self, mailbox: MailboxId) -> int:
        return self.open_sessions[mailbox] + len(self.openings[mailbox])

    def opening(self, mailbox: MailboxId) -> int:
        return len(self.openings[mailbox])

    def crowded_until(self, whom: MailboxId | str) -> int:
        return self.crowded.get(whom, 0)

    def accused_at(self, mailbox: MailboxId) -> int:
        return self.accused.get(mailbox, 0)

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        return mailbox in self.alone

    def offset(self) -> int:
        return 0

    def timers(self) -> set[int]:
        return set()

    # for the schedule

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        return self.mailbox[mailbox]

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        return self.standing(mailbox)

    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return [past_of(run) for run in self.attempts if run.mailbox == mailbox]

    def provider_past(self, provider: str) -> Iterable[PastAttempt]:
        return [past_of(run) for run in self.runs(provider)]

    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return [past_of(run) for run in self.logins(mailbox)]

    def refusal_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return [past_of(run) for run in self.refusals(mailbox)]

    def civil_offset(self) -> int:
        return 0

    # what happens

    def add(self, mailbox: MailboxId, account: AccountId, lane: Lane, many: int) -> None:
        express, bulk = self.waiting[mailbox].get(account, (0, 0))
        counts = (express + many, bulk) if lane is Lane.EXPRESS else (express, bulk + many)
        self.waiting[mailbox][account] = counts
        if counts == (0, 0):
            del self.waiting[mailbox][account]

    def claim(self, choice: Choice) -> None:
        self.add(choice.mailbox, choice.account, choice.lane, -1)
        self.attempts.append(Run(choice.mailbox, self.now))

    def reserve(self, mailbox: MailboxId) -> None:
        login = Run(mailbox, self.now)
        self.begun.append(login)
        self.openings[mailbox].append(login)

    def running(self) -> list[Run]:
        return [run for run in self.attempts if run.ended is None]

    def is_calm(self) -> bool:
        """Nothing is under way, and nothing but a mailbox's own limits and health bars the way."""
        hosts_work = not any(standing.is_stopped for standing in self.provider_standings.values())
        at_ceiling = any(
            sum(self.sessions(m) for m in MAILBOXES if m.provider == name) >= terms.total_connections
            for name, terms in self.provider.items()
        )
        has_totals = any(terms.total_limits for terms in self.provider.values())
        short_of_logins = any(
            2 * Rule(terms.login_limit).room(self.logins(mailbox), self.now) <= terms.login_limit.count
            for mailbox, terms in self.mailbox.items()
        )
        has_enough = any(until > self.now for until in self.crowded.values())
        is_busy = self.running() or any(self.openings.values())
        return hosts_work and not (at_ceiling or has_totals or short_of_logins or has_enough or is_busy)

    def idle(self) -> dict[MailboxId, int]:
        busy = [run.mailbox for run in self.running()]
        return {m: many for m in MAILBOXES if (many := self.open_sessions[m] - busy.count(m)) > 0}


def past_of(run: Run) -> PastAttempt:
    """An attempt as the schedule remembers it."""
    return PastAttempt(run.mailbox, run.started, run.ended)


class Histories(RuleBasedStateMachine):
    """The schedule and the definition live through the same history; what the schedule decides has to be right."""

    schedule_type = Schedule

    @initialize(
        own=st.tuples(*[terms] * 4),
        shared=st.tuples(provider_terms, provider_terms),
        waiting=st.lists(st.integers(0, 5), min_size=4, max_size=4),
    )
    def begin(
        self,
        own: tuple[MailboxTerms, ...],
        shared: tuple[ProviderTerms, ...],
        waiting: list[int],
    ) -> None:
        self.place = place = Place()
        place.mailbox = dict(zip(MAILBOXES, own, strict=True))
        place.provider = dict(zip("pq", shared, strict=True))
        self.schedule, self.order = self.schedule_type(place), Order(place)
        for mailbox, many in zip(MAILBOXES, waiting, strict=True):
            if many:
                self.mail_comes(mailbox, "one", Lane.BULK, many)

    @rule(most=st.sampled_from([1, 2, 50]), is_sent=st.booleans())
    def a_round_of_mail(self, most: int, is_sent: bool) -> None:
        """Whoever wants a session gets it, a take, and all attempts end."""
        self.take(0, 50)
        for mailbox in MAILBOXES:
            for _ in list(self.place.openings[mailbox]):
                self.report(mailbox, "opened")
        self.take(most, 50)
        for run in self.place.running():
            self.end(run, self.place.now if is_sent else None)

    @rule(mailbox=mailboxes, account=st.sampled_from(ACCOUNTS), lane=lanes, many=st.sampled_from([1, 1, 2, 5]))
    def mail_comes(self, mailbox: MailboxId, account: AccountId, lane: Lane, many: int) -> None:
        self.place.add(mailbox, account, lane, many)
        self.schedule.add_ready(mailbox, account, lane, self.place.now, many)
        self.order.refresh(self.place.now)

    @rule(mailbox=mailboxes, account=st.sampled_from(ACCOUNTS), lane=lanes)
    def mail_is_taken_out(self, mailbox: MailboxId, account: AccountId, lane: Lane) -> None:
        counts = self.place.waiting[mailbox].get(account, (0, 0))
        if counts[lane is Lane.BULK]:
            self.place.add(mailbox, account, lane, -1)
            self.schedule.remove_ready(mailbox, account, lane, self.place.now)
            self.order.refresh(self.place.now)

    @rule(gap=st.sampled_from([1, 2, 3, 4, 7, 11, 16]) | st.just(MINUTE))
    def time_passes(self, gap: int) -> None:
        self.place.now += gap
        self.schedule.grant(self.place.now, {}, 0)
        self.order.refresh(self.place.now)

    @rule()
    def a_node_sleeps_until_it_is_woken(self) -> None:
        wake_at = self.schedule.wake_at(self.place.now, self.place.idle())
        if wake_at is not None:
            self.time_passes(max(0, wake_at - self.place.now))

    @rule(most=st.sampled_from([0, 1, 2, 50]), most_open=st.sampled_from([0, 1, 50, 50]))
    def take(self, most: int, most_open: int) -> None:
        place, now = self.place, self.place.now
        idle = place.idle()
        granted = [Choice(g.mailbox, g.account, g.lane, g.is_probe) for g in self.schedule.grant(now, idle, most)]
        hints = [(choice.mailbox, choice.account) for choice in granted]
        assert granted == self.order.grant(now, idle, most, claim=place.claim, hints=hints)
        opened = self.schedule.open_sessions(now, most_open)
        assert opened == self.order.open(now, most_open, reserve=place.reserve, hints=opened)
        if len(granted) < most and sum(opened.values()) < most_open:
            self.check_wake_at(place.idle())

    def check_wake_at(self, idle: dict[MailboxId, int]) -> None:
        """Nothing may be missed; and where one cause alone bars the way, nobody is woken for nothing."""
        promised, right = self.schedule.wake_at(self.place.now, idle), self.order.wake_at(self.place.now, idle)
        if right is not None:
            assert promised is not None
            assert promised <= right
        if self.place.is_calm():
            assert promised == right

    @precondition(lambda self: self.place.running())
    @rule(data=st.data(), is_sent=st.sampled_from([True, True, True, False]), linger=st.sampled_from([0, 0, 5]))
    def an_attempt_ends(self, data: st.DataObject, is_sent: bool, linger: int) -> None:
        run = data.draw(st.sampled_from(self.place.running()))
        self.end(run, self.place.now + linger if is_sent else None)

    def end(self, run: Run, at: int | None) -> None:
        """An attempt ended, or never counted."""
        run.ended = at
        if at is None:
            self.place.attempts.remove(run)
        self.schedule.end(run.mailbox, run.started, run.ended, self.place.now)
        self.order.refresh(self.place.now)

    @precondition(lambda self: any(self.place.openings.values()))
    @rule(data=st.data(), outcome=st.sampled_from(["opened", "opened", "refused", "declined"]))
    def a_session_is_reported(self, data: st.DataObject, outcome: str) -> None:
        self.report(data.draw(st.sampled_from([m for m in MAILBOXES if self.place.openings[m]])), outcome)

    def report(self, mailbox: MailboxId, outcome: str) -> None:
        """What became of a session that was to be opened."""
        place = self.place
        login = place.openings[mailbox].pop(0)
        if outcome == "opened":
            place.open_sessions[mailbox] += 1
            self.schedule.session_opened(mailbox, place.now)
            if not place.provider_standing(mailbox.provider).is_one_by_one:
                place.accused.pop(mailbox, None)
        else:
            is_sent = outcome == "refused"
            self.place.refused += [login] if is_sent else []
            self.schedule.session_refused(mailbox, place.now, is_login_sent=is_sent, is_refusal=is_sent)
        if outcome == "declined":
            place.begun.remove(login)
        else:
            login.ended = place.now
        self.order.refresh(place.now)

    @precondition(lambda self: self.place.idle())
    @rule(data=st.data())
    def a_session_is_closed(self, data: st.DataObject) -> None:
        mailbox = data.draw(st.sampled_from(sorted(self.place.idle())))
        self.place.open_sessions[mailbox] -= 1
        self.schedule.session_closed(mailbox, self.place.now)
        self.order.refresh(self.place.now)

    @rule(
        mailbox=mailboxes,
        is_stopped=st.sampled_from([False, False, True]),
        after=st.none() | st.sampled_from([0, 3, 20]),
        is_proven=st.sampled_from([True, True, False]),
        slow=st.sampled_from([1, 2, 3]),
    )
    def health_changes(
        self, mailbox: MailboxId, is_stopped: bool, after: int | None, is_proven: bool, slow: int
    ) -> None:
        probe_at = self.place.now + after if after is not None and is_stopped else None
        self.place.standings[mailbox] = Standing(is_stopped, probe_at, is_proven, slow)
        self.schedule.set_standing(mailbox, self.place.standings[mailbox], self.place.now)
        self.order.refresh(self.place.now)

    @rule(
        provider=st.sampled_from("pq"),
        is_stopped=st.booleans(),
        after=st.none() | st.sampled_from([0, 3, 20]),
        how=st.sampled_from(["freely", "freely", "for proven", "one by one"]),
    )
    def a_host_fails_or_works(self, provider: str, is_stopped: bool, after: int | None, how: str) -> None:
        probe_at = self.place.now + after if after is not None and is_stopped else None
        self.place.provider_standings[provider] = Standing(
            is_stopped,
            probe_at,
            is_for_proven=is_stopped and how == "for proven",
            is_one_by_one=is_stopped and how == "one by one",
        )
        self.schedule.set_provider_standing(provider, self.place.provider_standings[provider])

    @rule(mailbox=mailboxes)
    def a_mailbox_meets_what_stops_its_provider(self, mailbox: MailboxId) -> None:
        self.place.accusations += 1
        self.place.accused[mailbox] = self.place.accusations
        self.schedule.accuse(mailbox.provider, [mailbox])

    @rule(mailbox=mailboxes)
    def a_line_breaks(self, mailbox: MailboxId) -> None:
        place = self.place
        for each, (at, _) in list(place.broken.items()):
            if each.provider == mailbox.provider and at < place.now - REMEMBERED:
                del place.broken[each]
                place.alone.discard(each)
        _, have_others_sent = place.broken.get(mailbox, (0, False))
        place.broken[mailbox] = (place.now, have_others_sent)
        if have_others_sent:
            place.alone.add(mailbox)
        self.schedule.host(mailbox.provider).witnesses.break_line(mailbox, place.now)

    @rule(mailbox=mailboxes)
    def a_mail_goes_through(self, mailbox: MailboxId) -> None:
        place = self.place
        place.broken.pop(mailbox, None)
        place.alone.discard(mailbox)
        for each, (at, _) in place.broken.items():
            if each.provider == mailbox.provider:
                place.broken[each] = (at, True)
        self.place.accused.pop(mailbox, None)
        self.schedule.clear(mailbox, self.place.now)

    @rule(mailbox=mailboxes, new=terms)
    def an_admin_edits_a_mailbox(self, mailbox: MailboxId, new: MailboxTerms) -> None:
        self.place.mailbox[mailbox] = new
        self.schedule.reload(mailbox, self.place.now)
        self.order.send_to_tail(mailbox)
        self.order.refresh(self.place.now)

    @rule(provider=st.sampled_from("pq"), new=provider_terms)
    def an_admin_edits_a_provider(self, provider: str, new: ProviderTerms) -> None:
        self.place.provider[provider] = new
        self.schedule.reload_provider(provider, self.place.now)

    @rule(mailbox=mailboxes, pause=st.sampled_from([1, 7, 60]), is_provider=st.booleans())
    def there_are_enough_sessions(self, mailbox: MailboxId, pause: int, is_provider: bool) -> None:
        whom, until = mailbox.provider if is_provider else mailbox, self.place.now + pause
        self.place.crowded[whom] = max(until, self.place.crowded_until(whom))
        self.schedule.crowded(mailbox, until, self.place.now, is_provider=is_provider)

    @rule()
    def memory_is_let_go(self) -> None:
        self.schedule.rest(self.place.now)

    @rule()
    def the_relay_restarts(self) -> None:
        place = self.place
        for run in [*place.running(), *(login for login in place.begun if login.ended is None)]:
            run.ended = place.now
        place.open_sessions = dict.fromkeys(MAILBOXES, 0)
        place.openings = {mailbox: [] for mailbox in MAILBOXES}
        place.crowded.clear()
        place.accused.clear()
        self.schedule = self.schedule_type(place)
        self.order.forget()
        for mailbox in MAILBOXES:
            for account, counts in place.waiting[mailbox].items():
                for lane, many in zip(Lane, counts, strict=True):
                    if many:
                        self.schedule.add_ready(mailbox, account, lane, place.now, many)
        self.order.refresh(place.now)


HARD = settings(
    max_examples=150, stateful_step_count=30, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
)


def test_the_schedule_decides_as_its_definition() -> None:
    run_state_machine_as_test(Histories, settings=HARD)


# planted


class RoundOfQueueJumpers(Round):
    def refresh(self, line: Line, now: Instant) -> None:
        is_new = line.turn is None
        super().refresh(line, now)
        if is_new and line.turn is not None:
            line.turn = -line.turn


class NewcomersFirst(Schedule):
    """Whoever comes new goes before those who wait."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, round_=RoundOfQueueJumpers(memory))


class NoTurns(Schedule):
    """The mailbox that was served stays at the head."""

    def _pass_turn(self, line: Line, now: Instant) -> None:
        line.credit = 2
        super()._pass_turn(line, now)


class WeightForgotten(Schedule):
    """Every mailbox weighs the same."""

    def _pass_turn(self, line: Line, now: Instant) -> None:
        line.credit = 1
        super()._pass_turn(line, now)


class RoundOfSleepers(Round):
    def set_alarm(self, line: Line, at: Instant | None) -> None:
        line.alarm = None


class WakeUpDropped(Schedule):
    """Nobody is woken when a limit opens."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory, round_=RoundOfSleepers(memory))


class WakesLate(Schedule):
    """A wake-up comes one instant late."""

    def wake_at(self, now: Instant, idle: Mapping[MailboxId, int]) -> Instant | None:
        at = super().wake_at(now, idle)
        return None if at is None or at <= now else at + 1


class TotalsKeptFromNobody(Schedule):
    """A total is not given back where MAIL was not written."""

    def end(self, mailbox: MailboxId, started: Instant, at: Instant | None, now: Instant) -> None:
        super().end(mailbox, started, now if at is None else at, now)


class LoginsUncounted(Schedule):
    """A login costs nothing."""

    def open_sessions(
        self, now: Instant, most: int, *, left: Collection[MailboxId] = frozenset()
    ) -> dict[MailboxId, int]:
        opened = super().open_sessions(now, most, left=left)
        for mailbox in (mailbox for mailbox, many in opened.items() for _ in range(many)):
            self.look(mailbox).logins.give_back(now)
        return opened

    def session_opened(self, mailbox: MailboxId, now: Instant) -> None:
        self.look(mailbox).logins.start(now)
        super().session_opened(mailbox, now)
        self.look(mailbox).logins = RollingWindow(self.look(mailbox).terms.login_limit)

    def session_refused(
        self, mailbox: MailboxId, now: Instant, *, is_login_sent: bool, ends_at: Instant | None = None, **more: Any
    ) -> None:
        self.look(mailbox).logins.start(now)
        super().session_refused(mailbox, now, is_login_sent=False)


class PastForgotten(Schedule):
    """A restart begins with empty windows."""

    def look(self, mailbox: MailboxId) -> Line:
        is_new, line = mailbox not in self._lines, super().look(mailbox)
        if is_new:
            line.ledger = MailboxLedger(self._memory.mailbox_terms(mailbox).limits)
        return line


SCHEDULES = [
    NewcomersFirst,
    NoTurns,
    WeightForgotten,
    WakeUpDropped,
    WakesLate,
    TotalsKeptFromNobody,
    LoginsUncounted,
    PastForgotten,
]

FINDS = settings(
    max_examples=2000,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("planted", SCHEDULES)
def test_a_planted_fault_is_found(planted: type[Schedule]) -> None:
    class Planted(Histories):
        schedule_type = planted

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Planted, settings=FINDS)


@pytest.mark.parametrize(
    ("part", "method", "fault"),
    [
        (Line, "may_use", lambda line, now: True),
        (Line, "may_use", lambda line, now: not line.standing.is_stopped),
        (Line, "wants_session", lambda line, now: line.sessions < line.terms.connections),
        (ProviderLine, "may_connect", lambda provider, now: True),
        (TotalLedger, "has_room", lambda totals, holder, now: True),
    ],
)
def test_a_fault_in_one_line_is_found(
    part: type, method: str, fault: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, method, fault)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Histories, settings=FINDS)
