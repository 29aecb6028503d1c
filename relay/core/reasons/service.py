"""What is wrong between the relay and the provider: encryption, the protocol, the service itself.

Law: what the service needs is nobody's spam, room or password, whatever it is called.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_HOST = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS})
_SENT = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.EOD})
_FIVE = frozenset("5")

_TLS_WORDS = (
    "starttls|tls|ssl|encryption|encrypted|crittografia|cifratura|cifrata|crittografata|verschlusselung|chiffrement"
)
TLS: tuple[Rule, ...] = (
    Rule(
        ReplyClass.TLS_REQUIRED,
        text=phrases(
            f"issue|use|need|requires|require|required|must|without|before|enable|start|try|send|secure|richied*|"
            f"usare|want ~ {_TLS_WORDS}",
            f"{_TLS_WORDS} ~ required|needed|mandatory|necessary|first|must|only|enforced|richiest*|obbligatori*|"
            f"necessari*|requise|"
            "erforderlich|obligatoria|before",
            "encrypted|secure|secured|sicura|protetta connection|channel|session|connessione ~ required|needed|"
            "only|must|mandatory",
            "connection|session|channel|connessione|link ~ not|must|non|is|unencrypted ~ encrypted|secure|cifrata|"
            "sicura|protetta|crittografata",
            "connessione ~ sicura|cifrata|crittografata|protetta ~ richiesta|necessaria|obbligatoria",
            "plaintext|cleartext|unencrypted|insecure ~ not|disallowed|disabled|allowed|forbidden|prohibited|"
            "connection|connections|refused",
            "stronger tls|ssl|encryption|cipher",
            "tls|ssl version|versions|1 ~ not|old|supported|unsupported|deprecated|required|disabled",
            "tls|ssl 1|2|3 0|1|2? ~ not|non|no|old|obsolete|deprecated|obsolet*|deprecat*",
            "versione|versioni tls|ssl ~ non",
            "tls|ssl handshake|negotiation ~ fail*",
        ),
        unless=phrases("temporarily|temporary",
            "encrypted ~ attachment|archive|zip|file",
            "password protected", "attachment|archive|allegato", "certificate|certificato ~ expired|trusted|match*",
            "tls not|currently available", "basic authentication"),
    ),
)  # fmt: skip

_MACHINE = (
    "filter|filters|filtro|scanner|scan|scansione|antispam|antivirus|milter|engine|motore|clamd|clamav|rspamd|dspam|"
    "spamd|spamassassin|amavis*"
)

HELPERS: tuple[Rule, ...] = (
    Rule(
        ReplyClass.OUTAGE,
        stages=_SENT,
        codes=frozenset("4"),
        text=phrases(
            f"{_MACHINE} ~ unavailable|unreachable|initialization|initialisation|timeout|timed|down|crash*|overload*|"
            f"busy|offline|restarting|starting|error|errore|indisponibile|raggiungibile|disponibile|sovraccaric*|"
            f"reached|"
            f"responding|respond|answer*|contacted|risponde",
            f"errore|problema|guasto|error|problem ~ {_MACHINE}",
            "not|cannot|could|unable|non|impossibile ~ scan|scanned|check|checked|inspect|inspected|analyse|analysed|"
            "analyze|analyzed|esaminare|analizzare|controllare|verificare|scansione ~ "
            "virus|viruses|malware|spam|threats|minacce",
            "unable|cannot|impossibile|failed scan|check|analizzare|esaminare message|mail|attachment|messaggio",
            f"{_MACHINE} engine|service|server|daemon|process|system? failure|failed",
            f"cannot|unable|could|problem|error|trouble|waiting ~ connect|reach|contact|run|start|load|initialize|with|"
            f"for ~ {_MACHINE}",
        ),
        unless=phrases("found|detected|infected|rilevat*|trovat*",
            "encrypted|password|cifrat*|protett*", "message|mail|content failed", "score|reject*"),
    ),
    Rule(
        ReplyClass.OUTAGE,
        stages=_SENT | _HOST,
        codes=frozenset("4"),
        text=phrases(
            "system|server|service|node|cluster|sistema|servizio is? not|non ~ accept*|taking|accetta|accettiamo",
            "disk|disco|spool|coda|queue ~ full|pien*|insufficien*|esaurit*|out",
            "insufficien*|no|not ~ disk|disco|spool|coda|queue",
        ),
        also=phrases("system|server|service|node|cluster|sistema|servizio|relay|disk|disco|spool|coda|queue"),
        unless=phrases("recipient|user|mailbox|casella|destinatario|utente|inbox|someone", "quota", "your|tua|sua"),
    ),
)  # fmt: skip
"""What the provider itself needs is missing for now: named with spam or with room, it is neither."""

SPOKEN: tuple[Rule, ...] = (
    Rule(
        ReplyClass.PROTOCOL_ERROR,
        stages=_SENT | {Stage.CONNECT, Stage.EHLO},
        text=phrases(
            "protocol violation|error",
            "too many errors|unauthenticated|unrecognized|unknown|invalid|bad|illegal|failed? commands|errors",
            "too many errors",
            "troppi errori|comandi",
            "bare lf|cr|newline|newlines|linefeed|linefeeds|line",
            "smtplf",
        ),
        unless=phrases("temporary|temporaneo|temporanei", "recipient|recipients|destinatari|user|users|addresses"),
    ),
    Rule(
        ReplyClass.PROTOCOL_ERROR,
        stages=frozenset({Stage.AUTH}),
        text=phrases("already authenticated|logged", "identity changes|change", "gia autenticat*|conness*"),
    ),
    Rule(
        ReplyClass.PROTOCOL_ERROR,
        stages=_SENT | {Stage.CONNECT, Stage.EHLO},
        codes=_FIVE,
        text=phrases(
            "syntax error|errors|incorrect|invalid",
            "syntax",
            "sintassi",
            "bad|wrong|incorrect|invalid|improper|out ~ sequence|order",
            "sequence of commands",
            "command|commands|comando|verb|keyword ~ not|unrecognized|unknown|invalid|non|unimplemented|"
            "out|sconosciuto|too",
            "unrecognized|unknown|invalid|bad|unsupported|unimplemented|illegal|comando command|commands|"
            "parameter|parameters|option|"
            "keyword|verb|sconosciuto|argument|arguments|non|errato",
            "parameter|parameters|argument|arguments|option|options ~ not|invalid|unrecognized|unsupported|syntax|"
            "bad|missing",
            "not implemented|recognized",
            "need|needs|expected|send|expecting|no|require|requires|valid|issue|want rcpt|mail|helo|ehlo|data|"
            "bdat recipients|command|first|from|"
            "to|before|transaction|valid?",
            "no valid? recipients",
            "polite people say",
            "say|send|issue helo|ehlo|hello",
            "invalid|bad|malformed|illegal|missing|require* helo|ehlo|hostname",
            "helo|ehlo ~ invalid|required|rejected|first|bad|command|syntax|malformed|fully",
            "nested mail",
            "sender already|not specified|given",
            "mail transaction ~ progress|already|not",
            "pipelining|unsynchronized|synchronization|improper use",
            "bare lf|cr|newline|linefeed",
            "line|lines ~ too long",
            "protocol error|violation",
            "unexpected command|data|input|end",
        ),
        unless=phrases("address|someone ~ syntax|invalid|unknown|malformed", "recipient|user ~ unknown|exist",
            "domain"),
    ),
)  # fmt: skip

_BROKEN = "error|problem|failure|unavailable|fault|trouble|errore|problema|guasto|failed|indisponibil*"
SERVICE: tuple[Rule, ...] = (
    Rule(
        ReplyClass.NETWORK,
        stages=_SENT | _HOST,
        text=phrases(
            "connection|connessione|session|sessione ~ timed|lost|reset|dropped|aborted|broken|persa|interrotta|"
            "scaduta|"
            "timeout|closed|caduta|expired|expires|chiusa",
            "tempo ~ attesa|massimo ~ superat*|scadut*|esaurit*",
            "lost|broken|dropped|reset connection",
            "closed|closes|dropped|cut the? connection|session|link",
            "timeout|timed out|exceeded|waiting|error|while|after|idle",
            "timeout|timedout",
            "tempo scaduto|esaurito",
            "no route",
            "network|rete ~ unreachable|error|problem|down|irraggiungibile|failure|trouble",
            "unreachable|irraggiungibile",
            "connect* ~ refused",
            "idle too long",
            "inattivita",
        ),
        unless=phrases("dns|lookup|policy|milter|scan*|ldap|database|greylist*"),
    ),
    Rule(
        ReplyClass.OUTAGE,
        stages=_SENT | _HOST,
        text=phrases(
            f"temporary|temporarily|transient|internal|system|server|service|local|technical|unexpected|interno|"
            f"sistema|servizio|temporaneo ~ {_BROKEN}",
            "service|server|system|servizio|sistema|backend ~ unavailable|offline|unreachable|available|down|busy|"
            "overloaded|overload|"
            "maintenance|disponibile|"
            "manutenzione|occupato|sovraccarico|shutting|closing|closed|shutdown|stopping|restarting|raggiungibile",
            "errore|problema|guasto interno|temporaneo|tecnico",
            "too busy",
            "server|system|service|sistema busy|full|overload*",
            "overload*|sovraccaric*|maintenance|manutenzione|wartung",
            "shutting down",
            "closing transmission|channel|connection",
            "insufficient|out|low ~ system|resources|memory|storage|disk",
            "resource|resources ~ unavailable|limit|exhausted|insufficient",
            "load average|too|high",
            "high load",
            "disk|spool|queue ~ full|error|space|write",
            "cannot|can|couldnt|unable|could ~ write|create|open|store|queue|spool|process|connect",
            "database|ldap|backend|milter|filter|scanner ~ error|failure|unavailable|down|timeout|failed|problem",
            "internal|server|system|interno error|failure|errore|problem",
            "out of memory",
            "temporary|temporarily ~ failure|unavailable|unable",
            "temporaneamente|temporaneo|temporanea ~ disponibile|indisponibile|errore|impossibile|sospeso|problema",
            "temporaneamente non|indisponibil*",
            "temporairement|indisponible",
            "service not|closing|shutting",
            "execution|processing ~ failed|error",
            "not accepting|taking ~ mail|messages|now|moment|currently|temporarily",
            "unable to process",
            "impossibile|non ~ scrivere|scrivibile|salvare|accodare|elaborare|memorizzare",
        ),
        unless=phrases(
            "recipient|user|mailbox|casella|destinatario|utente|"
            "inbox", "spam|policy|reputation|unsolicited|dmarc|spf",
            "permanent|permanently",
        ),
        codes=frozenset("4"),
    ),
    Rule(
        ReplyClass.OUTAGE,
        stages=_SENT | _HOST,
        codes=_FIVE,
        text=phrases(
            "temporary|temporarily|transient ~ failure|error|problem|unavailable|system",
            "service|server|system ~ temporarily|currently|momentarily? unavailable|down|overloaded|busy|maintenance",
            "internal|server server|system? error|failure",
            "system|sistema error|failure|problem|errore",
            "errore|problema interno|del|di server|sistema",
            "errore interno",
            "out of memory",
            "maintenance|manutenzione",
            "insufficient|out ~ system storage|resources|memory|space",
            "temporaneamente|momentaneamente|attualmente non|indisponibil*",
            "too busy",
            "overload*|sovraccaric*",
            "resources|database ~ unavailable|error",
            "shutting down",
        ),
        unless=phrases(
            "recipient|user|mailbox|casella|destinatario|utente|inbox|client|ip|"
            "permanent", "spam|policy|reputation|dmarc|spf",
        ),
    ),
)  # fmt: skip
