"""What stops a mailbox, for how long, and what heals it: the table of states, and what it remembers."""

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from relay.core.healing import LEAST_PACE, Pace, after, pace_of
from relay.core.health import HEALTH, PASSING, PAUSING, Health, HealthEvent, HealthState, Moment, Pause
from relay.core.healthsettings import HealthSettings
from relay.core.limits import HOUR, MINUTE, SECOND, Limit, parse_limit
from relay.core.remedy import Needs, is_told, needs_of_health

DAY = 24 * HOUR
"""What is tried daily is tried at the same time of each day, although a limit's day has 25 hours."""

SETTINGS = HealthSettings()
WORKED = Health(is_proven=True)
"""A login with this credential has worked."""


def at(relay: int, wall: int = 5) -> Moment:
    return Moment(relay, wall)


def then(health: Health, event: HealthEvent, now: int = 0, **more: object) -> Health:
    given = {"moment": at(now), "settings": SETTINGS, **more}
    return after(health, event, **given)  # type: ignore[arg-type]


def again(health: Health, event: HealthEvent, **more: object) -> Health:
    """The probe ends like this."""
    assert health.probe_at is not None
    return then(health, event, health.probe_at, **more)


def pauses(health: Health, event: HealthEvent, many: int, **more: object) -> list[int]:
    """How long it stands still after each of so many probes that end like this."""
    found, now = [], 0
    for _ in range(many):
        health = then(health, event, now, **more)
        assert health.probe_at is not None
        found.append(health.probe_at - now)
        now = health.probe_at
    return found


def slowed(slow: int = 4) -> Health:
    return Health(
        HealthState.SLOWED, "rate-limited", 1, is_proven=True, slow=slow, slowed_by="rate-limited", clean_since=0
    )


def test_the_table_answers_every_event_in_every_state() -> None:
    assert set(HEALTH) == {(state, event) for state in HealthState for event in HealthEvent}


# refused logins


def test_a_password_that_worked_is_doubted_and_tried_once_more_before_anybody_is_told() -> None:
    first = then(WORKED, HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    assert (first.state, first.probe_at) == (HealthState.DOUBTED, 5 * MINUTE)
    assert first.standing.is_stopped, "nothing goes but that one login"
    assert not is_told(first, lasted=0)
    assert needs_of_health(first) is None
    second = again(first, HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    assert (second.state, second.since) == (HealthState.PAUSED, first.since), "since the first refusal"
    assert is_told(second, lasted=0)
    assert needs_of_health(second) is Needs.OWNER
    assert again(first, HealthEvent.LOGIN_WORKED) == WORKED


def test_after_the_second_refusal_the_same_secret_is_tried_after_one_hour_then_six_then_daily() -> None:
    doubted = then(WORKED, HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    found, health = [], doubted
    for _ in range(4):
        now = health.probe_at or 0
        health = then(health, HealthEvent.LOGIN_REFUSED, now, reason="auth-rejected")
        found.append((health.probe_at or 0) - now)
    assert found == [HOUR, 6 * HOUR, DAY, DAY]


def test_a_password_that_never_worked_pauses_at_once_and_is_tried_as_seldom() -> None:
    assert then(Health(), HealthEvent.LOGIN_REFUSED).state is HealthState.PAUSED
    assert pauses(Health(), HealthEvent.LOGIN_REFUSED, 4, reason="auth-rejected") == [HOUR, 6 * HOUR, DAY, DAY]


def test_a_way_of_logging_in_that_is_not_taken_pauses_at_once_and_is_tried_daily() -> None:
    assert then(WORKED, HealthEvent.METHOD_REFUSED).state is HealthState.PAUSED
    assert pauses(WORKED, HealthEvent.METHOD_REFUSED, 3, reason="auth-method") == [DAY, DAY, DAY]


def test_a_secret_that_was_refused_within_the_hour_is_no_new_one() -> None:
    refused = WORKED.refusing("first", 7)
    assert refused.was_refused("first", 7 + HOUR)
    assert not refused.was_refused("first", 7 + HOUR + 1)
    assert not refused.was_refused("second", 7)
    assert refused.refusing("second", 8 + HOUR).refused == (("second", 8 + HOUR),), "no longer ago is kept"


def test_two_logins_refused_at_one_time_are_one_refusal() -> None:
    first = then(WORKED, HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    assert then(first, HealthEvent.LOGIN_REFUSED, 3, reason="auth-rejected") == first


def test_a_mail_that_was_under_way_says_nothing_against_a_refused_login() -> None:
    doubted = then(WORKED, HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    assert then(doubted, HealthEvent.DELIVERED, 9) == doubted
    assert again(doubted, HealthEvent.DELIVERED) == doubted, "over a session from before: only a login shows it"


def test_while_logins_are_refused_for_now_open_sessions_go_on_and_only_a_login_ends_it() -> None:
    busy = then(WORKED, HealthEvent.LOGIN_BUSY, reason="auth-temporary")
    assert (busy.state, busy.is_login_stopped) == (HealthState.WAITING, True)
    assert (busy.standing.is_stopped, busy.standing.logs_in_at) == (False, 5 * MINUTE)
    assert then(busy, HealthEvent.DELIVERED, DAY) == busy
    assert again(busy, HealthEvent.LOGIN_WORKED) == WORKED
    assert pauses(WORKED, HealthEvent.LOGIN_BUSY, 5) == [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR]


# too fast and too much


def test_too_fast_halves_the_pace_and_waits_for_the_longest_window_of_an_hour_or_less() -> None:
    pace = Pace(window=40 * MINUTE)
    first = then(WORKED, HealthEvent.RATE_LIMITED, reason="rate-limited", pace=pace)
    assert (first.state, first.slow, first.probe_at) == (HealthState.WAITING, 2, 40 * MINUTE)
    second = again(first, HealthEvent.RATE_LIMITED, reason="rate-limited", pace=pace)
    assert (second.slow, second.probe_at) == (4, 80 * MINUTE)
    assert then(WORKED, HealthEvent.RATE_LIMITED).probe_at == LEAST_PACE
    assert then(WORKED, HealthEvent.RATE_LIMITED, retry_after=300 * SECOND).probe_at == 300 * SECOND, "the hint"


def test_several_mails_under_way_that_are_too_fast_slow_it_once_and_none_of_them_ends_the_wait() -> None:
    first = then(WORKED, HealthEvent.RATE_LIMITED, reason="rate-limited")
    assert then(first, HealthEvent.RATE_LIMITED, 9, reason="rate-limited") == first
    assert then(first, HealthEvent.DELIVERED, 9) == first
    longer = then(first, HealthEvent.RATE_LIMITED, 9, reason="rate-limited", retry_after=HOUR)
    assert longer.probe_at == HOUR + 9


def test_the_probe_that_goes_through_ends_the_wait_and_leaves_it_slowed() -> None:
    first = then(WORKED, HealthEvent.RATE_LIMITED, reason="rate-limited")
    works = again(first, HealthEvent.DELIVERED)
    assert (works.state, works.slow, works.reason) == (HealthState.SLOWED, 2, "rate-limited")
    assert not works.is_stopped
    assert works.standing.slow == 2


def test_the_pace_is_never_divided_by_more_than_the_settings_allow() -> None:
    health = WORKED
    for _ in range(9):
        health = then(health, HealthEvent.RATE_LIMITED, health.probe_at or 0, reason="rate-limited")
    assert health.slow == 32
    bounded = replace(SETTINGS, slow=(2, 8))
    assert then(slowed(8), HealthEvent.RATE_LIMITED, settings=bounded).slow == 8
    assert then(slowed(2), HealthEvent.DELIVERED, DAY, settings=bounded).slow == 2
    assert then(WORKED, HealthEvent.RATE_LIMITED, settings=replace(SETTINGS, slow=(1, 1))).slow == 1


def test_it_is_eased_one_step_for_each_clean_time() -> None:
    pace = Pace(window=HOUR)
    early = then(slowed(4), HealthEvent.DELIVERED, HOUR - 1, pace=pace)
    assert early.slow == 4
    once = then(early, HealthEvent.DELIVERED, HOUR, pace=pace)
    assert (once.state, once.slow) == (HealthState.SLOWED, 2)
    assert then(once, HealthEvent.DELIVERED, 2 * HOUR - 1, pace=pace) == once
    assert then(once, HealthEvent.DELIVERED, 2 * HOUR, pace=pace) == WORKED


def test_who_is_slowed_stays_so_through_whatever_else_stops_it() -> None:
    for stop in (HealthEvent.UNREACHABLE, HealthEvent.SENDER_REFUSED):
        works = again(then(slowed(), stop, reason="x"), HealthEvent.DELIVERED)
        assert (works.state, works.slow, works.slowed_by) == (HealthState.SLOWED, 4, "rate-limited")
    assert then(slowed(), HealthEvent.CHANGED).slow == 4


def test_a_quota_is_probed_hourly_and_at_the_provider_s_midnight() -> None:
    assert pauses(WORKED, HealthEvent.QUOTA_EXCEEDED, 3) == [HOUR, HOUR, HOUR]
    before = Pace(day_ends=20 * MINUTE)
    first = then(WORKED, HealthEvent.QUOTA_EXCEEDED, reason="quota-exceeded", pace=before, retry_after=DAY)
    assert (first.state, first.probe_at) == (HealthState.WAITING, 20 * MINUTE)
    assert is_told(first, lasted=0)
    assert first.slow == 1, "a day's limit is not a matter of pace"
    assert then(first, HealthEvent.DELIVERED, 1) == first
    assert again(first, HealthEvent.DELIVERED) == WORKED


def test_a_blip_of_the_line_does_not_make_a_quota_forgotten() -> None:
    quota = then(WORKED, HealthEvent.QUOTA_EXCEEDED, reason="quota-exceeded")
    for passing in sorted(PASSING):
        blip = again(quota, passing, reason="network")
        assert (blip.state, blip.reason) == (HealthState.WAITING, "quota-exceeded")
        assert again(blip, HealthEvent.LOGIN_WORKED).is_stopped


def test_the_pace_of_limits_is_their_longest_window_of_an_hour_or_less() -> None:
    limits = [parse_limit(each) for each in ("8/m", "150/20m", "300/d")]
    assert pace_of(limits, UTC, 0, 0) == Pace(20 * MINUTE)
    assert pace_of([Limit(5, 2 * HOUR)], UTC, 0, 0).wait == LEAST_PACE
    rome = ZoneInfo("Europe/Rome")
    ends = pace_of([parse_limit("900/calendar-day")], rome, 0, 0).day_ends
    assert ends == 23 * HOUR + 5 * MINUTE, "1970 began at one o'clock in Rome"


# spam


def test_the_second_mail_within_an_hour_that_is_taken_for_spam_slows_by_four_and_the_third_pauses_for_a_day() -> None:
    assert then(WORKED, HealthEvent.SPAM_BLOCKED, reason="spam-blocked") == WORKED
    second = then(WORKED, HealthEvent.SPAM_AGAIN, reason="spam-blocked")
    assert (second.state, second.slow, second.is_stopped) == (HealthState.SLOWED, 4, False)
    third = then(second, HealthEvent.SPAM_OFTEN, reason="spam-blocked")
    assert (third.state, third.probe_at) == (HealthState.PAUSED, DAY)
    assert needs_of_health(third) is Needs.ADMIN
    probe = again(third, HealthEvent.SPAM_BLOCKED, reason="spam-blocked")
    assert (probe.state, probe.probe_at) == (HealthState.PAUSED, 2 * DAY), "one more is enough after that"
    works = again(third, HealthEvent.DELIVERED)
    assert (works.state, works.slow) == (HealthState.SLOWED, 4)


def test_who_is_stopped_and_taken_for_spam_is_slower_when_he_goes_on() -> None:
    refused = then(WORKED, HealthEvent.SENDER_REFUSED, reason="sender-refused")
    assert then(refused, HealthEvent.SPAM_AGAIN, reason="spam-blocked") == replace(
        refused, slow=4, slowed_by="spam-blocked"
    )


# what somebody has to mend


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (HealthEvent.BLOCKED, [4 * HOUR, DAY, DAY]),
        (HealthEvent.SENDER_REFUSED, [DAY, DAY, DAY]),
        (HealthEvent.SENDER_FULL, [DAY, DAY, DAY]),
        (HealthEvent.POLICY_REFUSED, [DAY, DAY, DAY]),
        (HealthEvent.UNKNOWN, [5 * MINUTE, 15 * MINUTE, 30 * MINUTE]),
        (HealthEvent.GUARDED, [5 * MINUTE, 15 * MINUTE, 30 * MINUTE]),
        (HealthEvent.IP_BLOCKED, [30 * MINUTE, HOUR, HOUR]),
        (HealthEvent.REFUSED, [5 * MINUTE, 15 * MINUTE, 30 * MINUTE]),
    ],
)
def test_what_pauses_is_told_and_probed_at_its_own_times(event: HealthEvent, expected: list[int]) -> None:
    assert pauses(WORKED, event, 3, reason="why") == expected
    paused = then(WORKED, event, reason="why")
    assert paused.state is HealthState.PAUSED
    assert is_told(paused, lasted=0)


@pytest.mark.parametrize("stop", sorted(PAUSING))
def test_what_passes_never_hides_what_somebody_has_to_mend(stop: HealthEvent) -> None:
    paused = then(WORKED, stop, reason="mend me")
    for passing in sorted(PASSING | {HealthEvent.RATE_LIMITED, HealthEvent.QUOTA_EXCEEDED}):
        still = again(paused, passing, reason="passing")
        assert (still.state, still.reason, still.since) == (HealthState.PAUSED, "mend me", paused.since)
        assert then(paused, passing, 1, reason="passing").probe_at == paused.probe_at, "and brings no probe forward"


def test_a_probe_that_meets_what_passes_is_repeated_within_the_hour_and_not_sooner_than_usual() -> None:
    paused = then(WORKED, HealthEvent.SENDER_REFUSED, reason="sender-refused")
    assert again(paused, HealthEvent.UNREACHABLE).probe_at == DAY + HOUR
    doubted = then(WORKED, HealthEvent.LOGIN_REFUSED, reason="auth-rejected")
    assert again(doubted, HealthEvent.UNREACHABLE).probe_at == 10 * MINUTE
    assert again(doubted, HealthEvent.RATE_LIMITED, reason="rate-limited").slow == 2
    waiting = then(WORKED, HealthEvent.RATE_LIMITED, pace=Pace(HOUR))
    assert again(waiting, HealthEvent.UNREACHABLE, pace=Pace(HOUR)).probe_at == 2 * HOUR
    assert again(paused, HealthEvent.CROWDED).probe_at == paused.probe_at, "nobody was asked"


def test_another_thing_to_mend_takes_its_place() -> None:
    first = then(WORKED, HealthEvent.SENDER_REFUSED, reason="sender-refused")
    other = then(first, HealthEvent.BLOCKED, 9, reason="account-blocked")
    assert (other.reason, other.step, other.probe_at) == ("account-blocked", 1, 4 * HOUR + 9)


def test_a_block_is_waited_out_as_long_as_the_provider_is_known_to_keep_it() -> None:
    assert pauses(WORKED, HealthEvent.BLOCKED, 3, pace=Pace(block=2 * HOUR)) == [2 * HOUR, DAY, DAY]


# lines and hosts


def test_a_host_that_cannot_be_reached_is_looked_for_soon_and_never_after_more_than_a_quarter_of_an_hour() -> None:
    found = pauses(WORKED, HealthEvent.UNREACHABLE, 9)
    assert found[:3] == [10 * SECOND, 30 * SECOND, MINUTE]
    assert found[-1] == 15 * MINUTE
    assert then(then(WORKED, HealthEvent.UNREACHABLE), HealthEvent.DELIVERED, 1) == WORKED, "the line works"


def test_who_is_thrown_out_after_the_login_is_not_healed_by_the_next_login() -> None:
    health, now, found = Health(), 0, []
    for _ in range(3):
        health = then(then(health, HealthEvent.CUT_OFF, now, reason="network"), HealthEvent.LOGIN_WORKED, now)
        assert health.is_stopped
        found.append((health.probe_at or 0) - now)
        now = health.probe_at or 0
    assert found == [10 * SECOND, 30 * SECOND, MINUTE]
    assert then(health, HealthEvent.DELIVERED, now) == WORKED


def test_who_gets_no_session_is_tried_every_45_seconds_until_one_is_let_in() -> None:
    assert pauses(WORKED, HealthEvent.CROWDED, 3) == [45 * SECOND] * 3
    crowded = then(WORKED, HealthEvent.CROWDED, reason="too-many-connections")
    assert again(crowded, HealthEvent.LOGIN_WORKED) == WORKED
    assert not is_told(crowded, lasted=HOUR - 1)
    assert is_told(crowded, lasted=HOUR), "what lasts does not pass"


def test_the_provider_s_own_hint_is_never_undercut() -> None:
    health = then(WORKED, HealthEvent.BUSY, reason="outage", retry_after=2 * HOUR)
    assert (health.state, health.probe_at) == (HealthState.WAITING, 2 * HOUR)
    assert then(WORKED, HealthEvent.LOGIN_REFUSED, retry_after=HOUR).probe_at == HOUR


def test_a_host_that_blocks_this_address_is_asked_without_a_login() -> None:
    blocked = then(Health(), HealthEvent.IP_BLOCKED, reason="ip-blocked")
    assert blocked.standing.is_barred
    assert not then(blocked, HealthEvent.LET_IN, 9).standing.is_barred


def test_another_cause_begins_at_its_own_first_step() -> None:
    refused = again(then(WORKED, HealthEvent.UNREACHABLE), HealthEvent.UNREACHABLE)
    assert then(refused, HealthEvent.BUSY, HOUR).probe_at == HOUR + 5 * MINUTE


def test_since_says_when_this_reason_began() -> None:
    first = then(WORKED, HealthEvent.UNKNOWN, moment=at(0, 100), reason="unknown")
    repeated = then(first, HealthEvent.UNKNOWN, moment=at(5 * MINUTE, 200), reason="unknown")
    other = then(repeated, HealthEvent.REFUSED, moment=at(DAY, 300), reason="tls-required")
    assert (first.since, repeated.since, other.since) == (100, 100, 300)


# what somebody does


@pytest.mark.parametrize("stop", [HealthEvent.LOGIN_REFUSED, *sorted(PAUSING - {HealthEvent.SPAM_OFTEN})])
def test_a_new_secret_is_tried_at_once_outside_every_budget(stop: HealthEvent) -> None:
    fresh = then(then(WORKED, stop, reason="x"), HealthEvent.CHANGED, 1)
    assert (fresh.state, fresh.is_proven, fresh.is_fresh) == (HealthState.OK, False, True)
    assert fresh.standing.is_fresh
    assert then(fresh, HealthEvent.DELIVERED, 2) == fresh, "by the secret of before"
    assert then(fresh, HealthEvent.LOGIN_WORKED, 2) == WORKED
    refused = then(fresh, HealthEvent.LOGIN_REFUSED, 2, reason="auth-rejected")
    assert (refused.state, refused.is_fresh) == (HealthState.PAUSED, False)


@pytest.mark.parametrize("stop", [HealthEvent.RATE_LIMITED, HealthEvent.QUOTA_EXCEEDED, HealthEvent.SPAM_OFTEN])
def test_a_new_secret_makes_nobody_faster_but_is_tried_by_one_probe(stop: HealthEvent) -> None:
    fresh = then(then(WORKED, stop, reason="x"), HealthEvent.CHANGED, 7)
    assert fresh.is_stopped
    assert (fresh.probe_at, fresh.is_fresh, fresh.is_proven) == (7, True, False)


@pytest.mark.parametrize("state", [HealthState.DOUBTED, HealthState.WAITING, HealthState.PAUSED])
def test_whoever_says_that_it_is_mended_gets_one_probe_at_once(state: HealthState) -> None:
    stopped = Health(state, "x", 1, HealthEvent.SENDER_REFUSED, DAY, 3, is_proven=True)
    fixed = then(stopped, HealthEvent.FIXED, 7)
    assert fixed == replace(stopped, probe_at=7, fixed_at=7)
    assert then(WORKED, HealthEvent.FIXED) == WORKED


@pytest.mark.parametrize("stop", [HealthEvent.LOGIN_REFUSED, HealthEvent.RATE_LIMITED, HealthEvent.QUOTA_EXCEEDED])
def test_whoever_says_so_again_and_again_gets_one_probe_in_five_minutes(stop: HealthEvent) -> None:
    health = then(then(WORKED, stop, reason="x"), HealthEvent.FIXED, 7)
    assert health.probe_at == 7
    health = then(health, stop, 8, reason="x")
    for at in (9, 10, 11):
        health = then(health, HealthEvent.FIXED, at)
        assert health.probe_at == 7 + 5 * MINUTE
    health = then(health, stop, 7 + 5 * MINUTE, reason="x")
    assert then(health, HealthEvent.FIXED, 8 + 5 * MINUTE).probe_at == 7 + 10 * MINUTE


def test_a_delivered_probe_heals_whatever_a_login_alone_does_not_show() -> None:
    for stop in sorted(PAUSING - {HealthEvent.NEVER_WORKED, HealthEvent.METHOD_REFUSED}):
        stopped = then(WORKED, stop, reason="x")
        logged_in = again(stopped, HealthEvent.LOGIN_WORKED)
        assert logged_in.is_stopped
        assert again(logged_in, HealthEvent.DELIVERED).state in (HealthState.OK, HealthState.SLOWED)


def test_a_stopped_mailbox_lets_nothing_go_but_a_probe() -> None:
    standing = then(WORKED, HealthEvent.UNKNOWN).standing
    assert standing.is_stopped
    assert standing.is_careful
    assert standing.opens_at(0) == 5 * MINUTE
    assert WORKED.standing.opens_at(7) == 7


def test_only_a_paused_mailbox_is_told_to_be_and_since_when() -> None:
    for state in HealthState:
        health = Health(state, "auth-rejected", since=7)
        assert health.pause == (Pause("auth-rejected", 7) if state is HealthState.PAUSED else None)
    assert Health(HealthState.PAUSED, None, since=7).pause == Pause("unknown", 7)
    assert Health(HealthState.PAUSED, "auth-rejected").pause is None
