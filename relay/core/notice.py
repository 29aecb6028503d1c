"""A notice: what whoever can mend something has to know, as closed values; its texts are made from it elsewhere.

Law: nothing in it comes from a reply or the text of a mail: it holds names of the configuration, words of closed lists,
counts and instants, so no patient and no subject can get into what is told. What a provider's support asks for of one
mail, its id and the domain that it went to, is for letters alone and goes to no webhook.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum

from relay.core.remedy import Needs
from relay.core.words import AccountId

NAMED: int = 20
"""Accounts that a notice names; a provider's trouble concerns thousands, and a webhook should stay below 20 kB."""

NAME_MOST: int = 320
"""Characters of an address or a login (RFC 5321, 4.5.3.1: 64 before the @, 255 after it)."""

COUNT_MOST: int = 1_000_000_000
"""No count is greater: it would be a slip, such as an instant in its place."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_WORD = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class NoticeType(StrEnum):
    """What happened; the words are those of the webhook."""

    STOPPED = "mailbox.stopped"
    STILL_STOPPED = "mailbox.still_stopped"
    """The daily reminder."""
    HEALED = "mailbox.works_again"
    FOREIGN_TRAFFIC = "mailbox.foreign_traffic"
    """Refused as too fast while the relay itself has used under half of the limit."""
    SPAM_BLOCKED = "mailbox.spam_blocked"
    """A mail of it was taken for spam: nothing waits for it, but its provider can be asked why."""
    PAID_UNTIL = "account.paid_until"
    SILENT = "account.silent"
    """It normally sends, and has stopped."""
    SURPRISE = "account.surprise"
    """It sends far more than it usually does."""
    MANY_TO_ONE = "account.many_to_one"
    """Some recipients get many mails of it a day."""
    AUTH_OUTAGE = "provider.auth_outage"
    """Many mailboxes that worked are refused at once: nobody's password is wrong."""
    PROVIDER_BLOCKED = "provider.blocked"
    PROVIDER_STOPPED = "provider.stopped"
    PROVIDER_HEALED = "provider.works_again"
    STRANDED = "accounts.stranded"
    """The mail of many accounts at once goes nowhere."""
    FOUND_AGAIN = "accounts.work_again"
    UNKNOWN_REPLY = "reply.unknown"
    UNSENDABLE = "notice.unsendable"
    """Somebody had to be told, and there is no way to him."""


class Circumstance(StrEnum):
    """What else is known of a cause, where that changes what its owner should do."""

    NEVER_WORKED = "never-worked"
    """What the mailbox logs in with, as it is set now, has not once been accepted."""
    EXPIRED_BY_PROVIDER = "expired-by-provider"
    """Refused soon after a burst: the provider has made the password expire."""
    SAME_REFUSAL = "same-refusal"
    """Different recipients in a row were refused in the same words: it is about the mailbox."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell; instants are wall time in microseconds. ValueError: something in it is not what it should be.

    `id` stays the same however often it is sent, so that a receiver knows it again.
    """

    id: str
    type: NoticeType
    at: int
    provider: str | None = None
    mailbox: str | None = None
    """The login at the provider."""
    accounts: tuple[AccountId, ...] = ()
    """The senders concerned, of the routing; a patient is never one."""
    reason: str | None = None
    """The reply class, or finer than it: a word of a closed list."""
    circumstance: Circumstance | None = None
    since: int | None = None
    waiting: int = 0
    """Mails that wait because of it."""
    needs: Needs | None = None
    """Who has to act; None: time does."""
    next_try: int | None = None
    paid_until: date | None = None
    count: int | None = None
    """Of what the type is about: mailboxes refused, mails sent today, times that a reply was seen, days of silence."""
    usual: int | None = None
    """What `count` is on other days."""
    message: str | None = None
    """The mail that it began with, where the provider's support asks for it."""
    domain: str | None = None
    """Of that mail's recipient."""
    affected: int = 0
    """How many senders are concerned where none is named: those of a whole provider."""

    def __post_init__(self) -> None:
        """Looks at every value: what is not of its kind does not get in."""
        _must(_ID.fullmatch(self.id) is not None, "id")
        _must(self.provider is None or _PROVIDER.fullmatch(self.provider) is not None, "provider")
        _must(self.reason is None or _WORD.fullmatch(self.reason) is not None, "reason")
        _must(self.mailbox is None or _is_name(self.mailbox), "mailbox")
        _must(self.message is None or _ID.fullmatch(self.message) is not None, "message")
        _must(self.domain is None or _is_name(self.domain), "domain")
        _must(all(_is_name(each) and "@" in each for each in self.accounts), "accounts")
        for name in ("waiting", "affected", "count", "usual"):
            value = getattr(self, name)
            _must(value is None or 0 <= value <= COUNT_MOST, name)


def told(notice: Notice) -> Mapping[str, object]:
    """What a program is told of it, as JSON values: each type has the same keys."""
    values: dict[str, object] = {
        each.name: _plain(getattr(notice, each.name))
        for each in fields(notice)
        if each.name not in ("id", "type", "at", "accounts", "affected", "since", "next_try", "message", "domain")
    }
    return values | {
        "accounts": list(notice.accounts[:NAMED]),
        "accounts_total": max(len(notice.accounts), notice.affected),
        "since": None if notice.since is None else instant(notice.since),
        "next_try": None if notice.next_try is None else instant(notice.next_try),
    }


def instant(wall: int) -> str:
    """Wall time (microseconds) as RFC 3339 writes it, in UTC."""
    return datetime.fromtimestamp(wall // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_MOST and text.isprintable()


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"a notice does not take this as its {what}")  # and the value is not repeated
