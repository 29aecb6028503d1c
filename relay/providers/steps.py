"""What the owner of a mailbox has to do next, by the class of what went wrong, in English and Italian.

Law: every class that can stop a mailbox or is told to its owner has a text for every provider: the profile's own, else
the general one.
"""

from collections.abc import Mapping
from types import MappingProxyType

from relay.core.meaning import ReplyClass
from relay.providers.profile import Profile, Texts


def _texts(english: str, italian: str) -> Texts:
    return MappingProxyType({"en": english, "it": italian})


GENERAL: Mapping[ReplyClass, Texts] = MappingProxyType(
    {
        ReplyClass.AUTH_REJECTED: _texts(
            "Log in to the mailbox on the provider's web page. If that fails, set a new password there. Then tell the "
            "new password to support.",
            "Acceda alla casella dal sito del gestore. Se non riesce, imposti lì una nuova password. Poi comunichi la "
            "nuova password all'assistenza.",
        ),
        ReplyClass.AUTH_METHOD: _texts(
            "Log in on the provider's web page and look in the security settings: allow mail programs (SMTP), or make "
            "an app password, and tell it to support.",
            "Acceda dal sito del gestore e apra le impostazioni di sicurezza: attivi l'uso dei programmi di posta "
            "(SMTP), oppure crei una password per le app, e la comunichi all'assistenza.",
        ),
        ReplyClass.AUTH_TEMPORARY: _texts(
            "Nothing to do: the provider lets nobody log in at present, and the relay tries again by itself.",
            "Non deve fare nulla: al momento il gestore non accetta accessi, e il sistema riprova da solo.",
        ),
        ReplyClass.ACCOUNT_BLOCKED: _texts(
            "Log in on the provider's web page and follow what it says there; if it says nothing, ask the provider to "
            "unblock sending. Meanwhile send nothing in bulk from this mailbox.",
            "Acceda dal sito del gestore e segua le indicazioni; se non ce ne sono, chieda al gestore di sbloccare "
            "l'invio. Nel frattempo non faccia invii massivi da questa casella.",
        ),
        ReplyClass.SENDER_REFUSED: _texts(
            "The mailbox may not send with this sender address. Use the mailbox's own address, or have the address "
            "authorised in the provider's web page.",
            "La casella non può inviare con questo indirizzo mittente. Usi l'indirizzo della casella, oppure lo faccia "
            "autorizzare dal sito del gestore.",
        ),
        ReplyClass.SENDER_MAILBOX_FULL: _texts(
            "The mailbox is full. Delete old mails, empty the folders of sent mail and of deleted mail.",
            "La casella è piena. Cancelli i messaggi vecchi e svuoti la posta inviata e il cestino.",
        ),
        ReplyClass.QUOTA_EXCEEDED: _texts(
            "The mailbox has sent as much as its provider allows in a day. Nothing is lost: the rest leaves by itself "
            "when the provider allows it again. Do not send it a second time.",
            "La casella ha raggiunto il numero di invii che il gestore permette in un giorno. Nulla va perso: il resto "
            "parte da solo appena il gestore lo permette. Non invii nulla due volte.",
        ),
        ReplyClass.RATE_LIMITED: _texts(
            "Nothing to do: the provider asks for a slower pace, and the relay keeps it. Do not send anything twice.",
            "Non deve fare nulla: il gestore chiede di inviare più lentamente, e il sistema lo fa. Non invii nulla due "
            "volte.",
        ),
        ReplyClass.TOO_MANY_RECIPIENTS: _texts(
            "Nothing to do: the relay sends to fewer at once and goes on by itself.",
            "Non deve fare nulla: il sistema invia a meno destinatari per volta e prosegue da solo.",
        ),
        ReplyClass.TOO_MANY_CONNECTIONS: _texts(
            "Nothing to do. Where it lasts, close other mail programs that use this mailbox.",
            "Non deve fare nulla. Se dura, chiuda gli altri programmi di posta che usano questa casella.",
        ),
        ReplyClass.SPAM_BLOCKED: _texts(
            "The provider took the mail for spam. Send the document another way, never the same mail again; ask "
            "patients not to mark such mails as spam but to delete them.",
            "Il gestore ha preso il messaggio per spam. Invii il documento per un'altra via, mai lo stesso messaggio; "
            "chieda ai pazienti di cancellare questi messaggi, non di segnalarli come spam.",
        ),
        ReplyClass.CONTENT_REFUSED: _texts(
            "An attachment is not allowed. Send it as a plain PDF, not as a program or an encrypted archive.",
            "Un allegato non è ammesso. Lo invii come semplice PDF, non come programma o archivio cifrato.",
        ),
        ReplyClass.POLICY_REFUSED: _texts(
            "A rule for the sender's domain (SPF, DKIM, DMARC) forbids it. Whoever runs the domain has to let this "
            "provider send for it.",
            "Una regola del dominio mittente (SPF, DKIM, DMARC) lo vieta. Chi gestisce il dominio deve autorizzare "
            "questo gestore all'invio.",
        ),
        ReplyClass.IP_BLOCKED: _texts(
            "Nothing to do: the provider refuses the relay's address, and those who run the relay know.",
            "Non deve fare nulla: il gestore rifiuta l'indirizzo del sistema, e i tecnici sono avvisati.",
        ),
        ReplyClass.TLS_REQUIRED: _texts(
            "Nothing to do: there is no safe connection, and those who run the relay know.",
            "Non deve fare nulla: manca una connessione sicura, e i tecnici sono avvisati.",
        ),
        ReplyClass.PROTOCOL_ERROR: _texts(
            "Nothing to do: those who run the relay look at it.",
            "Non deve fare nulla: se ne occupano i tecnici.",
        ),
        ReplyClass.NETWORK: _texts(
            "Nothing to do: the provider cannot be reached at present, and the relay tries again by itself.",
            "Non deve fare nulla: al momento il gestore non è raggiungibile, e il sistema riprova da solo.",
        ),
        ReplyClass.OUTAGE: _texts(
            "Nothing to do: the provider has a fault, and the relay tries again by itself.",
            "Non deve fare nulla: il gestore ha un guasto, e il sistema riprova da solo.",
        ),
        ReplyClass.UNKNOWN: _texts(
            "The provider gave an answer that nobody knows yet. Those who run the relay look at it; nothing is lost.",
            "Il gestore ha dato una risposta non ancora conosciuta. Se ne occupano i tecnici; nulla va perso.",
        ),
    }
)
"""For a provider whose profile says nothing of its own."""


PERSONAL: Mapping[ReplyClass, Texts] = MappingProxyType(
    {
        ReplyClass.POLICY_REFUSED: _texts(
            "The recipient's provider does not believe the sender (SPF, DKIM, DMARC). Send with the mailbox's own "
            "address as the sender. If it is so already, tell support, and send the document another way.",
            "Il gestore del destinatario non riconosce il mittente (SPF, DKIM, DMARC). Usi come mittente l'indirizzo "
            "della casella. Se è già così, lo segnali all'assistenza e invii il documento per un'altra via.",
        ),
        ReplyClass.SENDER_REFUSED: _texts(
            "The mailbox may not send with this sender address. Use the mailbox's own address as the sender; support "
            "can set it.",
            "La casella non può inviare con questo indirizzo mittente. Usi come mittente l'indirizzo della casella; "
            "può impostarlo l'assistenza.",
        ),
    }
)
"""For a personal mailbox, where the profile says nothing of its own: its domain is the provider's."""


_OWN_CREDENTIALS = _texts(
    "Sending takes SMTP credentials of its own here, not the mailbox's password. Look them up in the provider's "
    "control panel, or make new ones there, and tell them to support.",
    "Qui per inviare servono credenziali SMTP proprie, non la password della casella. Le cerchi nel pannello del "
    "gestore, o ne crei lì di nuove, e le comunichi all'assistenza.",
)
CREDENTIALS: Mapping[ReplyClass, Texts] = MappingProxyType(
    dict.fromkeys((ReplyClass.AUTH_REJECTED, ReplyClass.AUTH_METHOD), _OWN_CREDENTIALS)
)
"""Where no password of a mailbox opens the provider's SMTP, and its profile says nothing of its own."""


def next_steps(profile: Profile | None, reply_class: str) -> Texts | None:
    """What the owner has to do, by language; None: this class concerns a recipient, and its report says what to do."""
    own = {} if profile is None else profile.steps
    known = ReplyClass(reply_class) if reply_class in set(ReplyClass) else ReplyClass.UNKNOWN
    personal = PERSONAL if profile is not None and profile.is_personal else {}
    login = CREDENTIALS if profile is not None and profile.login == "smtp-credentials" else {}
    return own.get(known) or personal.get(known) or login.get(known) or GENERAL.get(known)
