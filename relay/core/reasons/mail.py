"""What is wrong with a mail: what is in it, who it says it is from, what it looks like.

Law: what is said of the sender is the mailbox's and stops it; what is said of the content is this message's alone.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_MAIL = frozenset({Stage.MAIL})
_RCPT = frozenset({Stage.RCPT})
_BODY = frozenset({Stage.DATA, Stage.EOD})
_AFTER = _BODY | _RCPT
_SENT = _AFTER | _MAIL

_NOT = "not|rejected|blocked|forbidden|prohibited|disallowed|denied|banned|refused|restricted|removed|unacceptable"

CONTENT: tuple[Rule, ...] = (
    Rule(
        ReplyClass.CONTENT_REFUSED,
        stages=_SENT,
        text=phrases(
            "virus|viruses|malware|trojan|worm|ransomware|eicar|clamav|infected|infett*|malicious|malevol*|"
            "dannoso|dannosi",
            "viren|virenfund",
            f"attachment|attachments|file|files|extension|extensions|filetype|executable|executables|macro|macros "
            f"~ {_NOT}",
            f"{_NOT} ~ attachment|attachments|file|files|extension|extensions|filetype|executable|macro|macros",
            "dangerous|suspicious|unsafe|illegal|unwanted|harmful|bad|invalid ~ attachment|attachments|file|files|"
            "content|extension",
            "attachment|file type|types|name|extension",
            "encrypted|protected|cifrato|cifrati|crittografat*|protetto ~ archive|archives|zip|attachment|"
            "attachments|file|files|allegato|"
            "archivio|pdf",
            "archive|zip|attachment|file|allegato|archivio|pdf ~ encrypted|protected|cifrato|crittografat*|"
            "protetto|password",
            "potential|possible security issue|risk|threat",
            "content presents",
            "content|contents|contenuto ~ rejected|refused|allowed|blocked|forbidden|prohibited|unacceptable|"
            "rifiutato|vietato|consentito|ammesso",
            "rejected|refused|blocked ~ content|contents",
            "forbidden|prohibited|banned|unacceptable|objectionable|disallowed content",
            "allegato|allegati|estensione|estensioni|file|eseguibile|eseguibili ~ consentit*|ammess*|vietat*|permess*|"
            "rifiutat*|bloccat*|pericolos*",
            "tipo ~ allegato|file",
            "banned ~ name|content|file|exe|zip|js|bat|scr|com|vbs|docm|xlsm|jar|iso",
            "malformed ~ mime|message|header",
            "expected|invalid|bad|unsupported mime|encoding|charset",
            "rfc compliant|compliance",
            "not|non rfc 5321|5322|822|2822? compliant",
            "missing|duplicate|multiple|no ~ header|headers",
            "mime|header|headers ~ malformed|invalid|error|violation",
        ),
        unless=phrases(
            "spam|unsolicited|dmarc|dkim|spf", "blacklisted|blocklist",
            "address|sender|recipient ~ rejected|refused|not|denied|blocked", "sender|recipient address",
            "as spam", "no virus", "scanner|scan|check ~ unavailable|failed|timeout|error|temporarily",
        ),
    ),
)  # fmt: skip

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

AS_OTHER: tuple[Rule, ...] = (
    Rule(
        ReplyClass.SENDER_REFUSED,
        stages=_SENT,
        codes=_ANSWERS | {"501"},
        text=phrases(
            f"{_SELF} ~ not|cannot|cant|never|may not? ~ send|sending|post|submit|use as|behalf",
            f"{_SELF} not|cannot|cant|never ~ send|sending|post|submit|use ~ as|behalf",
            "non puo|puoi|potete|autorizzat*|consentit* ~ inviare|spedire|usare|utilizzare come|conto|nome",
            "not|cannot|cant|permission|permissions ~ send|post|submit on behalf",
            "not|cannot|cant ~ send|post|submit as this|that|another|other|someone",
        ),
        unless=phrases("ip|ips|host|network|rete", "recipient|recipients|destinatario|group", "to this|the someone"),
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

_AUTHENTICITY = Rule(
    ReplyClass.POLICY_REFUSED,
    stages=_SENT,
    text=phrases(
        "dmarc|dkim|spf ~ fail*|policy|record|check|checks|verification|reject*|pass|aligned|hard|required|missing|"
        "superat*|fallit*|mancante|richiest*",
        "alignment|aligned|allineamento|allineato ~ dmarc|dkim|spf|from",
        "fail*|pass|violat* ~ dmarc|dkim|spf",
        "unauthenticated email|mail|message|messages|sender",
        "sender|message|mail is|was unauthenticated",
        "required authentication level",
    ),
    unless=phrases("blocklist", "ptr"),
)
"""Whether a mail is who it says it is from; what is said of spam beside it is why that matters."""

_POLICY = Rule(
    ReplyClass.POLICY_REFUSED,
    stages=_SENT,
    text=phrases(
        "dmarc|dkim|spf|arc|bimi",
        "sender policy framework",
        "domain keys|based message? authentication",
        "unauthenticated email|mail|message|messages|sender",
        "authentication|authenticated ~ policy|spf|checks|domain|message",
        "message|mail|email|domain|sender ~ not|lacks|failed|fails|unauthenticated|without ~ authenticated|"
        "authentication|authenticate|aligned|alignment",
        "non autenticato|autenticata",
        "policy|policies|politica|politiche|regola|regole|criteri ~ reason|reasons|violation|rejection|violated|"
        "reject|prohibit*|violat*|motivi",
        "policy|policies|politica|politiche|regole|criteri|mailpolicy",
        "administrative|administratively prohibition|prohibited|denied|rejected|refused",
        "administrator prohibition",
        "list unsubscribe",
        "signature|firma ~ invalid|missing|verify|fail*|required|mancante|valida",
    ),
    unless=phrases("spam|unsolicited|junk", "attachment", "blocklist", "ip|client|host ~ blocked|blacklisted|listed"),
)  # fmt: skip

_SPAM_WORDS = (
    "spam*",
    "unsolicited|uce|ube|junk|phishing|phish|spammy|scam|fraud|fraudulent",
    "bulk mail|email|message|messages|sender",
    "posta indesiderata|spazzatura",
    "indesiderato|indesiderata|indesiderati",
    "bayes*|rspamd|mailscanner|cloudmark|vade|ironport|messagelabs",
    "high|low probability|reputation|score|ranking",
    "content|message|mail|email|text|body filter|filters|filtering|filtered|analysis|fingerprint",
    "rejected|blocked|refused|filtered|caught ~ filter|filters|antispam|fingerprint|heuristic|heuristics",
    "antispam|filter|filtro|filtri",
    "url|urls|link|links ~ blacklisted|blacklist|listed|block*|bad|malicious|reputation",
    "blacklisted|blocklisted url|link|domain",
    "dbl|surbl|uribl",
    "domain ~ present|listed ~ blocklist|spamhaus|blacklist",
    "sender address ~ blocked using blocklist|spamhaus",
    "message|mail|email looks|appears|seems|considered|classified|identified|detected|scored|similar|resembles",
    "messaggio ~ considerato|classificato|identificato|riconosciuto|rilevato ~ come",
    "unerwunscht*|werbung",
    "courrier|pourriel ~ indesirable",
    "correo ~ deseado",
)
AUTHENTICITY: tuple[Rule, ...] = (_AUTHENTICITY,)
SPAM: tuple[Rule, ...] = (
    Rule(
        ReplyClass.SPAM_BLOCKED,
        stages=_AFTER,
        text=phrases(*_SPAM_WORDS),
        unless=phrases("dmarc|dkim|spf ~ fail*|policy|pass|check", "recipient|user ~ spam ~ folder",
            "temporar* ~ filter"),
    ),
    Rule(
        ReplyClass.ACCOUNT_BLOCKED,
        stages=_MAIL,
        text=phrases("spam*", "unsolicited|bulk|abuse|abusive", "posta indesiderata", "reputation"),
        unless=phrases("dmarc|dkim|spf ~ fail*|policy|pass|check", "ip|host|client"),
    ),
    _POLICY,
    Rule(
        ReplyClass.SPAM_BLOCKED,
        stages=_BODY,
        codes=frozenset("5"),
        text=phrases(
            "message|mail|email|messaggio has|have|was|is|ha|e? been|stato? blocked|bloccat*",
            "message|content rejected|refused|blocked ~ content|reputation|blacklist",
            "messaggio ~ bloccato",
        ),
        unless=phrases("someone|recipient|user|mailbox|size|virus|attachment|sender|by ~ administrator",
            "invalid|syntax"),
    ),
)  # fmt: skip
