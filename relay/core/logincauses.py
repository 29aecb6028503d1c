"""Why the relay could not log in to a mailbox, beyond a refused password, and what its owner can do; see `causes`.

Law: what its owner can mend tells him how; of what others have to mend he reads whom to ask.
"""

from collections.abc import Mapping
from types import MappingProxyType

from relay.core.cause import EXPIRED, Cause, cause

_AGAIN = ("send it again later, or another way.", "inviare di nuovo più tardi, o per un'altra via.")
_CALL = ("call support{contact}.", "chiamare l'assistenza{contact}.")
_CONNECT = (
    "ask support{contact} how to allow it again in your browser.",
    "chiedere all'assistenza{contact} come autorizzarlo di nuovo dal browser.",
)


def _cause(english: str, italian: str, advice: tuple[str, str]) -> Cause:
    return cause(EXPIRED, (english, advice[0]), (italian, advice[1]))


LOGIN_CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        "auth-temporary": _cause(
            "your mail provider could not check the password of your mailbox for the time being.",
            "il Suo gestore per il momento non riusciva a verificare la password della casella.",
            _AGAIN,
        ),
        "auth-not-offered": _cause(
            "your mail provider offers no login where it was reached.",
            "il server del Suo gestore non permette di accedere.",
            _CALL,
        ),
        "unusable-credentials": _cause(
            "the password known here for your mailbox holds characters that cannot be sent.",
            "la password della Sua casella contiene caratteri non trasmissibili.",
            ("tell support{contact} its right password.", "comunicare all'assistenza{contact} la password corretta."),
        ),
        "no-token": _cause(
            "your mailbox was never allowed to send from here.",
            "l'invio dalla Sua casella non è mai stato autorizzato.",
            _CONNECT,
        ),
        "oauth-consent": _cause(
            "your permission to send from your mailbox has ended.",
            "la Sua autorizzazione a inviare dalla casella è finita.",
            _CONNECT,
        ),
        "oauth-sign-in": _cause(
            "your mail provider wants you to sign in yourself, in a browser.",
            "il gestore vuole che Lei acceda di persona, dal browser.",
            (
                "sign in to your mailbox in a browser, then call support{contact}.",
                "accedere alla casella dal browser, poi chiamare l'assistenza{contact}.",
            ),
        ),
        "oauth-password-changed": _cause(
            "the password of your mailbox was changed, and the permission to send ended with it.",
            "la password della casella è cambiata, e con essa è finita l'autorizzazione a inviare.",
            _CONNECT,
        ),
        "oauth-blocked": _cause(
            "your mail provider, or your organisation, does not let you send from here.",
            "il gestore, o la Sua organizzazione, non Le permette di inviare da qui.",
            (
                "ask whoever looks after your mailbox to allow it, or call support{contact}.",
                "chiedere il permesso a chi gestisce la casella, o chiamare l'assistenza{contact}.",
            ),
        ),
        "oauth-client": _cause(
            "your mail provider no longer knows the service that sends for you.",
            "il gestore non riconosce il servizio che invia per Suo conto.",
            _CALL,
        ),
        "oauth-secret": _cause(
            "the service that sends for you lacks a secret of its own to log in with.",
            "al servizio che invia per Suo conto manca un segreto proprio per accedere.",
            _CALL,
        ),
        "oauth-unreachable": _cause(
            "the login service of your mail provider could not be reached.",
            "il servizio di accesso del Suo gestore non era raggiungibile.",
            _AGAIN,
        ),
        "oauth-unread": _cause(
            "the login service of your mail provider answered in a way that makes no sense.",
            "il servizio di accesso del Suo gestore ha risposto in modo incomprensibile.",
            _CALL,
        ),
        "oauth-unsaved": _cause(
            "the service that sends for you could not keep the permission of your mailbox.",
            "il servizio che invia per Suo conto non ha potuto salvare l'autorizzazione.",
            _CALL,
        ),
    }
)
