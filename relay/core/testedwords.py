"""The words for what came of a trial, in English and Italian: what was found, why, and what to do about it.

Law: each is a part of a sentence, in the words of whoever answers the doctor's call; no word of it is from a provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from relay.core.tested import Finding

Pair = tuple[str, str]
"""English, Italian."""

FOUND: Mapping[Finding, Pair] = MappingProxyType(
    {
        Finding.WORKS: (
            "All is well: the login of {login} at {provider} works, and mail from {sender} is taken",
            "Tutto a posto: l'accesso di {login} presso {provider} funziona e la posta da {sender} è accettata",
        ),
        Finding.LOGIN_WORKS: (
            "The login of {login} at {provider} works; whether mail from {sender} is taken could not be found out",
            "L'accesso di {login} presso {provider} funziona; non si sa se la posta da {sender} è accettata",
        ),
        Finding.LOGIN_FAILED: (
            "The login of {login} at {provider} does not work",
            "L'accesso di {login} presso {provider} non funziona",
        ),
        Finding.SENDER_REFUSED: (
            "The login of {login} at {provider} works, but mail from {sender} is not taken",
            "L'accesso di {login} presso {provider} funziona, ma la posta da {sender} non è accettata",
        ),
        Finding.RECIPIENT_REFUSED: (
            "The login of {login} at {provider} works and {sender} may send, but {provider} takes no mail for {sender}",
            "L'accesso di {login} funziona e {sender} può inviare, ma {provider} non accetta posta per {sender}",
        ),
        Finding.NOT_NOW: (
            "The mailbox {login} at {provider} was not tried",
            "La casella {login} presso {provider} non è stata provata",
        ),
    }
)

WORKS_BUT: Pair = (
    "The login of {login} at {provider} works, and mail from {sender} is taken",
    "L'accesso di {login} presso {provider} funziona e la posta da {sender} è accettata",
)
"""Instead of `works`, where something else keeps its mail back, which is said next."""

UNREACHABLE: Pair = ("{provider} cannot be tried", "Non è possibile provare {provider}")
"""Instead of `login-failed`, where the provider's host is what failed."""

AGAIN: Pair = ("try again at {until}", "riprovare alle {until}")
LATER: Pair = ("try again in a minute", "riprovare tra un minuto")


@dataclass(frozen=True, slots=True)
class Words:
    """Why, and what to do about it; `do` None: what the provider's profile says, or nothing."""

    why: Pair
    do: Pair | None = None


_TLS = Words(
    ("no verified encryption with it comes about", "non si riesce a stabilire una connessione cifrata e verificata"),
    (
        "tell those who run the relay; nothing goes out without it",
        "avvisare chi gestisce il relay: senza non parte nulla",
    ),
)
_ROUTING: Pair = ("mend it in the routing", "correggere la configurazione (routing)")
_PASSWORD: Pair = (
    "have the right password set (relay account set-password)",
    "impostare la password giusta (relay account set-password)",
)
_OPS: Pair = ("tell those who run the relay", "avvisare chi gestisce il relay")
_CONNECT: Pair = (
    "the owner has to sign in with the provider and permit the relay to send",
    "il titolare deve accedere presso il gestore e autorizzare l'invio",
)

REASONS: Mapping[str, Words] = MappingProxyType(
    {
        "auth-rejected": Words(("user name or password is refused", "utente o password rifiutati"), _PASSWORD),
        "auth-method": Words(
            (
                "another way of logging in is wanted (an app password, OAuth2, a sign-in in a browser)",
                "è richiesto un altro tipo di accesso (password per app, OAuth2, accesso dal browser)",
            ),
            (
                "make an app password at the provider and set it (relay account set-password)",
                "creare una password per app presso il gestore e impostarla (relay account set-password)",
            ),
        ),
        "auth-outage": Words(
            (
                "it refuses many logins that worked, so no password is wrong",
                "rifiuta molti accessi che funzionavano, quindi nessuna password è sbagliata",
            ),
            ("nobody can do anything but wait", "si può solo attendere"),
        ),
        "bounce-guard": Words(
            ("it refuses several recipients in the same words", "rifiuta più destinatari con le stesse parole"),
            ("read its answer (relay account show)", "leggere la sua risposta (relay account show)"),
        ),
        "auth-temporary": Words(
            ("logins cannot be checked there at the moment", "al momento gli accessi non possono essere verificati")
        ),
        "auth-not-offered": Words(
            ("no login is offered at this host and port", "a questo host e porta non è offerto alcun accesso"), _ROUTING
        ),
        "unusable-credentials": Words(
            (
                "user name or password holds a character that no login can carry",
                "utente o password contengono un carattere non ammesso",
            ),
            _PASSWORD,
        ),
        "no-credentials": Words(
            (
                "the password that the routing names cannot be found, or was set for another host or login",
                "la password indicata non si trova, o è stata impostata per un altro host o utente",
            ),
            _PASSWORD,
        ),
        "no-token": Words(
            ("nobody has connected it with the provider yet", "non è ancora collegata al gestore"), _CONNECT
        ),
        "oauth-consent": Words(
            ("the permission to send was revoked or has expired", "l'autorizzazione è stata revocata o è scaduta"),
            _CONNECT,
        ),
        "oauth-sign-in": Words(
            ("the provider wants the owner to sign in again", "il gestore chiede al titolare un nuovo accesso"),
            _CONNECT,
        ),
        "oauth-password-changed": Words(
            ("the owner's password changed", "la password del titolare è cambiata"), _CONNECT
        ),
        "oauth-blocked": Words(
            ("the provider or the organisation keeps this user out", "il gestore o l'organizzazione esclude l'utente"),
            ("have its admin let the user in", "chiedere all'amministratore di ammetterlo"),
        ),
        "oauth-client": Words(
            ("the relay's own OAuth2 client is refused", "il client OAuth2 del relay è rifiutato"), _OPS
        ),
        "oauth-secret": Words(
            (
                "the secret of the relay's own OAuth2 client cannot be found",
                "non si trova il segreto del client OAuth2 del relay",
            ),
            _OPS,
        ),
        "oauth-unreachable": Words(
            ("the authorization server does not answer", "il server di autorizzazione non risponde"), LATER
        ),
        "oauth-unread": Words(
            ("the authorization server's answer makes no sense", "il server di autorizzazione risponde senza senso"),
            _OPS,
        ),
        "oauth-unsaved": Words(
            ("the renewed token could not be kept", "non è stato possibile conservare il nuovo token"), _OPS
        ),
        "account-blocked": Words(
            (
                "the provider has blocked the mailbox or its contract",
                "il gestore ha bloccato la casella o il contratto",
            ),
            ("have the provider unblock it", "chiedere al gestore di sbloccarla"),
        ),
        "sender-refused": Words(
            ("the mailbox may not send as this address", "la casella non può usare questo indirizzo come mittente"),
            ("authorise the address at the provider", "autorizzare l'indirizzo presso il gestore"),
        ),
        "sender-mailbox-full": Words(
            ("the mailbox is full", "la casella è piena"),
            ("empty it, the folder of sent mail first", "svuotarla, a cominciare dalla posta inviata"),
        ),
        "policy-refused": Words(
            ("a policy forbids it (SPF, DKIM, DMARC)", "una regola lo vieta (SPF, DKIM, DMARC)"), _OPS
        ),
        "rate-limited": Words(("it has sent too fast", "ha inviato troppo in fretta")),
        "quota-exceeded": Words(("it has used up its quota", "ha esaurito la quota di invii")),
        "too-many-recipients": Words(("it has sent to too many", "ha inviato a troppi destinatari")),
        "too-many-connections": Words(
            ("there are too many connections already", "ci sono già troppe connessioni"), LATER
        ),
        "spam-blocked": Words(("what it sent was taken for spam", "ciò che ha inviato è stato preso per spam")),
        "recipient-unknown": Words(
            ("it says that the address does not exist", "risulta che l'indirizzo non esiste"),
            ("look whether the address is spelt right", "controllare che l'indirizzo sia scritto bene"),
        ),
        "recipient-mailbox-full": Words(
            ("the mailbox is full", "la casella è piena"),
            ("empty it: replies of patients do not arrive", "svuotarla: le risposte dei pazienti non arrivano"),
        ),
        "greylisted": Words(("it asks to come back later, which is no fault", "chiede di riprovare, non è un guasto")),
        "ip-blocked": Words(
            (
                "connections from the relay's address are refused",
                "le connessioni dall'indirizzo del relay sono rifiutate",
            ),
            _OPS,
        ),
        "network": Words(
            ("it cannot be reached, or does not answer", "non è raggiungibile o non risponde"),
            (
                "nobody can do anything but wait; tell those who run the relay if it lasts",
                "si può solo attendere; se dura, avvisare chi gestisce il relay",
            ),
        ),
        "outage": Words(
            ("it is out of order", "è fuori servizio"),
            ("nobody can do anything but wait", "si può solo attendere"),
        ),
        "protocol-error": Words(("it does not understand what it is told", "non capisce i comandi ricevuti"), _OPS),
        "unknown": Words(
            ("it gives an answer that the relay has no rule for", "dà una risposta che il relay non conosce"),
            ("read its answer", "leggere la sua risposta"),
        ),
        "tls-ca-unreadable": Words(
            ("the file of `tls_ca` cannot be read", "il file di `tls_ca` non è leggibile"), _ROUTING
        ),
        "tls-expired": Words(("its certificate has expired", "il suo certificato è scaduto"), _OPS),
        "tls-wrong-name": Words(
            ("its certificate is for another name", "il suo certificato ha un altro nome"), _ROUTING
        ),
        "tls-untrusted": Words(
            ("nobody here knows who signed its certificate", "il suo certificato è firmato da un'autorità sconosciuta"),
            _ROUTING,
        ),
        "tls-self-signed": Words(("its certificate is signed by itself", "il suo certificato è autofirmato"), _ROUTING),
        "tls-expected": Words(
            ("its port wants TLS from the first byte", "la porta vuole TLS dal primo byte"),
            ("set `tls: implicit`, or the port for STARTTLS", "impostare `tls: implicit`, o la porta per STARTTLS"),
        ),
        "tls-not-spoken": Words(("what answers there speaks no TLS", "ciò che risponde non usa TLS"), _ROUTING),
        "clear-text": Words(("`tls: none` would send it in clear", "`tls: none` lo invierebbe in chiaro"), _ROUTING),
        "limit": Words(
            ("its limits have no room for one more now", "i suoi limiti non hanno posto per un altro invio")
        ),
        "login": Words(("it has logged in as often as it may for now", "ha già fatto gli accessi consentiti per ora")),
        "refused-logins": Words(
            (
                "this password was refused already, and trying it again so soon would get the mailbox blocked",
                "questa password è già stata rifiutata, e riprovarla così presto farebbe bloccare la casella",
            ),
            _PASSWORD,
        ),
        "session": Words(
            ("all the sessions that it may have are sending mail", "tutte le sue sessioni stanno inviando posta"), LATER
        ),
        "other-node": Words(
            ("another node has its sessions", "un altro nodo ha le sue sessioni"),
            ("ask that node, or try again in a minute", "chiedere a quel nodo, o riprovare tra un minuto"),
        ),
        "testing": Words(("it is being tried already", "è già in corso una prova"), LATER),
        "busy": Words(("many mailboxes are being tried", "sono in corso molte prove"), LATER),
        "elsewhere": Words(
            ("this node sends no mail", "questo nodo non invia posta"),
            ("ask a node that delivers", "chiedere a un nodo che invia"),
        ),
        "stopping": Words(("the relay is stopping", "il relay si sta fermando"), LATER),
    }
)
"""By reply class, fault, or what kept it from being tried."""


def why_of(reason: str) -> Pair:
    """What this reason means."""
    words = words_of(reason)
    return ("the relay calls it so", "il relay lo chiama così") if words is None else words.why


def words_of(reason: str) -> Words | None:
    """None: a reason that nobody has written words for."""
    return REASONS.get(reason) or (_TLS if reason.startswith("tls-") else None)
