"""Which answers bear on the health of a mailbox or a host, and which are a recipient's or a message's own."""

from dataclasses import replace

import pytest

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.health import Health, HealthEvent
from relay.core.healthsettings import HealthSettings
from relay.core.reply import Reply
from relay.core.symptoms import (
    Tally,
    event_of_failure,
    event_of_result,
    is_refused_login,
    pause_after_silence,
    reason_of_result,
    stays_in_place,
)
from relay.core.words import Stage


def result(verdict: Verdict, reply_class: str, stage: Stage = Stage.EOD, reply: Reply | None = None) -> Result:
    return Result(verdict, reply_class, stage, reply, is_mail_written=True, is_end_known=True)


@pytest.mark.parametrize(
    ("verdict", "reply_class", "event"),
    [
        (Verdict.DELIVERED, "delivered", HealthEvent.DELIVERED),
        (Verdict.HELD, "sender-refused", HealthEvent.SENDER_REFUSED),
        (Verdict.HELD, "sender-mailbox-full", HealthEvent.SENDER_FULL),
        (Verdict.HELD, "account-blocked", HealthEvent.BLOCKED),
        (Verdict.HELD, "policy-refused", HealthEvent.POLICY_REFUSED),
        (Verdict.HELD, "unknown", HealthEvent.UNKNOWN),
        (Verdict.HELD, "tls-required", HealthEvent.REFUSED),
        (Verdict.HELD, "auth-rejected", HealthEvent.LOGIN_REFUSED),
        (Verdict.DEFERRED, "rate-limited", HealthEvent.RATE_LIMITED),
        (Verdict.DEFERRED, "too-many-recipients", HealthEvent.RATE_LIMITED),
        (Verdict.DEFERRED, "quota-exceeded", HealthEvent.QUOTA_EXCEEDED),
        (Verdict.DEFERRED, "sender-refused", HealthEvent.BUSY),
        (Verdict.DEFERRED, "network", HealthEvent.UNREACHABLE),
        (Verdict.DEFERRED, "outage", HealthEvent.UNREACHABLE),
        (Verdict.IN_DOUBT, "unknown", HealthEvent.UNREACHABLE),
        (Verdict.DROPPED, "network", HealthEvent.CUT_OFF),
        (Verdict.DEFERRED, "greylisted", None),
        (Verdict.DEFERRED, "recipient-mailbox-full", None),
        (Verdict.DEFERRED, "policy-refused", None),
        (Verdict.DEFERRED, "unknown", None),
        (Verdict.DEFERRED, "too-many-connections", None),
        (Verdict.BOUNCED, "recipient-unknown", None),
        (Verdict.BOUNCED, "content-refused", None),
        (Verdict.BOUNCED, "message-too-large", None),
        (Verdict.BOUNCED, "policy-refused", None),
        (Verdict.BOUNCED, "spam-blocked", HealthEvent.SPAM_BLOCKED),
        (Verdict.ASIDE, "protocol-error", None),
        (Verdict.CORRUPT, "unknown", None),
        (Verdict.DROPPED, "unknown", None),
    ],
)
def test_what_the_end_of_an_attempt_says_about_its_mailbox(
    verdict: Verdict, reply_class: str, event: HealthEvent | None
) -> None:
    assert event_of_result(result(verdict, reply_class)) is event


def test_what_nobody_understands_at_mail_is_the_mailbox_s_and_what_was_never_said_is_nobody_s() -> None:
    said = result(Verdict.DEFERRED, "unknown", Stage.MAIL, Reply(499, None, "hm"))
    assert event_of_result(said) is HealthEvent.UNKNOWN
    assert event_of_result(replace(said, reply=None)) is None
    assert event_of_result(replace(said, stage=Stage.RCPT)) is None


def test_messages_taken_for_spam_are_counted() -> None:
    spam = result(Verdict.BOUNCED, "spam-blocked")
    found = [event_of_result(spam, Tally(spam=many)) for many in (1, 2, 3, 4)]
    assert found == [HealthEvent.SPAM_BLOCKED, HealthEvent.SPAM_AGAIN, HealthEvent.SPAM_OFTEN, HealthEvent.SPAM_OFTEN]


def test_three_domains_that_refuse_by_policy_mean_the_sender() -> None:
    refused = result(Verdict.BOUNCED, "policy-refused")
    found = [event_of_result(refused, Tally(domains=many)) for many in (1, 2, 3)]
    assert found == [None, None, HealthEvent.POLICY_REFUSED]


def test_what_is_said_of_a_provider_bears_on_it() -> None:
    blocked = replace(result(Verdict.DEFERRED, "ip-blocked", Stage.MAIL), is_provider=True)
    assert event_of_result(blocked) is HealthEvent.IP_BLOCKED
    assert event_of_result(replace(blocked, reply_class="greylisted")) is HealthEvent.BUSY


def test_a_line_that_broke_is_the_reason_whatever_was_heard_instead() -> None:
    assert reason_of_result(result(Verdict.IN_DOUBT, "unknown")) == "network"
    assert reason_of_result(result(Verdict.DEFERRED, "outage")) == "outage"


def test_what_was_refused_in_the_name_of_the_mailbox_spends_no_try_of_a_message() -> None:
    assert stays_in_place(HealthEvent.RATE_LIMITED)
    assert stays_in_place(HealthEvent.BUSY)
    assert not stays_in_place(HealthEvent.UNREACHABLE), "it may be this message that breaks the line"
    assert not stays_in_place(None)


@pytest.mark.parametrize(
    ("reply_class", "reply", "is_sent", "event"),
    [
        ("auth-rejected", Reply(535, "5.7.8", "no"), True, HealthEvent.LOGIN_REFUSED),
        ("auth-method", Reply(534, "5.7.9", "app password"), True, HealthEvent.METHOD_REFUSED),
        ("auth-method", None, False, HealthEvent.METHOD_REFUSED),
        ("auth-temporary", Reply(454, "4.7.0", "later"), True, HealthEvent.LOGIN_BUSY),
        ("account-blocked", Reply(535, None, "suspended"), True, HealthEvent.BLOCKED),
        ("account-blocked", Reply(454, None, "suspended"), True, HealthEvent.LOGIN_BUSY),
        ("rate-limited", Reply(454, None, "too many logins"), True, HealthEvent.RATE_LIMITED),
        ("quota-exceeded", Reply(550, None, "daily"), True, HealthEvent.QUOTA_EXCEEDED),
        ("sender-refused", Reply(450, None, "later"), False, HealthEvent.BUSY),
        ("tls-required", Reply(530, None, "TLS"), False, HealthEvent.REFUSED),
        ("tls-required", None, False, HealthEvent.REFUSED),
        ("no-credentials", None, False, HealthEvent.REFUSED),
        ("protocol-error", Reply(501, None, "again"), True, HealthEvent.REFUSED),
        ("unknown", Reply(599, None, "gibberish"), True, HealthEvent.UNKNOWN),
        ("network", None, True, HealthEvent.UNREACHABLE),
        ("outage", Reply(421, None, "down"), False, HealthEvent.UNREACHABLE),
    ],
)
def test_what_a_failed_login_says_about_its_mailbox(
    reply_class: str, reply: Reply | None, is_sent: bool, event: HealthEvent
) -> None:
    failure = LoginFailure(reply_class, Stage.AUTH, reply, is_provider=False, is_login_sent=is_sent)
    assert event_of_failure(failure) is event


@pytest.mark.parametrize(
    ("reply_class", "reply", "event"),
    [
        ("network", None, HealthEvent.UNREACHABLE),
        ("outage", Reply(421, None, "down"), HealthEvent.UNREACHABLE),
        ("tls-required", None, HealthEvent.REFUSED),
        ("auth-method", Reply(250, None, "no AUTH"), HealthEvent.REFUSED),
        ("ip-blocked", Reply(554, None, "listed"), HealthEvent.IP_BLOCKED),
        ("rate-limited", Reply(450, None, "slower"), HealthEvent.BUSY),
        ("unknown", Reply(554, None, "no"), HealthEvent.UNKNOWN),
        ("protocol-error", Reply(501, None, "what"), HealthEvent.REFUSED),
    ],
)
def test_what_a_failed_connection_says_about_its_provider(
    reply_class: str, reply: Reply | None, event: HealthEvent
) -> None:
    failure = LoginFailure(reply_class, Stage.CONNECT, reply, is_provider=True, is_login_sent=False)
    assert event_of_failure(failure) is event


def test_a_refused_login_counts_where_credentials_were_answered_for_good() -> None:
    refused = LoginFailure("auth-rejected", Stage.AUTH, Reply(535, None, "no"), is_provider=False, is_login_sent=True)
    assert is_refused_login(refused)
    assert is_refused_login(replace(refused, reply_class="unknown"))
    assert not is_refused_login(replace(refused, reply=None)), "nobody knows"
    assert not is_refused_login(replace(refused, is_login_sent=False))
    assert not is_refused_login(replace(refused, is_provider=True)), "not this mailbox's"
    assert not is_refused_login(replace(refused, reply_class="auth-temporary", reply=Reply(454, None, "later")))


def test_a_login_without_an_answer_may_still_be_counted_and_the_finer_reason_is_told() -> None:
    silent = LoginFailure("network", Stage.AUTH, None, is_provider=False, is_login_sent=True)
    told = LoginFailure("tls-required", Stage.STARTTLS, Reply(454, None, "no"), is_provider=True, is_login_sent=False)
    assert (silent.is_answered, told.is_answered) == (False, True)
    assert (silent.reason, replace(told, fault="tls-expired").reason) == ("network", "tls-expired")


def test_a_login_that_nobody_answered_is_not_shown_again_sooner_than_a_refused_one_unless_it_has_worked() -> None:
    unanswered = LoginFailure("network", Stage.AUTH, None, is_provider=False, is_login_sent=True)
    settings = HealthSettings()
    assert pause_after_silence(unanswered, Health(), settings) == settings.second_refusal
    assert pause_after_silence(unanswered, Health(is_proven=True), settings) is None
    assert pause_after_silence(replace(unanswered, is_login_sent=False), Health(), settings) is None
    assert pause_after_silence(replace(unanswered, is_provider=True), Health(), settings) is None
