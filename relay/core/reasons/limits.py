"""Too much at once: sessions, bytes, recipients, mails in a time.

Law: what is counted decides the class, and of mails in a time the period that is named; what the recipient gets too
much of is not the mailbox's.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_SENT = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.EOD})
_SESSION = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH})

_THEIRS = phrases(
    "recipient|recipients|destination|destinatario|receiving|receive|receives|remote|inbox|ricevere|ricezione"
)
_FAILED = phrases("failed|failures|invalid|bad|attempts|unknown")
_KIND = "concurrent|simultaneous|simultaneously|parallel|open|opened|active|smtp|client|incoming|inbound|tcp"

CROWDED: tuple[Rule, ...] = (
    Rule(
        ReplyClass.TOO_MANY_CONNECTIONS,
        text=phrases(
            f"too many {_KIND}? {_KIND}? connections|sessions",
            f"concurrent|simultaneous|parallel {_KIND}? connection|connections|session|sessions|login|logins|logons",
            "logged in ~ too many times|devices|places",
            f"max|maximum|maximal|allowed|permitted number|limit|amount? of? {_KIND}? {_KIND}? connections|sessions",
            f"exceed* the|your|its? allowed|permitted|maximum? number? of? {_KIND}? {_KIND}? connections|sessions",
            f"more {_KIND}? connections|sessions than",
            f"number of {_KIND}? {_KIND}? connections|sessions ~ exceed*|reached|limit*|too",
            "connection|connections|session|sessions count|number? limit|limits ~ exceed*|reached|hit",
            "connections per ip|host|user|client|account|mailbox|login",
            "troppe connessioni|sessioni",
            "numero massimo di|delle connessioni|sessioni",
            "connessioni|sessioni|accessi|login simultane*|contemporane*|concorrent*|parallel*",
            "connessioni|sessioni|accessi ~ oltre|superat*|eccess*",
            "simultane*|contemporane* ~ connessioni|sessioni|accessi|login",
            "limite ~ connessioni|sessioni",
            "zu viele gleichzeitige|offene|parallele? verbindungen|sitzungen",
            "trop de connexions|sessions",
            "demasiadas conexiones|sesiones",
            "too many users|clients connected|online",
            "concurrency limit",
        ),
        unless=phrases(
            "recipient|recipients|destination|destinatario|receiving|remote",
            "failed|failures|invalid|bad",
        ),
    ),
    Rule(
        ReplyClass.TOO_MANY_CONNECTIONS,
        stages=_SESSION,
        codes=frozenset("4"),
        text=phrases(
            "too many connections|sessions|connects",
            "too many|maximum|max|exceed* ~ connections|connection|sessions|session",
            "connection|connections rate|frequency ~ exceed*|limit*|too",
            "already ~ sessions|connections|logins",
            "gia ~ sessioni|connessioni|accessi",
        ),
        unless=_FAILED,
    ),
)

_TOO_LARGE = Rule(
    ReplyClass.MESSAGE_TOO_LARGE,
    stages=_SENT,
    text=phrases(
        "message|mail|email|data|attachment|attachments|body|content size|length? is|was? too large|big|long",
        "message|mail|email|data|attachment|attachments|header|headers ~ exceed* ~ size|bytes|mb|kb|mib",
        "message|mail|email|data|object|attachment|attachments|content size|length ~ exceed*|limit*|maximum|"
        "larger|bigger|over",
        "size ~ over|above|beyond ~ limit|maximum|max|allowed",
        "size|length ~ exceed* ~ fixed|maximum|max|administrative|limit|limits|allowed|permitted",
        "exceed* ~ message|mail|attachment|maximum|max|size size|length",
        "exceed* size|length",
        "maximum|max message|mail|attachment? size|length",
        "size limit*|limits|restriction* ~ exceed*|reached|violat*|message|mail",
        "larger|bigger than the|our|your|its? maximum|max|allowed|permitted|current|system|limit|size",
        "too much mail? data",
        "too large|big ~ message|mail|attachment",
        "message|mail|email too large|big",
        "messaggio|mail|email|allegato|allegati|posta e|sono|risulta? troppo grande|grandi|grosso|pesante|voluminoso",
        "dimensione|dimensioni ~ massima|massime|consentita|consentite|superiore|superiori|superata|supera|superano",
        "supera|superano|superata|eccede ~ dimensione|dimensioni",
        "troppo grande|grosso|pesante|voluminoso",
        "nachricht|mail ist? zu gross",
        "message|mail trop volumineux|grand|gros",
        "mensaje ~ demasiado grande",
        "taille ~ message ~ limite|maximale|maximum|depass*|atteinte",
        "peso|dimensione|dimensioni massim* ~ superat*|allegat*|messaggi*",
        "taille limite|maximale|maximum ~ message|depassee|atteinte",
        "maximal*|zulassige nachrichtengroesse|nachrichtengrosse|grosse|groesse",
        "limite|limiti|massimo ~ dimensione|dimensioni|peso ~ messaggio|messaggi|allegati|allegato",
        "message|mail|attachment size quota|limit|threshold ~ reached|exceed*|hit",
    ),
    unless=phrases(
        "mailbox|storage|disk|user|account|sending|daily|mail quota", "quota exceeded", "over quota",
        "storage allocation", "exceeded storage", "line|lines ~ too long", "too many recipients|hops",
        "mailbox|casella ~ full|piena|size|quota", "mailbox|casella ~ reached|exceed* ~ size", "rate", "queue",
    ),
)  # fmt: skip

_PERIOD_WORDS = (
    "daily|hourly|weekly|monthly|giornaliero|giornaliera|giornalieri|giornaliere|orario|oraria|mensile|quotidiano",
    "per day|hour|minute|minutes|week|month|second|giorno|ora|minuto",
    "24|1|2|12 hours|hour|h|ore|ora",
    "today|oggi",
    "al|nel|nella giorno|giornata",
)

_TOO_MANY_RECIPIENTS = Rule(
    ReplyClass.TOO_MANY_RECIPIENTS,
    stages=_SENT,
    text=phrases(
        "too many recipients|recipient|rcpts|rcpt|addressees|destinations",
        "recipients|recipient|rcpt|addressees count|number|per? limit|limits|message|mail|email|transaction|"
        "maximum ~ exceed*|reached",
        "number|maximum|max|limit|amount of recipients|rcpts|addressees ~ exceed*|reached|message|mail|allowed|"
        "limited|too",
        "maximum|max number? of? recipients|rcpt|rcpts",
        "maximum|max|limit ~ recipients|rcpts per|in message|mail|email|transaction",
        "exceed* ~ recipients|rcpts per|in|for|limit message|mail|email|a|one|single|this|the",
        "more|fewer recipients than|per|in",
        "troppi destinatari",
        "numero ~ destinatari",
        "destinatari ~ massimo|limite|consentiti|superato|superati",
        "massimo|limite|oltre|piu ~ destinatari|indirizzi",
        "destinatari|recipients|addressees per messaggio|message|mail|email|invio|transaction",
        "max|maximum|up|than ~ recipients|addressees|rcpts|rcpt",
        "zu viele empfanger",
        "trop de destinataires",
        "demasiados destinatarios",
        "number|out|more of? allow*? rcpt|rcpts|recipients ~ exceed*|reached|numbers|allowed",
        "out of allow* recipients|rcpt|rcpts",
        "number|maximum|limit of rcpt|rcpts|recipients exceed*|reached",
    ),
    unless=phrases(*_PERIOD_WORDS),
)  # fmt: skip

_MAIL_THINGS = (
    "message|mail|email|attachment|attachments|messaggio|mail|allegato|allegati|object|letter|content|contenuto"
)
_OVER = (
    "over|above|exceed*|larger|bigger|more|greater|limit*|max|maximum|oltre|superior*|supera|superano|superat*|grande|"
    "eccede|massim*|piu"
)
_UNIT = "mb|mbyte|mbytes|mib|kb|kib|bytes|byte|megabyte|megabytes|mega|octets"
_OVER_BYTES = Rule(
    ReplyClass.MESSAGE_TOO_LARGE,
    stages=_SENT,
    text=phrases(
        f"{_MAIL_THINGS} ~ {_OVER} ~ {_UNIT}",
        f"{_MAIL_THINGS} ~ {_UNIT} ~ {_OVER}",
        "quota|quote|limit|limite|dimensione|size|peso|spazio ~ per|of|a|each|for|di singolo|single|each|one|ogni|"
        "individual? messaggio|message|mail|email|invio|allegato",
    ),
    also=phrases(f"{_OVER}", f"{_UNIT}"),
    unless=phrases(
        "mailbox|inbox|casella|boite|postfach|storage|disk|account",
        "recipients|destinatari|rcpt",
        "per|each|every|ogni|al|all day|hour|giorno|ora",
        "rate|frequency",
    ),
)
"""Bytes that are counted, or a limit that holds for each mail: neither a rate nor the room of a mailbox."""

SIZES: tuple[Rule, ...] = (_OVER_BYTES, _TOO_LARGE, _TOO_MANY_RECIPIENTS)

_THING = (
    "message|messages|mail|mails|email|emails|sending|send|sender|outgoing|outbound|smtp|submission|relay|user|account"
)
_SEND = frozenset({Stage.AUTH})

_NOT_A_RATE = phrases(
    "size", "storage", "login|logins|logon|authentication|auth ~ attempts|failures", "too many hops",
    "mailbox|casella ~ full|piena", "disk", "tempo ~ attesa", "time out|limit",
)  # fmt: skip
LIMITED: tuple[Rule, ...] = (
    Rule(
        ReplyClass.RATE_LIMITED,
        stages=_SENT,
        is_by_period=True,
        text=phrases(
            "rate|rates limit*|limits",
            "ratelimit*",
            "rate|frequency|volume ~ exceed*|too|reached|high|limit*",
            "exceed*|reached|over|hit|surpassed ~ limit|limits|rate|threshold|quota|allowance|cap",
            "limit|limits|quota|quotas|threshold|allowance|maximum|cap ~ exceed*|reached|hit|met|surpassed|used|"
            "exhausted",
            f"{_THING} limit|limits|quota|quotas|threshold",
            "too many messages|message|mails|mail|emails|email|sends|requests|submissions|transactions|deliveries|"
            "commands",
            "too much mail|email|traffic",
            "sent|send|sending|messages|mail|delivering|mailing|submitting ~ too many|fast|quickly|much|often|"
            "frequently",
            "too fast|quickly|frequently",
            "throttl*",
            "slow down",
            "submissionquotaexceeded*|messagequotaexceeded*|sendingquotaexceeded*|recipientratelimit*|"
            "messageratelimit*",
            "daily|hourly|weekly|monthly ~ limit|limits|quota|maximum|cap|allowance|allotment|volume|exceed*",
            "maximum|max ~ messages|mails|emails|recipients|mail|email|sends per|a|in|daily|today|this|24",
            "maximum|max ~ daily|hourly|day|hour|send|sending",
            "max|maximum|many messages|message|mails per|over|on|in connection|session",
            "no more messages|mails|emails|mail|recipients ~ today|day|hour|now|until|24",
            "sending|send ~ rate|volume|speed",
            "rcpt|recipients|recipient ~ daily|hourly|day|hour ~ limit|exceed*",
            "limite|limiti|quota|soglia|massimo|tetto|plafond ~ superat*|raggiunt*|supera|oltrepassat*|esaurit*|"
            "eccedut*",
            "superat*|raggiunt*|supera|oltrepassat*|esaurit*|eccedut* ~ limite|limiti|quota|soglia|massimo|numero|"
            "tetto|plafond",
            "limite|limiti|quota|soglia|massimo|tetto|plafond ~ giornalier*|orari*|invio|invii|spedizione|messaggi|"
            "email|mail|"
            "mensile",
            "troppi|troppe messaggi|invii|email|mail|destinatari|richieste|spedizioni|comunicazioni",
            "numero massimo|eccessivo ~ messaggi|invii|email|mail|destinatari",
            "massimo ~ messaggi|invii|email|mail",
            "frequenza|velocita|ritmo ~ massim*|eccessiv*|superat*|invio|troppo|elevat*",
            "superat* ~ frequenza|velocita|ritmo",
            "invio|invii|spedizione|spedizioni ~ troppo frequent*|rapid*|veloc*|ravvicinat*",
            "rallentare",
            "zu viele nachrichten|mails|emails",
            "sendelimit|versandlimit|tageslimit",
            "trop de messages|mails|courriels",
            "limite ~ envoi|envio|atteinte|alcanzado|excedido|superado",
            "demasiados mensajes|correos",
        ),
        unless=_NOT_A_RATE,
    ),
    Rule(
        ReplyClass.RATE_LIMITED,
        stages=_SEND,
        is_by_period=True,
        text=phrases(
            "sending|send|message|messages|mail|mails|email|emails|outgoing|outbound limit|limits|quota|rate ~ "
            "exceed*|reached",
            "exceed*|reached ~ sending|message|messages|mail|mails|email|emails|outgoing limit|limits|quota|rate",
            "too many|much messages|mails|emails|mail",
            "daily|hourly ~ sending|send|message|mail|email|submission|smtp limit|quota",
            "limite|quota ~ invio|invii|messaggi|giornalier*|orari*",
            "troppi|troppe messaggi|invii|email|mail|spedizioni",
        ),
        unless=_NOT_A_RATE,
    ),
    Rule(
        ReplyClass.RATE_LIMITED,
        stages=_SESSION - _SEND,
        is_by_period=True,
        text=phrases(
            "rate|rates limit*|limits",
            "ratelimit*",
            "too many messages|mails|emails|requests|commands",
            "troppi|troppe richieste|comandi|mail|email",
            "throttl*",
            "too fast|quickly|frequently",
            "limit|limits|quota ~ exceed*|reached",
            "exceed* ~ limit|limits|rate|quota",
            "limite|quota ~ superat*|raggiunt*",
            "troppi messaggi|invii|email",
        ),
        unless=_NOT_A_RATE,
    ),
)
