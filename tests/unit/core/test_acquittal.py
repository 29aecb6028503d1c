"""What a provider's own trouble makes of its health, and of a mailbox that had been blamed for it."""

from dataclasses import replace

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.guard import BOUNCE_GUARD
from relay.core.healing import after
from relay.core.health import Health, HealthEvent, HealthState, Moment
from relay.core.healthsettings import HealthSettings
from relay.core.limits import MINUTE, SECOND
from relay.core.outages import AUTH_OUTAGE, is_refused_login
from relay.core.reply import Reply
from relay.core.symptoms import event_of_failure, event_of_result
from relay.core.words import Stage

SETTINGS = HealthSettings()
REFUSED = LoginFailure("auth-rejected", Stage.AUTH, Reply(535, None, "no"), is_provider=False, is_login_sent=True)
CUT = Result(Verdict.DEFERRED, "network", Stage.DATA, None, is_mail_written=True, is_end_known=False)
HELD = Result(Verdict.ASIDE, BOUNCE_GUARD, Stage.RCPT, Reply(550, None, "no"), is_mail_written=True, is_end_known=True)


def then(health: Health, event: HealthEvent, now: int = 0, reason: str | None = None) -> Health:
    return after(health, event, moment=Moment(now, now), settings=SETTINGS, reason=reason)


def test_an_outage_of_logins_is_probed_at_the_times_of_health_probe_by_who_was_let_in_before() -> None:
    health, pauses, now = Health(), [], 0
    for _ in range(5):
        health = then(health, HealthEvent.LOGINS_OUT, now, AUTH_OUTAGE)
        pauses.append((health.probe_at or 0) - now)
        now = health.probe_at or 0
    assert pauses == [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 60 * MINUTE]
    assert (health.state, health.standing.is_for_proven) == (HealthState.WAITING, True)
    assert then(health, HealthEvent.LET_IN).standing.is_for_proven is False


def test_what_is_met_before_the_probe_does_not_put_it_off() -> None:
    health = then(Health(), HealthEvent.LOGINS_OUT, 0, AUTH_OUTAGE)
    assert then(health, HealthEvent.LOGINS_OUT, MINUTE, AUTH_OUTAGE) == health
    assert then(health, HealthEvent.UNREACHABLE, MINUTE, "network").cause is HealthEvent.LOGINS_OUT


def test_broken_lines_are_tried_by_one_session_as_an_unreachable_host_is() -> None:
    health = then(Health(), HealthEvent.BROKEN, 0, "network")
    assert (health.state, health.probe_at, health.standing.is_one_by_one) == (HealthState.WAITING, 10 * SECOND, True)


def test_who_is_acquitted_is_as_before_and_as_slow_as_before() -> None:
    worked = Health(is_proven=True)
    refused = then(worked, HealthEvent.LOGIN_REFUSED, 0, "auth-rejected")
    assert refused.state is HealthState.DOUBTED
    assert then(refused, HealthEvent.ACQUITTED) == worked
    slowed = replace(worked, state=HealthState.SLOWED, slow=4, slowed_by="rate-limited", clean_since=0)
    cut = then(slowed, HealthEvent.UNREACHABLE, 0, "network")
    assert (then(cut, HealthEvent.ACQUITTED).state, then(cut, HealthEvent.ACQUITTED).slow) == (HealthState.SLOWED, 4)


def test_what_was_found_to_be_the_providers_is_an_event_of_its_own() -> None:
    assert event_of_failure(replace(REFUSED, reply_class=AUTH_OUTAGE, is_provider=True)) is HealthEvent.LOGINS_OUT
    lost = replace(REFUSED, reply_class="network", reply=None)
    assert event_of_failure(lost) is HealthEvent.UNREACHABLE
    assert event_of_failure(replace(lost, is_provider=True)) is HealthEvent.BROKEN
    assert event_of_failure(replace(lost, is_provider=True, stage=Stage.CONNECT)) is HealthEvent.UNREACHABLE
    assert event_of_result(CUT) is HealthEvent.UNREACHABLE
    assert event_of_result(replace(CUT, is_provider=True)) is HealthEvent.BROKEN
    assert event_of_result(HELD) is HealthEvent.GUARDED


def test_only_a_final_refusal_of_what_was_sent_may_be_an_outage() -> None:
    assert is_refused_login(REFUSED)
    assert is_refused_login(replace(REFUSED, reply_class="unknown"))
    assert not is_refused_login(replace(REFUSED, reply_class="auth-method"))
    assert not is_refused_login(replace(REFUSED, is_login_sent=False))
    assert not is_refused_login(replace(REFUSED, reply=None))
    assert not is_refused_login(replace(REFUSED, reply=Reply(454, None, "later")))
