"""Which clause of a reply decides, where words of several reasons stand in it; each with texts that must not flip."""

import re
from re import _parser as parser  # type: ignore[attr-defined]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core import rules
from relay.core.classify import Context, classify
from relay.core.meaning import Action, Judgement, ReplyClass, Scope
from relay.core.reply import read_reply
from relay.core.rules import Rule, phrases, reading_of
from relay.core.words import Stage
from tests.unit.core.test_rules import repeats


def judged(stage: str, line: str) -> Judgement:
    lines = line.split("\n")
    return classify(Stage(stage), read_reply(int(lines[-1][:3]), "\n".join(each[4:] for each in lines)))


STOCK = "550-Requested action not taken: mailbox unavailable\n550 "

WHAT_IS_DENIED = [
    ("eod", "550 5.7.1 your IP is not blacklisted, but the message looks like spam", "spam-blocked"),
    ("eod", "550 5.7.26 sender is not blocked; DMARC failed", "policy-refused"),
    ("eod", "550 IP non bloccato, ma il dominio non supera SPF", "policy-refused"),
    ("eod", "554 no virus, but attachment type forbidden", "content-refused"),
    ("rcpt", "550 5.1.1 the mailbox is not full, the user does not exist", "recipient-unknown"),
    ("auth", "535 5.7.8 account is not locked: wrong password", "auth-rejected"),
    ("auth", "535 l'account non e' bloccato, password errata", "auth-rejected"),
    ("connect", "554 your IP is blacklisted", "ip-blocked"),
    ("auth", "535 account is locked", "account-blocked"),
    ("rcpt", "550 5.1.1 user not listed in directory", "recipient-unknown"),
    ("rcpt", "550 casella non attiva", "recipient-unknown"),
]
WHAT_REPEATS_THE_CODE = [
    ("rcpt", STOCK + "Daily limit reached", "quota-exceeded"),
    ("rcpt", STOCK + "Failure sending mail. Try again later", "unknown"),
    ("rcpt", "450-Requested mail action not taken: mailbox unavailable\n450 greylisted", "greylisted"),
    (
        "rcpt",
        "552-Requested mail action aborted: exceeded storage allocation\n552 message too large",
        "message-too-large",
    ),
    ("rcpt", "550 Requested action not taken: mailbox unavailable", "recipient-unknown"),
    ("rcpt", STOCK + "user unknown", "recipient-unknown"),
    ("rcpt", STOCK + "For explanation visit https://postmaster.x.example/", "recipient-unknown"),
    ("eod", "552 Requested mail action aborted: exceeded storage allocation", "recipient-mailbox-full"),
]
WHAT_ASKS_FOR_ANOTHER_TRY = [
    ("rcpt", "550 please try again later", "unknown"),
    ("eod", "550 5.7.1 riprovare piu' tardi", "unknown"),
    ("eod", "552 ritentare l'operazione fra qualche minuto", "unknown"),
    ("rcpt", "554 could not be delivered now; send it again tomorrow", "unknown"),
    ("rcpt", "550 5.1.1 user unknown, try again later", "recipient-unknown"),
    ("rcpt", "550 5.7.1 refused", "recipient-refused"),
    ("rcpt", "450 please try again later", "recipient-refused"),
]
WHO_YOU_ARE = [
    ("rcpt", "552 5.2.2 You are over your storage limit", "sender-mailbox-full"),
    ("rcpt", "552 5.2.2 storage full for your account, cannot submit", "sender-mailbox-full"),
    ("eod", "552 5.2.2 disk quota exceeded, sending is disabled", "sender-mailbox-full"),
    ("eod", "550 spazio esaurito, invio bloccato fino alla liberazione", "sender-mailbox-full"),
    ("mail", "552 casella piena: impossibile spedire, liberare spazio", "sender-mailbox-full"),
    ("rcpt", "552 5.2.2 spazio terminato: cancellare messaggi prima di inviarne altri", "sender-mailbox-full"),
    (
        "rcpt",
        "550 5.7.1 <p@x.example>: Recipient address rejected: You have used up your outbound allowance",
        "quota-exceeded",
    ),
    ("eod", "554 this would put you above your relaying limit of 200 per day", "quota-exceeded"),
    ("eod", "552 your plan's email volume has been consumed", "quota-exceeded"),
    ("eod", "550 you already sent 200 mails in the last hour", "rate-limited"),
    ("rcpt", "452 4.7.1 you may send 60 mails per hour", "rate-limited"),
    ("rcpt", "450 we have received too many messages from you", "rate-limited"),
    ("rcpt", "552 5.2.2 mailbox of the recipient is full, cannot send to it", "recipient-mailbox-full"),
    ("rcpt", "552 5.2.2 <p@x.example>: user storage exceeded", "recipient-mailbox-full"),
    ("rcpt", "452 4.2.2 The email account that you tried to reach is over quota", "recipient-mailbox-full"),
    ("rcpt", "550 the user you are trying to contact has exceeded his quota", "recipient-mailbox-full"),
    ("eod", "552 5.2.2 casella piena", "recipient-mailbox-full"),
    ("rcpt", "450 this user has received too many mails lately", "recipient-refused"),
    ("rcpt", "452 l'utente ha ricevuto troppe email nell'ultima ora", "recipient-refused"),
    ("eod", "450 4.7.3 tenant queue limit exceeded", "recipient-refused"),
    ("rcpt", "421 4.2.1 user is unavailable at the moment", "recipient-refused"),
    ("rcpt", "550 el destinatario esta bloqueado", "recipient-refused"),
]
WHO_MAY_NOT_SEND = [
    ("eod", "550 5.7.1 you are not permitted to send as info@x.example, DMARC policy", "sender-refused"),
    ("eod", "554 you cannot post on behalf of a@b.example (SPF)", "sender-refused"),
    ("mail", "553 non puo' inviare come <a@b.example>: DMARC", "sender-refused"),
    ("eod", "553 5.7.1 non e' consentito spedire con questo mittente (policy DMARC)", "sender-refused"),
    ("mail", "501 5.7.1 sender address not owned by this user", "sender-refused"),
    ("mail", "501 mittente non appartenente alla casella autenticata", "sender-refused"),
    ("eod", "550 5.7.26 unauthenticated email from x.example is not accepted due to DMARC policy", "policy-refused"),
    ("eod", "550 5.7.23 SPF failed: 203.0.113.4 is not allowed to send mail from studio.example", "policy-refused"),
    ("eod", "554 DMARC: the sender's domain does not allow you to forward", "policy-refused"),
    ("mail", "501 5.1.7 Invalid address syntax", "protocol-error"),
    ("mail", "501 5.5.4 Syntax error in MAIL FROM address", "protocol-error"),
    ("rcpt", "550 5.7.1 outbound mail for this mailbox is frozen due to spam", "account-blocked"),
    ("eod", "550 submission revoked after phishing reports", "account-blocked"),
    ("eod", "554 spedizione inibita: rilevato spam dalla casella", "account-blocked"),
    ("rcpt", "550 invio non consentito: utenza in ritardo con i pagamenti", "account-blocked"),
    ("eod", "550 5.7.0 account probation: sending not permitted until reviewed", "account-blocked"),
    ("eod", "550 message blocked as spam, sender not whitelisted", "spam-blocked"),
]
HOW_TO_LOG_IN = [
    ("rcpt", "550 please enable SMTP authentication in your program", "auth-method"),
    ("rcpt", "550 utilizzare l'autenticazione SMTP nel client di posta", "auth-method"),
    ("rcpt", "554 no relaying without authentication", "auth-method"),
    ("eod", "550 per continuare a inviare acceda al suo account", "auth-method"),
    ("eod", "550 log on to your mailbox with a browser to keep sending", "auth-method"),
    ("auth", "454 too many password logins: use OAuth2", "auth-method"),
    ("auth", "535 troppi accessi con password: serve una password per le app", "auth-method"),
    ("eod", "550 5.7.1 message refused: authentication of your domain (DKIM) is not enabled", "policy-refused"),
    ("rcpt", "550 5.7.1 group accepts mail only after sender authentication", "recipient-refused"),
    ("auth", "535 autenticazione fallita, controllare i dati e riprovare piu' tardi", "auth-rejected"),
    ("auth", "535 5.7.8 login failed. verify your account name and retry in a few minutes", "auth-rejected"),
    ("auth", "535 5.7.8 Error: authentication failed: (reason unavailable)", "auth-rejected"),
    ("auth", "454 4.7.8 authentication failed: bad password", "auth-rejected"),
    ("auth", "535 authentication error", "auth-rejected"),
    ("auth", "451 authentication error", "auth-temporary"),
    ("auth", "535 5.7.8 authentication service overloaded, retry later", "auth-temporary"),
    ("auth", "535 ldap server did not respond", "auth-temporary"),
    ("auth", "454 4.7.0 too many failed logins", "auth-temporary"),
    ("auth", "454 troppi accessi contemporanei per questa casella", "too-many-connections"),
    ("auth", "550 login simultanei oltre il limite", "too-many-connections"),
    ("auth", "421 too many mails, try again in an hour", "rate-limited"),
    ("auth", "535 the user has no permission for SMTP", "account-blocked"),
    ("auth", "535 user does not exist", "auth-rejected"),
    ("rcpt", "550 5.2.1 user has not logged in to his mailbox for a year, account inactive", "recipient-unknown"),
    ("rcpt", "530 Authentication required for relaying", "auth-method"),
    ("rcpt", "554 Relaying denied", "sender-refused"),
    ("auth", "535 5.7.1 AUTH PLAIN is disabled here", "auth-method"),
]
WHAT_IS_MEASURED = [
    ("mail", "452 4.3.1 message of 30 MB exceeds the maximum of 25 MB", "message-too-large"),
    ("eod", "550 allegato superiore a 10 MB", "message-too-large"),
    ("eod", "550 quota massima per messaggio superata", "message-too-large"),
    ("eod", "550 superata la quota di messaggi per ora", "rate-limited"),
    ("rcpt", "552 casella oltre i 500 MB consentiti", "recipient-mailbox-full"),
    ("rcpt", "552 mailbox is over 2 GB", "recipient-mailbox-full"),
    ("rcpt", "550 massimo 50 destinatari", "too-many-recipients"),
    ("rcpt", "550 no more than 100 addressees in a mail", "too-many-recipients"),
    ("rcpt", "550 raggiunto il massimo di 500 destinatari al giorno", "quota-exceeded"),
    ("eod", "554 Message exceeded 25MB", "message-too-large"),
    ("mail", "550 raggiunto il tetto giornaliero di 500 messaggi", "quota-exceeded"),
    ("eod", "450 invii sospesi per 20 minuti: troppi messaggi", "rate-limited"),
    ("eod", "554 invii sospesi per 4 ore", "account-blocked"),
]
WHAT_ITSELF_IS_ILL = [
    ("eod", "450 content filter unavailable", "outage"),
    ("eod", "451 4.3.2 antispam engine is down", "outage"),
    ("eod", "451 filtro antispam momentaneamente non raggiungibile", "outage"),
    ("eod", "450 Spamassassin daemon could not be reached", "outage"),
    ("eod", "450 4.7.1 message failed spam filter", "spam-blocked"),
    ("eod", "451 scored 15 by spam filter", "spam-blocked"),
    ("eod", "451 rejected by antivirus: trojan found", "content-refused"),
    ("data", "451 spazio su disco insufficiente sul server", "outage"),
    ("eod", "452 coda piena, riprovare", "outage"),
    ("eod", "421 il sistema non accetta posta al momento", "outage"),
    ("connect", "554 server sovraccarico", "outage"),
    ("rcpt", "550 user is not accepting mail", "recipient-refused"),
    ("mail", "421 session expired", "network"),
    ("eod", "421 tempo massimo di attesa superato", "network"),
    ("mail", "421 4.7.0 too many errors", "protocol-error"),
    ("eod", "451 4.5.0 bare LF not allowed", "protocol-error"),
    ("eod", "451 impossibile scrivere il messaggio su disco", "outage"),
    ("eod", "421 4.3.0 Cannot write the file: No space left on device", "outage"),
]
WHERE_IT_GOES = [
    ("rcpt", "550 5.1.2 unknown recipient domain", "recipient-domain-bad"),
    ("rcpt", "553 dominio di destinazione non valido", "recipient-domain-bad"),
    ("rcpt", "550 the domain might not exist or could be on a blacklist", "recipient-domain-bad"),
    ("rcpt", "550 unable to deliver: the mailbox may not exist or may be blocked", "recipient-unknown"),
    ("eod", "550 5.7.324 dnssec-invalid: destination domain returned invalid DNSSEC records", "recipient-refused"),
    ("rcpt", "450 4.7.5 Server certificate not trusted", "recipient-refused"),
    ("eod", "550 5.7.321 starttls-not-supported: Destination server must support TLS", "recipient-refused"),
    ("rcpt", "530 5.7.0 Must issue a STARTTLS command first", "tls-required"),
    ("rcpt", "550 mailbox accepts mail only from the internal network", "recipient-refused"),
    ("mail", "550 invio ammesso soltanto dalla rete Fastweb", "ip-blocked"),
    ("connect", "554 your address [203.0.113.4] is banned for 24h: too many spam messages", "ip-blocked"),
    ("connect", "421 too many messages from your IP, slow down", "rate-limited"),
    ("mail", "550 5.7.1 access denied: banned address 203.0.113.4", "ip-blocked"),
    ("rcpt", "550 impossibile trovare il dominio del destinatario", "recipient-domain-bad"),
]


@pytest.mark.parametrize(
    ("stage", "line", "meaning"),
    [
        *WHAT_IS_DENIED, *WHAT_REPEATS_THE_CODE, *WHAT_ASKS_FOR_ANOTHER_TRY, *WHO_YOU_ARE, *WHO_MAY_NOT_SEND,
        *HOW_TO_LOG_IN, *WHAT_IS_MEASURED, *WHAT_ITSELF_IS_ILL, *WHERE_IT_GOES,
    ],
)  # fmt: skip
def test_the_clause_that_gives_the_reason_decides(stage: str, line: str, meaning: str) -> None:
    assert judged(stage, line).reply_class == meaning


@pytest.mark.parametrize(
    "line", ["550 please try again later", "552 come back in an hour and retry", "554 5.7.1 riprovare domani"]
)
@pytest.mark.parametrize("stage", ["rcpt", "data", "eod"])
def test_who_asks_for_another_try_and_says_no_more_is_obeyed(stage: str, line: str) -> None:
    found = judged(stage, line)
    assert found.action is Action.RETRY
    assert not found.is_read


@pytest.mark.parametrize(
    ("stage", "line"), [row[:2] for row in WHO_MAY_NOT_SEND if "spam" in row[1] and row[2] == "account-blocked"]
)
def test_a_mailbox_that_may_not_send_loses_no_mail_for_the_spam_that_is_spoken_of(stage: str, line: str) -> None:
    found = judged(stage, line)
    assert (found.scope, found.action) == (Scope.MAILBOX, Action.PAUSE)


@given(
    st.sampled_from(["blocked", "blacklisted", "banned", "suspended", "locked", "disabled", "infected", "full"]),
    st.sampled_from(["is not", "isn't", "was not", "are not", "not", "is not currently"]),
)
def test_what_is_denied_leaves_no_trace(word: str, denial: str) -> None:
    assert word not in reading_of(read_reply(550, f"it {denial} {word} here"))
    assert word in reading_of(read_reply(550, f"it is {word} here"))


@pytest.mark.parametrize("trouble", ["requires TLS", "blocked our IP address", "was deactivated for spam", "is full"])
@pytest.mark.parametrize("whose", ["the recipient", "the recipient's mailbox", "destination mailbox", "the addressee"])
@pytest.mark.parametrize("stage", ["rcpt", "eod"])
def test_what_the_recipient_does_stops_nobody_else(stage: str, whose: str, trouble: str) -> None:
    assert judged(stage, f"550 5.7.1 {whose} {trouble}").scope in (Scope.RECIPIENT, Scope.MESSAGE)


@pytest.mark.parametrize(
    "trouble", ["is full", "has not paid", "must be verified by phone", "e' sospesa", "deve rinnovare"]
)
@pytest.mark.parametrize("whose", ["your account", "the sending mailbox", "la sua casella", "l'account del mittente"])
@pytest.mark.parametrize("code", ["550", "550 5.7.1", "552 5.2.2", "554"])
@pytest.mark.parametrize("stage", ["rcpt", "eod"])
def test_what_is_said_of_the_mailbox_costs_no_mail(stage: str, code: str, whose: str, trouble: str) -> None:
    found = judged(stage, f"{code} {whose} {trouble}")
    assert (found.scope, found.action) == (Scope.MAILBOX, Action.PAUSE)


def test_a_rule_may_want_two_clauses_in_any_order() -> None:
    both = Rule(ReplyClass.GREYLISTED, text=phrases("zork"), also=phrases("blatt"))
    for text, applies in (("zork and then blatt", True), ("blatt: zork", True), ("zork", False), ("blatt", False)):
        found = classify(Stage.EOD, read_reply(451, text), Context(rules=(both,)))
        assert (found.reply_class == "greylisted") is applies


@pytest.mark.parametrize("pattern", [rules._STOCK, rules._DENIED, rules._ASKED])
def test_what_is_taken_out_before_reading_is_found_in_linear_time(pattern: re.Pattern[str]) -> None:
    for _depth, can_give_back, most in repeats(parser.parse(pattern.pattern, pattern.flags)):
        assert not can_give_back or most <= 4


WHAT_IS_COUNTED = [
    ("rcpt", "550 you have exceeded 500 messages per hour", "rate-limited"),
    ("rcpt", "550 hai inviato 320 messaggi in 20 minuti", "rate-limited"),
    ("rcpt", "550 your account has sent 90 mails in the last 15 minutes, maximum is 60", "rate-limited"),
    ("eod", "550 casella: superati 500 invii al giorno", "quota-exceeded"),
    ("rcpt", "550 5.7.1 exceeded 500 messages per day", "quota-exceeded"),
    ("data", "554 5.7.1 <DATA>: Data command rejected: only 10 messages per day", "quota-exceeded"),
    ("rcpt", "450 we accept only 100 messages per hour from your account", "rate-limited"),
    ("eod", "554 5.7.9 message rate exceeded for this mailbox, retry in 300 seconds", "rate-limited"),
    ("eod", "550 hai esaurito la banda giornaliera", "quota-exceeded"),
    ("eod", "554 exceeded messages per connection", "rate-limited"),
    ("eod", "550 outbound thread limit exceeded", "too-many-connections"),
    ("rcpt", "450 4.2.1 the recipient has received 100 messages in the last hour", "recipient-refused"),
    ("rcpt", "450 b.example limits mail from your provider: rate exceeded", "recipient-refused"),
    ("eod", "451 recipient thread limit exceeded", "recipient-refused"),
    ("eod", "552 messaggio di 30 MB, superati 25 MB per messaggio", "message-too-large"),
    ("rcpt", "552 <a@b.example>... Mail quota exceeded", "recipient-mailbox-full"),
]
WHOM_IT_STOPS = [
    ("rcpt", "550 casella bloccata per 24 ore", "account-blocked"),
    ("rcpt", "550 5.7.1 profile locked for 6 hours", "account-blocked"),
    ("rcpt", "550 5.7.1 outgoing mail for this mailbox has been suspended", "account-blocked"),
    ("rcpt", "550 la posta in uscita di questa casella e' sospesa", "account-blocked"),
    ("rcpt", "550 too many bounces from your account", "account-blocked"),
    ("rcpt", "550 your plan does not allow sending", "account-blocked"),
    ("rcpt", "554 5.7.1 Too many invalid recipients", "quota-exceeded"),
    ("mail", "550 5.7.13 account disabled", "account-blocked"),
    ("rcpt", "550 this account has been suspended", "recipient-unknown"),
    ("rcpt", "550 5.2.1 the recipient's account has been suspended", "recipient-refused"),
    ("rcpt", "550 5.1.1 unknown user, mailbox bounced", "recipient-unknown"),
    ("eod", "550 5.7.13 STOREDRV.Deliver.Exception:MailboxDisabledException", "recipient-unknown"),
]
AS_WHOM_ONE_WRITES = [
    ("eod", "550 5.7.0 From address is not one of your addresses", "sender-refused"),
    ("mail", "501 mail from address must be same as authorization user", "sender-refused"),
    ("eod", "554 l'indirizzo del mittente non e' tra i suoi indirizzi", "sender-refused"),
    ("eod", "550 5.7.1 Unconfigured Sending Domain <b.example>", "sender-refused"),
    ("rcpt", "553 5.7.1 <a@b.example>: Sender address rejected: not logged in", "sender-refused"),
    ("eod", "550 5.7.1 sender not aligned with SPF", "policy-refused"),
    ("rcpt", "550 5.7.1 sender is not one of the group's members", "recipient-refused"),
    ("rcpt", "550 5.7.1 callout to a@b.example failed, sender could not be verified", "recipient-refused"),
]
BEHIND_THE_COLON = [
    ("rcpt", "554 5.7.1 <a[203.0.113.9]>: Client host rejected: User (a@b.example) not known", "recipient-unknown"),
    ("rcpt", "450 4.7.1 <a.b.example[203.0.113.9]>: Client host rejected: mailbox busy", "recipient-refused"),
    ("rcpt", "554 5.7.1 <unknown[203.0.113.9]>: Client host rejected: cannot find your hostname", "ip-blocked"),
    ("rcpt", "554 5.7.1 <a[203.0.113.9]>: Client host rejected: bad reputation of your network", "ip-blocked"),
    ("auth", "535 Authentication failed: account disabled", "account-blocked"),
    ("auth", "451 Authentication failed: Maximum credits exceeded", "quota-exceeded"),
    ("auth", "535 5.7.8 smtp key revoked or unknown, 0 of 300 credits used", "auth-rejected"),
    ("auth", "535 bad username or password (too many failures will block your ip)", "auth-rejected"),
    ("auth", "535 password errata: dopo 5 tentativi l'account verra' bloccato", "auth-rejected"),
    ("auth", "535 account locked after 5 failures", "account-blocked"),
    ("auth", "554 ip bloccato: troppi tentativi di accesso", "ip-blocked"),
    ("auth", "535 too many failed logins, wait 10 minutes", "auth-temporary"),
]
WHAT_COULD_NOT_BE_DONE = [
    ("eod", "454 This message could not be scanned for viruses", "outage"),
    ("eod", "451 unable to inspect content for malware", "outage"),
    ("eod", "554 encrypted archive cannot be scanned for viruses", "content-refused"),
    ("eod", "554 message was scanned and is infected", "content-refused"),
    ("eod", "554 5.7.1 no such folder id", "unknown"),
    ("eod", "550 5.7.1 refused by policy", "policy-refused"),
    ("auth", "454 4.3.0 impossibile verificare la password in questo momento", "auth-temporary"),
    ("auth", "535 5.7.8 unable to verify: wrong password", "auth-rejected"),
    ("auth", "421 4.7.66 TLS 1.0 and 1.1 are not supported", "tls-required"),
    ("rcpt", "452 temporary domain failure <a@b.example>", "recipient-domain-bad"),
    ("eod", "550 nessun record MX per il dominio indicato", "recipient-domain-bad"),
]


@pytest.mark.parametrize(
    ("stage", "line", "expected"),
    [*WHAT_IS_COUNTED, *WHOM_IT_STOPS, *AS_WHOM_ONE_WRITES, *BEHIND_THE_COLON, *WHAT_COULD_NOT_BE_DONE],
)
def test_whose_trouble_a_count_a_frame_or_a_last_clause_names(stage: str, line: str, expected: str) -> None:
    assert judged(stage, line).reply_class.value == expected


@pytest.mark.parametrize(("stage", "line", "expected"), [*WHAT_IS_COUNTED[:11], *WHOM_IT_STOPS[:8]])
def test_what_is_counted_or_stopped_for_the_mailbox_never_bounces(stage: str, line: str, expected: str) -> None:
    judgement = judged(stage, line)
    assert judgement.scope is Scope.MAILBOX, expected
    assert judgement.action is not Action.BOUNCE
