"""Promise 5: what is not moving has a reason, and a time at which it moves or the name of who has to act."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.health import Health, HealthEvent, HealthState, Moment
from relay.core.lifecycle import FINAL, SENDING, State
from relay.core.limits import HOUR, MINUTE, SECOND, parse_limit
from relay.core.remedy import REMEDIES, Needs
from relay.core.schedule import Schedule
from relay.core.standstill import Barrier, BlockTime, Situation, barrier_of, standstill, waits_for_somebody
from relay.core.terms import MailboxTerms, ProviderTerms
from relay.core.words import Lane, MailboxId
from tests.unit.core.test_forecast import A, B, Terms

STOPPED = Health(HealthState.WAITING, "rate-limited", since=50, probe_at=900)
REFUSED = Health(HealthState.PAUSED, "auth-rejected", since=50, probe_at=900)
DOWN = Health(HealthState.WAITING, "network", since=60, probe_at=700)
WAITING = Situation(State.WAITING, 100, 120, leaves_at=400)

REASONS = st.none() | st.sampled_from(["greylisted", "network", "unknown", "something-new", *REMEDIES])
INSTANTS = st.none() | st.integers(1, 10**6)
HEALTHS = st.builds(Health, st.sampled_from(HealthState), REASONS, st.none() | st.integers(0, 10**6), probe_at=INSTANTS)


@pytest.mark.parametrize(
    ("state", "since", "is_dated", "ends"),
    [
        (State.BOUNCED, 60, True, 60),
        (State.BOUNCED, 59, True, None),
        (State.BOUNCED, 60, False, None),
        (State.CANCELLED, 60, True, None),
        (State.DELIVERED, 61, True, None),
    ],
)
def test_what_bounced_at_the_day_that_its_sender_named_says_when_that_was(
    state: State, since: int, is_dated: bool, ends: int | None
) -> None:
    found = standstill(Situation(state, 1, since, "network", expires_at=60, is_dated=is_dated))
    assert found.bounces_at == ends


NOW = Moment(10 * HOUR, 110 * HOUR)
GUESSED = BlockTime(4 * HOUR, is_known=False)


def stop(cause: HealthEvent, reason: str, hours: int, **more: Any) -> Health:
    """A stop that began just now, whose probe goes in so many hours."""
    probe_at = NOW.relay + hours * HOUR
    return Health(HealthState.PAUSED, reason, NOW.wall, cause, probe_at, step=more.pop("step", 1), **more)


@pytest.mark.parametrize(
    ("health", "waits"),
    [
        (stop(HealthEvent.NEVER_WORKED, "auth-rejected", 1), True),
        (stop(HealthEvent.NEVER_WORKED, "auth-rejected", 1, fixed_at=NOW.relay), True),
        (stop(HealthEvent.NEVER_WORKED, "auth-rejected", 0, fixed_at=NOW.relay), False),
        (stop(HealthEvent.SPAM_OFTEN, "spam-blocked", 24), False),
        (stop(HealthEvent.BLOCKED, "account-blocked", 4), True),
        (stop(HealthEvent.BLOCKED, "account-blocked", 24), False),
        (stop(HealthEvent.BLOCKED, "account-blocked", 24, step=2), True),
        (replace(stop(HealthEvent.NEVER_WORKED, "auth-rejected", 1), state=HealthState.DOUBTED), False),
        (STOPPED, False),
        (Health(), False),
    ],
)
def test_who_has_to_act_is_waited_for_unless_it_ends_by_itself_or_he_has_acted(health: Health, waits: bool) -> None:
    assert waits_for_somebody(health, now=NOW, block=GUESSED) is waits


def test_a_block_whose_time_is_known_ends_by_itself() -> None:
    block = stop(HealthEvent.BLOCKED, "account-blocked", 4)
    assert not waits_for_somebody(block, now=NOW, block=BlockTime(4 * HOUR, is_known=True))


def named(situation: Situation) -> tuple[str | None, int, int | None, Needs | None]:
    found = standstill(situation)
    return found.reason, found.since, found.eta, found.needs


@given(
    st.builds(
        Situation,
        st.sampled_from(State),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        REASONS,
        st.integers(0, 10**6),
        st.none() | st.sampled_from(["no-account", "no-credentials"]),
        HEALTHS,
        INSTANTS,
        HEALTHS,
        INSTANTS,
        st.sampled_from(Barrier),
        INSTANTS,
        INSTANTS,
    )
)
def test_promise_five(situation: Situation) -> None:
    found = standstill(situation)
    if situation.state in FINAL | SENDING:
        assert found.eta is None
        assert found.needs is None
    else:
        assert found.reason is not None
        assert found.eta is not None or found.needs is not None
    if found.eta is not None and situation.expires_at is not None:
        assert found.eta < situation.expires_at
    assert found.bounces_at is None or (found.eta is None and found.bounces_at == situation.expires_at)


def test_what_leaves_after_the_end_of_its_lifetime_needs_somebody() -> None:
    found = standstill(replace(WAITING, barrier=Barrier.LIMIT, expires_at=400))
    assert (found.reason, found.eta, found.needs, found.bounces_at) == ("limit", None, Needs.ADMIN, 400)
    assert standstill(replace(WAITING, barrier=Barrier.LIMIT, expires_at=401)).eta == 400
    stopped = standstill(replace(WAITING, mailbox=REFUSED, mailbox_probe_at=900, expires_at=500))
    assert (stopped.reason, stopped.eta, stopped.needs, stopped.bounces_at) == ("auth-rejected", None, Needs.OWNER, 500)


def test_what_is_ready_waits_for_what_the_schedule_says() -> None:
    for barrier in Barrier:
        one = Situation(State.WAITING, 100, 120, barrier=barrier, leaves_at=400)
        assert named(one) == (barrier.value, 120, 400, None)


def test_a_deferral_has_its_own_time_and_asks_nobody() -> None:
    assert named(Situation(State.WAITING, 100, 120, "unknown", due=300)) == ("unknown", 120, 300, None)


def test_what_lasts_longest_is_named() -> None:
    deferred = Situation(State.WAITING, 100, 120, "greylisted", 800, None, STOPPED, 900)
    assert named(deferred) == ("rate-limited", 100, 900, None)
    assert named(Situation(State.WAITING, 100, 120, "greylisted", 1000, None, STOPPED, 900))[0] == "greylisted"
    assert named(Situation(State.WAITING, 100, 120, "greylisted", 1000, None, REFUSED, 900)) == (
        "auth-rejected", 100, 900, Needs.OWNER,
    )  # fmt: skip


def test_a_probe_is_a_time_and_behind_it_the_queue_goes_on() -> None:
    behind = Situation(State.WAITING, 10, 20, mailbox=STOPPED, mailbox_probe_at=900, leaves_at=1500)
    assert named(behind) == ("rate-limited", 50, 1500, None)


def test_a_host_that_is_down_lets_open_sessions_go_on() -> None:
    about = {"provider": DOWN, "provider_probe_at": 700}
    assert named(Situation(State.WAITING, 10, 20, leaves_at=300, **about))[0] == "queue"  # type: ignore[arg-type]
    assert named(Situation(State.WAITING, 10, 20, leaves_at=700, **about)) == ("network", 60, 700, None)  # type: ignore[arg-type]


def test_what_nobody_can_foresee_is_for_those_who_run_the_relay() -> None:
    assert named(Situation(State.WAITING, 10, 20)) == ("queue", 20, None, Needs.OPS)
    nameless = Health(HealthState.PAUSED)
    assert named(Situation(State.WAITING, 10, 20, mailbox=nameless)) == ("queue", 10, None, Needs.OPS)
    assert named(Situation(State.WAITING, 10, 20, mailbox=nameless, leaves_at=90)) == ("queue", 10, 90, None)


def test_a_final_one_says_how_it_ended() -> None:
    assert named(Situation(State.BOUNCED, 10, 20, "recipient-unknown")) == ("recipient-unknown", 20, None, None)
    assert named(Situation(State.DELIVERED, 10, 20, "delivered")) == (None, 20, None, None)
    assert named(Situation(State.GATED, 10, 20)) == (None, 20, None, None)


def test_what_is_held_is_for_an_admin_unless_its_reason_names_another() -> None:
    assert named(Situation(State.HELD, 10, 20, "in-doubt")) == ("in-doubt", 20, None, Needs.ADMIN)
    assert named(Situation(State.HELD, 10, 20, "corrupt")) == ("corrupt", 20, None, Needs.OPS)
    assert named(Situation(State.HELD, 10, 20)) == ("expired", 20, None, Needs.ADMIN)


class Frugal(Terms):
    """One login in ten minutes."""

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        return MailboxTerms(limits=self.own, login_limit=parse_limit("1/10m"))

    def provider_terms(self, provider: str) -> ProviderTerms:
        return ProviderTerms(total_limits=self.total)


def test_the_schedule_says_what_a_ready_delivery_waits_for() -> None:
    schedule = Schedule(Frugal((parse_limit("2/1m"),), (parse_limit("3/1s"),), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0, 9)
    line = schedule.look(A)
    assert barrier_of(line, Lane.BULK, 2, 0) is Barrier.QUEUE
    assert barrier_of(line, Lane.BULK, 3, 0) is Barrier.LIMIT, "two before it take what room there is"
    schedule.open_sessions(0, 9)
    schedule.session_opened(A, 0)
    schedule.session_closed(A, 0)
    assert barrier_of(line, Lane.BULK, 1, 0) is Barrier.LOGIN
    assert barrier_of(line, Lane.BULK, 1, 10 * MINUTE + 1) is Barrier.QUEUE
    schedule.add_ready(B, "b@d.test", Lane.BULK, 0, 9)
    schedule.grant(SECOND, {B: 3}, 3)
    schedule.grant(SECOND, {A: 1}, 1)
    assert barrier_of(schedule.look(B), Lane.BULK, 1, SECOND) is Barrier.LIMIT


@pytest.mark.parametrize("is_provider", [False, True])
def test_who_is_told_that_there_are_too_many_sessions_waits_for_a_login(is_provider: bool) -> None:
    schedule = Schedule(Terms((), (), 1))
    schedule.add_ready(A, "a@d.test", Lane.BULK, 0)
    schedule.crowded(A, MINUTE, 0, is_provider=is_provider)
    assert barrier_of(schedule.look(A), Lane.BULK, 1, MINUTE - 1) is Barrier.LOGIN
    assert barrier_of(schedule.look(A), Lane.BULK, 1, MINUTE) is Barrier.QUEUE
