"""Another way of logging in is demanded: an app password, OAuth2, a browser, or that one logs in at all.

Law: what the owner has to do otherwise is said before what he did wrong or too often.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_LOGIN = frozenset({Stage.AUTH})
_SENT = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.EOD})

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
    "strong|stronger authentication|mechanism|method",
    "auth|authentication plain|login|cram|digest md5? is|was? disabled|unavailable|not|off",
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

ANOTHER_WAY: tuple[str, ...] = (
    "app|application|apps specific? password|passwords",
    "password|passwords ~ app|apps|applicazione|applicazioni|application|applications",
    "oauth|oauth2|xoauth|oauthbearer",
    "require*|need*|must|richied*|serve|necessari* ~ oauth2|browser|2fa|mfa",
)
"""What the owner has to log in with instead: beside it, how often he tried is nothing."""

METHOD: tuple[Rule, ...] = (
    Rule(
        ReplyClass.AUTH_METHOD,
        stages=_LOGIN,
        text=_METHOD,
        unless=phrases(
            "unauthorized|unauthorised ip",
            "temporary|temporarily", "troppi|many ~ comandi|commands",
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
            "must|need|have|should|required to authenticate|login|log|sign",
            "must|should be authenticated|logged",
            "not authenticated|logged",
            "you are not authenticated",
            "authenticate|login first",
            "auth|authenticate|login ~ first|before",
            "autenticazione richiesta|necessaria|obbligatoria",
            "richiede|richiesta|necessaria ~ autenticazione",
            "autenticarsi|autenticati",
            "log|sign|logon|signin in|on|into? ~ browser|web|webmail|website|portal|account|mailbox",
            "web browser",
            "continue|resume|keep sending ~ sign|log|login",
            "accedere|accedi|acceda|accedete|entri|entrare ~ account|casella|webmail|browser|area|profilo|portale|sito",
        ),
        unless=phrases(
            "troppi|many ~ comandi|commands", "spf|dkim|dmarc|domain|"
            "arc", "message|email|mail does|lacks|fails|fail|is|not",
            "relay|relaying ~ denied|not|disallowed|prohibited|refused|negato", "not|no|cannot|unable ~ relay|relaying",
            "recipient|recipients|destinatario",
            "has|have|had|did|hasnt|didnt ~ logged|log",
            "verify ~ account", "attachment|archive|allegato",
        ),
    ),
    Rule(
        ReplyClass.AUTH_METHOD,
        stages=_SENT,
        text=phrases(
            "turn|switch on ~ smtp? auth|authentication",
            "enable|activate|use|configure|select|set ~ smtp? auth|authentication ~ client|program|software|settings|"
            "account|server",
            "enable|activate|configure|turn on? smtp auth|authentication",
            "without ~ auth|authentication|authenticating|login|logging",
            "abilit*|attiv*|impost*|configur*|utilizz*|usare|usi|usate ~ autenticazione|smtp ~ programma|client|"
            "server|smtp|posta",
            "senza ~ autenticazione|autenticarsi|accesso|login",
            "autenticazione non ~ effettuata|eseguita|avvenuta|attiva|abilitata",
            "autenticazione smtp ~ richiesta|obbligatoria|necessaria",
        ),
        unless=phrases(
            "spf|dkim|dmarc|arc", "message|email|mail is|was|has|lacks",
            "recipient|recipients|destinatario|group|destination|addressee|destinazione",
            "your|the|from|sending domain|domains", "dominio",
        ),
    ),
)  # fmt: skip
