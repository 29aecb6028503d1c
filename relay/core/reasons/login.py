"""What stands between a mailbox and its provider: its password, its way of logging in, its being stopped.

Law: at RCPT and later an account that is disabled is the recipient's, unless the text says whose it is.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_LOGIN = frozenset({Stage.AUTH})
_OURS = frozenset({Stage.AUTH, Stage.MAIL})
_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})
_SENT = _AFTER | {Stage.MAIL}
_ANY_LOGGED_IN = _SENT | _LOGIN

_PASSWORD = (
    "password|passwords|passwd|passphrase|credential|credentials|credenziali|credenziale|login|username|userid|logon"
)
_WRONG = (
    "invalid|incorrect|wrong|bad|unknown|rejected|mismatch|failed|failure|expired|errat*|sbagliat*|scadut*|fallit*|"
    "invalid*|inesistente"
)
_AUTH = "authentication|auth|login|logon|authenticate|authenticating|autenticazione|accesso|signin|sasl"

_METHOD = phrases(
    "application|app specific password|passwords",
    "app|application password|passwords",
    "password|passwords ~ app|applicazione|applicazioni|application|applications",
    "basic|legacy|plain|clear|cleartext|plaintext auth|authentication ~ disabled|supported|blocked|deprecated|"
    "allowed|retired|off",
    "basic auth|authentication",
    "auth|authentication|authenticated|clientauthentication is|has|been? disabled|unavailable|deactivated|blocked",
    "smtp auth|authentication|access|submission|client ~ disabled|enabled|enable|deactivated|activated|blocked|"
    "turned|allowed",
    "smtpclientauthentication|smtpclientauthenticationdisabled*",
    "auth|authentication|sasl|login mechanism|mechanisms|method|methods|type|scheme|protocol",
    "mechanism|mechanisms|method|scheme ~ supported|unsupported|unrecognized|unknown|invalid|weak|available|"
    "disabled|allowed",
    "unrecognized|unsupported|unknown|invalid auth|authentication|sasl type|mechanism|method|scheme|command|protocol",
    "auth|authentication command? is|was? not supported|implemented|enabled|available|allowed|offered|recognized|"
    "permitted",
    "auth|authentication not|disabled supported|implemented|enabled|available|offered",
    "auth|login|authentication disabled",
    "web browser|browsers",
    "browser",
    "web login|signin",
    "weblogin|webloginrequired",
    "log|sign|login|logging|signing in|on? ~ web|website|webmail|portal|browser|online",
    "oauth|oauth2|xoauth2|oauthbearer",
    "modern auth|authentication",
    "less secure",
    "2 step|factor",
    "two step|factor",
    "second factor",
    "multi factor",
    "2fa|mfa|otp|multifactor",
    "strong|stronger authentication",
    "pop|pop3|imap|smtp access|login|usage ~ disabled|enabled|enable|activated|deactivated|activate|allowed|"
    "denied|blocked",
    "enable|activate|allow ~ pop|pop3|imap|smtp|external|third",
    "third party ~ app|apps|application|applications|client|clients|program|access",
    "external|insecure|outdated app|apps|client|clients|program|programs|application|applications",
    "client not authenticated",
    "additional|further|extra verification|authentication|security",
    "security challenge|verification",
    "conditional access",
    "security defaults",
    "user is locked by your organization",
    "authentication required",
    "must|need|required authenticate|login",
    "must be authenticated",
    "authenticate first",
    "requires authentication|authorization|login",
    "verifica|autenticazione in|a due passaggi|fattori",
    "accesso|invio|autenticazione smtp|imap|pop|pop3|esterno|esterni ~ abilitat*|disabilitat*|attiv*|disattivat*|"
    "consentit*|bloccat*",
    "smtp|imap|pop ~ abilitat*|disabilitat*|attivat*|disattivat*|attivo|attivi",
    "accesso ~ client|programmi|app|dispositivi|esterni ~ disabilitat*|abilitat*|bloccat*|consentit*|attiv*",
    "motivi di sicurezza",
    "security reasons",
    "metodo|meccanismo|tipo ~ autenticazione ~ supportat*|valid*|consentit*|riconosciut*|disponibil*",
    "metodo|meccanismo ~ supportat*|consentit*|riconosciut*",
    "autenticazione richiesta|necessaria|obbligatoria",
    "autenticarsi|autenticazione ~ browser|web|webmail",
    "accedere|accedi|acceda|entrare ~ web|webmail|browser|sito|online|portale",
    "app|applicazioni|programmi|programma|client smtp|di? posta? esterne|esterni|esterno|terze|terzi",
    "app|applicazioni meno sicure",
    "anwendungsspezifisch*|appspezifisch*",
    "mot de passe d application",
    "contrasena de aplicacion",
)

LOGIN: tuple[Rule, ...] = (
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
        unless=phrases("permanently", "suspended|sospes*", "contact|unlock|reset"),
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
            "temporaneamente|temporanea|temporaneo",
            "riprova|riprovare|riprovi|ritenta|ritentare piu|tra|fra|dopo|in",
            "vorubergehend|spater",
            "temporairement|ulterieurement",
            "temporalmente",
        ),
        unless=phrases(
            "app|application specific? password", "basic authentication", "browser|oauth2|xoauth2", "expired|scaduta",
            "password|credentials|credenziali|username ~ incorrect|invalid|wrong|errat*|bad|accepted",
            "incorrect|invalid|wrong|bad username|user|password|credentials|"
            "login", "permanently", "suspended|sospes*",
            "account|mailbox|user|utente|utenza|casella ~ locked|suspended|blocked|disabled|sospes*|bloccat*",
            "check|verify your|the password|username|credentials",
            "smtp ~ disabled|enabled",
            *(
                f"{limited} ~ exceed*|reached"
                for limited in ("sending|send|daily|hourly|message|messages limit|quota",)
            ),
        ),
    ),
    Rule(
        ReplyClass.AUTH_METHOD,
        stages=_LOGIN,
        text=_METHOD,
        unless=phrases(
            "unauthorized|unauthorised ip",
            "temporary|temporarily",
            "account|mailbox|user|utente|casella|utenza ~ suspended|locked|banned|sospes*|bloccat*",
            "password|credenziali ~ scadut*",
        ),
    ),
    Rule(
        ReplyClass.AUTH_METHOD,
        stages=_SENT,
        text=phrases(
            "basic auth|authentication ~ disabled|supported|blocked|deprecated",
            "application|app specific? password",
            "smtp|client auth|authentication|clientauthentication ~ disabled",
            "smtp auth|authentication ~ disabled|required",
            "smtpclientauthentication",
            "client not|was? not? authenticated",
            "authentication is? required|needed|necessary|mandatory",
            "requires authentication|authorization",
            "must authenticate|login|log",
            "must|should be authenticated|logged",
            "not authenticated|logged",
            "you are not authenticated",
            "authenticate|login first",
            "auth|authenticate|login ~ first|before",
            "autenticazione richiesta|necessaria|obbligatoria",
            "richiede|richiesta|necessaria ~ autenticazione",
            "autenticarsi|autenticati",
            "log in ~ browser",
            "web browser",
        ),
        unless=phrases(
            "spf|dkim|dmarc|domain|"
            "arc", "message|email|mail does|lacks|fails|fail|is|not", "relay*", "recipient|recipients|destinatario",
            "verify ~ account", "attachment|archive|allegato",
        ),
    ),
)  # fmt: skip

_ACCOUNT = (
    "account|accounts|mailbox|user|username|utente|utenza|casella|login|profile|profilo|customer|tenant|contract|"
    "contratto|"
    "cliente|domain|dominio|sender|mittente|organization|subscription|plan|service|servizio|license"
)
_STOPPED = (
    "suspended|suspend|disabled|blocked|locked|banned|deactivated|frozen|inactive|closed|terminated|restricted|"
    "expired|"
    "cancelled|canceled|compromised|sospes*|bloccat*|disabilitat*|disattivat*|scadut*|chius*|compromess*|hacked|"
    "abused|"
    "inattiv*|blacklisted|revoked|limited|cessat*|limitat*|barred|stopped|gesperrt|deaktiviert|suspendu|bloque"
)
_SENDING = (
    "sending|send|invio|outbound|outgoing|submission ~ disabled|denied|blocked|suspended|bloccat*|disabilitat*|"
    "sospes*|"
    "inibit*|restricted|stopped|paused|prohibited|suspension|deactivated"
)

BLOCKED: tuple[Rule, ...] = (
    Rule(
        ReplyClass.ACCOUNT_BLOCKED,
        stages=_OURS,
        text=phrases(
            f"{_ACCOUNT} ~ {_STOPPED}",
            "suspended|disabled|blocked|locked|banned|deactivated|inactive|restricted|terminated|sospes*|bloccat* "
            "~ account|"
            "user|utente|utenza|casella|customer|mailbox|sender",
            "not|isnt|isn yet? activated|active|enabled|confirmed|approved",
            "account|user|mailbox|utente|casella|profilo|utenza|dominio|servizio non ancora? e? attiv*|abilitat*",
            "non e? ancora? attiv*|abilitat*",
            _SENDING,
            "invio|spedizione ~ casella|utente|account|utenza|indirizzo ~ sospes*|bloccat*|disabilitat*|inibit*|"
            "interdett*",
            "unauthorized|unauthorised|unrecognized|unallowed|unlisted ip|address|host",
            "ip address? is|was? not authorized|authorised|allowed|whitelisted|permitted|recognized",
            "outbound|outgoing spam",
            "access denied ~ bad|spam|banned|suspended|abuse",
            "verify|confirm|validate ~ account|identity",
            "under|in validation|review|verification|revisione|verifica",
            "account ~ verification|verify|review",
            "verificare|confermare ~ account|identita",
            "unpaid|overdue|insoluto|payment",
            "terms of service|use",
            "abuse|abusive|abuso|abusi",
            "user|account|utente ~ not allowed|permitted|authorized|enabled to send|use|relay ~ mail|smtp|email|"
            "messages|service",
            "non abilitato|autorizzato all|alla invio|spedizione",
        ),
        unless=phrases(
            "smtp ~ disabled|"
            "enabled", "auth|authentication|authenticationdisabled|clientauthentication ~ disabled|enabled",
            "basic authentication|"
            "auth", "password|passwords|credentials|credenziali ~ invalid|wrong|incorrect|expired|scadut*|errat*",
            "send as|from", "sender address rejected", "not allowed as",
            "spamhaus|rbl|dnsbl|xbl|sbl|blacklist|blacklists",
            "ip|client|host|address blocked|blacklisted|listed|"
            "banned", "blocklist", "not verified", "rate|limit|quota",
            "bounce", "someone ~ not", "not|non ~ owned|owner|local|autorizzato|consentito",
        ),
    ),
    Rule(
        ReplyClass.ACCOUNT_BLOCKED,
        stages=_AFTER,
        text=phrases(
            f"your|sender|senders|sending|sua|tua|tuo|suo|smtp|mittente|from ~ account|mailbox|user|access|domain|"
            f"casella|"
            f"utenza|utente|tenant|organization|dominio|profilo|service|privileges|ability ~ {_STOPPED}",
            "smtp|sending|your account|service|access|profile ~ not ~ activated|active|enabled|approved|confirmed|"
            "verified",
            "not yet activated|active|approved",
            "account|profile ~ not ~ activated",
            f"account|mailbox|utenza|casella ~ {_STOPPED} ~ send|sending|outbound|invio|invii|abuse|spam|spamming",
            f"sender|mittente|client|customer|tenant {_STOPPED}",
            "sender|mittente ~ suspended|banned|locked|disabled|sospeso|bloccato|disabilitato",
            _SENDING,
            "invio|spedizione ~ casella|utente|account|utenza|indirizzo ~ sospes*|bloccat*|disabilitat*|inibit*|"
            "interdett*",
            "outbound|outgoing spam",
            "outboundspam*",
            "bad outbound sender",
            "suspicious|unusual|anomalous activity",
            "suspected spammer",
            "unusual ~ activity",
            "tenant|organization ~ exceeded|restricted|blocked|threshold",
            "account|tenant|user ~ compromised|hacked|abused|spamming",
            "verify|confirm ~ your account|identity|phone",
            "access denied ~ bad|spam|banned|traffic",
            "account ~ abuse|suspended|sospes*",
            "spam abuse detected",
            "invio ~ bloccato|disabilitato|sospeso|inibito|interdetto",
            "blocked|suspended|disabled from sending",
            "outgoing|outbound mail|email|messages ~ suspended|blocked|disabled",
        ),
        unless=phrases(
            "recipient|recipients|destinatario|recipients mailbox",
            "ip|host|client address? is|was|has? been? blocked|blacklisted|listed|banned", "blocklist",
            "banned sending? "
            "ip", "trying to reach", "tried to reach", "recipients inbox", "rate|limit ~ exceed*|reached",
            "receiving|receive",
        ),
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
