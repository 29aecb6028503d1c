"""Whom a mail says it is from: an address that this mailbox may not send as.

Law: what is said of the sender is the mailbox's and stops it, whatever policy is named beside it.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_MAIL = frozenset({Stage.MAIL})
_SENT = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.EOD})

_WHO = (
    "sender|senders|from|mittente|envelope|identity|originator|return|address|alias|domain|email|mail|indirizzo|"
    "mailfrom|"
    "identities"
)
_MAY_NOT = (
    "rejected|refused|denied|disallowed|unauthorized|unauthorised|invalid|mismatch|mismatched|forged|forbidden|"
    "spoofed|"
    "prohibited|unverified|rifiutat*|negat*|unknown|nonexistent|inesistente|illegal|unacceptable|spoofing"
)
_ANSWERS = frozenset(
    {
        "4",
        "502",
        "504",
        "510",
        "511",
        "521",
        "525",
        "530",
        "535",
        "541",
        "550",
        "551",
        "552",
        "553",
        "554",
        "556",
        "559",
        "571",
    }
)
"""Codes that answer for an address; 501 says that its spelling was not understood."""

_SELF = "you|account|login|user|utente|mailbox|casella|puo|puoi|potete"

_FRAMED = Rule(
    ReplyClass.SENDER_REFUSED,
    stages=_SENT,
    codes=_ANSWERS | {"501", "503"},
    text=phrases(
        "sender|from|mittente|mailfrom|envelope ~ must|has|have|needs|should|deve|devono ~ same|match|equal|equals|"
        "identical|one|uguale|stesso|stessa|coincidere|"
        "corrispondere|identico|correspond",
        "sender|from|mittente|mailfrom|envelope ~ not|non|none|isnt|differs|nor ~ of|one|among|tra|fra|from",
        "sender|sending|from domain|address|identity ~ not|non ~ configured|configurat*|associated|associat*|set",
        "unconfigured|unverified|unregistered sending|sender|from domain|address|identity",
    ),
    also=phrases(
        "your|yours|own|login|user|username|account|authenticated|authorization|authentication|logged|casella|utente|"
        "suoi|tuoi|vostri|sua|tua|autenticat*|unconfigured|unverified|unregistered",
    ),
    unless=phrases("dmarc|dkim|spf", "recipient|recipients|destinatario|group|list", "syntax|parameter|argument"),
)
"""As whom the mailbox has to write: said with a code of syntax or of policy, it is still its sender."""

_NOT_AS_ITS_OWNER = Rule(
    ReplyClass.SENDER_REFUSED,
    stages=_SENT - _MAIL,
    codes=_ANSWERS,
    text=phrases("sender|mittente address? rejected|refused|rifiutato ~ logged"),
    unless=phrases("recipient|recipients|destinatario"),
)
"""Once the recipient is named somebody is logged in: only not as whom he writes."""

AS_OTHER: tuple[Rule, ...] = (
    _FRAMED,
    _NOT_AS_ITS_OWNER,
    Rule(
        ReplyClass.SENDER_REFUSED,
        stages=_SENT,
        codes=_ANSWERS | {"501"},
        text=phrases(
            f"{_SELF} ~ send|sending|post|submit|use ~ as|behalf|alias|sender|identity",
            "inviare|spedire|usare|utilizzare|mandare|scrivere ~ come|conto|nome|mittente|alias|identita",
            "not|cannot|cant|permission|permissions ~ send|post|submit on behalf",
            "not|cannot|cant ~ send|post|submit as this|that|another|other|someone",
        ),
        also=phrases("not|cannot|cant|never|no|non|vietat*|negat*|forbidden|prohibited|denied|unauthorized|"
        "unauthorised"),
        unless=phrases(
            "ip|ips|host|network|rete", "recipient|recipients|destinatario|group", "to this|the someone",
            "suspended|blocked|disabled|locked|sospes*|bloccat*|disabilitat*", "allow|permit you to forward|relay",
        ),
    ),
    Rule(
        ReplyClass.SENDER_REFUSED,
        stages=_MAIL,
        codes=frozenset({"501", "503"}),
        text=phrases(
            "identity|sender|from|address|domain|mittente|indirizzo|dominio|someone|somehost ~ not|non|isnt|doesnt ~ "
            "verified|owned|authorized|authorised|allowed|permitted|yours|registered|belong|verificato|autorizzato|"
            "appartenente|appartiene|consentito|abilitato|registrato",
            "mittente|sender|address|from ~ not|non|invalid ~ account|user|"
            "login|mailbox|casella|utenza|utente|account",
            "non corrisponde|coincide ~ utente|casella|login|account|autenticat*",
            "does|doesnt not? match ~ login|user|account|authenticated|mailbox",
        ),
        unless=phrases("syntax", "parameter|parameters|argument|arguments|command", "helo|ehlo"),
    ),
)  # fmt: skip
"""Who may not send as somebody: said with a policy beside it, it is still the mailbox that may not."""

SENDER: tuple[Rule, ...] = (
    Rule(
        ReplyClass.SENDER_REFUSED,
        stages=_SENT,
        codes=_ANSWERS,
        text=phrases(
            "sendas",
            "from|sender|mittente|envelope ~ mismatch|mismatched|differs|differ|different|diverso",
            "sendasdenied*",
            "mapiexceptionsendasdenied",
            "not|cant|cannot|unable allowed|permitted|authorized|authorised|entitled|able? to? send|submit|post|"
            "relay? mail|email|messages|message? as|from|using|with|for",
            "send|sending|sent mail|email|messages|message? as|on this|that|another|someone|other|different|behalf",
            "send|sending ~ behalf",
            "not|non owned|owner|proprieta|di",
            "sender|mittente|from address? is|was|has? been? not|non? rejected|refused|owned|verified|allowed|"
            "permitted|authorized|"
            "authorised|valid|local|autorizzato|consentito|ammesso|valido|riconosciuto|accepted|accettato|match|"
            "rifiutato|registered",
            "identity|identities failed ~ check|verification",
            "sender|mittente ~ not|non ~ owned|verified|allowed|permitted|authorized|authorised|autorizzato|"
            "consentito|ammesso|"
            "valido|riconosciuto|match|belong|appartiene|corrisponde|coincide|registered|same|exist|esiste",
            f"sender|mittente|mailfrom|originator ~ {_MAY_NOT}",
            "sender address|domain rejected|refused|denied|invalid|unknown|must|does|not",
            f"{_MAY_NOT} sender|mittente|from|originator|return",
            "from|sender address|header|field|domain|identity ~ must|not|should|does|doesnt match|be|correspond|"
            "equal|same|belong|matches",
            "from|envelope|sender address|header|domain ~ not ~ match|verified|allowed|authorized|owned|permitted|"
            "yours|belong|local",
            "address|identity|identities|alias|domain|email is|are? not verified|confirmed|registered|validated|"
            "authorized|authorised",
            "address|alias|domain|sender does|doesnt|do? not? belong|match|correspond ~ account|login|user|"
            "mailbox|credentials|authenticated",
            "does|doesnt|must|should|do not? match|correspond ~ login|authenticated|account|username|user|mailbox",
            "only|must|can send|use ~ from|as ~ own|your|authenticated|account|address|mailbox|this",
            "must|should be|match ~ same|identical|equal|authenticated ~ login|username|user|account|address|"
            "authenticated|sender",
            "relay|relaying ~ denied|disallowed|permitted|allowed|prohibited|forbidden|refused|negato|consentito|"
            "disabled",
            "relay|inoltro access|not|non|negato|rifiutato",
            "allowed|permitted rcpthosts|relay|relays",
            "unable|cannot|not|wont|refuse to relay",
            "do|does|will|we not|dont? relay",
            "null|empty sender|reverse|return|from",
            "null sender|reverse",
            "mittente ~ diverso|sconosciuto|errato|inesistente|alterato|contraffatto|vuoto|nullo",
            "indirizzo ~ non appartiene|corrisponde|coincide ~ account|casella|utente|login|autenticat*",
            "non autorizzato|consentito|possibile|abilitato ~ inviare|spedire|invio|utilizzare ~ come|mittente|"
            "nome|conto|indirizzo|da",
            "absender ~ abgelehnt|erlaubt|gehort|ungultig|nicht",
            "expediteur ~ refuse|refusee|rejete|autorise",
            "remitente ~ rechazado|rechazada|autorizado",
        ),
        unless=phrases(
            "dmarc|dkim|spf", "not authorized|authorised|allowed|permitted to send ~ to", "blocklist",
            "ip|host|client address? is|was? not? blocked|blacklisted|listed|allowed|authorized|banned",
            "greylisted|greylist|greylisting", "suspended|banned|disabled|locked",
            "temporary|temporarily ~ lookup|dns|resolve|reject", "recipient|destination domain", "helo|ehlo",
            "by this|the recipient",
            "members|group|subscribers|post",
            "unable|could not|cannot ~ verify",
            "recipient|destinatario address? does|is|was|non not? exist|unknown|esiste|found|valid",
        ),
    ),
    Rule(
        ReplyClass.SENDER_REFUSED,
        stages=_MAIL,
        codes=_ANSWERS - {"4"},
        text=phrases(
            "domain|host|dominio ~ not|unknown|nonexistent|inesistente|invalid|found|exist|esiste|resolve",
            "user|mailbox|address|utente|casella|account ~ unknown|not|nonexistent|inesistente|invalid|exist|esiste",
            "invalid|unknown|bad|no ~ user|mailbox|address|utente|casella|domain",
            "not allowed|authorized|permitted|authorised",
            "non autorizzat*|consentit*|permess*",
        ),
        unless=phrases(
            "helo|ehlo", "ip|client|host|starttls|command|syntax", "parameter|parameters|argument|arguments|sequence",
            "dmarc|dkim|spf",
        ),
    ),
)  # fmt: skip
