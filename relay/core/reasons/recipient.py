"""What is wrong with a recipient: nobody of that name, no such domain, no room, or no wish to have it.

Law: only at RCPT and later; before it nobody has been named to whom this goes.
"""

from relay.core.meaning import ReplyClass
from relay.core.reasons.first import COUNTED, FULL_WORDS, ROOM
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})

_WHO = (
    "user|recipient|recipients|mailbox|address|account|addressee|utente|destinatario|casella|indirizzo|someone|"
    "person|"
    "destination|userid|alias|username|customer|inbox|nutzer|benutzer|utilisateur|destinataire|usuario|"
    "destinatari|customers"
)
_ABSENT = (
    "unknown|nonexistent|inesistente|inesistenti|sconosciuto|sconosciuta|invalid|unavailable|disabled|inactive|"
    "deactivated|"
    "suspended|closed|deleted|discontinued|terminated|expired|undeliverable|disabilitat*|disattivat*|sospes*|"
    "dismess*|"
    "cessat*|unbekannt|inconnu|inconnue|desconocido|inexistente|unroutable|unknowable|abandoned|locked|removed|bad|"
    "existiert"
)

_ANSWERS = frozenset({"510", "511", "521", "550", "551", "552", "553", "554", "556", "559", "571", "577"})
"""Final codes that answer for an address; 501 says that its spelling was not understood."""

_UNKNOWN = Rule(
    ReplyClass.RECIPIENT_UNKNOWN,
    stages=_AFTER,
    codes=_ANSWERS,
    text=phrases(
        f"{_WHO} ~ {_ABSENT}",
        f"unknown|invalid|inactive|nonexistent|disabled|bad|deleted|undeliverable|incorrect|sconosciuto {_WHO}",
        f"no such|active|valid? {_WHO}|name|one|mail",
        "no mailbox|user|account|recipient|one here|by|with|found|of|named|there",
        f"{_WHO} ~ not|doesnt|dont|cannot|isn|isnt|no|non|could|couldnt ~ found|exist|exists|known|valid|be|have|"
        f"longer|esiste|"
        "esistono|trovato|trovata|valido|attivo|attiva|active|recognized|listed|local|registered|hosted|existing|"
        "match|available",
        f"{_WHO} ~ was|is? not|non found|known|exist|esiste|valid|here|our|a|valido|in|active|trovato|listed|"
        f"hosted|available|recognized",
        f"not|non a|our|an|un|valid|known|local? {_WHO}",
        "does|doesnt|do not? have ~ account|mailbox|user|inbox",
        "does|doesnt|do not? exist",
        "non esiste|esistente|esistono",
        "non risulta ~ registrat*|presente|esistente|attiv*|valid*",
        "no longer|piu available|valid|active|here|exists|receiving|accepts|valido|attivo|attiva|working|employed|in",
        "mailbox unavailable|disabled|inactive|closed|deactivated|notfound|not",
        "user|recipient|mailbox unknown|notfound|doesn",
        "recipient|address|mailbox|user not found",
        "recipnotfound|recipientnotfound|usernotfound|resolver adr",
        "inbox|account ~ tried|trying to reach ~ not|disabled|inactive|over",
        "moved|changed|left ~ address|forwarding|company|organization",
        "address|someone ~ rejected ~ no|unknown|undeliverable",
        "undeliverable address",
        "unknown|unrouteable|unroutable local? part|user|mailbox",
        "unrouteable|unroutable address",
        "typo|typos|misspelled",
        "existiert nicht",
        "destinatario|utente|casella|indirizzo non ~ presente|registrat*|censit*|configurat*|riconosciut*|attiv*",
        "n existe pas|plus",
        "no existe",
    ),
    unless=phrases(
        "domain|host not|does|unknown|found|exist|invalid|nonexistent|lookup|resolve|"
        "name", "dominio ~ esiste|trovato|inesistente",
        "sender", "no such domain|host", "service|server|system ~ unavailable", "starttls|syntax",
        "temporarily|temporary",
        "unknown|bad|invalid command|sequence|syntax|"
        "argument", "no valid recipients", "spf|dkim|dmarc|spam|policy", "mx",
        "access|relay "
        "denied", "null mx", "blocked|blacklisted|listed|blocklist", "not allowed|authorized|permitted|accepting",
        "does|doesnt|not not? accept|accepting|want|receive", "over quota|limit", f"{ROOM} ~ {FULL_WORDS}",
    ),
)  # fmt: skip

_MAYBE = Rule(
    ReplyClass.RECIPIENT_DOMAIN_BAD,
    stages=_AFTER,
    text=phrases(
        "domain|host|dominio ~ may|might|could|potrebbe ~ not|non exist|esistere",
    ),
    unless=phrases("sender|mittente|your"),
)
_MAYBE_USER = Rule(
    ReplyClass.RECIPIENT_UNKNOWN,
    stages=_AFTER,
    codes=_ANSWERS,
    text=phrases(
        "account|address|mailbox|user|recipient|casella|indirizzo|utente ~ may|might|could|potrebbe ~ not|non exist|"
        "valid|esistere|active",
    ),
    unless=phrases("sender|mittente|your"),
)
"""A list of what it may be begins with what it most likely is."""

_SECURED = Rule(
    ReplyClass.RECIPIENT_REFUSED,
    stages=_AFTER,
    text=phrases(
        "dane|tlsa|dnssec",
        "mta sts",
        "stspolicy|sts policy",
        "certificate ~ match|mismatch|common|trusted|expired|verification|verify|invalid|untrusted|revoked|valid|"
        "verified|validated",
        "starttls|tls not supported ~ destination|remote",
        "destination|remote|recipient|recipients ~ support tls|starttls|encryption",
    ),
    unless=phrases("your", "attachment|content|spam", "dkim|selector|signature"),
)
"""How the next server proves who it is: once we are logged in, that is the recipient's."""

_DOMAIN = Rule(
    ReplyClass.RECIPIENT_DOMAIN_BAD,
    stages=_AFTER,
    text=phrases(
        "domain|domains|host|hostname|dominio|mx|nameserver|dns ~ not|non|cannot|couldnt|doesnt|no ~ found|exist|"
        "exists|esiste|resolve|"
        "resolved|trovato|valid|valido|accept|exchanger|routable|records|record|accetta|known|receive|be",
        "domain|host|hostname|dominio ~ unknown|nonexistent|inesistente|invalid|unrouteable|unroutable|nxdomain|"
        "sconosciuto|expired|scaduto",
        "unknown|invalid|nonexistent|bad|unrouteable|no|illegal|wrong such? recipient|recipients|destination|target? "
        "domain|host|hostname|mx|dominio",
        "dominio ~ destinatario|destinazione ~ non|inesistente|sconosciuto|errato",
        "dominio ~ inesistente|sconosciuto|errato",
        "null mx",
        "nessun|no|senza|manca record|records? mx|dns",
        "record|records mx|dns ~ mancant*|assent*|inesistent*|missing|non",
        "invalid|missing|no|bad dns? mx|dns ~ record|records",
        "domain|dominio not|non|inactive ~ active|attivo|service|hosted|inactive",
        "domain|dominio is|e? inactive|inattivo|disattivato|dismesso",
        "unroutable|unrouteable domain",
        "domain|dominio lookup|resolution|name? failure|failed|temporarily|error|fallit*",
        "risoluzione|resolution|lookup|resolving ~ domain|dominio",
        "mx records|record|point*",
        "no mx|mail|valid? mx|exchanger|exchangers|servers|hosts|host|record|records",
        "find|locate|resolve ~ recipient|destination|the domain|host",
        "name service|server error|failure|lookup|not",
        "host|dns|name|mx lookup|resolution|query fail*|error|failure|timeout|timed",
        "lookup ~ domain|host|mx|dns",
        "nxdomain|nullmx|servfail",
        "trovare|risolvere|contattare ~ dominio|host|mx",
        "dns ~ failure|failed|error|problem|timeout|errore|trouble",
        "domain ~ does|doesnt not? accept|receive mail|email|any",
        "mail for ~ loops|domain ~ not",
        "domain|dominio unbekannt|inconnu",
    ),
    unless=phrases(
        "sender|mittente|helo|ehlo|"
        "your", "spf|dkim|dmarc", "does|is|was not accepted|allowed ~ domains", "client host",
        "blocked|blacklisted|listed|blocklist|rejected by|from", "policy", "rdns|reverse|ptr",
        "user|mailbox|account ~ unknown|exist|found",
    ),
)  # fmt: skip

_FULL_BOX = Rule(
    ReplyClass.RECIPIENT_MAILBOX_FULL,
    stages=_AFTER,
    text=phrases(
        f"{ROOM} ~ {FULL_WORDS}",
        f"{FULL_WORDS} {ROOM}",
        "over ~ quota",
        "overquota",
        "quota ~ exceed*|reached|full|violation|superat*|exhausted|esaurit*|overrun|limit",
        "exceed* ~ quota|storage|mailbox|space|disk",
        "out of storage|space|disk|quota",
        "insufficient|enough|sufficient|no ~ storage|space|spazio|quota|room",
        "storage allocation|limit|quota|full",
        "mailbox|inbox|casella ~ size|limit|storage ~ exceed*|limit|reached|superat*|full",
        "mailbox|casella|inbox|account|user|utente|recipient|destinatario|destinazione ~ exceed*|superat*|has|"
        "ha ~ limit|limite|storage|"
        "spazio|quota|capacity",
        "disk full|quota|space",
        "spazio ~ esaurito|insufficiente|disponibile|terminato",
        "casella|mailbox|account ~ troppo|too piena|full|big|large",
        "mailbox|inbox is? over",
        "casella ~ oltre ~ quota|capienza|capacita|limite",
        "speicherplatz ~ erschopft|voll",
        f"recipient|destinatario ~ {FULL_WORDS}",
    ),
    unless=phrases(
        "today|daily|hourly|oggi|giornalier*|orari*", "per hour|day|minute", "email|mail quota|limit",
        "system storage|"
        "resources", "sending|send|daily|hourly|message|messages|outgoing|rate|submission|smtp quota|limit|limits",
        "server|system|device ~ full|space|storage", "space|spazio ~ device|server|disk", "queue|spool",
        "message|fixed size", *COUNTED,
    ),
)  # fmt: skip

_UNWANTED = Rule(
    ReplyClass.RECIPIENT_REFUSED,
    stages=_AFTER,
    text=phrases(
        "recipient|user|destination|addressee|mailbox|customer|destinatario|utente|casella|someone|group|list ~ "
        "refuses|refused|rejects|"
        "rejected|blocked|blocks|restricts|declined|accept|accepts|accepting|allow|allowed|accetta|rifiuta|rifiutato|"
        "restricted|"
        "prohibited|denied|want|"
        "wants|permit|permitted|respinge|bloccato|busy|unwilling|forbidden|refuse|reject",
        "not|doesnt|dont|no|isnt|non accept|accepting|accepted|willing|allow|allowed|wish|want|accetta|wanted ~ "
        "mail|messages|email|"
        "recipient|you|this|sender|messaggi|posta|domain|address",
        "not|isnt|non authorized|authorised|allowed|permitted|autorizzato|consentito ~ to|send|sending|deliver|"
        "inviare|recipient|group|a",
        "blocked|rejected|refused|bloccato|rifiutato|denied by ~ recipient|user|destinatario|owner|remote|"
        "destination|administrator|"
        "receiver|dal",
        "rejected|refused by recipient|remote|destination|receiving",
        "only|solely ~ internal|members|authorized|authenticated|known|specific ~ senders|users|members|may|can|"
        "are|sender",
        "mailbox|casella ~ busy|locked|temporarily|unavailable|occupata|temporaneamente",
        "recipient|address|user|utente|destinatario ~ temporarily|temporary|later|temporaneamente|unverified|"
        "verification",
        "restrict*|recipient restriction|restrictions",
        "do|does|did not? want ~ mail|messages|email",
        "mail|messages|message|email refused|not ~ by|wanted ~ recipient|user",
        "empfanger ~ abgelehnt|verweigert|gesperrt|blockiert",
        "destinataire|usuario|destinatario ~ bloque|bloquee|bloqueado|refuse|rejete|rechazado|desactive|suspendu|"
        "bloccat*|disattivat*",
        "recipient account ~ blocked|locked|disabled|isblocked|unavailable",
        "recipient|user|destinatario|addressee|casella ~ unavailable|indisponibile|raggiungibile|disponibile",
        "challenge|whitelist|whitelisted|approved ~ sender|senders|recipient|required",
        "destinatario non|rifiuta|temporaneamente",
    ),
    unless=phrases(
        "spam|unsolicited", "dmarc|dkim|spf", "blocklist", "ip|client|host ~ blocked|blacklisted|listed|banned|block",
        "virus", "content", "policy", "service|system|server temporarily? unavailable", "message was|has|is",
    ),
)  # fmt: skip

FULL: tuple[Rule, ...] = (_FULL_BOX,)
GUESSED: tuple[Rule, ...] = (_MAYBE, _MAYBE_USER, _SECURED)
RECIPIENT: tuple[Rule, ...] = (_DOMAIN, _UNKNOWN, _UNWANTED)
