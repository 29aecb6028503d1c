"""The sentences of SMTP replies, in the languages of the relay.

Law: the cause comes first, who has to act comes after it; plain ASCII, at most 512 octets a line, and nothing that a
client wrote can start another line.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from relay.core.causes import cause_of
from relay.core.deadline import Lateness
from relay.core.failuretext import Language
from relay.core.refusal import Reason, Refusal

LINE_MOST: int = 512
"""Octets of a reply line with its CRLF (RFC 5321, 4.5.3.1.5)."""

_ACCENTED_END = re.compile(r"[àèéìòùÀÈÉÌÒÙ]\b")
"""What Italian writes with an apostrophe where there are no accents: è is `e'`, which `e` (and) is not."""

VALUE_MOST: int = 100
"""Characters of an address or a name in a sentence: the cause after it has to be seen too."""

_ENGLISH: Mapping[Reason, str] = {
    Reason.FULL: "Too many connections, try again later",
    Reason.STOPPING: "The relay is stopping, try again in a minute",
    Reason.IDLE: "Nothing was heard for too long, closing",
    Reason.TOO_MANY_ERRORS: "Too many errors, closing",
    Reason.PROXY_ALONE: "This port is for the proxy in front of the relay: connect to the proxy",
    Reason.PROXY_GARBLED: "The proxy in front of the relay does not say who connects: it has to send a PROXY header",
    Reason.COMMAND_TOO_LONG: "Command line too long",
    Reason.COMMAND_UNKNOWN: "Command not recognized",
    Reason.COMMAND_SYNTAX: "Syntax error: {usage}",
    Reason.COMMAND_NOT_OFFERED: "Command not offered here",
    Reason.COMMAND_ORDER: "Wrong order: {usage}",
    Reason.PARAMETER_UNKNOWN: "Parameter not recognized",
    Reason.LOGIN_NEEDED: "Login required: set user name and password of the relay",
    Reason.LOGIN_WRONG: "User name or password wrong",
    Reason.LOGIN_TOO_OFTEN: "Too many wrong logins: check user name and password, then wait 10 minutes",
    Reason.LOGIN_IN_CLEAR: "Login without encryption refused: switch on STARTTLS or SSL/TLS",
    Reason.LOGIN_UNCHECKED: "The login cannot be checked now, try again later",
    Reason.LOGIN_ABORTED: "Login aborted",
    Reason.LOGIN_GARBLED: "The login is not valid base64",
    Reason.MECHANISM_UNKNOWN: "Login mechanism not offered: use PLAIN or LOGIN",
    Reason.SENDER_SYNTAX: "The sender is not an e-mail address",
    Reason.SENDER_FOREIGN: "Login {client} may not send as {sender}: "
    "an administrator has to add it to may_send_as of this login. {contact}",
    Reason.SENDER_UNKNOWN: "Sender {sender} has no account on this relay: an administrator has to add it, "
    "with a business mailbox (Mail Plus) or with the doctor's own mailbox. {contact}",
    Reason.SENDER_RETIRED: "Sender {sender} is retired since {day}: move to a business mailbox (Mail Plus) "
    "or to the doctor's own mailbox. {contact}",
    Reason.SENDER_REPLACED: "Sender {sender} is replaced by {own}, and not taken since {day}: send as {own}. {contact}",
    Reason.RECIPIENT_SYNTAX: "The recipient is not an e-mail address",
    Reason.RECIPIENTS_TOO_MANY: "Too many recipients in one message, send the rest in another",
    Reason.RECIPIENTS_NONE: "No valid recipients",
    Reason.RECIPIENT_OPTED_OUT: "{recipient} asked on {since} for no more mail of {sender}. If that has changed, "
    "whoever looks after this service takes it back. {contact}",
    Reason.RECIPIENT_SUPPRESSED: "{recipient} is unknown to its provider since {since}: no mail goes there before "
    "{until}. Check the address with the patient. If it is right, have this lifted by whoever looks after this "
    "service, or send with the header X-Relay-Suppression: ignore if your login may. {contact}",
    Reason.RECIPIENT_DOMAIN_MISSING: "There is no mail at {domain}: check the address {recipient}.{hint}",
    Reason.RECIPIENT_MISSPELT: "{domain} is a misspelling, and strangers read its mail: check the address "
    "{recipient}.{hint}",
    Reason.RECIPIENT_NO_MAIL: "{domain} says that it takes no mail: check the address {recipient}.{hint}",
    Reason.ADDRESS_NEEDS_SMTPUTF8: "An address with these letters needs SMTPUTF8",
    Reason.MESSAGE_TOO_LARGE: "Message too large, at most {most} bytes",
    Reason.FROM_COUNT: "The message must have exactly one From field and at most one Sender",
    Reason.FROM_UNREADABLE: "A From or Sender field is not a list of e-mail addresses as the relay reads "
    'them: write each as name@domain or "Name" <name@domain>',
    Reason.FROM_FOREIGN: "The {field} field names {author}, which does not belong to the account {sender}. {contact}",
    Reason.FROM_MISSING: "A message with an empty sender needs a From field",
    Reason.BARE_CR: "The message has a CR without LF",
    Reason.BARE_LF: "The message has a LF without CR",
    Reason.NUL: "The message has a NUL byte",
    Reason.LINE_TOO_LONG: "The message has a line over 64 KiB",
    Reason.HEADER_TOO_LONG: "The header of the message is over 256 KiB",
    Reason.LOOP: "Too many hops, the message runs in a circle",
    Reason.VALID_UNTIL_UNREADABLE: "X-Relay-Valid-Until is not a date: {said}",
    Reason.VALID_UNTIL_TWICE: "X-Relay-Valid-Until is there more than once: name one date",
    Reason.VALID_UNTIL_PAST: "X-Relay-Valid-Until is over: {day}",
    Reason.TOO_LATE: "The message would leave {leaves}, after its deadline {deadline}: "
    "send it another way or with a later deadline. {contact}",
    Reason.TOO_LATE_STOPPED: "Mail of {sender} is not leaving: {why} What you can do: {advice} "
    "The message would not leave before its deadline {deadline}: if it is urgent, send it another way.",
    Reason.MAILBOX_PAUSED: "Mail of {sender} has not been leaving since {since}: {why} {contact}",
    Reason.STORE_FULL: "No space for mail, try again later",
    Reason.STORE_AWAY: "The mail cannot be stored now, try again later",
    Reason.BROKEN: "Error in the relay, try again later",
}

_ITALIAN: Mapping[Reason, str] = {
    Reason.FULL: "Troppe connessioni, riprovare piu' tardi",
    Reason.STOPPING: "Il relay si sta fermando, riprovare tra un minuto",
    Reason.IDLE: "Nessun comando da troppo tempo, chiusura",
    Reason.TOO_MANY_ERRORS: "Troppi errori, chiusura",
    Reason.PROXY_ALONE: "Questa porta e' per il proxy davanti al relay: collegarsi al proxy",
    Reason.PROXY_GARBLED: "Il proxy davanti al relay non dice chi si collega: deve inviare un'intestazione PROXY",
    Reason.COMMAND_TOO_LONG: "Riga di comando troppo lunga",
    Reason.COMMAND_UNKNOWN: "Comando non riconosciuto",
    Reason.COMMAND_SYNTAX: "Errore di sintassi: {usage}",
    Reason.COMMAND_NOT_OFFERED: "Comando non disponibile",
    Reason.COMMAND_ORDER: "Ordine sbagliato: {usage}",
    Reason.PARAMETER_UNKNOWN: "Parametro non riconosciuto",
    Reason.LOGIN_NEEDED: "Accesso richiesto: impostare nome utente e password del relay",
    Reason.LOGIN_WRONG: "Nome utente o password errati",
    Reason.LOGIN_TOO_OFTEN: "Troppi accessi errati: controllare nome utente e password, poi attendere 10 minuti",
    Reason.LOGIN_IN_CLEAR: "Accesso senza cifratura rifiutato: attivare STARTTLS o SSL/TLS",
    Reason.LOGIN_UNCHECKED: "Accesso non verificabile ora, riprovare piu' tardi",
    Reason.LOGIN_ABORTED: "Accesso interrotto",
    Reason.LOGIN_GARBLED: "Le credenziali non sono base64 valido",
    Reason.MECHANISM_UNKNOWN: "Meccanismo di accesso non disponibile: usare PLAIN o LOGIN",
    Reason.SENDER_SYNTAX: "Il mittente non e' un indirizzo e-mail",
    Reason.SENDER_FOREIGN: "L'utente {client} non puo' inviare come {sender}: "
    "un amministratore deve aggiungerlo a may_send_as di questo utente. {contact}",
    Reason.SENDER_UNKNOWN: "Il mittente {sender} non ha un account su questo relay: un amministratore deve "
    "aggiungerlo, con una casella business (Mail Plus) o con la casella personale del medico. {contact}",
    Reason.SENDER_RETIRED: "Il mittente {sender} e' dismesso dal {day}: passare a una casella business "
    "(Mail Plus) o alla casella personale del medico. {contact}",
    Reason.SENDER_REPLACED: "Il mittente {sender} e' sostituito da {own}, e dal {day} non e' piu' accettato: "
    "inviare come {own}. {contact}",
    Reason.RECIPIENT_SYNTAX: "Il destinatario non e' un indirizzo e-mail",
    Reason.RECIPIENTS_TOO_MANY: "Troppi destinatari in un messaggio, inviare gli altri con un secondo messaggio",
    Reason.RECIPIENTS_NONE: "Nessun destinatario valido",
    Reason.RECIPIENT_OPTED_OUT: "{recipient} ha chiesto il {since} di non ricevere piu' posta di {sender}. Se ha "
    "cambiato idea, lo annulla l'assistenza. {contact}",
    Reason.RECIPIENT_SUPPRESSED: "{recipient} e' sconosciuto al suo provider dal {since}: nessun invio prima del "
    "{until}. Verificare l'indirizzo con il paziente. Se e' giusto, far togliere il blocco dall'assistenza o "
    "inviare con l'intestazione X-Relay-Suppression: ignore se l'accesso lo consente. {contact}",
    Reason.RECIPIENT_DOMAIN_MISSING: "Non c'e' posta presso {domain}: verificare l'indirizzo {recipient}.{hint}",
    Reason.RECIPIENT_MISSPELT: "{domain} e' un errore di battitura e la sua posta la leggono estranei: verificare "
    "l'indirizzo {recipient}.{hint}",
    Reason.RECIPIENT_NO_MAIL: "{domain} dichiara di non ricevere posta: verificare l'indirizzo {recipient}.{hint}",
    Reason.ADDRESS_NEEDS_SMTPUTF8: "Un indirizzo con queste lettere richiede SMTPUTF8",
    Reason.MESSAGE_TOO_LARGE: "Messaggio troppo grande, al massimo {most} byte",
    Reason.FROM_COUNT: "Il messaggio deve avere un solo campo From e al massimo un Sender",
    Reason.FROM_UNREADABLE: "Un campo From o Sender non e' un elenco leggibile di indirizzi e-mail: "
    'scriverli come nome@dominio o "Nome" <nome@dominio>',
    Reason.FROM_FOREIGN: "Il campo {field} indica {author}, che non appartiene all'account {sender}. {contact}",
    Reason.FROM_MISSING: "Un messaggio con mittente vuoto richiede un campo From",
    Reason.BARE_CR: "Il messaggio contiene un CR senza LF",
    Reason.BARE_LF: "Il messaggio contiene un LF senza CR",
    Reason.NUL: "Il messaggio contiene un byte NUL",
    Reason.LINE_TOO_LONG: "Il messaggio contiene una riga oltre 64 KiB",
    Reason.HEADER_TOO_LONG: "L'intestazione del messaggio supera 256 KiB",
    Reason.LOOP: "Troppi passaggi, il messaggio gira in tondo",
    Reason.VALID_UNTIL_UNREADABLE: "X-Relay-Valid-Until non e' una data: {said}",
    Reason.VALID_UNTIL_TWICE: "X-Relay-Valid-Until c'e' piu' di una volta: indicare una sola data",
    Reason.VALID_UNTIL_PAST: "X-Relay-Valid-Until e' scaduto: {day}",
    Reason.TOO_LATE: "Il messaggio partirebbe {leaves}, dopo la sua scadenza {deadline}: "
    "inviarlo in altro modo o con una scadenza successiva. {contact}",
    Reason.TOO_LATE_STOPPED: "La posta di {sender} e' ferma: {why} Che cosa puo' fare: {advice} "
    "Il messaggio non partirebbe entro la sua scadenza {deadline}: se e' urgente, inviarlo in altro modo.",
    Reason.MAILBOX_PAUSED: "La posta di {sender} e' ferma dal {since}: {why} {contact}",
    Reason.STORE_FULL: "Spazio per la posta esaurito, riprovare piu' tardi",
    Reason.STORE_AWAY: "Il messaggio non puo' essere salvato ora, riprovare piu' tardi",
    Reason.BROKEN: "Errore nel relay, riprovare piu' tardi",
}

CATALOGUE: Mapping[Language, Mapping[Reason, str]] = MappingProxyType(
    {Language.ENGLISH: MappingProxyType(_ENGLISH), Language.ITALIAN: MappingProxyType(_ITALIAN)}
)


_HINT: Mapping[Language, str] = MappingProxyType(
    {Language.ENGLISH: " Did you mean {}?", Language.ITALIAN: " Forse {}?"}
)
_LEAVES: Mapping[Language, tuple[str, str]] = MappingProxyType(
    {
        Language.ENGLISH: ("only on {}", "only once somebody has acted"),
        Language.ITALIAN: ("solo il {}", "solo dopo un intervento"),
    }
)
_LATE: Mapping[Language, tuple[str, str]] = MappingProxyType(
    {
        Language.ENGLISH: ("it would leave {leaves}, after its deadline {deadline}", ", and will come back then"),
        Language.ITALIAN: ("partirebbe {leaves}, dopo la sua scadenza {deadline}", ", e allora tornera' indietro"),
    }
)


_DAY = re.compile(r"^([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAYS = frozenset({"day", "since", "until", "leaves", "deadline"})
"""Values that begin with a day, as ISO 8601 writes it."""


class Texts:
    """Turns refusals into reply lines of one language."""

    def __init__(self, language: Language, contact: str = "") -> None:
        """`contact` is put into refusals that a doctor reads."""
        self._language = language
        self._sentences = CATALOGUE[language]
        self._contact = contact

    def late(self, lateness: Lateness) -> str:
        """What is said beside the id of a message that is accepted and will leave too late."""
        late, comes_back = _LATE[self._language]
        leaves = self._leaves(self._dated(lateness.leaves))
        if lateness.cause:
            leaves += f" ({cause_of(lateness.cause).why[self._language].rstrip('.')})"
        said = late.format(leaves=leaves, deadline=self._dated(lateness.deadline))
        return _plain(said + comes_back if lateness.comes_back else said)

    def _dated(self, said: str) -> str:
        """A day as the language writes it."""
        return _DAY.sub(r"\3/\2/\1", said) if self._language is Language.ITALIAN else said

    def _because(self, cause: str) -> Mapping[str, str]:
        """Why, and what its reader can do, with whom to call."""
        found, language = cause_of(cause), self._language
        contact = f" ({self._contact})" if self._contact else ""
        return {"why": found.why[language], "advice": found.advice[language].format(contact=contact)}

    def _leaves(self, at: str) -> str:
        known, unknown = _LEAVES[self._language]
        return known.format(at) if at else unknown

    def _recipient(self, recipient: str, meant: str | None) -> Mapping[str, str]:
        hint = "" if meant is None else _HINT[self._language].format(meant)
        return {"recipient": recipient[:VALUE_MOST], "domain": recipient.rpartition("@")[2][:VALUE_MOST], "hint": hint}

    def line(self, refusal: Refusal) -> bytes:
        """The whole reply with its CRLF."""
        values = {name: value[:VALUE_MOST] for name, value in refusal.values.items()}
        values |= {name: self._dated(value) for name, value in values.items() if name in _DAYS}
        if refusal.reason is Reason.TOO_LATE:
            values["leaves"] = self._leaves(values["leaves"])
        if refusal.recipient is not None:
            values |= self._recipient(refusal.recipient, values.get("meant"))
        reason = refusal.reason
        values |= self._because(values.get("cause", ""))
        sentence = self._sentences[reason].format_map({"contact": self._contact, "usage": "", **values})
        return as_line(f"{reason.code} {reason.enhanced} {sentence}")


def as_line(text: str) -> bytes:
    """One reply line: ASCII without controls, cut to what a line may have, with its CRLF; `è stata` is `e' stata`."""
    return _plain(text).encode("ascii")[: LINE_MOST - 2] + b"\r\n"


def _plain(text: str) -> str:
    if not text.isascii():
        text = _ACCENTED_END.sub(r"\g<0>'", text)
        text = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in text if not unicodedata.combining(char))
    return "".join(char if " " <= char <= "~" else "?" for char in text).rstrip()
