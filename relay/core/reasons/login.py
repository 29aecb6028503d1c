"""What is said of a login that did not work: not now, or not with this password.

Law: who is asked to come later while something of his is named wrong is refused; and what only the service has is
nobody's password.
"""

from relay.core.meaning import ReplyClass
from relay.core.reasons.method import ANOTHER_WAY
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_LOGIN = frozenset({Stage.AUTH})

_PASSWORD = (
    "password|passwords|passwd|passphrase|credential|credentials|credenziali|credenziale|login|username|userid|logon"
)
_WRONG = (
    "invalid|incorrect|wrong|bad|unknown|rejected|mismatch|failed|failure|expired|errat*|sbagliat*|scadut*|fallit*|"
    "invalid*|inesistente"
)
_AUTH = "authentication|auth|login|logon|authenticate|authenticating|autenticazione|accesso|signin|sasl"

_NAMED_WRONG = (
    "wrong|bad|incorrect|invalid|errat*|sbagliat* ~ password|passwords|login|username|user|credentials|credenziali",
    "password|login|username|user|utente|credentials|credenziali ~ wrong|incorrect|invalid|errat*|sbagliat*",
)
_THREAT = (
    "will|may|can|could|would|might ~ block*|lock*|ban|banned|suspend*|disable*",
    "after ~ failures|attempts|tries|logins ~ locked|blocked|account|banned",
    "bloccano|bloccher*|sospender*|verra|sara|saranno|puo|possono",
)
_WARNED = Rule(
    ReplyClass.AUTH_REJECTED,
    stages=_LOGIN,
    text=phrases(*_NAMED_WRONG),
    also=phrases(*_THREAT),
    unless=phrases(*ANOTHER_WAY),
)
"""What will follow if he goes on is not yet so: the password is wrong."""

_BARRED = Rule(
    ReplyClass.IP_BLOCKED,
    stages=_LOGIN,
    text=phrases(
        "ip|ips address? is|are|e|was|has|have|temporarily? been|stato|temporaneamente? blocked|banned|"
        "blacklisted|bloccat*|bandit*",
        "blocked|banned|bloccat* ~ ip",
        "ip blocked|banned|bloccato",
    ),
    also=phrases("too many", "failed|failures|attempts", "troppi|troppe", "falliti|tentativi"),
    unless=phrases(*_THREAT, "account|mailbox|casella|utenza locked|blocked|bloccat*|sospes*"),
)
"""Who fails too often from one address has the address blocked: another mailbox there fares no better."""

_UNVERIFIABLE = Rule(
    ReplyClass.AUTH_TEMPORARY,
    stages=_LOGIN,
    codes=frozenset("4"),
    text=phrases(
        "cannot|could|unable|impossibile|can|not ~ verify|check|validate|verified|checked|verificare|controllare|"
        "validare ~ password|passwords|credentials|credenziali|login",
        "password|credentials|user database|backend|server|store ~ not|cannot|unavailable|down|unreachable",
    ),
    unless=phrases("wrong|incorrect|invalid|errat*|sbagliat*"),
)

_SPENT = Rule(
    ReplyClass.QUOTA_EXCEEDED,
    stages=_LOGIN,
    text=phrases(
        "credits|credit|crediti|credito|plafond ~ exceed*|exhausted|up|spent|esaurit*|finit*|terminat*|insufficient*",
        "insufficient|no|maximum|max|out credits|credit|of",
    ),
    also=phrases("credits|credit|crediti|credito|plafond"),
    unless=phrases("credit card|cards|carta|carte", "carta di credito"),
)

TEMPORARY: tuple[Rule, ...] = (
    _WARNED,
    _BARRED,
    _UNVERIFIABLE,
    _SPENT,
    Rule(
        ReplyClass.AUTH_TEMPORARY,
        stages=_LOGIN,
        codes=frozenset("4"),
        text=phrases(
            "servizio|service|system|server|sistema|accesso|access ~ momentaneamente|temporaneamente|temporarily|"
            "currently",
            "momentaneamente|temporaneamente|temporarily ~ sospes*|suspended servizio|service|accesso|access",
        ),
        unless=phrases("account|mailbox|user|casella|utenza|utente|moros*|password", *ANOTHER_WAY),
    ),
    Rule(
        ReplyClass.AUTH_TEMPORARY,
        stages=_LOGIN,
        text=phrases(
            "too many ~ login|logins|logon|auth|authentication|authentications|password attempts|failures|tries|"
            "failed|errors",
            "too many failed|bad|invalid|wrong|incorrect|unsuccessful|login|auth|authentication ~ attempts|logins|"
            "tries|passwords",
            "too many attempts|logins|failures|tries",
            "troppi|troppe tentativi|accessi|login|errori|autenticazioni",
        ),
        unless=phrases("permanently", "suspended|sospes*", "contact|unlock|reset", *ANOTHER_WAY,
            "too many|much messages|mail|mails|emails", "troppi|troppe messaggi|invii|email|mail"),
    ),
    Rule(
        ReplyClass.AUTH_TEMPORARY,
        stages=_LOGIN,
        text=phrases(
            f"temporary|temporarily|transient|tempfail ~ {_AUTH}|failure|error|problem|unavailable|rejected|"
            f"locked|blocked",
            f"{_AUTH} ~ temporary|temporarily|later|unavailable|timeout|delayed",
            f"{_AUTH} server|service|backend|system|database|daemon|process ~ unavailable|down|busy|lost|error|"
            f"failed|reach*",
            "server|service|backend|system|database temporarily|currently? unavailable|busy|down|overloaded",
            "connection lost|refused to? authentication|auth|ldap|database",
            "try|retry again|later in|later|after",
            "at present|moment",
            "at this|the time|moment",
            "internal ~ error|failure",
            "login|auth|authentication ~ rate|throttl*|frequen*",
            "temporaneamente|temporanea|temporaneo|momentaneamente|momentanea|momentaneo",
            "ldap|radius|database|backend|server|service ~ respond|responding|reachable|reached|contacted|risponde|"
            "raggiungibile",
            "riprova|riprovare|riprovi|ritenta|ritentare piu|tra|fra|dopo|in",
            "vorubergehend|spater",
            "temporairement|ulterieurement",
            "temporalmente",
        ),
        unless=phrases(
            "reason|details|information unavailable", "basic authentication", "browser|xoauth2", "expired|scaduta",
            "password|credentials|credenziali|username ~ incorrect|invalid|wrong|errat*|bad|accepted",
            "incorrect|invalid|wrong|bad username|user|password|credentials|"
            "login", "permanently", "suspended|sospes*",
            "account|mailbox|user|utente|utenza|casella ~ locked|suspended|blocked|disabled|sospes*|bloccat*",
            "check|verify|review|correct ~ password|username|credentials|login|account|name|data|details|user|settings",
            "controll*|verific*|corregg* ~ password|utente|credenziali|dati|login|nome|account|impostazioni",
            "wrong|incorrect|invalid|errat*|sbagliat* ~ data|details|dati|login",
            "too many|much messages|mail|mails|emails", "troppi|troppe messaggi|invii|email|mail", *ANOTHER_WAY,
            "smtp ~ disabled|enabled",
            *(
                f"{limited} ~ exceed*|reached"
                for limited in ("sending|send|daily|hourly|message|messages limit|quota",)
            ),
        ),
    ),
)  # fmt: skip

REJECTED: tuple[Rule, ...] = (
    Rule(
        ReplyClass.AUTH_TEMPORARY,
        stages=_LOGIN,
        codes=frozenset("4"),
        text=phrases(
            "auth|authentication|authenticating|authenticator|login|logon|sasl error|problem|trouble|failure|"
            "unavailable",
            "error|problem ~ authenticating|authentication|auth",
            "errore|problema ~ autenticazione|accesso",
        ),
        unless=phrases(f"{_PASSWORD} ~ {_WRONG}", f"{_WRONG} ~ {_PASSWORD}",
            "password|passwords|credentials|credenziali|username", "user ~ unknown|not"),
    ),
    Rule(
        ReplyClass.AUTH_REJECTED,
        stages=_LOGIN,
        text=phrases(
            f"{_PASSWORD} ~ {_WRONG}",
            f"{_WRONG} ~ {_PASSWORD}",
            f"{_PASSWORD} and|or|e? password? ~ not|non accepted|valid*|match|correct|recognized|corrett*|"
            f"riconosciut*",
            "password|credentials|username|user ~ not|doesnt|dont accepted|valid|match|correct|recognized|exist|"
            "found",
            "password|passwords|credenziali|utente|username ~ non valid*|corrett*|riconosciut*|accettat*|esist*|"
            "trovat*",
            f"{_AUTH} has? been? failed|failure|unsuccessful|error|rejected|denied|invalid|refused|fallit*|negat*|"
            f"rifiutat*|errore|errat*",
            f"{_AUTH} ~ failed|unsuccessful|rejected|denied|refused|fallita|fallito|negato|rifiutata",
            f"{_AUTH} credentials ~ invalid|incorrect|wrong|bad",
            f"{_AUTH} non riuscit*|valid*|corrett*|consentit*",
            "unable to authenticate|login|log",
            "could not|couldnt authenticate|login|log|verify",
            "failed|failure|unable|cannot to|during? authenticate|authentication|login|auth|log",
            "no such user|account|mailbox|login",
            "unknown|invalid|bad|nonexistent user|account|utente|mailbox|login",
            "user|account|mailbox|login|utente|casella ~ unknown|not found|exist|invalid|sconosciut*|inesistente",
            "user|utente|account not|non found|known|exist*|trovat*|valid*",
            "access|permission denied|negato",
            "accesso negato|rifiutato|non",
            "not authorized|authorised",
            "unauthorized|unauthorised",
            "password ~ change|changed|reset|cambiare|modificare|scadut*|expired|aggiornare",
            "authentifizierung|anmeldung ~ fehlgeschlagen",
            "passwort|kennwort ~ falsch|ungultig",
            "mot de passe ~ incorrect|invalide|errone",
            "authentification ~ echoue|echouee|refusee|echec",
            "contrasena ~ incorrecta|invalida|erronea",
            "autenticacion ~ fallida|fallo",
        ),
        unless=phrases(
            "ip address? blocked|blacklisted|listed|"
            "banned", "blocklist", "starttls|tls|ssl|encryption ~ required|first",
            "connection lost|timed",
        ),
    ),
    Rule(
        ReplyClass.AUTH_REJECTED,
        stages=frozenset({Stage.MAIL}),
        text=phrases(
            "username and password not accepted",
            "authentication|login failed|unsuccessful|credentials",
            "invalid|bad|wrong|incorrect credentials|password|login",
            "autenticazione fallita",
            "password|credenziali errat*|non",
        ),
        unless=phrases("relay*"),
    ),
)  # fmt: skip
