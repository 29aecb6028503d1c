"""What is wrong with a mail: what is in it, whether it proves whom it is from, what it looks like.

Law: what is said of the content is this message's alone.
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
            "archivio|archivi|zip|compress* ~ non ~ ammess*|consentit*|accettat*|permess*",
            "blocked|forbidden|bad|malicious|dangerous|unsafe ~ link|links|url|urls",
            "archive|archives|zip|compressed ~ not ~ allowed|accepted|permitted|supported",
            "collegamento|collegamenti|link|links|url|macro|contenuto ~ pericolos*|malevol*|dannos*|sospett*|dangerous|"
            "malicious|unsafe",
            "banned ~ name|content|file|exe|zip|js|bat|scr|com|vbs|docm|xlsm|jar|iso",
            "malformed ~ mime|message|header",
            "expected|invalid|bad|unsupported mime|encoding|charset",
            "rfc compliant|compliance",
            "not|non rfc 5321|5322|822|2822? compliant",
            "missing|duplicate|multiple|no|two|several ~ header|headers",
            "mime|header|headers ~ malformed|invalid|error|violation",
        ),
        unless=phrases(
            "spam|unsolicited|dmarc|dkim|spf", "blacklisted|blocklist",
            "address|sender|recipient ~ rejected|refused|not|denied|blocked", "sender|recipient address",
            "as spam", "no virus", "scanner|scan|check ~ unavailable|failed|timeout|error|temporarily",
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
    "bulk mail|email|message|messages|sender|mailing|mailings|advertis*",
    "advertisement|advertisements|advertising|pubblicita|pubblicitari*",
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
