"""What stops a mailbox, for how long, and what heals it."""

from dataclasses import replace

import pytest

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.health import (
    HEALTH,
    Health,
    HealthEvent,
    HealthSettings,
    HealthState,
    Moment,
    Pause,
    after,
    event_of_failure,
    event_of_result,
)
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.reply import Reply
from relay.core.words import Stage

SETTINGS = HealthSettings()
STOPS = (HealthEvent.LOGIN_REFUSED, HealthEvent.REFUSED, HealthEvent.BUSY, HealthEvent.UNREACHABLE)


def at(relay: int, wall: int = 5) -> Moment:
    return Moment(relay, wall)


def then(health: Health, event: HealthEvent, now: int = 0, **more: object) -> Health:
    return after(health, event, moment=at(now), settings=SETTINGS, **more)  # type: ignore[arg-type]


def test_the_table_answers_every_event_in_every_state() -> None:
    assert set(HEALTH) == {(state, event) for state in HealthState for event in HealthEvent}


def test_a_refused_login_is_tried_again_after_an_hour_then_six_then_daily() -> None:
    health, pauses, now = Health(is_proven=True), [], 0
    for _ in range(4):
        health = then(health, HealthEvent.LOGIN_REFUSED, now, reason="auth-rejected")
        assert health.probe_at is not None
        pauses.append(health.probe_at - now)
        now = health.probe_at
    assert pauses == [HOUR, 6 * HOUR, 25 * HOUR, 25 * HOUR]
    assert health.state is HealthState.PAUSED
    assert not health.is_proven


def test_other_refusals_are_probed_at_the_times_of_health_probe() -> None:
    first = then(Health(), HealthEvent.REFUSED, reason="sender-refused")
    second = then(first, HealthEvent.REFUSED, 5 * MINUTE, reason="sender-refused")
    assert first.probe_at == 5 * MINUTE
    assert second.probe_at == 20 * MINUTE


def test_a_host_that_cannot_be_reached_is_looked_for_soon_and_never_after_more_than_a_quarter_of_an_hour() -> None:
    health = Health()
    for _ in range(20):
        health = then(health, HealthEvent.UNREACHABLE, reason="network")
    assert then(Health(), HealthEvent.UNREACHABLE).probe_at == 10 * SECOND
    assert health.probe_at == 15 * MINUTE


def test_who_is_thrown_out_after_the_login_is_not_healed_by_the_next_login() -> None:
    health, pauses = Health(), []
    for _ in range(3):
        health = then(then(health, HealthEvent.CUT_OFF, reason="network"), HealthEvent.LOGIN_WORKED)
        assert health.is_stopped
        pauses.append(health.probe_at)
    assert pauses == [10 * SECOND, 30 * SECOND, MINUTE]
    assert then(health, HealthEvent.DELIVERED) == Health(is_proven=True)


def test_who_gets_no_session_is_tried_every_45_seconds_until_one_is_let_in() -> None:
    health = Health()
    for now in range(3):
        health = then(health, HealthEvent.CROWDED, now, reason="too-many-connections")
        assert health.probe_at == now + 45 * SECOND
    assert then(health, HealthEvent.LOGIN_WORKED).state is HealthState.OK
    paused = then(Health(), HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    assert then(paused, HealthEvent.CROWDED, reason="too-many-connections") == paused, "still for its owner"


def test_the_provider_s_own_hint_is_never_undercut() -> None:
    health = then(Health(), HealthEvent.BUSY, reason="rate-limited", retry_after=2 * HOUR)
    assert health.state is HealthState.WAITING
    assert health.probe_at == 2 * HOUR


def test_another_cause_begins_at_its_own_first_step() -> None:
    refused = then(then(Health(), HealthEvent.LOGIN_REFUSED), HealthEvent.LOGIN_REFUSED)
    assert then(refused, HealthEvent.BUSY).probe_at == 5 * MINUTE


def test_since_says_when_this_reason_began() -> None:
    first = after(Health(), HealthEvent.REFUSED, moment=at(0, 100), settings=SETTINGS, reason="sender-refused")
    again = after(first, HealthEvent.REFUSED, moment=at(1, 200), settings=SETTINGS, reason="sender-refused")
    other = after(again, HealthEvent.REFUSED, moment=at(2, 300), settings=SETTINGS, reason="tls-required")
    assert (first.since, again.since, other.since) == (100, 100, 300)


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("cure", [HealthEvent.DELIVERED, HealthEvent.CHANGED])
def test_a_delivered_mail_or_another_credential_heals_everything(stop: HealthEvent, cure: HealthEvent) -> None:
    healed = then(then(Health(), stop, reason="x"), cure)
    assert not healed.is_stopped
    assert healed.standing.probe_at is None
    assert healed.is_proven is (cure is HealthEvent.DELIVERED)


def test_a_login_that_works_heals_what_a_login_brought_about_and_nothing_else() -> None:
    assert not then(then(Health(), HealthEvent.LOGIN_REFUSED), HealthEvent.LOGIN_WORKED).is_stopped
    assert not then(then(Health(), HealthEvent.UNREACHABLE), HealthEvent.LOGIN_WORKED).is_stopped
    still = then(then(Health(), HealthEvent.REFUSED), HealthEvent.LOGIN_WORKED)
    assert still.is_stopped
    assert still.is_proven
    assert then(still, HealthEvent.LOGIN_WORKED) is still


def test_a_stopped_mailbox_lets_nothing_go_but_a_probe() -> None:
    standing = then(Health(), HealthEvent.REFUSED).standing
    assert standing.is_stopped
    assert standing.opens_at(0) == 5 * MINUTE
    assert Health().standing.opens_at(7) == 7


def test_a_login_without_an_answer_may_still_be_counted_and_the_finer_reason_is_told() -> None:
    silent = LoginFailure("network", Stage.AUTH, None, is_provider=False, is_login_sent=True)
    told = LoginFailure("tls-required", Stage.STARTTLS, Reply(454, None, "no"), is_provider=True, is_login_sent=False)
    assert (silent.is_answered, told.is_answered) == (False, True)
    assert (silent.reason, replace(told, fault="tls-expired").reason) == ("network", "tls-expired")


def result(verdict: Verdict, reply_class: str) -> Result:
    return Result(verdict, reply_class, Stage.EOD, None, is_mail_written=True, is_end_known=True)


@pytest.mark.parametrize(
    ("verdict", "reply_class", "event"),
    [
        (Verdict.DELIVERED, "delivered", HealthEvent.DELIVERED),
        (Verdict.HELD, "sender-refused", HealthEvent.REFUSED),
        (Verdict.DEFERRED, "rate-limited", HealthEvent.BUSY),
        (Verdict.DEFERRED, "network", HealthEvent.UNREACHABLE),
        (Verdict.IN_DOUBT, "unknown", HealthEvent.UNREACHABLE),
        (Verdict.DEFERRED, "greylisted", None),
        (Verdict.DEFERRED, "too-many-connections", None),
        (Verdict.BOUNCED, "recipient-unknown", None),
        (Verdict.DROPPED, "unknown", None),
    ],
)
def test_what_the_end_of_an_attempt_says_about_its_mailbox(
    verdict: Verdict, reply_class: str, event: HealthEvent | None
) -> None:
    assert event_of_result(result(verdict, reply_class)) is event


@pytest.mark.parametrize(
    ("reply_class", "reply", "is_sent", "event"),
    [
        ("auth-rejected", Reply(535, "5.7.8", "no"), True, HealthEvent.LOGIN_REFUSED),
        ("auth-method", Reply(534, "5.7.9", "app password"), True, HealthEvent.LOGIN_REFUSED),
        ("auth-temporary", Reply(454, "4.7.0", "later"), True, HealthEvent.BUSY),
        ("too-many-connections", Reply(421, None, "busy"), False, HealthEvent.BUSY),
        ("tls-required", Reply(530, None, "TLS"), False, HealthEvent.REFUSED),
        ("tls-required", None, False, HealthEvent.REFUSED),
        ("no-credentials", None, False, HealthEvent.REFUSED),
        ("protocol-error", Reply(334, None, "again"), True, HealthEvent.REFUSED),
        ("unknown", Reply(599, None, "gibberish"), True, HealthEvent.REFUSED),
        ("network", None, True, HealthEvent.UNREACHABLE),
        ("outage", Reply(421, None, "down"), False, HealthEvent.UNREACHABLE),
    ],
)
def test_what_a_failed_login_says_about_whose_trouble_it_is(
    reply_class: str, reply: Reply | None, is_sent: bool, event: HealthEvent
) -> None:
    failure = LoginFailure(reply_class, Stage.AUTH, reply, is_provider=False, is_login_sent=is_sent)
    assert event_of_failure(failure) is event


def test_only_a_paused_mailbox_is_told_to_be_and_since_when() -> None:
    for state in HealthState:
        health = Health(state, "auth-rejected", since=7)
        assert health.pause == (Pause("auth-rejected", 7) if state is HealthState.PAUSED else None)
    assert Health(HealthState.PAUSED, None, since=7).pause == Pause("unknown", 7)
    assert Health(HealthState.PAUSED, "auth-rejected").pause is None
