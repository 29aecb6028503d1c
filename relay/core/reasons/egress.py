"""What is said of the address from which the relay comes: listed, refused, of the wrong network.

Law: before the login whatever is refused is about our address, never about a mailbox; after it the text has to name
the address.
"""

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule, phrases
from relay.core.words import Stage

_HOST = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS})
_SENT = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.EOD})
_LOGGED_IN = _SENT | {Stage.AUTH}
_FIVE = frozenset("5")

_REFUSED = (
    "blocked|block|blacklisted|blacklist|blocklisted|denylisted|denied|deny|banned|refused|rejected|reject|listed|"
    "reputation|"
    "prohibited|bloccat*|rifiutat*|negat*|blacklisting|untrusted|suspicious|forbidden|restricted|barred|gesperrt|"
    "bannato|"
    "bannata|dynamic|dialup|dinamic*|bad|poor|disallowed|unauthorized|inserito|presente|elencato|rbl|dnsbl|"
    "rblsmtpd|filtered"
)
_ONLY = "only|solely|solo|soltanto|solamente|esclusivamente|unicamente"

ADDRESS: tuple[Rule, ...] = (
    Rule(
        ReplyClass.IP_BLOCKED,
        stages=_HOST | {Stage.MAIL},
        text=phrases(
            f"{_ONLY} ~ from|dalla|dalle|da|dai|for|per|to|on ~ network|networks|rete|reti|ip|ips|addresses|indirizzi|"
            "customers|clienti",
        ),
        unless=phrases("from address|domain", "authenticated|autenticat*", "sender|mittente"),
    ),
    Rule(
        ReplyClass.IP_BLOCKED,
        stages=_HOST,
        codes=_FIVE,
        text=phrases("ip|ips|host|client|somehost|indirizzo ~ blocked|banned|blacklisted|"
        "bloccat*"),
    ),
    Rule(
        ReplyClass.IP_BLOCKED,
        stages=_SENT | _HOST,
        text=phrases(
            "your ip address? ~ spammer|blacklisted|blocked|banned|listed|reputation",
            "not authorized|authorised|allowed|permitted to send ~ directly",
        ),
        unless=phrases("greylist*|graylist*", "unauthorized ip"),
    ),
    Rule(
        ReplyClass.IP_BLOCKED,
        text=phrases(
            "blocklist",
            f"ip|ips|client|clients|host|network|netblock|mta|subnet|range|csi ~ {_REFUSED}",
            f"{_REFUSED} ~ ip|ips|network|subnet|client",
            "ip|your|sending|remote|connecting|client|host|server address|server|host|network ~ blocked|"
            "blacklisted|blocklisted|"
            "banned|listed|reputation|denylisted|blacklist|block",
            "on|in|by|from|using|nella|sulla|in our|the|a|an|una|local|internal|public|global|private|dns|rbl? "
            "blacklist|blocklist|dnsbl|rbl|"
            "denylist|block|black|deny list",
            "lista nera|blacklist|bloccati",
            "blacklist*|dnsbl|rbl|rbls|dnsbls|uribl|spamhaus|spamcop|barracuda|sorbs|sbl|xbl|pbl|zen|abusix",
            "reverse dns|mapping|lookup|hostname|record|name",
            "rdns|ptr|fcrdns",
            "ip address|reputation ~ low|poor|bad|spam|unsolicited|reputation",
            "originating from your ip",
            "ip|ips|host|client ~ not ~ whitelist*|allowlist*|authorized|authorised",
            "indirizzo ip ~ non ~ consentit*|autorizzat*|ammess*|abilitat*|accettat*",
            "originating|coming from your|this ip|network|server|host",
            "dynamic|residential|dialup ip|address|range|pool",
            "cannot find your hostname",
            f"{_ONLY} ~ from|dalla|dalle|da ~ network|networks|rete|reti|"
            "ip|ips",
            "cannot|unable|could|not resolve|find ~ your|client|reverse host|hostname|ip|address",
        ),
        stages=_LOGGED_IN | _HOST,
        unless=phrases(
            "too many", "recipient|user|mailbox|account|utente|casella|destinatario ~ blocked|disabled|listed|block",
            "greylist*|graylist*", "accept|accepts|accetta ~ only|solo|soltanto", "domain present",
            "sender address ~ blocked", "dbl|surbl|uribl",
            "url|link|content|attachment", "unauthorized ip", "sender ~ listed|block|blacklist",
            "mailbox|inbox|casella ~ full", "timed out", "relay|relaying", "spf|dmarc|dkim ~ fail*|policy|check",
            "server|host|connection temporarily? busy|timed", "connect* to ~ refused",
        ),
    ),
)  # fmt: skip
CLOSED: tuple[Rule, ...] = (
    Rule(
        ReplyClass.IP_BLOCKED,
        stages=_HOST,
        codes=_FIVE,
        text=phrases(
            "denied|refused|rejected|blocked|banned|prohibited|forbidden|blacklisted|disallowed|reject|block|"
            "reputation|spam|abuse",
            "not allowed|permitted|authorized|authorised|welcome|accepted|accepting|trusted",
            "no smtp|access|connection|connections|service ~ here|you|from|allowed|available",
            "access|accesso denied|negato",
            "negato|rifiutat*|bloccat*|vietat*|respint*",
            "policy",
            "not|wont accept|talk",
            "go away",
            "unsolicited|spammer*|spambot",
            "bad reputation",
        ),
        unless=phrases("command|helo|ehlo|syntax", "tls"),
    ),
    Rule(
        ReplyClass.IP_BLOCKED,
        stages=_HOST,
        codes=frozenset("4"),
        text=phrases(
            "denied|blocked|banned|blacklisted|reputation|spam|abuse|unsolicited|bloccat*",
            "not allowed|permitted|authorized|authorised|accepted",
        ),
    ),
)  # fmt: skip
