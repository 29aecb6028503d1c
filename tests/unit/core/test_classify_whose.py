"""Whose reason it is: a contract of the mailbox's, or what another server said of the recipient."""

import pytest

from relay.core.classify import classify
from relay.core.guard import is_suspect
from relay.core.meaning import Action, Judgement, Scope
from relay.core.reply import read_reply
from relay.core.words import Stage

ASKED = "<x@y.example>: Recipient address rejected: "
AFTER = (Stage.RCPT, Stage.DATA, Stage.EOD)
ALL = (Stage.MAIL, *AFTER)


def judged(stage: Stage, line: str) -> Judgement:
    return classify(stage, read_reply(int(line[:3]), line[4:]))


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("Policy Rejection- Quota Exceeded", "quota-exceeded"),
        ("Sending limit exceeded", "quota-exceeded"),
        ("Hourly limit exceeded", "rate-limited"),
        ("rate limit exceeded", "quota-exceeded"),
        ("your quota of 200 recipients per day has been used", "quota-exceeded"),
        ("Quota di invio superata", "quota-exceeded"),
        ("User has exceeded outbound quota", "quota-exceeded"),
        ("Superato il limite di invio", "quota-exceeded"),
        ("utente disabilitato all'invio", "account-blocked"),
    ],
)
def test_what_was_asked_is_nothing_of_the_reason(text: str, meanings: str) -> None:
    found = judged(Stage.RCPT, f"550 5.7.1 {ASKED}{text}")
    assert (found.reply_class, found.scope) == (meanings, Scope.MAILBOX)


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("550 5.1.1 User unknown in virtual mailbox table", "recipient-unknown"),
        ("550 5.1.1 utente inesistente", "recipient-unknown"),
        ("552 5.2.2 mailbox full", "recipient-mailbox-full"),
        ("554 5.7.1 Access denied", "recipient-refused"),
    ],
)
def test_a_recipient_that_is_rejected_for_himself_still_is(line: str, meaning: str) -> None:
    assert judged(Stage.RCPT, line[:10] + ASKED + line[10:]).reply_class == meaning


@pytest.mark.parametrize("stage", ALL)
@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("552 5.2.2 You exceeded your quota for outgoing mail", "quota-exceeded"),
        ("552 5.2.2 Spazio esaurito nella casella del mittente", "sender-mailbox-full"),
        ("550 5.7.1 Quota mensile superata", "quota-exceeded"),
        ("554 5.3.4 Your mailbox quota does not permit sending", "sender-mailbox-full"),
        ("554 Your mailbox has been blocked: too many spam messages sent", "account-blocked"),
        ("550 5.7.1 User not permitted to send outside the organization", "account-blocked"),
        ("554 Casella non abilitata all'invio", "account-blocked"),
        ("550 5.7.1 Licenza scaduta", "account-blocked"),
        ("550 5.7.1 Pacchetto invii esaurito", "quota-exceeded"),
        ("550 5.7.1 Invio negato: abbonamento non attivo", "account-blocked"),
        ("554 Invio massivo rilevato", "account-blocked"),
        ("550 5.7.1 Quota d'envoi d\u00e9pass\u00e9", "quota-exceeded"),
        ("550 5.7.1 Insufficient credits", "quota-exceeded"),
        ("550 5.7.1 Please activate your mail account", "account-blocked"),
        ("554 Subscription has expired", "account-blocked"),
        ("550 5.7.1 Sender has exceeded the volume allowed", "quota-exceeded"),
        ("550 5.7.1 Utenza morosa, servizio sospeso", "account-blocked"),
        ("550 5.7.1 contratto scaduto", "account-blocked"),
        ("554 Payment overdue", "account-blocked"),
        ("550 5.7.1 Trial expired", "account-blocked"),
        ("550 5.7.1 Casella bloccata per invio di spam", "account-blocked"),
        ("550 5.7.1 Votre compte est bloqu\u00e9 pour envoi de spam", "account-blocked"),
    ],
)
def test_a_contract_is_the_mailboxs_wherever_it_is_spoken_of(stage: Stage, line: str, meaning: str) -> None:
    found = judged(stage, line)
    assert (found.reply_class, found.scope) == (meaning, Scope.MAILBOX)
    assert found.action in (Action.PAUSE, Action.WAIT)


OF_HIM = [
    "550 5.7.1 Il dominio del destinatario e in blacklist",
    "550 5.7.1 destination server mx.example.org blocked our ip [203.0.113.7]",
    "554 5.7.1 host mx.y.example[198.51.100.9] said: 550 your IP 203.0.113.7 is listed in RBL",
    "554 5.7.1 host mx said: 550 your IP 203.0.113.7 is listed in RBL",
    "450 4.7.4 <x@y.example>: TLS is required, but was not offered by host mx.y.example[198.51.100.9]",
    "550 5.7.4 destination requires encryption",
    "451 4.4.1 connection to destination server timed out",
    "451 4.4.1 connection to the recipient's server timed out",
    "450 4.7.1 cannot resolve reverse hostname of mx.y.example",
    "550 5.7.1 recipient blacklisted by sender account",
    "451 4.7.0 mx.y.example is rate limiting us",
    "550 5.7.1 The recipient's daily limit of incoming mail is reached",
]


@pytest.mark.parametrize("stage", AFTER)
@pytest.mark.parametrize("line", OF_HIM)
def test_what_is_said_of_the_recipients_server_stops_neither_mailbox_nor_provider(stage: Stage, line: str) -> None:
    found = judged(stage, line)
    assert (found.reply_class, found.scope) == ("recipient-refused", Scope.RECIPIENT)
    assert found.action is (Action.RETRY if line.startswith("4") else Action.BOUNCE)


@pytest.mark.parametrize("line", [line for line in OF_HIM if line.startswith("5") and "incoming" not in line])
def test_that_it_is_the_recipients_is_no_reading_so_the_guard_counts_it(line: str) -> None:
    reply, found = read_reply(int(line[:3]), line[4:]), judged(Stage.RCPT, line)
    assert not found.is_read
    assert is_suspect(Stage.RCPT, reply, found.reply_class, is_read=found.is_read)


@pytest.mark.parametrize(
    "line",
    [
        "550 5.1.1 Account sospeso",
        "550 5.1.1 Account suspended",
        "550 5.1.1 Account suspended for spam",
        "550 5.2.1 Account x@y.example has been suspended",
        "550 Account x@y.example has been suspended",
        "550 5.7.1 recipient account is suspended for spam",
    ],
)
def test_an_account_that_the_recipients_address_names_is_his(line: str) -> None:
    assert judged(Stage.RCPT, line).scope is Scope.RECIPIENT


def test_a_limit_that_may_be_either_ones_is_tried_again_for_the_recipient() -> None:
    found = judged(Stage.RCPT, "452 4.2.2 La casella ha superato la quota giornaliera")
    assert (found.reply_class, found.action) == ("recipient-refused", Action.RETRY)
    assert judged(Stage.RCPT, "552 La casella ha superato la quota giornaliera").scope is Scope.MAILBOX
    assert judged(Stage.RCPT, "550 rate limit for the recipient domain exceeded").scope is Scope.MAILBOX


@pytest.mark.parametrize(
    ("stage", "line", "meaning"),
    [
        (Stage.RCPT, "554 5.7.1 Client host [203.0.113.7] blocked using zen.spamhaus.org", "ip-blocked"),
        (Stage.EOD, "550 5.7.1 Your IP 203.0.113.7 is blacklisted", "ip-blocked"),
        (Stage.RCPT, "530 5.7.0 Must issue a STARTTLS command first", "tls-required"),
        (Stage.EOD, "421 4.4.2 connection timed out", "network"),
        (Stage.RCPT, "450 4.7.1 Client host rejected: cannot find your reverse hostname", "ip-blocked"),
    ],
)
def test_what_is_said_of_the_relay_stays_the_providers(stage: Stage, line: str, meaning: str) -> None:
    assert judged(stage, line).reply_class == meaning


def test_an_encrypted_attachment_is_no_way_of_logging_in() -> None:
    found = judged(Stage.EOD, "554 5.7.1 Encrypted attachment: authentication required")
    assert (found.reply_class, found.scope) == ("content-refused", Scope.MESSAGE)


@pytest.mark.parametrize("text", ["credit card numbers are not allowed", "attachment invoice.pdf failed the scan"])
def test_what_a_mail_speaks_of_is_no_contract(text: str) -> None:
    assert judged(Stage.EOD, f"554 5.6.0 {text}").scope is not Scope.MAILBOX
