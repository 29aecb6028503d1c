"""What is said of a mailbox with a number: mails sent within a time, a block for a time, bounces, unknown recipients.

Law: mails that were sent are counted for the mailbox at whichever command it is said; what a recipient gets, and how
large a mail is, are other reasons.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})
_SENT = _AFTER | {Stage.MAIL}

_NUMBER = "n|1*|2*|3*|4*|5*|6*|7*|8*|9*"
_MAILS = (
    "message|messages|mail|mails|email|emails|sends|submissions|deliveries|messaggi|invii|spedizioni|nachrichten|"
    "courriels|correos|mensajes"
)
_SPAN = (
    "hour|hours|hourly|minute|minutes|min|mins|day|days|daily|week|month|ora|ore|orari*|giorno|giorni|giornalier*|"
    "minuto|minuti|settimana|mese|jour|heure|heures|dia|hora|horas|tag|stunde|stunden|h|d|today|oggi"
)
_RECEIVED = (
    "receiv*|ricev*|ricezione|incoming|inbound|arrivo|entrata",
    "recipient|recipients|destinatario|destinatari|destination|addressee|destinataire|empfanger",
)
_HERE = (
    "somehost|domain|dominio|server|mx|we accept*|take*|limit*|accett*|limita ~ messages|mail|mails|emails|messaggi",
    "somehost|domain|dominio|server|host|mx limit*|rate ~ from your|this|suo|vostro",
)

_SUSPENDED = (
    "suspended|blocked|disabled|stopped|restricted|locked|paused|revoked|frozen|deactivated|sospes*|bloccat*|"
    "disabilitat*|disattivat*|inibit*|fermat*|interdett*|limitat*"
)
_ACCOUNT = "account|mailbox|casella|utenza|utente|user|profilo|profile|login|compte|konto"
_FAULTY = (
    "invalid|unknown|nonexistent|nonexisting|bad|wrong|undeliverable|inesistent*|sconosciut*|errat*|invalid*|failed|"
    "rejected"
)
_ADDRESSEES = "recipient|recipients|rcpts|rcpt|addresses|users|destinatari|indirizzi|addressees|mailboxes"

_SENDERS_RATE = Rule(
    ReplyClass.RATE_LIMITED,
    stages=_SENT,
    is_by_period=True,
    text=phrases(
        f"{_NUMBER} {_MAILS} ~ {_SPAN}",
        f"{_MAILS} ~ {_NUMBER} ~ {_SPAN}",
        f"{_SPAN} ~ {_NUMBER} {_MAILS}",
    ),
    also=phrases(
        "you|your|youve|hai|ha|avete|tua|sua|vostra|login|account|casella|utenza|profilo|sender|mittente|plan|piano",
        "exceed*|sent|send|sending|limit*|only|more|over|max*|most|up|than|allowed|superat*|supera|inviat*|invia|"
        "inviare|spedit*|oltre|piu|massimo|solo|envoye*|gesendet|enviado*|troppi|troppe|many|much",
    ),
    unless=phrases(
        *_RECEIVED, "size|dimension*|storage|spazio|disk|space|mb|kb|bytes", "connection|connections|sessions",
        "logins|attempts|tentativi|password", "for this|that user|mailbox|address", f"{_ACCOUNT} {_SUSPENDED}",
        "greylist*|graylist*", f"{_MAILS}|sending|invio {_SUSPENDED}",
    ),
)  # fmt: skip

_SENDING_TOO_MUCH = Rule(
    ReplyClass.RATE_LIMITED,
    stages=_SENT,
    is_by_period=True,
    text=phrases(
        f"sending|submitting|sends|inviando|spedendo|invia|spedisce too|troppi|troppe|troppa many|much? {_MAILS}",
        f"exceed*|over|reached|superat* ~ hour|day|hourly|daily|monthly|weekly|orari*|giornalier*|mensil* {_MAILS}? "
        "limit|quota|cap|allowance|limite|soglia",
        "hourly|daily|weekly|monthly|yearly|mensile|settimanale|giornaliera|oraria|annuale ~ "
        "quota|allowance|bandwidth|banda ~ exceed*|reached|used|exhausted|superat*|esaurit*|raggiunt*|finit*",
        "quota|banda|bandwidth mensile|settimanale|giornalier*|orari*|annuale ~ superat*|esaurit*|raggiunt*|finit*",
        "reached|exceed*|used|raggiunt*|superat*|esaurit* ~ bandwidth|banda",
        f"rate|frequency|frequenza|ritmo ~ exceed*|high|superat*|elevat*|eccessiv* ~ this|your|the|questa|questo "
        f"{_ACCOUNT}",
    ),
    unless=phrases(
        *_RECEIVED, *_HERE, "size|dimension*|storage|spazio|disk|space", "login|logins|attempts|tentativi|password",
        "connection|connections|sessions|connessioni", f"{_ACCOUNT} {_SUSPENDED}",
    ),
)  # fmt: skip

_PER_SESSION = Rule(
    ReplyClass.RATE_LIMITED,
    stages=_SENT,
    text=phrases(
        f"{_MAILS} per|in|on|over|for|della|nella the|this|one|a|single|questa|singola? connection|session|sessione|"
        "connessione",
    ),
    also=phrases("too|max*|limit*|exceed*|many|troppi|troppe|massim*|superat*|oltre|more|reached"),
    unless=phrases(*_RECEIVED),
)  # fmt: skip
"""Another session may take the next mail: no period is counted, however finally it is said."""

_THREADS = Rule(
    ReplyClass.TOO_MANY_CONNECTIONS,
    stages=_SENT,
    text=phrases("outbound|outgoing|sending|submission|sender|smtp thread|threads"),
    also=phrases("limit*|exceed*|many|reached|concurrent"),
    unless=phrases(*_RECEIVED),
)

_BLOCKED_FOR = Rule(
    ReplyClass.ACCOUNT_BLOCKED,
    stages=_SENT,
    text=phrases(
        f"{_SUSPENDED} for|per|fur|pour ~ hour|hours|ora|ore|day|days|giorno|giorni|minute|minutes|minuti|"
        "stunden|heures",
    ),
    also=phrases(f"{_ACCOUNT} ~ {_SUSPENDED}", f"{_SUSPENDED} {_ACCOUNT}"),
    unless=phrases(*_RECEIVED, "ip|host|network|client"),
)

_OUTGOING = Rule(
    ReplyClass.ACCOUNT_BLOCKED,
    stages=_SENT,
    text=phrases(
        "plan|piano|offerta|contratto|package|pacchetto|licenza|license|licence|subscription ~ not|non|doesnt|without|"
        "excludes|senza ~ sending|send|smtp|invio|outgoing|inviare|spedire|relay",
        "too|many|high|excessive|elevat*|troppi|troppe|eccessiv*|alto ~ bounce|bounces|bounced|rimbalzi",
        "rimbalzi ~ troppo|elevat*|eccessiv*|superat*",
        "bounce|bounces|bounced rate|ratio|percentage|limit|threshold|volume|number? ~ high|exceed*|too|over|above|"
        "excessive|reached",
    ),
    unless=phrases(
        *_RECEIVED, "ip|network|client", "someone ~ bounce*", "address|addresses ~ bounced|bouncing",
        "size|attachment|allegat*",
    ),
)  # fmt: skip

_HALTED = Rule(
    ReplyClass.ACCOUNT_BLOCKED,
    stages=_SENT,
    text=phrases(
        "outgoing|outbound mail|mails|email|emails|messages|traffic|delivery",
        "posta|mail|messaggi|email|traffico in|di? uscita|uscente|uscenti",
    ),
    also=phrases(_SUSPENDED),
    unless=phrases(
        *_RECEIVED, "ip|network|client", "size|attachment|allegat*", "full|pien*|storage|spazio|space|quota|disk",
        "rate|limit|limits|limite",
    ),
)  # fmt: skip

_ROOM_OF_NAMED = Rule(
    ReplyClass.RECIPIENT_MAILBOX_FULL,
    stages=frozenset({Stage.RCPT}),
    text=phrases("someone ~ quota|storage ~ exceed*|full|reached|superat*|esaurit*",
                 "quota|storage ~ someone ~ exceed*|full|superat*"),
    unless=phrases(
        "send|sends|sending|sent|outgoing|outbound|invio|invii|daily|hourly|monthly|weekly|giornalier*|orari*|mensil*",
        "you|your|per|hai|tua|sua|sender|mittente", *_RECEIVED,
    ),
)  # fmt: skip
"""A quota that is named with the address that was asked for is its own."""

_DISABLED_THERE = Rule(
    ReplyClass.RECIPIENT_UNKNOWN,
    stages=_AFTER,
    codes=frozenset("5"),
    text=phrases(
        "deliver* ~ accountdisabled*|mailboxdisabled*|aduserdisabled*|disabled",
        "deliver* ~ mapiexceptionaduserdisabled*",
    ),
    unless=phrases("submi*|send|sending|outgoing|sender"),
)
_DISABLED_HERE = Rule(
    ReplyClass.ACCOUNT_BLOCKED,
    stages=_SENT,
    codes=frozenset("5"),
    enhanced=frozenset({"5.7.13"}),
    unless=phrases(*_RECEIVED, "someone|deliver*|resolver"),
)
"""RFC 5248: said of who logged in, unless it was said on delivery."""

_JARGON = Rule(
    ReplyClass.UNKNOWN,
    stages=frozenset({Stage.DATA, Stage.EOD}),
    codes=frozenset("5"),
    text=phrases(
        "no|invalid|bad|missing|stale such? folder|object|queue|descriptor|handle|inode|session|transaction|"
        "row|table|key"
    ),
    unless=phrases(*_RECEIVED, "user|mailbox|casella|address|attachment|signature|dkim|message"),
)
"""What a server says of its own insides is no policy, whatever code stands beside it."""

_CALLED_BACK = Rule(
    ReplyClass.RECIPIENT_REFUSED,
    stages=_AFTER,
    text=phrases("callout|callback", "call out|back", "sender verify|verification failed|failure|fail"),
    unless=phrases("your account|login"),
)
"""The recipient's server asked ours for the sender and had no answer: no word of what the mailbox may."""

_GUESSING = Rule(
    ReplyClass.RATE_LIMITED,
    stages=_SENT,
    is_by_period=True,
    text=phrases(
        f"too many|much ~ {_FAULTY} {_ADDRESSEES}",
        f"troppi|troppe {_ADDRESSEES} ~ {_FAULTY}",
        f"troppi|troppe ~ {_FAULTY} {_ADDRESSEES}",
        f"too many {_ADDRESSEES} ~ unknown|invalid|rejected|nonexistent|exist",
    ),
    unless=phrases(f"{_ACCOUNT} ~ {_SUSPENDED}"),
)
"""Who tries many addresses that are none is slowed as one that sends too many; none of these is this recipient's."""

_GUESSER = Rule(
    ReplyClass.ACCOUNT_BLOCKED,
    stages=_SENT,
    text=_GUESSING.text,
    also=phrases(f"{_ACCOUNT} ~ {_SUSPENDED}"),
)

_TAKEN_FROM_US = Rule(
    ReplyClass.RECIPIENT_REFUSED,
    stages=_AFTER,
    text=phrases(*_HERE),
    also=phrases("your|suo|vostro|this|questo|il|isp provider|network|isp|server|servers|ip|fornitore|rete|host"),
    unless=phrases("your account|mailbox|user|login", "size|mb|kb|bytes", "blocklist"),
)
"""What the recipient's server takes from the whole provider is not for one mailbox to mend."""

MEASURED: tuple[Rule, ...] = (
    _ROOM_OF_NAMED,
    _DISABLED_THERE,
    _DISABLED_HERE,
    _JARGON,
    _CALLED_BACK,
    _HALTED,
    _TAKEN_FROM_US,
    _PER_SESSION,
    _THREADS,
    _GUESSER,
    _GUESSING,
    _BLOCKED_FOR,
    _OUTGOING,
    _SENDERS_RATE,
    _SENDING_TOO_MUCH,
)
"""Tried before all others: a number of mails within a time is said of nothing else."""
