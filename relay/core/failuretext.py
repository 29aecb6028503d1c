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


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed sentences of a report; `{...}` are filled in."""

    subject: str
    sender_name: str
    failed: str
    failed_discreetly: str
    discretion: str
    why: str
    answer: str
    advice: str
    number: str
    unanswered: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a delivery failed, and what its sender can do; `status` is its code (RFC 3463) where no reply gave one."""

    status: str
    why: Mapping[Language, str]
    advice: Mapping[Language, str]


WORDINGS: Mapping[Language, Wording] = MappingProxyType(
    {
        Language.ENGLISH: Wording(
            subject="Your mail was not delivered",
            sender_name="Mail delivery",
            failed="Your mail to {recipient} was not delivered. There will be no further attempt.",
            failed_discreetly="A mail of yours was not delivered. There will be no further attempt.",
            discretion="Your own mailbox cannot send at present, so this report takes another way. To protect\n"
            "your patients it names neither recipient nor subject: the number below leads to both.",
            why="Why: {text}",
            answer="Answer of the mail server: {text}",
            advice="What you can do: {text}",
            number="Number of the mail: {message}, accepted {accepted}",
            unanswered="none",
        ),
        Language.ITALIAN: Wording(
            subject="Il messaggio non è stato recapitato",
            sender_name="Recapito della posta",
            failed="Il Suo messaggio per {recipient} non è stato recapitato. Non ci saranno altri tentativi.",
            failed_discreetly="Un Suo messaggio non è stato recapitato. Non ci saranno altri tentativi.",
            discretion="La Sua casella al momento non può inviare, perciò questo avviso segue un'altra via.\n"
            "Per tutelare i pazienti non riporta né destinatario né oggetto: si trovano con il numero qui sotto.",
            why="Motivo: {text}",
            answer="Risposta del server di posta: {text}",
            advice="Che cosa può fare: {text}",
            number="Numero del messaggio: {message}, accettato {accepted}",
            unanswered="nessuna",
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
    ("the mail server refused the mail.", "read the answer above, or call for help with the number of the mail."),
    ("il server di posta ha rifiutato il messaggio.", "leggere la risposta qui sopra, o chiedere assistenza."),
)
"""For a reason without a sentence of its own."""

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
            ("a rule of the recipient's mail server forbids it.", "send it another way, and call for help."),
            ("una regola del server del destinatario lo vieta.", "inviare per un'altra via e chiedere assistenza."),
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
            ("the password of your mailbox was refused, so nothing could leave it.", "give support the new one."),
            ("la password della Sua casella è stata rifiutata.", "comunicare la nuova password all'assistenza."),
        ),
        "auth-method": _cause(
            EXPIRED,
            ("your mailbox no longer lets the relay log in.", "call for help: a setting of the mailbox has to change."),
            ("la Sua casella non permette più l'accesso.", "chiedere assistenza: va cambiata un'impostazione."),
        ),
        "account-blocked": _cause(
            EXPIRED,
            ("your mail provider has stopped your mailbox.", "call your provider, or for help."),
            ("il gestore ha bloccato la Sua casella.", "rivolgersi al gestore o all'assistenza."),
        ),
        "sender-mailbox-full": _cause(
            EXPIRED,
            ("your own mailbox is full.", "empty it, the sent mail too, and send again."),
            ("la Sua casella è piena.", "svuotarla, anche la posta inviata, e inviare di nuovo."),
        ),
        "no-credentials": _cause(
            EXPIRED,
            ("the relay has no password for your mailbox.", "call for help."),
            ("manca la password della Sua casella.", "chiedere assistenza."),
        ),
        "no-account": _cause(
            EXPIRED,
            ("your address was removed from the relay.", "call for help."),
            ("il Suo indirizzo non è più configurato.", "chiedere assistenza."),
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
    """What to say about a reply class or `expired`."""
    return CAUSES.get(reason, ANY_CAUSE)
