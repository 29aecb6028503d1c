"""What every report says whatever its reason, in English or Italian; what a reason adds stands in `causes`.

Law: no sentence here names a person by itself, and each fits one line of a mail.
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
    deadline: str
    """Of what its sender had given a day of its own."""
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
            "your patients it names neither recipient nor subject: look in your software for what it sent\n"
            "at the time below, or for the number, if it keeps the answer that it was given.",
            why="Why: {text}",
            deadline="The mail had a deadline of its own (X-Relay-Valid-Until), {deadline}: after it nothing is sent.",
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
            "Per tutelare i pazienti non riporta né destinatario né oggetto: li cerchi nel Suo programma\n"
            "tra gli invii dell'ora indicata qui sotto, o con il numero, se il programma lo conserva.",
            why="Motivo: {text}",
            deadline="Il messaggio aveva una propria scadenza (X-Relay-Valid-Until), {deadline}: poi non si invia più.",
            expired="Non è stato possibile recapitarlo in tempo. Dal {since} lo ha trattenuto il motivo qui sopra.",
            answer="Risposta del server di posta: {text}",
            advice="Che cosa può fare: {text}",
            eta="Probabilmente partirà, o sarà ritentato, il {eta}.",
            until="I tentativi continuano fino al {until}.",
            others="Altri Suoi messaggi in attesa: {others}. Non riceverà un avviso per ciascuno.",
            number="Numero del messaggio: {message}, accettato il {accepted}",
            unanswered="nessuna",
            patience="per ora nulla. Non lo invii di nuovo: arriverebbe due volte.",
            again="Il messaggio NON è stato inviato. Risolta la causa, deve inviarlo di nuovo Lei.",
            next_try="Resta qui finché la causa non è risolta. Prossimo tentativo: {eta}.",
            kept="È conservato fino al {until}, e partirà da solo appena la causa sarà risolta.",
            hears="In caso di insuccesso riceverà un altro avviso.",
            helper="deve intervenire l'assistenza{contact}. Non lo invii di nuovo: arriverebbe due volte.",
            contact=" ({contact})",
        ),
    }
)
