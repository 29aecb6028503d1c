"""The forecast says to the microsecond when a delivery leaves, if nothing new happens."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.forecast import COMPANY, Outlook, Place, forecast
from relay.core.limits import SECOND, Limit, parse_limit
from relay.core.schedule import Schedule
from relay.core.terms import MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.words import Lane, MailboxId

A, B = MailboxId("p", "a"), MailboxId("p", "b")


class Terms:
    """A schedule's memory of a provider whose mailboxes have no past."""

    def __init__(self, own: tuple[Limit, ...], total: tuple[Limit, ...], connections: int) -> None:
        self.own, self.total, self.connections = own, total, connections
        self.standings: dict[MailboxId, Standing] = {}
        self.host = Standing()

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        return MailboxTerms(limits=self.own, connections=self.connections)

    def provider_terms(self, provider: str) -> ProviderTerms:
        return ProviderTerms(total_limits=self.total)

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        return self.standings.get(mailbox, Standing())

    def provider_standing(self, provider: str) -> Standing:
        return self.host

    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return ()

    def provider_past(self, provider: str) -> Iterable[PastAttempt]:
        return ()

    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return ()

    def refusal_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return ()

    def civil_offset(self) -> int:
        return 0


def run(schedule: Schedule, *, now: int, latency: int, sessions: int) -> list[tuple[int, str]]:
    """Plays the schedule as a node would and writes down when each delivery was taken."""
    taken: list[tuple[int, str]] = []
    running: list[tuple[int, MailboxId]] = []
    while True:
        busy = {m: len([other for _, other in running if other == m]) for m in (A, B)}
        idle = {m: sessions - busy[m] for m in (A, B)}
        for grant in schedule.grant(now, idle, 1000):
            taken.append((now, grant.account))
            running.append((now + latency, grant.mailbox))
            idle[grant.mailbox] -= 1
        instants = [end for end, _ in running] + [w for w in [schedule.wake_at(now, idle)] if w is not None]
        if not instants:
            return taken
        now = min(instants)
        for end, mailbox in [entry for entry in running if entry[0] <= now]:
            running.remove((end, mailbox))
            schedule.end(mailbox, end - latency, end, now)


@given(
    own=st.lists(st.builds(Limit, st.integers(1, 5), st.integers(1, 9).map(lambda s: s * SECOND)), max_size=2),
    total=st.lists(st.builds(Limit, st.integers(1, 5), st.integers(1, 9).map(lambda s: s * SECOND)), max_size=2),
    queued=st.tuples(st.integers(1, 12), st.integers(0, 12)),
    latency=st.integers(1, 3 * SECOND),
    sessions=st.integers(1, 3),
    data=st.data(),
)
def test_the_forecast_is_when_it_leaves(own, total, queued, latency, sessions, data) -> None:
    schedule = Schedule(Terms(tuple(own), tuple(total), sessions))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, queued[0])
    if queued[1]:
        schedule.add_ready(B, "b@d.test", Lane.EXPRESS, 0, queued[1])
    position = data.draw(st.integers(1, queued[0]))
    foreseen = forecast(schedule, Place(A, "a@d.test", Lane.BULK, position), now=0, latency=latency)
    left_at = [at for at, account in run(schedule, now=0, latency=latency, sessions=sessions) if account == "a@d.test"]
    assert foreseen == left_at[position - 1]


def test_what_nobody_can_foresee_is_not_foretold() -> None:
    terms = Terms((parse_limit("1/1s"),), (), 1)
    terms.standings[A] = Standing(is_stopped=True, probe_at=None)
    schedule = Schedule(terms)
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0)
    assert forecast(schedule, Place(A, "a@d.test", Lane.BULK), now=0, latency=SECOND) is None


def test_looking_ahead_changes_nothing() -> None:
    schedule = Schedule(Terms((parse_limit("1/1s"),), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 5)
    forecast(schedule, Place(A, "a@d.test", Lane.BULK, 5), now=0, latency=SECOND)
    assert schedule.ready_of(A, "a@d.test") == (0, 5)
    assert len(schedule.grant(0, {A: 1}, 10)) == 1


@pytest.mark.parametrize("is_provider", [False, True])
def test_who_has_no_session_and_gets_none_waits_for_one(is_provider: bool) -> None:
    schedule = Schedule(Terms((), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 1)
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 1) == 0
    schedule.crowded(A, 45 * SECOND, 0, is_provider=is_provider)
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 1) == 45 * SECOND


def outlook(schedule: Schedule, mailbox: MailboxId = A, *, steps: int = 500, now: int = 0) -> Outlook:
    return Outlook(schedule, mailbox, now=now, latency=SECOND, steps=steps)


def test_beyond_its_bound_it_goes_on_at_the_pace_of_the_narrowest_limit() -> None:
    schedule = Schedule(Terms((parse_limit("10/1s"), parse_limit("2/9s")), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 1000)
    exact, told = outlook(schedule), outlook(schedule, steps=20)
    for position in (4, 100, 150):
        right, found = (each.leaves_at("a@d.test", Lane.BULK, position) for each in (exact, told))
        assert right is not None
        assert found is not None
        assert abs(found - right) <= max(10 * SECOND, right // 10)
    assert told.spent == 20
    assert told.drained_at("a@d.test") is not None
    assert told.drained_at("nobody@d.test") is None


def test_accounts_of_one_mailbox_take_turns_beyond_the_bound_too() -> None:
    schedule = Schedule(Terms((parse_limit("1/9s"),), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 40)
    schedule.add_ready(A, "b@d.test", Lane.BULK, 0, 40)
    found = outlook(schedule, steps=8).leaves_at("a@d.test", Lane.BULK, 40)
    right = outlook(schedule).leaves_at("a@d.test", Lane.BULK, 40)
    assert found is not None
    assert right is not None
    assert abs(found - right) <= right // 10


def test_in_a_crowd_everybody_is_told_his_share_of_the_total() -> None:
    schedule = Schedule(Terms((), (parse_limit("1/1s"),), 1))
    crowd = [MailboxId("p", f"m{number}") for number in range(COMPANY + 2)]
    for mailbox in crowd:
        schedule.add_ready(mailbox, mailbox.username, Lane.BULK, 0, 3)
    found = outlook(schedule, crowd[0]).leaves_at("m0", Lane.BULK, 3)
    assert found is not None
    assert found >= 2 * len(crowd) * 2 * SECOND, "a slot comes back two seconds after its taking, and all take turns"
    assert outlook(schedule, crowd[0], steps=2).leaves_at("m0", Lane.BULK, 3) is not None


def test_attempts_of_others_under_the_same_total_end_as_well() -> None:
    schedule = Schedule(Terms((), (parse_limit("1/1s"),), 1))
    schedule.add_ready(B, "b@d.test", Lane.BULK, 0)
    assert len(schedule.grant(0, {B: 1}, 1)) == 1
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0)
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 1) == 2 * SECOND + 1


def test_a_host_that_is_down_is_waited_for_and_a_probe_is_taken_to_work() -> None:
    terms = Terms((), (), 2)
    terms.host = Standing(is_stopped=True, probe_at=30 * SECOND)
    schedule = Schedule(terms)
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 2)
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 2) == 30 * SECOND
    terms.host = Standing(is_stopped=True)
    schedule.reload_provider("p", 0)
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 1) is None
    terms.host = Standing()
    schedule.reload_provider("p", 0)
    terms.standings[A] = Standing(is_stopped=True, probe_at=9 * SECOND)
    schedule.set_standing(A, terms.standings[A], 0)
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 1) == 9 * SECOND
    assert outlook(schedule).leaves_at("a@d.test", Lane.BULK, 2) == 10 * SECOND


def test_a_calendar_day_is_looked_over() -> None:
    schedule = Schedule(Terms((parse_limit("2/calendar-day"),), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 9)
    first, third = (outlook(schedule).leaves_at("a@d.test", Lane.BULK, n) for n in (1, 3))
    assert first == 5 * 60 * SECOND, "five minutes after midnight"
    assert third == (24 * 60 + 5) * 60 * SECOND
    assert outlook(schedule, steps=2).leaves_at("a@d.test", Lane.BULK, 9) is not None
    assert schedule.look(A).ledger.room(5 * 60 * SECOND) == 2, "nothing of it happened"


def test_what_is_being_sent_ends_before_a_session_is_free() -> None:
    schedule = Schedule(Terms((), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 2)
    assert len(schedule.grant(0, {A: 1}, 1)) == 1
    assert outlook(schedule, now=5).leaves_at("a@d.test", Lane.BULK, 1) == 5 + SECOND
