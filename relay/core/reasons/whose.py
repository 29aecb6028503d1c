"""Whose reason it is: what ends a mailbox's right to send, and what another server said of the provider.

Law: a contract, a credit and leave to send are the mailbox's, whatever was asked; once the sender is known, what is
said of the recipient's own server stops neither mailbox nor provider.
"""

from relay.core.meaning import ReplyClass
from relay.core.reply import Reply
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})
_SENT = _AFTER | {Stage.MAIL}

_HIS_WORDS = (
    "recipient|recipients|destinatario|destination|addressee|destinataire|receiving|receive|incoming|ricezione",
    "someone has|is|was|e ~ suspended|disabled|sospes*|disabilitat*",
)
_HIS = phrases(*_HIS_WORDS)
_NOT_CREDIT = phrases(*_HIS_WORDS, "credit card|cards|carta|carte", "carta|carte di credito")
_MAILBOX = "casella|utente|utenza|account|user|mailbox|mittente|sender|cliente|customer|dominio|compte"
_ENDED = "scadut*|sospes*|cessat*|expired|ended|terminated|suspended|cancelled|overdue|expire|expiree"
_PACKET = "pacchetto|credito|crediti|credits|credit|plafond|saldo"
_SPAM = "spam|spamming|phishing"

_ROOM_OUT = (
    "mailbox|inbox|casella|storage|spazio|disk|space|quota ~ full|exceed*|exhausted|pien*|esaurit*|insufficient*|"
    "terminat*|finit*|out|"
    "superat*"
)

CONTRACT: tuple[Rule, ...] = (
    Rule(
        ReplyClass.SENDER_MAILBOX_FULL,
        stages=_SENT,
        text=phrases(
            _ROOM_OUT,
            "over|exceed*|superat*|oltre ~ storage|mailbox|disk|spazio quota|limit|space|allocation?",
            "full|piena mailbox|inbox|casella|storage",
        ),
        also=phrases(
            "cannot|cant|unable|not|no|impossible|before|until ~ send|sending|submit",
            "sending|submission|outgoing|outbound ~ blocked|disabled|suspended|stopped|denied|refused|prevented",
            "impossibile|non|prima|per ~ inviar*|spedir*|inviat*|spedit*",
            "invio|invii|spedizione ~ bloccat*|sospes*|disabilitat*|inibit*|negat*|impossibile|rifiutat*",
            "you have|ve|are|re ~ over|exceed*|reached|used ~ storage|mailbox|disk|space",
            "storage|mailbox|space|disk full|exceeded ~ your account|mailbox",
        ),
        unless=phrases(
            *_HIS_WORDS, "send|sending|inviare|spedire ~ to|a",
            "sending|outbound|outgoing|submission|invio|invii quota|limit",
            "quota|limit* di|of|for|on? invio|invii|sending|outgoing|giornalier*|orari*|daily|hourly",
            "you tried|are|were trying",
        ),
    ),
    Rule(
        ReplyClass.SENDER_MAILBOX_FULL,
        stages=_SENT,
        text=phrases(
            "spazio|casella esaurit*|insufficiente|pien* ~ mittente",
            "mailbox quota ~ not permit|allow sending|submission",
        ),
        unless=_HIS,
    ),
    Rule(
        ReplyClass.QUOTA_EXCEEDED,
        stages=_SENT,
        is_by_period=True,
        text=phrases("your quota|limit|allowance ~ recipients|messages|mails|emails ~ used|exceed*|reached|exhausted"),
    ),
    Rule(
        ReplyClass.QUOTA_EXCEEDED,
        stages=_SENT,
        is_by_period=True,
        text=phrases(
            "you have|ve ~ exceed*|reached|used|exhausted|spent|hit ~ quota|limit|limits|allowance|allotment|"
            "contingent",
            "you are|re over|above|beyond ~ quota|limit|limits|allowance|allotment",
            "take|takes|put|puts|bring|brings|push|pushes you over|above|beyond|past ~ quota|limit|limits|allowance",
            "your|plan|plans|vostro|suo|tuo ~ volume|quota|limit|allowance ~ consumed|depleted|spent|consumat*|finit*",
            "plan|package|bundle|contingent|piano ~ used|exhausted|consumed|esaurit*|finit*",
            "relay|relaying|outmail|outbox|mailing|transmission quota|limit|allowance",
            "ha|hai|avete superat*|raggiunt*|esaurit*|oltrepassat* ~ quota|limite|soglia|tetto|massimo",
        ),
        unless=phrases(
            *_HIS_WORDS, "storage|space|spazio|disk|mailbox|inbox|casella|size|dimension*|allegat*|attachment|"
            "attachments",
            "per|a|each|single|singolo message|mail|email|messaggio|transaction|session",
            "connection|connections|sessions",
            "login|logins|attempts|tentativi|password", "utente|user|account ha|has", "recipients|destinatari",
        ),
    ),
    Rule(
        ReplyClass.QUOTA_EXCEEDED,
        stages=_SENT,
        is_by_period=True,
        text=phrases(
            "policy rejection quota",
            "exceed* ~ quota|limit ~ outgoing|outbound|sending|sent",
            "quota mensile|settimanale|annuale ~ superat*|raggiunt*|esaurit*",
            "quota d? envoi ~ depass*|atteint*",
            "sender|account|user ~ exceed* ~ volume",
            f"{_PACKET} ~ esaurit*|finit*|terminat*|exhausted|insufficient*|used",
            f"insufficient|no|not|out ~ {_PACKET}",
        ),
        unless=_NOT_CREDIT,
    ),
    Rule(
        ReplyClass.ACCOUNT_BLOCKED,
        stages=_SENT,
        text=phrases(
            f"{_MAILBOX} ~ disabilitat*|inibit* ~ invio|invii|spedizione",
            f"{_MAILBOX} ~ non abilitat*|autorizzat* ~ invio|invii|spedizione|inviare",
            "user|account|sender not|isnt permitted|allowed|authorized|authorised|enabled to send|submit ~ "
            "outside|external|externally",
            f"licenza|contratto|abbonamento|subscription|trial|license|licence|contract|abonnement ~ {_ENDED}",
            "licenza|contratto|abbonamento|subscription|license|contract ~ non|not attiv*|valid*|active",
            "payment|payments|pagamento|pagamenti ~ overdue|scadut*|insolut*|missing|mancat*|failed|required|late|due",
            "ritardo|mancato|arretrato ~ pagamento|pagamenti|rinnovo|canone",
            "fattura|invoice ~ overdue|scadut*|insolut*|unpaid",
            "utenza|cliente|account|contratto ~ moros*|insolut*",
            "moroso|morosa|morosita|insoluto|unpaid",
            "activate your ~ account|subscription|mailbox|profile",
            "invio massiv* ~ rilevat*|vietat*|bloccat*|consentit*",
            f"casella|mailbox|account|compte|utenza|konto ~ bloccat*|blocked|bloque|suspended|sospes*|suspendu|"
            f"gesperrt ~ {_SPAM}",
            f"{_MAILBOX} ~ bloccat*|sospes*|bloque|suspendu ~ invio|envoi|invii",
            f"casella|account|utenza|mailbox ~ inviato|sent|sending ~ {_SPAM}",
            "sending|submission|outbound|outgoing ~ locked|frozen|revoked|withdrawn|halted|paused|restricted",
            "invio|invii|spedizione|spedizioni ~ inibit*|congelat*|interdett*|revocat*|sospes*|disabilitat*",
            "account|profile|domain|mailbox is|are? under|in|pending|on|awaiting validation|review|verification|"
            "probation",
            "account|casella|utenza|profilo ~ revisione|verifica|validazione",
            "account|profile|sender|tenant ~ probation",
            "blocco di|per ~ ore|ora|giorni|giorno",
        ),
        unless=phrases(*_HIS_WORDS, "troppi|troppe messaggi|invii|email|mail", "per n minuti|minutes|min"),
    ),
)  # fmt: skip
"""Before all others: what a word of the recipient's would hide."""

_AGAIN = phrases(
    "again|try|retry|resend|back later|tomorrow",
    "come|back ~ in|after n|an|a|one", "later ~ again|retry|resend",
    "riprov*|ritent* ~ tardi|domani|seguito|momento", "piu tardi", "spater", "plus tard", "mas tarde",
    "try|retry|resend|wait|riprov*|ritent*|attend* ~ n|an|a|one|un|una|few|qualche|alcuni|pochi "
    "s|sec|second|seconds|min|minute|minutes|hour|hours|day|secondi|minuto|minuti|ora|ore|giorno",
)  # fmt: skip


def is_asked_again(stage: Stage, reply: Reply, words: str) -> bool:
    """Whether a final answer to a mail asks for it again later and gives no reason: then a code is none either."""
    return stage in _AFTER and not reply.is_temporary and _AGAIN.is_in(words)


_HOSTWARD = frozenset(
    {
        ReplyClass.IP_BLOCKED,
        ReplyClass.TLS_REQUIRED,
        ReplyClass.NETWORK,
        ReplyClass.OUTAGE,
        ReplyClass.TOO_MANY_CONNECTIONS,
        ReplyClass.RATE_LIMITED,
        ReplyClass.QUOTA_EXCEEDED,
        ReplyClass.ACCOUNT_BLOCKED,
        ReplyClass.AUTH_METHOD,
    }
)

_DOES = (
    "is|has|was|does|did|may|must|needs|cannot|requires|rejects|refuses|refused|blocks|blocked|e|ha|non|deve|risulta|"
    "richiede|rifiuta|esige"
)
_SERVER = "server|servers|host|system|mx|mta|domain|provider|network|side|gateway|smtp"
_ELSEWHERE = phrases(
    "host|mx|server|somehost ~ said",
    "recipient|destinatario|addressee|destinazione|destinataire s? mailbox|account|server|domain|side|casella? "
    f"{_DOES}",
    f"destination|receiving mailbox|account|domain|side|party {_DOES}",
    f"destination|remote|recipients|recipient|receiving|destinataire s? {_SERVER}",
    "destination|remote requires|require|refused|blocked|blacklisted|rejected|unreachable|timed",
    "server|host|dominio|mx|sistema del|di|della destinatario|destinazione",
    "offered|supported|announced by|on host|somehost|mx|remote|destination",
    "of|by|at|to|with mx",
    "mx|somehost is|has ~ us",
    "blocked|blacklisted|refused|rejected|blocks|limiting|limits|limited our|us ip|address|server|host?",
    "hostname of somehost|mx",
    "recipient|recipients|destinatario is|has|e? blacklisted|listed|blocked|bloccat*",
    "recipient|recipients s? account|mailbox|user",
    "recipient|recipients s daily|hourly",
    "limit of|for incoming|inbound|received",
)  # fmt: skip
_INTAKE = phrases("incoming|inbound|receiv*|ricev*|ricezione", "recipient s")
_COUNTED = frozenset({ReplyClass.RATE_LIMITED, ReplyClass.QUOTA_EXCEEDED})
"""A final limit is waited for rather than believed to be the recipient's, unless what he gets is counted."""

_ADDRESS = phrases(
    "ip|ips|your|client|clients|connecting|rbl|dnsbl|blocklist|ptr|reverse|hostname|rdns|spamhaus|dns|network"
)
"""What a text has to name after RCPT to be about the address from which the relay comes."""

_NAMED = phrases(
    "account|mailbox|user|casella|utente|utenza someone",
    "this|that|questo|questa account|mailbox|user|casella|utente|utenza is|has|e|was|temporarily|temporaneamente",
)
_AMBIGUOUS = phrases("casella|mailbox ~ superat*|exceed* ~ quota|limit|limite giornalier*|daily",
    "casella|mailbox exceed*|has|ha ~ daily|giornalier* quota|limit|limite")  # fmt: skip
_SENDING = phrases(
    "uscita|uscente|uscenti|invio|invii|inviat*|send|sends|sending|sent|outgoing|outbound|spedizion*|sender|mittente|your"
)
_ADDRESS_STATUS = frozenset({"5.1.1", "5.2.1", "5.1.0", "5.1.6"})


_MINE = phrases(
    f"your|own|tua|tuo|sua|suo|vostra|vostro|sending account|mailbox|casella|utenza|profile|profilo {_DOES}",
    f"authenticated|sending user|account|utente|login {_DOES}",
    f"sender|senders|mittente s? account|mailbox {_DOES}",
    f"casella|account|utenza del mittente {_DOES}",
)
_HIS_CLASSES = frozenset(
    {ReplyClass.RECIPIENT_UNKNOWN, ReplyClass.RECIPIENT_REFUSED, ReplyClass.POLICY_REFUSED, ReplyClass.UNKNOWN}
)


def of_mailbox(reply_class: ReplyClass, stage: Stage, reply: Reply, words: str) -> ReplyClass | None:
    """The mailbox's class, where one of the recipient's was found in what is finally said of the mailbox; or None."""
    if stage not in _AFTER or reply.is_temporary or not _MINE.is_in(words) or _HIS.is_in(words):
        return None
    if reply_class is ReplyClass.RECIPIENT_MAILBOX_FULL:
        return ReplyClass.SENDER_MAILBOX_FULL
    return ReplyClass.ACCOUNT_BLOCKED if reply_class in _HIS_CLASSES else None


def of_recipient(reply_class: ReplyClass, stage: Stage, reply: Reply, words: str) -> ReplyClass | None:
    """The recipient's class, where one of the mailbox's or the provider's was read in what is said of him; or None."""
    if stage not in _AFTER or reply_class not in _HOSTWARD:
        return None
    if _ELSEWHERE.is_in(words):
        is_ours = reply_class in _COUNTED and not reply.is_temporary and not _INTAKE.is_in(words)
        return None if is_ours else ReplyClass.RECIPIENT_REFUSED
    if reply_class is ReplyClass.IP_BLOCKED and not _ADDRESS.is_in(words):
        return ReplyClass.RECIPIENT_REFUSED
    if stage is not Stage.RCPT or _SENDING.is_in(words):
        return None
    if reply_class is ReplyClass.ACCOUNT_BLOCKED and (reply.enhanced in _ADDRESS_STATUS or _NAMED.is_in(words)):
        return ReplyClass.RECIPIENT_UNKNOWN
    if reply_class is ReplyClass.QUOTA_EXCEEDED and reply.is_temporary and _AMBIGUOUS.is_in(words):
        return ReplyClass.RECIPIENT_REFUSED
    return None
