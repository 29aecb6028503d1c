"""Why a mail could not be delivered and what its sender can do, for each reason, in English or Italian.

Law: a sentence per reason, never a code alone; no sentence names a person, and each fits one line of a mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from relay.core.failuretext import Language


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a delivery failed, and what its sender can do, where `{contact}` stands for how to reach support.

    `status` is its code (RFC 3463) where no reply gave one.
    """

    status: str
    why: Mapping[Language, str]
    advice: Mapping[Language, str]


EXPIRED = "4.4.7"
"""Delivery time expired (RFC 3463, 3.5)."""


def _cause(status: str, english: tuple[str, str], italian: tuple[str, str]) -> Cause:
    why = {Language.ENGLISH: english[0], Language.ITALIAN: italian[0]}
    advice = {Language.ENGLISH: english[1], Language.ITALIAN: italian[1]}
    return Cause(status, MappingProxyType(why), MappingProxyType(advice))


ANY_CAUSE = _cause(
    "5.0.0",
    ("the mail server refused the mail.", "read the answer above, or give support{contact} the number of the mail."),
    (
        "il server di posta ha rifiutato il messaggio.",
        "leggere la risposta qui sopra, o chiamare l'assistenza{contact}.",
    ),
)
"""For a reason without a sentence of its own."""

INSECURE = _cause(
    EXPIRED,
    ("there is no safe connection to your mail provider, and without one nothing is sent.", "call support{contact}."),
    ("manca una connessione sicura con il Suo gestore: senza non si invia nulla.", "chiamare l'assistenza{contact}."),
)
"""For all that may be wrong with encryption: a doctor can mend none of it."""

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "recipient-unknown": _cause(
            "5.1.1",
            ("this address does not exist.", "ask the recipient for the right address."),
            ("l'indirizzo non esiste.", "chiedere al destinatario l'indirizzo corretto."),
        ),
        "recipient-domain-bad": _cause(
            "5.1.2",
            ("the part after the @ does not exist or takes no mail.", "look for a slip in the address."),
            ("la parte dopo la @ non esiste o non riceve posta.", "controllare che l'indirizzo sia scritto bene."),
        ),
        "recipient-mailbox-full": _cause(
            "5.2.2",
            ("the recipient's mailbox is full.", "send it again later, or another way."),
            ("la casella del destinatario è piena.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "recipient-refused": _cause(
            "5.7.1",
            ("the recipient's mail server does not take this mail.", "send it another way."),
            ("il server del destinatario non accetta questo messaggio.", "inviare per un'altra via."),
        ),
        "spam-blocked": _cause(
            "5.7.1",
            ("the mail was taken for spam.", "send it another way; the same mail again would harm your mailbox."),
            ("il messaggio è stato preso per spam.", "inviare per un'altra via; ripeterlo danneggia la casella."),
        ),
        "policy-refused": _cause(
            "5.7.1",
            ("a rule of the recipient's mail server forbids it.", "send it another way, and tell support{contact}."),
            (
                "una regola del server del destinatario lo vieta.",
                "inviare per un'altra via e avvisare l'assistenza{contact}.",
            ),
        ),
        "content-refused": _cause(
            "5.7.1",
            ("the content or an attachment is not allowed there.", "send the document in another form."),
            ("il contenuto o un allegato non è ammesso.", "inviare il documento in un altro formato."),
        ),
        "message-too-large": _cause(
            "5.3.4",
            ("the mail is too large.", "send it with fewer or smaller attachments."),
            ("il messaggio è troppo grande.", "inviare con allegati meno numerosi o più piccoli."),
        ),
        "auth-rejected": _cause(
            EXPIRED,
            (
                "the password of your mailbox was refused, so nothing could leave it.",
                "tell support{contact} its new password.",
            ),
            (
                "la password della Sua casella è stata rifiutata.",
                "comunicare la nuova password all'assistenza{contact}.",
            ),
        ),
        "auth-method": _cause(
            EXPIRED,
            (
                "your mailbox no longer lets the relay log in.",
                "ask support{contact} which setting of the mailbox to change.",
            ),
            (
                "la Sua casella non permette più l'accesso.",
                "chiedere all'assistenza{contact} quale impostazione cambiare.",
            ),
        ),
        "account-blocked": _cause(
            EXPIRED,
            ("your mail provider has stopped your mailbox.", "call your mail provider, or support{contact}."),
            ("il gestore ha bloccato la Sua casella.", "rivolgersi al gestore o all'assistenza{contact}."),
        ),
        "sender-mailbox-full": _cause(
            EXPIRED,
            ("your own mailbox is full.", "delete mails from it, sent ones too."),
            ("la Sua casella è piena.", "svuotarla, anche della posta inviata."),
        ),
        "limit": _cause(
            EXPIRED,
            ("your mailbox may send only so many mails in a given time.", "send it again, with fewer mails at once."),
            (
                "la Sua casella può inviare solo un certo numero di messaggi.",
                "inviare di nuovo, meno messaggi alla volta.",
            ),
        ),
        "login": _cause(
            EXPIRED,
            (
                "your mailbox may be logged in to only so many times.",
                "send it again; if it happens once more, tell support{contact}.",
            ),
            (
                "gli accessi alla Sua casella sono limitati.",
                "inviare di nuovo; se succede ancora, avvisare l'assistenza{contact}.",
            ),
        ),
        "queue": _cause(
            EXPIRED,
            ("other mails were before it.", "send it again, with fewer mails at once."),
            ("altri messaggi lo precedevano.", "inviare di nuovo, meno messaggi alla volta."),
        ),
        "rate-limited": _cause(
            EXPIRED,
            ("your mail provider finds that too many mails were sent.", "send it again, with fewer mails at once."),
            ("per il Suo gestore i messaggi inviati sono troppi.", "inviare di nuovo, meno messaggi alla volta."),
        ),
        "quota-exceeded": _cause(
            EXPIRED,
            ("your mailbox has sent as many mails as it may in a day.", "send it again tomorrow, or another way."),
            ("la Sua casella ha raggiunto il limite giornaliero.", "inviare di nuovo domani, o per un'altra via."),
        ),
        "greylisted": _cause(
            EXPIRED,
            ("the recipient's mail server asks to come back later.", "send it again later, or another way."),
            ("il server del destinatario chiede di riprovare più tardi.", "inviare di nuovo più tardi."),
        ),
        "network": _cause(
            EXPIRED,
            ("your mail provider could not be reached.", "send it again later, or another way."),
            ("il Suo gestore di posta non era raggiungibile.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "outage": _cause(
            EXPIRED,
            ("your mail provider does not work at present.", "send it again later, or another way."),
            ("il Suo gestore di posta al momento non funziona.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "sender-refused": _cause(
            EXPIRED,
            ("your mail provider does not let your mailbox send as this address.", "call support{contact}."),
            ("il gestore non permette alla casella di usare questo indirizzo.", "chiamare l'assistenza{contact}."),
        ),
        "no-credentials": _cause(
            EXPIRED,
            ("no password is known here for your mailbox.", "tell support{contact} the password."),
            ("manca la password della Sua casella.", "comunicarla all'assistenza{contact}."),
        ),
        "no-account": _cause(
            EXPIRED,
            ("your address is not set up here any more.", "call support{contact}."),
            ("il Suo indirizzo non è più configurato.", "chiamare l'assistenza{contact}."),
        ),
        "ip-blocked": _cause(
            EXPIRED,
            ("your mail provider blocks the service that sends for you.", "call support{contact}."),
            ("il gestore blocca il servizio che invia per Suo conto.", "chiamare l'assistenza{contact}."),
        ),
        "bounce-guard": _cause(
            "5.7.1",
            ("your mail provider refuses what your mailbox sends.", "call support{contact}."),
            ("il gestore rifiuta ciò che la Sua casella invia.", "chiamare l'assistenza{contact}."),
        ),
        "auth-outage": _cause(
            EXPIRED,
            ("your mail provider lets nobody log in at present.", "send it again later, or another way."),
            ("il Suo gestore al momento non accetta accessi.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "in-doubt": _cause(
            "4.4.2",
            ("the connection broke at the last moment: it may have arrived.", "ask before you send it again."),
            ("la connessione è caduta alla fine: potrebbe essere arrivato.", "chiedere prima di rinviare."),
        ),
        "expired": _cause(
            EXPIRED,
            ("it could not be delivered in the time that was allowed.", "send it again later, or another way."),
            ("non è stato possibile recapitarlo in tempo.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
    }
)


def cause_of(reason: str) -> Cause:
    """What to say about a reply class, a fault of TLS or `expired`."""
    if reason.startswith("tls-") or reason == "clear-text":
        return INSECURE
    return CAUSES.get(reason, ANY_CAUSE)
