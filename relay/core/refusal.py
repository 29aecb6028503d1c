"""What a client may be refused, with the code that its software reads; the sentences are in the catalogue of texts.

Law: one reason has one code, and each code is the one that the interface promises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from relay.core.words import AccountId


class Reason(Enum):
    """Why: a name for metrics and logs, reply code (RFC 5321, 4.2) and enhanced code (RFC 3463)."""

    # before a mail
    FULL = "full", 421, "4.3.2"
    STOPPING = "stopping", 421, "4.3.2"
    IDLE = "idle", 421, "4.4.2"
    TOO_MANY_ERRORS = "too-many-errors", 421, "4.7.0"
    PROXY_ALONE = "proxy-alone", 554, "5.7.1"
    PROXY_GARBLED = "proxy-garbled", 421, "4.7.0"
    COMMAND_TOO_LONG = "command-too-long", 500, "5.5.2"
    COMMAND_UNKNOWN = "command-unknown", 500, "5.5.2"
    COMMAND_SYNTAX = "command-syntax", 501, "5.5.4"
    COMMAND_NOT_OFFERED = "command-not-offered", 502, "5.5.1"
    COMMAND_ORDER = "command-order", 503, "5.5.1"
    PARAMETER_UNKNOWN = "parameter-unknown", 555, "5.5.4"

    # logging in
    LOGIN_NEEDED = "login-needed", 530, "5.7.0"
    LOGIN_WRONG = "login-wrong", 535, "5.7.8"
    LOGIN_TOO_OFTEN = "login-too-often", 421, "4.7.0"
    LOGIN_IN_CLEAR = "login-in-clear", 538, "5.7.11"
    LOGIN_UNCHECKED = "login-unchecked", 454, "4.7.0"
    LOGIN_ABORTED = "login-aborted", 501, "5.7.0"
    LOGIN_GARBLED = "login-garbled", 501, "5.5.2"
    MECHANISM_UNKNOWN = "mechanism-unknown", 504, "5.5.4"

    # the envelope
    SENDER_SYNTAX = "sender-syntax", 553, "5.1.7"
    SENDER_FOREIGN = "sender-foreign", 550, "5.7.1"
    SENDER_UNKNOWN = "sender-unknown", 550, "5.7.1"
    SENDER_RETIRED = "sender-retired", 550, "5.7.1"
    SENDER_REPLACED = "sender-replaced", 550, "5.7.1"
    RECIPIENT_SYNTAX = "recipient-syntax", 553, "5.1.3"
    RECIPIENTS_TOO_MANY = "recipients-too-many", 452, "4.5.3"
    RECIPIENTS_NONE = "recipients-none", 554, "5.5.1"
    RECIPIENT_OPTED_OUT = "recipient-opted-out", 550, "5.7.1"
    RECIPIENT_SUPPRESSED = "recipient-suppressed", 550, "5.1.1"
    RECIPIENT_DOMAIN_MISSING = "recipient-domain-missing", 550, "5.1.2"
    RECIPIENT_MISSPELT = "recipient-misspelt", 550, "5.1.2"
    RECIPIENT_NO_MAIL = "recipient-no-mail", 550, "5.1.10"
    ADDRESS_NEEDS_SMTPUTF8 = "address-needs-smtputf8", 553, "5.6.7"

    # the message
    MESSAGE_TOO_LARGE = "message-too-large", 552, "5.3.4"
    FROM_COUNT = "from-count", 550, "5.7.1"
    FROM_UNREADABLE = "from-unreadable", 550, "5.7.1"
    FROM_FOREIGN = "from-foreign", 550, "5.7.1"
    FROM_MISSING = "from-missing", 550, "5.7.1"
    BARE_CR = "bare-cr", 550, "5.6.0"
    BARE_LF = "bare-lf", 550, "5.6.0"
    NUL = "nul", 550, "5.6.0"
    LINE_TOO_LONG = "line-too-long", 550, "5.6.0"
    HEADER_TOO_LONG = "header-too-long", 550, "5.6.0"
    LOOP = "loop", 554, "5.4.6"

    # its deadline
    VALID_UNTIL_UNREADABLE = "valid-until-unreadable", 550, "5.6.0"
    VALID_UNTIL_TWICE = "valid-until-twice", 550, "5.6.0"
    VALID_UNTIL_PAST = "valid-until-past", 550, "5.4.7"
    TOO_LATE = "too-late", 550, "5.4.7"
    TOO_LATE_STOPPED = "too-late-stopped", 550, "5.4.7"

    MAILBOX_PAUSED = "mailbox-paused", 450, "4.7.0"

    # the relay's own trouble
    STORE_FULL = "store-full", 452, "4.3.1"
    STORE_AWAY = "store-away", 451, "4.3.0"
    BROKEN = "broken", 451, "4.3.0"

    def __init__(self, label: str, code: int, enhanced: str) -> None:
        self.label = label
        self.code = code
        self.enhanced = enhanced

    @property
    def is_temporary(self) -> bool:
        """Whether the client may try the same again."""
        return self.code < 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal; `values` fill the gaps of its sentence and never name a recipient."""

    reason: Reason
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    account: AccountId | None = None
    """Whose mail it was, where that is known: the log says so to whoever helps."""
    recipient: str | None = field(default=None, repr=False)
    """Whom the client named, where its user has to read that again; the log never does."""
    cause: str | None = field(default=None, compare=False)
    """What kept the relay itself from it, as its store said it: for the log alone."""

    def hidden(self) -> "Refusal":
        """The same without the recipient."""
        return self if self.recipient is None else replace(self, recipient="(recipient)@(domain)")
