"""Why a mail could not be delivered and what its sender can do, for each reason, in English or Italian.

Law: a sentence per reason, never a code alone; no sentence names a person, and each fits one line of a mail.
"""

from collections.abc import Mapping
from types import MappingProxyType

from relay.core.cause import EXPIRED, Cause, cause
from relay.core.logincauses import LOGIN_CAUSES

ANY_CAUSE = cause(
    "5.0.0",
    ("it could not be delivered.", "give support{contact} the number of the mail."),
    ("non è stato possibile recapitarlo.", "comunicare all'assistenza{contact} il numero del messaggio."),
)
"""For a reason without a sentence of its own: what this relay calls by a name has one."""

INSECURE = cause(
    EXPIRED,
    ("there is no safe connection to your mail provider, and without one nothing is sent.", "call support{contact}."),
    ("manca una connessione sicura con il Suo gestore: senza non si invia nulla.", "chiamare l'assistenza{contact}."),
)
"""For all that may be wrong with encryption: a doctor can mend none of it."""

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "recipient-unknown": cause(
            "5.1.1",
            ("this address does not exist.", "ask the recipient for the right address."),
            ("l'indirizzo non esiste.", "chiedere al destinatario l'indirizzo corretto."),
        ),
        "recipient-domain-bad": cause(
            "5.1.2",
            ("the part after the @ does not exist or takes no mail.", "look for a slip in the address."),
            ("la parte dopo la @ non esiste o non riceve posta.", "controllare che l'indirizzo sia scritto bene."),
        ),
        "recipient-mailbox-full": cause(
            "5.2.2",
            ("the recipient's mailbox is full.", "send it again later, or another way."),
            ("la casella del destinatario è piena.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "recipient-refused": cause(
            "5.7.1",
            ("the recipient's mail server does not take this mail.", "send it another way."),
            ("il server del destinatario non accetta questo messaggio.", "inviare per un'altra via."),
        ),
        "spam-blocked": cause(
            "5.7.1",
            ("the mail was taken for spam.", "send it another way; the same mail again would harm your mailbox."),
            ("il messaggio è stato preso per spam.", "inviare per un'altra via; ripeterlo danneggia la casella."),
        ),
        "policy-refused": cause(
            "5.7.1",
            ("a rule of the recipient's mail server forbids it.", "send it another way, and tell support{contact}."),
            (
                "una regola del server del destinatario lo vieta.",
                "inviare per un'altra via e avvisare l'assistenza{contact}.",
            ),
        ),
        "content-refused": cause(
            "5.7.1",
            ("the content or an attachment is not allowed there.", "send the document in another form."),
            ("il contenuto o un allegato non è ammesso.", "inviare il documento in un altro formato."),
        ),
        "message-too-large": cause(
            "5.3.4",
            ("the mail is too large.", "send it with fewer or smaller attachments."),
            ("il messaggio è troppo grande.", "inviare con allegati meno numerosi o più piccoli."),
        ),
        "auth-rejected": cause(
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
        "auth-method": cause(
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
        "account-blocked": cause(
            EXPIRED,
            ("your mail provider has stopped your mailbox.", "call your mail provider, or support{contact}."),
            ("il gestore ha bloccato la Sua casella.", "rivolgersi al gestore o all'assistenza{contact}."),
        ),
        "sender-mailbox-full": cause(
            EXPIRED,
            ("your own mailbox is full.", "delete mails from it, sent ones too."),
            ("la Sua casella è piena.", "svuotarla, anche della posta inviata."),
        ),
        "limit": cause(
            EXPIRED,
            ("your mailbox may send only so many mails in a given time.", "send it again, with fewer mails at once."),
            (
                "la Sua casella può inviare solo un certo numero di messaggi.",
                "inviare di nuovo, meno messaggi alla volta.",
            ),
        ),
        "login": cause(
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
        "queue": cause(
            EXPIRED,
            ("other mails were before it.", "send it again, with fewer mails at once."),
            ("altri messaggi lo precedevano.", "inviare di nuovo, meno messaggi alla volta."),
        ),
        "rate-limited": cause(
            EXPIRED,
            ("your mail provider finds that too many mails were sent.", "send it again, with fewer mails at once."),
            ("per il Suo gestore i messaggi inviati sono troppi.", "inviare di nuovo, meno messaggi alla volta."),
        ),
        "quota-exceeded": cause(
            EXPIRED,
            ("your mailbox has sent as many mails as it may in a day.", "send it again tomorrow, or another way."),
            ("la Sua casella ha raggiunto il limite giornaliero.", "inviare di nuovo domani, o per un'altra via."),
        ),
        "greylisted": cause(
            EXPIRED,
            ("the recipient's mail server asks to come back later.", "send it again later, or another way."),
            ("il server del destinatario chiede di riprovare più tardi.", "inviare di nuovo più tardi."),
        ),
        "network": cause(
            EXPIRED,
            ("the connection with your mail provider failed or broke off.", "send it again later, or another way."),
            (
                "la connessione con il Suo gestore non riesce o si interrompe.",
                "inviare di nuovo più tardi, o per un'altra via.",
            ),
        ),
        "outage": cause(
            EXPIRED,
            ("your mail provider does not work at present.", "send it again later, or another way."),
            ("il Suo gestore di posta al momento non funziona.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "sender-refused": cause(
            EXPIRED,
            ("your mail provider does not let your mailbox send as this address.", "call support{contact}."),
            ("il gestore non permette alla casella di usare questo indirizzo.", "chiamare l'assistenza{contact}."),
        ),
        "no-credentials": cause(
            EXPIRED,
            ("no password is known here for your mailbox.", "tell support{contact} the password."),
            ("manca la password della Sua casella.", "comunicarla all'assistenza{contact}."),
        ),
        "no-account": cause(
            EXPIRED,
            ("your address is not set up here any more.", "call support{contact}."),
            ("il Suo indirizzo non è più configurato.", "chiamare l'assistenza{contact}."),
        ),
        "ip-blocked": cause(
            EXPIRED,
            ("your mail provider blocks the service that sends for you.", "call support{contact}."),
            ("il gestore blocca il servizio che invia per Suo conto.", "chiamare l'assistenza{contact}."),
        ),
        "bounce-guard": cause(
            "5.7.1",
            ("your mail provider refuses what your mailbox sends.", "call support{contact}."),
            ("il gestore rifiuta ciò che la Sua casella invia.", "chiamare l'assistenza{contact}."),
        ),
        "auth-outage": cause(
            EXPIRED,
            ("your mail provider lets nobody log in at present.", "send it again later, or another way."),
            ("il Suo gestore al momento non accetta accessi.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "in-doubt": cause(
            "4.4.2",
            ("the connection broke at the last moment: it may have arrived.", "ask before you send it again."),
            ("la connessione è caduta alla fine: potrebbe essere arrivato.", "chiedere prima di inviare di nuovo."),
        ),
        "expired": cause(
            EXPIRED,
            ("it could not be delivered in the time that was allowed.", "send it again later, or another way."),
            ("non è stato possibile recapitarlo in tempo.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "too-many-recipients": cause(
            "5.5.3",
            ("the mail server takes no mail with so many recipients.", "send it to fewer recipients at once."),
            ("il server di posta non accetta così tanti destinatari.", "inviare a meno destinatari alla volta."),
        ),
        "too-many-connections": cause(
            EXPIRED,
            ("your mail provider took no more connections.", "send it again later, or another way."),
            ("il Suo gestore non accettava altre connessioni.", "inviare di nuovo più tardi, o per un'altra via."),
        ),
        "protocol-error": cause(
            "5.5.0",
            ("the mail server answered in a way that makes no sense.", "give support{contact} the number of the mail."),
            (
                "il server di posta ha risposto in modo incomprensibile.",
                "comunicare all'assistenza{contact} il numero del messaggio.",
            ),
        ),
        "unknown": cause(
            "5.0.0",
            (
                "the mail server did not take it, in words that are not known here.",
                "give support{contact} the number of the mail.",
            ),
            (
                "il server di posta non l'ha accettato, con parole non conosciute.",
                "comunicare all'assistenza{contact} il numero del messaggio.",
            ),
        ),
        "corrupt": cause(
            "5.3.0",
            ("what was kept of this mail can no longer be read.", "send it again, and tell support{contact}."),
            (
                "la copia conservata del messaggio non è più leggibile.",
                "inviare di nuovo e avvisare l'assistenza{contact}.",
            ),
        ),
        "paused-by-admin": cause(
            EXPIRED,
            ("sending from your mailbox was paused by hand.", "ask support{contact} why."),
            ("gli invii dalla Sua casella sono stati sospesi a mano.", "chiedere il motivo all'assistenza{contact}."),
        ),
        **LOGIN_CAUSES,
    }
)


def cause_of(reason: str) -> Cause:
    """What to say about a reply class, a fault of TLS or `expired`."""
    if reason.startswith("tls-") or reason == "clear-text":
        return INSECURE
    return CAUSES.get(reason, ANY_CAUSE)
