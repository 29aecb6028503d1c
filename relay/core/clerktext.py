"""What an admin is told when he changed something about an account, in English or Italian.

Law: one sentence or two, what is so now first; what he did not change, and may think he did, is said too.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from relay.core.failuretext import Language


class Saying(StrEnum):
    """What is said."""

    PAUSED = "paused"
    PAUSED_ALONE = "paused-alone"
    """Where nobody else sends through its mailbox."""
    PAUSED_BEFORE = "paused-before"
    PAUSED_AS_BEFORE = "paused-as-before"
    """The same, without another reason."""
    RESUMED = "resumed"
    NOT_PAUSED = "not-paused"
    STILL_STOPPED = "still-stopped"
    """After a resume, where the mailbox itself is stopped."""
    PROVIDER_STOPPED = "provider-stopped"
    """The same, where its provider is."""
    PROVIDER_LATER = "provider-later"
    """After `fixed`, where its provider is stopped: when it is tried."""
    PROVIDER_NOW = "provider-now"
    """The same, where it is tried now."""
    STILL_PAUSED = "still-paused"
    """After `fixed`, where an admin keeps the account back."""
    STILL_RETIRED = "still-retired"
    """The mailbox works, and the account's last day is over; the reason is the day after it."""
    FIXED = "fixed"
    FIXED_LATER = "fixed-later"
    """The same, where logins were refused as often as one may be; the reason is when it is tried."""
    FIXED_SPENT = "fixed-spent"
    """The same, where its provider has seen as many logins as it likes."""
    FIXED_UNASKED = "fixed-unasked"
    """The same, where its authorization server asked for a pause; the reason is its end."""
    FIXED_IDLE = "fixed-idle"
    """The same, where no mail waits that could try it."""
    FIXED_SOON = "fixed-soon"
    """The same, so soon after the last word that the next try has to wait; the reason is when it is."""
    NOT_STOPPED = "not-stopped"
    KEPT = "kept"
    KEPT_BEFORE = "kept-before"
    NOT_KNOWN_YET = "not-known-yet"


SAYINGS: Mapping[Saying, tuple[str, str]] = MappingProxyType(
    {
        Saying.PAUSED: (
            "Mail of {sender} is kept back from now on; that of other accounts of {login} goes on.",
            "La posta di {sender} da ora è trattenuta; quella degli altri account di {login} prosegue.",
        ),
        Saying.PAUSED_ALONE: (
            "Mail of {sender} is kept back from now on.",
            "La posta di {sender} da ora è trattenuta.",
        ),
        Saying.PAUSED_BEFORE: (
            "Mail of {sender} was kept back already; the reason is noted.",
            "La posta di {sender} era già trattenuta; il motivo è annotato.",
        ),
        Saying.PAUSED_AS_BEFORE: (
            "Mail of {sender} was kept back already; nothing has changed.",
            "La posta di {sender} era già trattenuta; non è cambiato nulla.",
        ),
        Saying.RESUMED: ("Mail of {sender} goes on.", "La posta di {sender} prosegue."),
        Saying.NOT_PAUSED: ("Nobody had paused {sender}.", "Nessuno aveva messo in pausa {sender}."),
        Saying.STILL_STOPPED: (
            "But the mailbox {login} is stopped ({reason}); once that is mended: `relay account fixed {sender}`.",
            "Ma la casella {login} è ferma ({reason}); una volta risolto: `relay account fixed {sender}`.",
        ),
        Saying.PROVIDER_STOPPED: (
            "But {provider} is stopped ({reason}), and is tried again by itself.",
            "Ma {provider} è fermo ({reason}), e viene riprovato da solo.",
        ),
        Saying.PROVIDER_LATER: (
            "But {provider} is stopped ({reason}), and is tried at {at}.",
            "Ma {provider} è fermo ({reason}), e viene riprovato alle {at}.",
        ),
        Saying.PROVIDER_NOW: (
            "{provider} itself is stopped ({reason}), and is tried once now if mail waits for it.",
            "{provider} stesso è fermo ({reason}), e viene provato una volta ora, se c'è posta in attesa.",
        ),
        Saying.STILL_PAUSED: (
            "But an admin has paused {sender}: `relay account resume {sender}`.",
            "Ma {sender} è in pausa: `relay account resume {sender}`.",
        ),
        Saying.STILL_RETIRED: (
            (
                "But {sender} is retired: its new mail is refused since {reason}. It has to move to a business mailbox "
                "(Mail Plus) or to the doctor's own."
            ),
            (
                "Ma {sender} è dismesso: dal {reason} i nuovi messaggi sono rifiutati. Deve passare a una casella "
                "business (Mail Plus) o alla casella personale del medico."
            ),
        ),
        Saying.FIXED: (
            "The mailbox {login} at {provider} is tried at once; what waits goes out if it works.",
            "La casella {login} presso {provider} viene provata subito; se funziona, la posta in attesa parte.",
        ),
        Saying.FIXED_LATER: (
            (
                "The mailbox {login} at {provider} is tried at {reason}: its logins were refused as often as they may "
                "be (health.refused_logins), and more would get it blocked. A new password is tried at once."
            ),
            (
                "La casella {login} presso {provider} viene provata alle {reason}: i suoi accessi sono stati rifiutati "
                "quante volte è permesso (health.refused_logins), e altri la farebbero bloccare. Una nuova password "
                "viene provata subito."
            ),
        ),
        Saying.FIXED_SPENT: (
            (
                "The mailbox {login} at {provider} is tried at {reason}: it has logged in as often as it may for now "
                "(login_limit)."
            ),
            (
                "La casella {login} presso {provider} viene provata alle {reason}: ha già fatto gli accessi consentiti "
                "per ora (login_limit)."
            ),
        ),
        Saying.FIXED_UNASKED: (
            (
                "The mailbox {login} at {provider} is not tried before {reason}: its authorization server asked to be "
                "left alone until then. A new token is tried at once."
            ),
            (
                "La casella {login} presso {provider} non viene provata prima delle {reason}: il suo server di "
                "autorizzazione ha chiesto una pausa fino ad allora. Un nuovo token viene provato subito."
            ),
        ),
        Saying.FIXED_IDLE: (
            (
                "No mail waits for the mailbox {login} at {provider}: the next one tries it, or "
                "`relay account test {sender}`."
            ),
            (
                "Nessun messaggio aspetta per la casella {login} presso {provider}: la prova il prossimo, oppure "
                "`relay account test {sender}`."
            ),
        ),
        Saying.FIXED_SOON: (
            "The mailbox {login} at {provider} was tried a moment ago: it is tried again at {reason}.",
            "La casella {login} presso {provider} è stata provata da poco: viene riprovata alle {reason}.",
        ),
        Saying.NOT_STOPPED: (
            "Nothing had stopped the mailbox {login} at {provider}.",
            "La casella {login} presso {provider} non era ferma.",
        ),
        Saying.KEPT: (
            "What {login} at {provider} logs in with is set.",
            "Le credenziali di {login} presso {provider} sono impostate.",
        ),
        Saying.KEPT_BEFORE: (
            "The very same was set already for {login} at {provider}.",
            "Per {login} presso {provider} era già impostato lo stesso valore.",
        ),
        Saying.NOT_KNOWN_YET: (
            "Whether it works is not known yet: `relay account test {sender}` in a minute.",
            "Non si sa ancora se funziona: `relay account test {sender}` tra un minuto.",
        ),
    }
)


def say(
    saying: Saying,
    *,
    language: Language,
    sender: str,
    login: str,
    provider: str,
    reason: str | None = None,
    at: str = "",
) -> str:
    """The sentence."""
    text = SAYINGS[saying][0 if language is Language.ENGLISH else 1]
    return text.format(sender=sender, login=login, provider=provider, reason=reason or "", at=at)
