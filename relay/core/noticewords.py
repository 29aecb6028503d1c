"""The form of what notices say, whatever the language: the sentences themselves are in `noticewords_en` and `_it`.

Law: each language has a sentence for every cause, every type and every reader; `{...}` are filled with names of the
configuration, counts and instants, never with anything from a mail or a reply.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from relay.core.circle import Reader
from relay.core.notice import Circumstance, NoticeType


class Then(StrEnum):
    """What sets the mail going again, once its cause is mended."""

    PASSWORD = "password"
    """The new password is entered."""
    FIXED = "fixed"
    """Somebody says that it is mended."""
    CONNECT = "connect"
    """The mailbox is connected by OAuth2 again."""
    ROUTING = "routing"
    """The routing is corrected."""
    RESUME = "resume"
    """Who paused it lets it go on."""
    WAIT = "wait"
    """Nothing: it goes on by itself."""
    LOOK = "look"
    """Who runs the relay looks into it."""


class Topic(StrEnum):
    """What a story is about: causes that whoever reads it mends in the same way share one."""

    PASSWORD = "password"
    NEVER_WORKED = "never-worked"
    EXPIRED_BY_PROVIDER = "expired-by-provider"
    METHOD = "method"
    BLOCKED = "blocked"
    SENDER = "sender"
    FULL = "full"
    POLICY = "policy"
    SAME_REFUSAL = "same-refusal"
    QUOTA = "quota"
    SPAM = "spam"
    NO_PASSWORD = "no-password"
    NO_ACCOUNT = "no-account"
    PAUSED = "paused"
    PERMISSION = "permission"
    SHUT_OUT = "shut-out"
    OWN_CLIENT = "own-client"
    OWN_SECRET = "own-secret"
    NEVER_CONNECTED = "never-connected"
    INSECURE = "insecure"
    ADDRESS = "address"
    UNREACHABLE = "unreachable"
    SLOWED = "slowed"
    OTHER = "other"


_OF_REASON: Mapping[str, Topic] = MappingProxyType(
    {
        "auth-rejected": Topic.PASSWORD,
        "auth-method": Topic.METHOD,
        "auth-temporary": Topic.UNREACHABLE,
        "account-blocked": Topic.BLOCKED,
        "sender-refused": Topic.SENDER,
        "sender-mailbox-full": Topic.FULL,
        "policy-refused": Topic.POLICY,
        "quota-exceeded": Topic.QUOTA,
        "spam-blocked": Topic.SPAM,
        "no-credentials": Topic.NO_PASSWORD,
        "unusable-credentials": Topic.NO_PASSWORD,
        "no-account": Topic.NO_ACCOUNT,
        "paused-by-admin": Topic.PAUSED,
        "no-token": Topic.NEVER_CONNECTED,
        "oauth-consent": Topic.PERMISSION,
        "oauth-sign-in": Topic.PERMISSION,
        "oauth-password-changed": Topic.PERMISSION,
        "oauth-blocked": Topic.SHUT_OUT,
        "oauth-client": Topic.OWN_CLIENT,
        "oauth-secret": Topic.OWN_SECRET,
        "clear-text": Topic.INSECURE,
        "ip-blocked": Topic.ADDRESS,
        "network": Topic.UNREACHABLE,
        "outage": Topic.UNREACHABLE,
        "rate-limited": Topic.SLOWED,
        "too-many-recipients": Topic.SLOWED,
        "too-many-connections": Topic.SLOWED,
    }
)
_OF_CIRCUMSTANCE: Mapping[Circumstance, Topic] = MappingProxyType(
    {
        Circumstance.NEVER_WORKED: Topic.NEVER_WORKED,
        Circumstance.EXPIRED_BY_PROVIDER: Topic.EXPIRED_BY_PROVIDER,
        Circumstance.SAME_REFUSAL: Topic.SAME_REFUSAL,
    }
)


def topic_of(reason: str | None, circumstance: Circumstance | None) -> Topic:
    """What the story of a cause is about."""
    if circumstance is not None:
        return _OF_CIRCUMSTANCE[circumstance]
    if reason is not None and reason.startswith("tls-"):
        return Topic.INSECURE
    return _OF_REASON.get(reason or "", Topic.OTHER)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, what to do where the provider's profile does not say it better, and what sets the mail going."""

    happened: str
    steps: str
    then: Then


@dataclass(frozen=True, slots=True)
class Event:
    """What is told of something that is not one stopped mailbox: its subject, what it is, what to do."""

    subject: str
    happened: str
    steps: str


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """All that a language needs."""

    day: str
    """A form of strftime."""
    greeting: str
    greeting_nameless: str
    stopped_subject: str
    reminder_subject: str
    healed_subject: str
    opening: str
    still: str
    healed: str
    why: str
    waiting_none: str
    waiting_one: str
    waiting_many: str
    leaving: str
    """Of what waited, when it works again."""
    mails: tuple[str, str, str]
    """None, one, many of them."""
    days: tuple[str, str, str]
    times: tuple[str, str, str]
    kept: str
    next_try: str
    to_do: str
    help: str
    daily: str
    others: str
    """How several senders are named in one place."""
    mailbox: str
    senders: str
    owner: str
    phone: str
    call: str
    """For the vendor: the doctor cannot be written to."""
    ticket: str
    sender_name: str
    stories: Mapping[Topic, Story]
    then: Mapping[tuple[Then, Reader], str]
    events: Mapping[NoticeType, Event]
    support: str
    """The word, lower case, by which the steps of a profile name those who help the doctor."""
    right_after: str
    """What follows where those steps have said already whom to tell."""
