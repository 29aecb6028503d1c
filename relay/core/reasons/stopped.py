"""The provider stopped the mailbox: its account, or its leave to send.

Law: at RCPT and later an account that is disabled is the recipient's, unless the text says whose it is.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_OURS = frozenset({Stage.AUTH, Stage.MAIL})
_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})

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
            "not permitted|allowed|enabled for this|your|the user|account|mailbox|login",
            "non consentit*|permess*|abilitat* per|a|alla questo|questa|utente|casella",
            "no|not|doesnt|dont|without|lacks ~ access|permission|permissions|rights|right|entitle* ~ service|smtp|"
            "server|"
            "protocol|submission|relay|mail",
            "not|isnt ~ entitled|licensed|subscribed|provisioned|included|include",
            "servizio|smtp|invio non ~ compreso|incluso|previsto|attivo",
            "servizio smtp non ~ compreso|incluso|previsto|attivo",
            "non|senza ~ diritto|diritti|permesso|permessi|previsto|incluso|compreso ~ servizio|smtp|posta|invio|piano",
            "plan|license|licence|piano|offerta ~ not|non ~ include|includes|smtp|prevede|comprende|inclu*",
        ),
        unless=phrases(
            "smtp ~ disabled|"
            "enabled", "auth|authentication|authenticationdisabled|clientauthentication is|are|was|has|not? been? "
            "disabled|enabled",
            "basic authentication|"
            "auth", "password|passwords|credentials|credenziali ~ invalid|wrong|incorrect|expired|scadut*|errat*",
            "send as|from", "sender address rejected", "not allowed as",
            "spamhaus|rbl|dnsbl|xbl|sbl|blacklist|blacklists",
            "ip|client|host|address blocked|blacklisted|listed|"
            "banned", "blocklist", "not verified", "rate|limit|quota",
            "banned ~ ip|address|host|network", "check|verify|review ~ name|password|credentials|login",
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
            "sending|submission|submitting|outgoing|invio|spedizione is|e? not|non ~ permitted|allowed|enabled|"
            "possible|"
            "consentit*|permess*|abilitat*",
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
            "receiving|receive", "queue|thread",
            "permitted|allowed|consentit*|permess* ~ to|from|as|a|al|alla|verso|da|come",
        ),
    ),
)  # fmt: skip
