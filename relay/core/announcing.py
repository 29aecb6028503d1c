"""From a concern to the notice that tells of it, and when it is told.

Law: a notice of the same word of the same concern is the same notice, with the same id; of a concern's detail only
figures, dates, words of closed lists, a message's id and a domain are taken over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from relay.core.concerns import ONCE, Concern, ConcernKind
from relay.core.limits import MINUTE
from relay.core.notice import Circumstance, Notice, NoticeType
from relay.core.remedy import Needs, needs_of
from relay.core.reminding import KINDS, Case, Next, Word, grace_of, next_word
from relay.core.words import AccountId

PROVIDER_GRACE: int = 10 * MINUTE
"""A provider that is out of reach for less is not talked of: its mail is late by minutes."""

STRANDED_GRACE: int = 10 * MINUTE
"""The same of accounts that go nowhere: an edit may take two steps, and a file of secrets is written anew."""

MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
DOMAIN = re.compile(r"[^\s@<>\"'`\\]{1,255}")
"""As a ticket may name it; what else it might be is left out."""

UNTOLD = frozenset({ConcernKind.PASSWORD_EXPIRED_BY_PROVIDER})
"""What is said within another notice."""

_KEYED = frozenset({ConcernKind.PAID_UNTIL, ConcernKind.MANY_TO_ONE})
"""Whose `reason` tells one concern from another, and nobody why."""

_OF_MAILBOX = frozenset({ConcernKind.MAILBOX_STOPPED, ConcernKind.ACCOUNT_STRANDED, ConcernKind.BOUNCE_GUARD})
_STRANDED = frozenset({ConcernKind.ACCOUNT_STRANDED, ConcernKind.ACCOUNTS_STRANDED})
_OF_PROVIDER: Mapping[ConcernKind, NoticeType] = MappingProxyType(
    {
        ConcernKind.PROVIDER_STOPPED: NoticeType.PROVIDER_STOPPED,
        ConcernKind.AUTH_OUTAGE: NoticeType.AUTH_OUTAGE,
        ConcernKind.BLOCK: NoticeType.PROVIDER_BLOCKED,
    }
)
_OTHERS: Mapping[ConcernKind, NoticeType] = MappingProxyType(
    {
        ConcernKind.SPAM_BLOCKED: NoticeType.SPAM_BLOCKED,
        ConcernKind.FOREIGN_TRAFFIC: NoticeType.FOREIGN_TRAFFIC,
        ConcernKind.UNKNOWN_REPLY: NoticeType.UNKNOWN_REPLY,
        ConcernKind.SILENCE: NoticeType.SILENT,
        ConcernKind.SURPRISE: NoticeType.SURPRISE,
        ConcernKind.MANY_TO_ONE: NoticeType.MANY_TO_ONE,
        ConcernKind.PAID_UNTIL: NoticeType.PAID_UNTIL,
        ConcernKind.UNSENDABLE: NoticeType.UNSENDABLE,
    }
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is to be told beside the concern itself; instants are wall time in microseconds."""

    now: int
    words: int = 0
    """How often somebody was told of it before."""
    accounts: Sequence[AccountId] = ()
    waiting: int = 0
    next_try: int | None = None
    circumstance: Circumstance | None = None
    since: int | None = None
    """Since when it stood still for other causes before this one."""
    affected: int = 0
    """How many senders are concerned, where none is named."""


def word_of(concern: Concern, told_at: int | None, now: int) -> Next:
    """What is to be said of a concern now, and when to look again; `look_at` None: never."""
    if concern.kind in UNTOLD:
        return Next(None, None)
    if concern.kind in ONCE:
        return Next(Word.FIRST if told_at is None else None, None)
    if concern.kind is ConcernKind.SILENCE and told_at is not None and concern.closed_at is not None:
        return Next(None, None)  # that it sends again, its owner knows
    return next_word(Case(concern.opened_at, told_at, concern.closed_at), now, grace=_grace(concern))


def _grace(concern: Concern) -> int:
    if concern.kind is ConcernKind.MAILBOX_STOPPED and concern.reason is not None:
        return grace_of(concern.reason)
    if concern.kind in _STRANDED:
        return max(STRANDED_GRACE, grace_of(concern.reason or ""))
    is_passing = concern.kind is ConcernKind.PROVIDER_STOPPED and needs_of(concern.reason) is None
    return PROVIDER_GRACE if is_passing else 0


def type_of(kind: ConcernKind, word: Word) -> NoticeType:
    """What a word about a concern is called. KeyError: nothing is said of this kind."""
    if kind in _OF_MAILBOX:
        return KINDS[word]
    if kind is ConcernKind.ACCOUNTS_STRANDED:
        return NoticeType.FOUND_AGAIN if word is Word.HEALED else NoticeType.STRANDED
    if kind in _OF_PROVIDER:
        return NoticeType.PROVIDER_HEALED if word is Word.HEALED else _OF_PROVIDER[kind]
    return _OTHERS[kind]


def ids_of(concern: Concern) -> str:
    """What the ids of its notices begin with, and those of no other concern."""
    return f"c{concern.id}-"


def notice_of(concern: Concern, word: Word, situation: Situation) -> Notice:
    """The notice for a word."""
    kind, subject = type_of(concern.kind, word), concern.subject
    mailbox = subject.mailbox
    return Notice(
        id=f"{ids_of(concern)}{concern.opened_at // 1_000_000}-{situation.words + 1}",
        type=kind,
        at=situation.now,
        provider=mailbox.provider if mailbox is not None else subject.provider,
        mailbox=None if mailbox is None else mailbox.username,
        accounts=tuple(situation.accounts) or (() if subject.account is None else (subject.account,)),
        reason=None if concern.kind in _KEYED else concern.reason,
        circumstance=_circumstance(concern, situation.circumstance),
        since=concern.opened_at if situation.since is None else min(situation.since, concern.opened_at),
        affected=situation.affected,
        waiting=situation.waiting,
        needs=_needs(concern, word),
        next_try=None if word is Word.HEALED else situation.next_try,
        paid_until=_day(concern.detail.get("paid_until")),
        count=_number(concern.detail.get("count") or concern.detail.get("mailboxes")),
        usual=_number(concern.detail.get("usual")),
        message=_cited(concern.detail.get("message"), MESSAGE_ID),
        domain=_cited(concern.detail.get("domain"), DOMAIN),
    )


def _needs(concern: Concern, word: Word) -> Needs | None:
    if concern.kind is ConcernKind.UNSENDABLE:
        return Needs.OPS
    return None if word is Word.HEALED else needs_of(concern.reason)


def _circumstance(concern: Concern, known: Circumstance | None) -> Circumstance | None:
    if known is not None:
        return known
    if concern.kind is ConcernKind.BOUNCE_GUARD:
        return Circumstance.SAME_REFUSAL
    written = concern.detail.get("circumstance")
    return Circumstance(written) if written in set(Circumstance) else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 9 else None


def _cited(text: str | None, kind: re.Pattern[str]) -> str | None:
    return text if text is not None and kind.fullmatch(text) else None


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        return None
