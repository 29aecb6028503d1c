"""What a doctor reads when a mail could not be delivered: why, and what to do, in English or Italian.

Law: a sentence per reason, never a code alone; no sentence names a person, and each fits one line of a mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Language(StrEnum):
    """The language of what people read."""

    ENGLISH = "en"
    ITALIAN = "it"


class Action(StrEnum):
    """What a report says became of a delivery (RFC 3464, 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"
    """Handed to a provider that confirms nothing."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a report begins: its subject, and what became of the mail, with and without the recipient's name."""

    subject: str
    named: str
    discreet: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed sentences of a report; `{...}` are filled in."""

    openings: Mapping[Action, Opening]
    sender_name: str
    discretion: str
    why: str
    expired: str
    answer: str
    advice: str
    eta: str
    until: str
    others: str
    number: str
    unanswered: str
    patience: str
    again: str
    """Of what was held to its end: nothing of it went out."""
    next_try: str
    kept: str
    """Of what is held: until when, and what ends it."""
    hears: str
    helper: str
    """Of what somebody else has to mend."""
    contact: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a delivery failed, and what its sender can do, where `{contact}` stands for how to reach support.

    `status` is its code (RFC 3463) where no reply gave one.
    """

    status: str
    why: Mapping[Language, str]
    advice: Mapping[Language, str]


WORDINGS: Mapping[Language, Wording] = MappingProxyType(
    {
        Language.ENGLISH: Wording(
            openings=MappingProxyType(
                {
                    Action.FAILED: Opening(
                        "Your mail was not delivered",
                        "Your mail to {recipient} was not delivered. There will be no further attempt.",
                        "A mail of yours was not delivered. There will be no further attempt.",
                    ),
                    Action.DELAYED: Opening(
                        "Your mail is late",
                        "Your mail to {recipient} has not been delivered yet.",
                        "A mail of yours has not been delivered yet.",
                    ),
                    Action.RELAYED: Opening(
                        "Your mail was handed over",
                        "Your mail to {recipient} was taken by your mail provider. It confirms no deliveries.",
                        "A mail of yours was taken by your mail provider. It confirms no deliveries.",
                    ),
                }
            ),
            sender_name="Mail delivery",
            discretion="Your own mailbox cannot send at present, so this report takes another way. To protect\n"
            "your patients it names neither recipient nor subject: the number below leads to both.",
            why="Why: {text}",
            expired="It could not be delivered in the time that was allowed. Since {since} the above held it up.",
            answer="Answer of the mail server: {text}",
            advice="What you can do: {text}",
            eta="It will probably leave, or be tried again, at {eta}.",
            until="It is tried until {until}.",
            others="Other mails of yours that wait as well: {others}. There is no notice of each of them.",
            number="Number of the mail: {message}, accepted {accepted}",
            unanswered="none",
            patience="nothing for the moment. Do not send it again: it would arrive twice.",
            again="This mail was NOT sent. Once the cause is mended, you have to send it again yourself.",
            next_try="It stays here until that is mended. The next try is at {eta}.",
            kept="It is kept until {until}, and leaves by itself once the cause is mended.",
            hears="You will get another message if it fails.",
            helper="support{contact} has to mend this. Do not send the mail again: it would arrive twice.",
            contact=" ({contact})",
        ),
        Language.ITALIAN: Wording(
            openings=MappingProxyType(
                {
                    Action.FAILED: Opening(
                        "Il messaggio non è stato recapitato",
                        "Il Suo messaggio per {recipient} non è stato recapitato. Non ci saranno altri tentativi.",
                        "Un Suo messaggio non è stato recapitato. Non ci saranno altri tentativi.",
                    ),
                    Action.DELAYED: Opening(
                        "Il messaggio è in ritardo",
                        "Il Suo messaggio per {recipient} non è ancora stato recapitato.",
                        "Un Suo messaggio non è ancora stato recapitato.",
                    ),
                    Action.RELAYED: Opening(
                        "Il messaggio è stato consegnato al gestore",
                        "Il Suo gestore di posta ha preso in carico il messaggio per {recipient}. Non invia conferme.",
                        "Il Suo gestore di posta ha preso in carico un Suo messaggio. Non invia conferme.",
                    ),
                }
            ),
            sender_name="Recapito della posta",
            discretion="La Sua casella al momento non può inviare, perciò questo avviso segue un'altra via.\n"
            "Per tutelare i pazienti non riporta né destinatario né oggetto: si trovano con il numero qui sotto.",
            why="Motivo: {text}",
            expired="Non è stato possibile recapitarlo in tempo. Dal {since} lo ha trattenuto il motivo qui sopra.",
            answer="Risposta del server di posta: {text}",
            advice="Che cosa può fare: {text}",
            eta="Probabilmente partirà, o sarà ritentato, alle {eta}.",
            until="I tentativi continuano fino al {until}.",
            others="Altri Suoi messaggi in attesa: {others}. Non riceverà un avviso per ciascuno.",
            number="Numero del messaggio: {message}, accettato {accepted}",
            unanswered="nessuna",
            patience="per ora nulla. Non inviarlo di nuovo: arriverebbe due volte.",
            again="Il messaggio NON è stato inviato. Risolta la causa, deve inviarlo di nuovo Lei.",
            next_try="Resta qui finché la causa non è risolta. Prossimo tentativo alle {eta}.",
            kept="È conservato fino al {until}, e partirà da solo appena la causa sarà risolta.",
            hears="In caso di insuccesso riceverà un altro avviso.",
            helper="deve intervenire l'assistenza{contact}. Non inviarlo di nuovo: arriverebbe due volte.",
            contact=" ({contact})",
        ),
    }
)


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
