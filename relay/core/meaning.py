"""The words in which a provider's behaviour is judged: what it means, whom it is about, what follows.

Law: the vocabulary is closed; a class says by itself whom it is about and what follows, and a rule may only bend that
by where and how finally it was said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from relay.core.envelope import Verdict


class ReplyClass(StrEnum):
    """The closed vocabulary of meanings."""

    DELIVERED = "delivered"
    AUTH_REJECTED = "auth-rejected"
    AUTH_METHOD = "auth-method"
    AUTH_TEMPORARY = "auth-temporary"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    RATE_LIMITED = "rate-limited"
    QUOTA_EXCEEDED = "quota-exceeded"
    SPAM_BLOCKED = "spam-blocked"
    CONTENT_REFUSED = "content-refused"
    ACCOUNT_BLOCKED = "account-blocked"
    SENDER_REFUSED = "sender-refused"
    SENDER_MAILBOX_FULL = "sender-mailbox-full"
    RECIPIENT_UNKNOWN = "recipient-unknown"
    RECIPIENT_MAILBOX_FULL = "recipient-mailbox-full"
    RECIPIENT_DOMAIN_BAD = "recipient-domain-bad"
    RECIPIENT_REFUSED = "recipient-refused"
    GREYLISTED = "greylisted"
    POLICY_REFUSED = "policy-refused"
    IP_BLOCKED = "ip-blocked"
    MESSAGE_TOO_LARGE = "message-too-large"
    TOO_MANY_RECIPIENTS = "too-many-recipients"
    TLS_REQUIRED = "tls-required"
    PROTOCOL_ERROR = "protocol-error"
    NETWORK = "network"
    OUTAGE = "outage"
    UNKNOWN = "unknown"


class Failure(StrEnum):
    """What was met where a reply should have been."""

    UNREACHABLE = "unreachable"
    """No address, no route, connection refused."""
    TIMEOUT = "timeout"
    LOST = "lost"
    """The peer hung up, or the connection broke."""
    NONSENSE = "nonsense"
    """Bytes that are no reply, too many of them, or a reply that nobody asked for."""
    UNVERIFIED = "unverified"
    """The certificate does not prove that this is the provider, or no encryption came about."""
    NOT_OFFERED = "not-offered"
    """What has to be used at this stage (STARTTLS, a way to log in, SMTPUTF8) was not in the answer to EHLO."""
    NO_LOGIN = "no-login"
    """There is no AUTH in the answer to EHLO, for nobody."""
    TOO_LARGE = "too-large"
    """The message is over the SIZE that the provider named."""


class Fault(StrEnum):
    """Why no session came about, finer than its class: what whoever mends it has to know."""

    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_WRONG_NAME = "tls-wrong-name"
    TLS_SELF_SIGNED = "tls-self-signed"
    TLS_UNTRUSTED = "tls-untrusted"
    """An authority signed it that neither the system nor `tls_ca` knows."""
    TLS_TOO_OLD = "tls-too-old"
    """It speaks nothing newer than TLS 1.1."""
    TLS_NOT_SPOKEN = "tls-not-spoken"
    """What answers there is not TLS."""
    TLS_EXPECTED = "tls-expected"
    """It speaks TLS from the first byte, and was asked for STARTTLS."""
    TLS_FAILED = "tls-failed"
    TLS_NOT_OFFERED = "tls-not-offered"
    """STARTTLS is missing in the answer to EHLO: somebody in between may have taken it out."""
    TLS_REFUSED = "tls-refused"
    TLS_INJECTED = "tls-injected"
    """Clear text came after the 220 to STARTTLS (RFC 3207, 4.2)."""
    TLS_CA_UNREADABLE = "tls-ca-unreadable"
    CLEAR_TEXT = "clear-text"
    """`tls: none`, and the host is not this machine."""
    AUTH_NOT_OFFERED = "auth-not-offered"
    """The answer to EHLO has no AUTH at all: whoever logs in, it is not there."""
    NO_TOKEN = "no-token"
    """`auth: oauth2`, and nobody has connected this mailbox yet."""
    OAUTH_CONSENT = "oauth-consent"
    """The owner's permission is gone: revoked, or expired because it was not used."""
    OAUTH_SIGN_IN = "oauth-sign-in"
    """The provider wants to see the owner in a browser: a second factor, new terms, a device that it does not know."""
    OAUTH_PASSWORD_CHANGED = "oauth-password-changed"
    """The owner's password was changed or has expired, and the permission ended with it."""
    OAUTH_BLOCKED = "oauth-blocked"
    """The provider, or the rules of the owner's organisation, keep this user out."""
    OAUTH_CLIENT = "oauth-client"
    """The authorization server does not take the relay itself: client id, secret or tenant are wrong or missing."""
    OAUTH_SECRET = "oauth-secret"
    """The routing names a secret of the relay's client that is not there: nobody was asked, and nobody refused."""
    OAUTH_UNREACHABLE = "oauth-unreachable"
    """The authorization server does not answer, or not now."""
    OAUTH_UNREAD = "oauth-unread"
    """The authorization server's answer makes no sense."""
    OAUTH_UNSAVED = "oauth-unsaved"
    """The provider gave another refresh token, and the store cannot keep it now."""
    UNUSABLE_CREDENTIALS = "unusable-credentials"
    """User name or password hold a NUL or a line end, which no mechanism can carry."""


class Scope(StrEnum):
    """Whom it is about."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    MAILBOX = "mailbox"
    PROVIDER = "provider"


class Action(StrEnum):
    """What follows from it."""

    DONE = "done"
    RETRY = "retry"
    BOUNCE = "bounce"
    HOLD = "hold"
    WAIT = "wait"
    SLOW = "slow"
    PAUSE = "pause"
    FEWER_SESSIONS = "fewer-sessions"
    BREAK = "break"


class Source(StrEnum):
    """What a class was concluded from, in the order in which it is asked."""

    PROVIDER_RULE = "provider-rule"
    TEXT_RULE = "text-rule"
    """A generic rule read the text."""
    ENHANCED = "enhanced"
    """Guessed from the enhanced code and the stage."""
    BASIC = "basic"
    """Guessed from the three digits and the stage."""
    UNKNOWN = "unknown"
    """Nothing knows it."""
    NO_REPLY = "no-reply"
    """There was no reply to read."""


VERDICTS: Mapping[Action, Verdict] = MappingProxyType(
    {
        Action.DONE: Verdict.DELIVERED,
        Action.RETRY: Verdict.DEFERRED,
        Action.SLOW: Verdict.DEFERRED,
        Action.FEWER_SESSIONS: Verdict.DEFERRED,
        Action.BREAK: Verdict.DEFERRED,
        Action.WAIT: Verdict.DEFERRED,
        Action.BOUNCE: Verdict.BOUNCED,
        Action.HOLD: Verdict.HELD,
        Action.PAUSE: Verdict.HELD,
    }
)
"""What an action does to the delivery itself; the rest concerns its mailbox or provider."""


_STOPPING = frozenset({ReplyClass.IP_BLOCKED, ReplyClass.TLS_REQUIRED})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reply means; `retry_after` in microseconds, where the text names it."""

    reply_class: ReplyClass
    scope: Scope
    action: Action
    retry_after: int | None = None
    is_doubtful: bool = False
    """The message may or may not have been taken."""
    source: Source = Source.BASIC

    @property
    def is_read(self) -> bool:
        """Whether a rule read this in what was said; if not, the class is a guess from a code."""
        return self.source in (Source.PROVIDER_RULE, Source.TEXT_RULE)

    @property
    def verdict(self) -> Verdict:
        """What becomes of the attempt; no try is spent on what stops the provider until somebody mends it."""
        if self.is_doubtful:
            return Verdict.IN_DOUBT
        return Verdict.HELD if self.reply_class in _STOPPING and self.action is Action.BREAK else VERDICTS[self.action]

    @property
    def is_provider(self) -> bool:
        """Whether the provider's host is what failed."""
        return self.scope is Scope.PROVIDER


MEANINGS: Mapping[ReplyClass, tuple[Scope, Action]] = MappingProxyType(
    {
        ReplyClass.DELIVERED: (Scope.RECIPIENT, Action.DONE),
        ReplyClass.AUTH_REJECTED: (Scope.MAILBOX, Action.PAUSE),
        ReplyClass.AUTH_METHOD: (Scope.MAILBOX, Action.PAUSE),
        ReplyClass.AUTH_TEMPORARY: (Scope.MAILBOX, Action.WAIT),
        ReplyClass.TOO_MANY_CONNECTIONS: (Scope.MAILBOX, Action.FEWER_SESSIONS),
        ReplyClass.RATE_LIMITED: (Scope.MAILBOX, Action.SLOW),
        ReplyClass.QUOTA_EXCEEDED: (Scope.MAILBOX, Action.WAIT),
        ReplyClass.SPAM_BLOCKED: (Scope.MESSAGE, Action.BOUNCE),
        ReplyClass.CONTENT_REFUSED: (Scope.MESSAGE, Action.BOUNCE),
        ReplyClass.ACCOUNT_BLOCKED: (Scope.MAILBOX, Action.PAUSE),
        ReplyClass.SENDER_REFUSED: (Scope.MAILBOX, Action.HOLD),
        ReplyClass.SENDER_MAILBOX_FULL: (Scope.MAILBOX, Action.PAUSE),
        ReplyClass.RECIPIENT_UNKNOWN: (Scope.RECIPIENT, Action.BOUNCE),
        ReplyClass.RECIPIENT_MAILBOX_FULL: (Scope.RECIPIENT, Action.BOUNCE),
        ReplyClass.RECIPIENT_DOMAIN_BAD: (Scope.RECIPIENT, Action.BOUNCE),
        ReplyClass.RECIPIENT_REFUSED: (Scope.RECIPIENT, Action.BOUNCE),
        ReplyClass.GREYLISTED: (Scope.RECIPIENT, Action.RETRY),
        ReplyClass.POLICY_REFUSED: (Scope.MESSAGE, Action.BOUNCE),
        ReplyClass.IP_BLOCKED: (Scope.PROVIDER, Action.BREAK),
        ReplyClass.MESSAGE_TOO_LARGE: (Scope.MESSAGE, Action.BOUNCE),
        ReplyClass.TOO_MANY_RECIPIENTS: (Scope.MAILBOX, Action.SLOW),
        ReplyClass.TLS_REQUIRED: (Scope.PROVIDER, Action.BREAK),
        ReplyClass.PROTOCOL_ERROR: (Scope.MESSAGE, Action.HOLD),
        ReplyClass.NETWORK: (Scope.MAILBOX, Action.RETRY),
        ReplyClass.OUTAGE: (Scope.MAILBOX, Action.RETRY),
        ReplyClass.UNKNOWN: (Scope.MESSAGE, Action.RETRY),
    }
)
"""Scope and action where the reply is final and its stage adds nothing; `classify` bends them by stage and code."""
