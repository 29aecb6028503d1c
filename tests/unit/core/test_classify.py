"""What a reply means: only what concerns the recipient or the message bounces, and nothing is guessed into a stop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.classify import Context, classify
from relay.core.envelope import Verdict
from relay.core.hint import LONGEST_HINT, hinted, is_daily
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.meaning import MEANINGS, VERDICTS, Action, Failure, Judgement, ReplyClass, Scope
from relay.core.reply import read_reply
from relay.core.words import Stage

PAST_GATE = Context(is_past_gate=True)
LOGIN = [Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH]
REFUSED = st.builds(
    read_reply,
    st.integers(min_value=400, max_value=599),
    st.text(max_size=60) | st.sampled_from(["5.1.1 no", "4.2.2 full", "5.3.4 big", "daily limit", "rate limit"]),
)


def judged(stage: Stage, line: str) -> Judgement:
    return classify(stage, read_reply(int(line[:3]), line[4:]))


# the words themselves


def test_every_class_has_a_meaning_and_every_action_a_verdict() -> None:
    assert set(MEANINGS) == set(ReplyClass)
    assert set(VERDICTS) == set(Action)


# the ordinary way


@pytest.mark.parametrize("line", ["250 2.0.0 Ok: queued as 1", "250", "251 forwarded", "252 perhaps"])
def test_the_reply_after_the_dot_that_takes_the_message_is_a_delivery(line: str) -> None:
    assert judged(Stage.EOD, line + " ") == Judgement(ReplyClass.DELIVERED, Scope.RECIPIENT, Action.DONE)
    assert judged(Stage.EOD, line + " ").verdict is Verdict.DELIVERED


TABLE = [
    # AUTH: the mailbox's, held, never bounced
    (Stage.AUTH, "535 5.7.8 authentication failed", "auth-rejected", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "550 no", "auth-rejected", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "534-5.7.9 Application-specific password required", "auth-method", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "535 5.7.139 basic authentication is disabled", "auth-method", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "504 5.5.4 unrecognized authentication type", "auth-method", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "538 5.7.11 encryption required", "tls-required", Scope.PROVIDER, Verdict.HELD),
    (Stage.AUTH, "530 5.7.0 Encryption required", "tls-required", Scope.PROVIDER, Verdict.HELD),
    (Stage.AUTH, "454 4.7.0 Too many login attempts", "auth-temporary", Scope.MAILBOX, Verdict.DEFERRED),
    # MAIL: the mailbox's, held, never bounced
    (Stage.MAIL, "550 5.7.1 not yours", "sender-refused", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "553 Relaying disallowed", "sender-refused", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "530-5.7.0 Must issue a STARTTLS command first", "tls-required", Scope.PROVIDER, Verdict.HELD),
    (Stage.MAIL, "555 5.5.4 parameters not recognized", "protocol-error", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.MAIL, "501 syntax error", "protocol-error", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.MAIL, "554 5.5.4 invalid arguments", "protocol-error", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.MAIL, "599 zzqq", "unknown", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "554 zorblatt 42", "unknown", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "571 zorblatt 42", "unknown", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "550 zorblatt 42", "sender-refused", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "553 zorblatt 42", "sender-refused", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "450 zorblatt", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "451 zorblatt", "outage", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "552 5.3.4 Message size exceeds fixed limit", "message-too-large", Scope.MESSAGE, Verdict.BOUNCED),
    # over a limit: the mailbox slows down, the delivery is tried again
    (Stage.MAIL, "450 4.7.1 rate limit exceeded", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "454 Throttling failure: rate exceeded", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "450 try later", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "452 4.5.3 too many recipients", "too-many-recipients", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "550 5.4.5 Daily user sending limit exceeded", "quota-exceeded", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "454 Daily message quota exceeded", "quota-exceeded", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "550 sending limit exceeded", "quota-exceeded", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.RCPT, "450 4.2.1 Peak SMTP relay limit exceeded", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.EOD, "451 4.7.0 rate limit", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.EOD, "550 5.4.5 Daily sending quota exceeded", "quota-exceeded", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "451 4.3.0 temporary failure", "outage", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "421 4.3.0 closing", "outage", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.EOD, "421 4.3.0 closing", "outage", Scope.MAILBOX, Verdict.DEFERRED),
    # RCPT and after: the delivery's own
    (Stage.RCPT, "550 5.1.1 no such user", "recipient-unknown", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "450 4.1.1 not known yet", "recipient-refused", Scope.RECIPIENT, Verdict.DEFERRED),
    (Stage.RCPT, "553-5.1.2 no such domain", "recipient-domain-bad", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "556 5.1.10 null MX", "recipient-domain-bad", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "452 4.2.2 out of storage", "recipient-mailbox-full", Scope.RECIPIENT, Verdict.DEFERRED),
    (Stage.RCPT, "552 5.2.2 mailbox full", "recipient-mailbox-full", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "550 no", "recipient-refused", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "451 later", "recipient-refused", Scope.RECIPIENT, Verdict.DEFERRED),
    (Stage.RCPT, "450 4.2.1 receiving mail too quickly", "recipient-refused", Scope.RECIPIENT, Verdict.DEFERRED),
    (Stage.RCPT, "550 recipient over his limit", "recipient-refused", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "501 5.1.3 bad address", "protocol-error", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.DATA, "503 5.5.1 need RCPT command", "protocol-error", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.DATA, "451 later", "unknown", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.EOD, "554 5.7.1 refused", "policy-refused", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.EOD, "552 5.3.4 too big", "message-too-large", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.EOD, "554 no", "unknown", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.EOD, "451 later", "unknown", Scope.MESSAGE, Verdict.DEFERRED),
    (Stage.EOD, "450 4.7.1 later", "unknown", Scope.MESSAGE, Verdict.DEFERRED),
    # codes alone
    (Stage.EHLO, "554 5.5.0 zork", "protocol-error", Scope.PROVIDER, Verdict.DEFERRED),
    (Stage.CONNECT, "554 5.7.0 zork", "ip-blocked", Scope.PROVIDER, Verdict.HELD),
    (Stage.AUTH, "432 zork", "auth-method", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "450 4.7.12 zork", "auth-method", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "450 4.3.0 zork", "outage", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.AUTH, "525 zork", "account-blocked", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "530 zork", "tls-required", Scope.PROVIDER, Verdict.HELD),
    (Stage.AUTH, "501 zork", "auth-method", Scope.MAILBOX, Verdict.HELD),
    (Stage.AUTH, "560 zork", "unknown", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "530 zork", "tls-required", Scope.PROVIDER, Verdict.HELD),
    (Stage.MAIL, "552 zork", "unknown", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "552 5.2.3 zork", "message-too-large", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.MAIL, "552 5.2.2 zork", "sender-mailbox-full", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "552 Storage allocation exceeded", "sender-mailbox-full", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "552 Message exceeds maximum size", "message-too-large", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.MAIL, "452 4.7.1 zork", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "450 4.1.8 zork", "rate-limited", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.MAIL, "550 5.7.20 zork", "policy-refused", Scope.MAILBOX, Verdict.HELD),
    (Stage.RCPT, "550 5.4.5 zork", "quota-exceeded", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.RCPT, "450 4.4.5 zork", "outage", Scope.MAILBOX, Verdict.DEFERRED),
    (Stage.RCPT, "450 4.5.0 zork", "recipient-refused", Scope.RECIPIENT, Verdict.DEFERRED),
    (Stage.RCPT, "550 5.5.0 zork", "protocol-error", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "552 zork", "recipient-mailbox-full", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "556 zork", "recipient-domain-bad", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.RCPT, "501 5.1.1 zork", "protocol-error", Scope.RECIPIENT, Verdict.BOUNCED),
    (Stage.EOD, "550 5.6.0 zork", "content-refused", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.EOD, "552 zork", "message-too-large", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.EOD, "550 5.7.26 zork", "policy-refused", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.EOD, "450 4.6.0 zork", "unknown", Scope.MESSAGE, Verdict.DEFERRED),
    # read, whatever the digit
    (Stage.EOD, "450 4.7.1 this is spam", "spam-blocked", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.EOD, "451 a virus was found", "content-refused", Scope.MESSAGE, Verdict.BOUNCED),
    (Stage.MAIL, "550 5.7.1 SPF check failed", "policy-refused", Scope.MAILBOX, Verdict.HELD),
    (Stage.MAIL, "450 4.7.1 your account was suspended", "account-blocked", Scope.MAILBOX, Verdict.HELD),
]


@pytest.mark.parametrize(("stage", "line", "meaning", "scope", "verdict"), TABLE)
def test_stage_and_code_decide(stage: Stage, line: str, meaning: str, scope: Scope, verdict: Verdict) -> None:
    judgement = judged(stage, line)
    assert (judgement.reply_class, judgement.scope, judgement.verdict) == (meaning, scope, verdict)
    assert judgement.is_provider is (scope is Scope.PROVIDER)


SENT_TOO_MUCH = [
    "La casella ha superato la quota di invii",
    "Quota di invio della casella superata",
    "La tua casella ha superato il numero massimo di messaggi inviati",
    "La sua casella ha superato il limite di spedizioni",
    "Casella oltre la quota di posta in uscita",
    "La tua casella ha inviato troppi messaggi",
    "mailbox has exceeded its sending quota",
    "Your mailbox sent too many messages",
    "Sending limit of the mailbox reached",
    "Mailbox quota exceeded for outbound mail",
    "Quota d'envoi de la boîte dépassé",
    "El buzón ha superado la cuota de envíos",
    "Das Sendekontingent des Postfachs ist erschöpft",
]


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.EOD])
@pytest.mark.parametrize("text", SENT_TOO_MUCH)
def test_what_is_sent_outranks_the_mailbox_whose_quota_it_is(stage: Stage, text: str) -> None:
    final, for_now = judged(stage, f"552 5.2.2 {text}"), judged(stage, f"452 4.2.2 {text}")
    assert (final.reply_class, final.action) == ("quota-exceeded", Action.WAIT)
    assert (for_now.reply_class, for_now.action) == ("rate-limited", Action.SLOW)


def test_the_period_in_which_too_much_was_sent_decides_and_not_the_digit() -> None:
    assert judged(Stage.RCPT, "452 La casella ha superato gli invii giornalieri").reply_class == "quota-exceeded"
    assert judged(Stage.RCPT, "552 La casella ha superato la quota oraria di invii").reply_class == "rate-limited"
    assert judged(Stage.EOD, "552 Mailbox quota of 300 mails per day exceeded").reply_class == "quota-exceeded"
    assert judged(Stage.EOD, "552 Mailbox quota of 30 mails per hour exceeded").reply_class == "rate-limited"


@pytest.mark.parametrize(
    "text",
    [
        "Mailbox quota exceeded; message sent by you was not delivered",
        "Over quota. Sending of this message failed",
        "Messaggi inviati a questa casella oltre la quota",
        "Casella oltre quota: invio rifiutato",
        "La casella di posta del destinatario e' piena",
        "The email was sent but the mailbox is full",
    ],
)
def test_a_full_mailbox_is_full_though_sending_is_spoken_of(text: str) -> None:
    assert judged(Stage.RCPT, f"552 5.2.2 {text}").reply_class == "recipient-mailbox-full"


def test_a_mailbox_that_gets_too_much_is_a_recipient() -> None:
    found = judged(Stage.RCPT, "450 4.2.1 La casella ha ricevuto troppi messaggi al minuto")
    assert (found.reply_class, found.scope) == ("recipient-refused", Scope.RECIPIENT)


@pytest.mark.parametrize(
    ("stage", "line", "meaning", "action"),
    [
        (Stage.CONNECT, "554 5.7.1 blocked", "ip-blocked", Action.BREAK),
        (Stage.CONNECT, "554 zzqq", "unknown", Action.HOLD),
        (Stage.CONNECT, "421 too busy", "outage", Action.BREAK),
        (Stage.EHLO, "550 who are you", "unknown", Action.HOLD),
        (Stage.EHLO, "502 5.5.1 no", "protocol-error", Action.BREAK),
        (Stage.EHLO, "451 later", "outage", Action.BREAK),
        (Stage.STARTTLS, "454 4.7.0 TLS not available", "outage", Action.BREAK),
        (Stage.STARTTLS, "502 5.5.1 no", "tls-required", Action.BREAK),
    ],
)
def test_before_anybody_said_who_he_is_it_is_the_provider(
    stage: Stage, line: str, meaning: str, action: Action
) -> None:
    judgement = judged(stage, line)
    assert (judgement.reply_class, judgement.action, judgement.is_provider) == (meaning, action, True)


# the laws


@given(st.sampled_from([*LOGIN, Stage.MAIL]), REFUSED)
def test_no_refusal_before_the_recipient_bounces_anything(stage: Stage, reply: object) -> None:
    judgement = classify(stage, reply)  # type: ignore[arg-type]
    assert judgement.verdict is not Verdict.BOUNCED or judgement.reply_class is ReplyClass.MESSAGE_TOO_LARGE


@given(st.sampled_from(list(Stage)), REFUSED)
def test_what_is_refused_for_now_bounces_only_where_a_rule_read_why(stage: Stage, reply: object) -> None:
    judgement = classify(stage, reply)  # type: ignore[arg-type]
    if reply.is_temporary and judgement.verdict is Verdict.BOUNCED:  # type: ignore[attr-defined]
        assert judgement.is_read
        assert judgement.reply_class in ("spam-blocked", "content-refused")


@given(st.sampled_from(list(Stage)), REFUSED)
def test_nothing_of_the_mailbox_or_the_provider_bounces(stage: Stage, reply: object) -> None:
    judgement = classify(stage, reply)  # type: ignore[arg-type]
    if judgement.scope in (Scope.MAILBOX, Scope.PROVIDER):
        assert judgement.verdict is not Verdict.BOUNCED
        assert judgement.action is not Action.BOUNCE


@given(st.sampled_from([Stage.RCPT, Stage.DATA, Stage.EOD]), st.integers(min_value=500, max_value=599))
def test_a_final_answer_about_the_delivery_is_believed_at_once_only_where_its_meaning_is_known(
    stage: Stage, code: int
) -> None:
    judgement = classify(stage, read_reply(code, "no"))
    again = Verdict.DEFERRED, 15 * MINUTE
    if judgement.reply_class == "unknown":
        assert (judgement.verdict, judgement.retry_after) == again
    elif judgement.reply_class == "protocol-error":
        assert judgement.verdict is (Verdict.BOUNCED if stage is Stage.RCPT else Verdict.DEFERRED)
    else:
        assert (judgement.verdict, judgement.retry_after) == (Verdict.BOUNCED, None)


@given(st.sampled_from(list(Stage)), REFUSED | st.sampled_from(list(Failure)), st.booleans())
def test_doubt_needs_the_gate_and_a_missing_reply(stage: Stage, seen: object, is_past_gate: bool) -> None:
    judgement = classify(stage, seen, Context(is_past_gate=is_past_gate))  # type: ignore[arg-type]
    if judgement.verdict is Verdict.IN_DOUBT:
        assert is_past_gate
        assert isinstance(seen, Failure)


@given(st.sampled_from(list(Stage)), st.integers(min_value=0, max_value=999), st.text(max_size=40))
def test_any_code_is_judged(stage: Stage, code: int, text: str) -> None:
    judgement = classify(stage, read_reply(code, text))
    if not 400 <= code < 600 and not (stage is Stage.EOD and 200 <= code < 300):
        assert judgement.reply_class is ReplyClass.PROTOCOL_ERROR


# no reply at all


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.TIMEOUT, Failure.LOST, Failure.NONSENSE])
def test_a_missing_reply_is_the_providers_before_the_login_and_the_mailboxs_after(failure: Failure) -> None:
    meaning = "protocol-error" if failure is Failure.NONSENSE else "network"
    for stage in Stage:
        judgement = classify(stage, failure)
        assert judgement.reply_class == meaning
        assert judgement.is_provider is (stage in (Stage.CONNECT, Stage.EHLO, Stage.STARTTLS))
        assert judgement.verdict is Verdict.DEFERRED
    assert classify(Stage.EOD, failure, PAST_GATE).verdict is Verdict.IN_DOUBT


def test_what_was_not_offered_is_named() -> None:
    assert classify(Stage.AUTH, Failure.NOT_OFFERED).reply_class == "auth-method"
    assert classify(Stage.AUTH, Failure.NOT_OFFERED).verdict is Verdict.HELD
    assert classify(Stage.STARTTLS, Failure.NOT_OFFERED).reply_class == "tls-required"
    assert classify(Stage.CONNECT, Failure.UNVERIFIED).reply_class == "tls-required"
    assert classify(Stage.MAIL, Failure.NOT_OFFERED).verdict is Verdict.BOUNCED
    assert classify(Stage.MAIL, Failure.TOO_LARGE).reply_class == "message-too-large"


# waiting times


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("try again in 300 seconds", 300 * SECOND),
        ("riprovare tra 5 minuti", 5 * MINUTE),
        ("wait 1 hour", HOUR),
        ("retry after 90s", 90 * SECOND),
        ("20 recipients in 10 minutes, wait 2 h", 2 * HOUR),
        ("wait 99999 hours", LONGEST_HINT),
        ("Try again later (10). x-gsmtp", None),
        ("iemL1p01Z0hMcT901emQ77", None),
        ("5 messages", None),
        ("", None),
        ("wait 1 day", 24 * HOUR),
        ("Greylisted for 24 hours window; try again in 5 minutes", 5 * MINUTE),
        ("limite di 100 in 24 ore, riprovare tra 10 minuti", 10 * MINUTE),
        ("wait 1h30m", 90 * MINUTE),
        ("1 hour and 30 minutes", 90 * MINUTE),
        ("10 minutes, 2 hours", 2 * HOUR),
        ("riprovare tra un'ora e mezza", 90 * MINUTE),
        ("wait an hour and a half", 90 * MINUTE),
        ("retry-after: 120", 120 * SECOND),
        ("Retry in 300.", 300 * SECOND),
        ("riprova tra 600", 600 * SECOND),
        ("retry after 3 attempts", None),
        ("try again in 300.5", None),
        ("wait 00:05:00", 5 * MINUTE),
        ("00:05:00", 5 * MINUTE),
        ("again in 01:30:00", 90 * MINUTE),
        ("try again at 15:00:00", None),
        ("try again after 00:05:00", None),
        ("2026-11-22 00:05:00", None),
    ],
)
def test_a_waiting_time_in_the_text_is_read(text: str, wait: int | None) -> None:
    assert hinted(text) == wait
    assert judged(Stage.MAIL, f"450 4.7.1 {text}").retry_after == wait


@pytest.mark.parametrize(
    ("text", "is_over_a_day"),
    [
        ("1 day", True),
        ("100 messages per hour, retry in 24 hours", False),
        ("day limit reached, retry in 5 minutes", True),
        ("exceeded hour limit", False),
        ("wait 24 hours", True),
        ("within 3 hours", None),
    ],
)
def test_the_period_of_a_limit_is_not_the_time_to_wait(text: str, *, is_over_a_day: bool | None) -> None:
    assert is_daily(text) is is_over_a_day


# too many sessions


@pytest.mark.parametrize("stage", LOGIN)
@pytest.mark.parametrize(
    ("text", "is_provider"),
    [
        ("421 4.7.0 Too many concurrent SMTP connections; please try again later.", False),
        ("421 too many sessions for this user", False),
        ("432 4.3.2 Concurrent connections limit exceeded.", False),
        ("421 4.7.0 maximum number of simultaneous connections reached", False),
        ("421 4.7.0 Too many connections from your IP", True),
        ("421 Too many concurrent connections per host", True),
    ],
)
def test_too_many_sessions_are_no_failure(stage: Stage, text: str, is_provider: bool) -> None:
    judgement = classify(stage, read_reply(int(text[:3]), text[4:]))
    assert (judgement.reply_class, judgement.action) == ("too-many-connections", Action.FEWER_SESSIONS)
    assert judgement.is_provider is is_provider


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.EOD])
@pytest.mark.parametrize(
    ("text", "is_provider"),
    [
        ("432 4.3.2 Concurrent connections limit exceeded. Visit https://x.test [Hostname=AB1]", False),
        ("451 4.7.0 Too many simultaneous sessions", False),
        ("421 4.7.0 maximum number of connections exceeded", False),
        ("554 5.7.0 Too many concurrent SMTP connections", False),
        ("452 4.3.2 exceeded the allowed connections from your IP", True),
    ],
)
def test_too_many_sessions_may_be_counted_only_when_the_message_is_sent(
    stage: Stage, text: str, is_provider: bool
) -> None:
    judgement = classify(stage, read_reply(int(text[:3]), text[4:]))
    assert (judgement.reply_class, judgement.action) == ("too-many-connections", Action.FEWER_SESSIONS)
    assert (judgement.verdict, judgement.is_provider) == (Verdict.DEFERRED, is_provider)


@pytest.mark.parametrize(
    ("stage", "text", "meaning"),
    [
        (Stage.EOD, "451 4.7.0 too many messages over this connection", "rate-limited"),
        (Stage.RCPT, "452 4.3.2 too many connections to the recipient's server", "recipient-refused"),
        (Stage.EOD, "451 4.7.0 exceeded the limit of messages for these sessions", "rate-limited"),
        (Stage.MAIL, "450 4.7.1 too many messages in this session", "rate-limited"),
        (Stage.AUTH, "535 5.7.8 too many failed sessions", "auth-rejected"),
        (Stage.CONNECT, "421 4.3.2 too busy", "outage"),
    ],
)
def test_what_is_said_of_anything_else_is_not_taken_for_it(stage: Stage, text: str, meaning: str) -> None:
    assert classify(stage, read_reply(int(text[:3]), text[4:])).reply_class == meaning


@pytest.mark.parametrize("text", ["500 5.5.1 command not recognized", "502 what", "503 bad sequence", "504 no"])
def test_a_bare_code_to_a_login_that_has_worked_is_a_provider_out_of_order(text: str) -> None:
    reply = read_reply(int(text[:3]), text[4:])
    worked = classify(Stage.AUTH, reply, Context(has_worked=True))
    assert (worked.reply_class, worked.scope, worked.verdict) == ("protocol-error", Scope.MAILBOX, Verdict.HELD)
    assert classify(Stage.AUTH, reply).reply_class == "auth-method"


@pytest.mark.parametrize("text", ["534 5.7.9 use an app password", "504 5.5.4 unrecognized authentication type"])
def test_another_way_of_logging_in_that_is_named_is_wanted_of_who_has_worked_too(text: str) -> None:
    reply = read_reply(int(text[:3]), text[4:])
    assert classify(Stage.AUTH, reply, Context(has_worked=True)).reply_class == "auth-method"
