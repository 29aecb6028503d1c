"""Who is told of what, by which road, and when: once for each cause and mailbox, and then once a day.

Law: nobody is told through the mailbox that is ill or through a provider that is stopped; where somebody has to be told
and there is no road to him, that is said to whoever runs the relay. Durations and instants are microseconds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from relay.core.limits import HOUR, MINUTE
from relay.core.notice import NoticeType
from relay.core.remedy import Needs, needs_of
from relay.core.returned import REMIND_AFTER, address_key
from relay.core.routing import Account, Routing
from relay.core.words import AccountId, MailboxId, Plan

STEADY: int = 15 * MINUTE
"""So long a mailbox has to work before its owner hears that it does: one that comes and goes is one trouble."""

PAID_STEPS: tuple[int, ...] = (30, 7, 1)
"""Days before the end of a paid term at which the vendor is told."""


class Reader(StrEnum):
    """For whom a text is written."""

    DOCTOR = "doctor"
    VENDOR = "vendor"
    OPS = "ops"


# who


_OF_TYPE: Mapping[NoticeType, Reader] = MappingProxyType(
    {
        NoticeType.PAID_UNTIL: Reader.VENDOR,
        NoticeType.FOREIGN_TRAFFIC: Reader.OPS,
        NoticeType.SILENT: Reader.OPS,
        NoticeType.SURPRISE: Reader.OPS,
        NoticeType.SPAM_BLOCKED: Reader.VENDOR,
        NoticeType.MANY_TO_ONE: Reader.VENDOR,
        NoticeType.AUTH_OUTAGE: Reader.OPS,
        NoticeType.PROVIDER_BLOCKED: Reader.OPS,
        NoticeType.PROVIDER_STOPPED: Reader.OPS,
        NoticeType.PROVIDER_HEALED: Reader.OPS,
        NoticeType.STRANDED: Reader.OPS,
        NoticeType.FOUND_AGAIN: Reader.OPS,
        NoticeType.UNKNOWN_REPLY: Reader.OPS,
        NoticeType.UNSENDABLE: Reader.OPS,
    }
)
"""Of what is not about one stopped mailbox."""

_TO_OWNERS = frozenset({"quota-exceeded", "spam-blocked"})
"""Causes that time ends, and that their owners have to know of all the same."""

_GRACE: Mapping[str, int] = MappingProxyType({"paused-by-admin": REMIND_AFTER})
"""Who has paused it himself is reminded when it has lasted."""


def owner_of(plan: Plan) -> Reader:
    """Who can mend a mailbox: the doctor a personal one, the vendor those that he provides."""
    return Reader.DOCTOR if plan is Plan.PERSONAL else Reader.VENDOR


def grace_of(reason: str) -> int:
    """How long a mailbox has to be stopped by this before anybody is told: what passes by itself gets an hour."""
    is_for_somebody = needs_of(reason) is not None or reason in _TO_OWNERS
    return _GRACE.get(reason, 0 if is_for_somebody else HOUR)


def reader_of(kind: NoticeType, reason: str | None, plan: Plan) -> Reader:
    """For whom a notice about an account of this plan is written."""
    if kind in _OF_TYPE:
        return _OF_TYPE[kind]
    needs = needs_of(reason)
    if needs is Needs.OWNER or reason in _TO_OWNERS:
        return owner_of(plan)
    return Reader.VENDOR if needs is Needs.ADMIN else Reader.OPS


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who is told by mail, and of which accounts."""

    reader: Reader
    email: str = field(repr=False)
    name: str = field(repr=False, default="")
    accounts: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class Circle:
    """Everybody to be told by mail; `unheard` are the accounts whose owner cannot be, for want of an address."""

    people: tuple[Addressee, ...]
    unheard: tuple[AccountId, ...] = ()


NOWHERE: frozenset[str] = frozenset()


def circle(
    kind: NoticeType,
    reason: str | None,
    accounts: Sequence[Account],
    postmaster: str | None,
    *,
    refused: frozenset[str] = NOWHERE,
) -> Circle:
    """Who is told of what concerns these accounts of one mailbox, or, without an account, of what concerns ops.

    A doctor without an address is told by the vendor, who has his telephone number, and so is one whose address has
    refused it (`refused`: keys of addresses). One whose only address is the ill mailbox itself is written to all the
    same, for he may still read it; but the vendor is told as well.
    """
    if postmaster is not None and address_key(postmaster) in refused:
        postmaster = None
    if not accounts:
        return Circle(() if postmaster is None else (Addressee(_OF_TYPE.get(kind, Reader.OPS), postmaster),))
    ill = {
        each.lower() for account in accounts for each in (account.sender, *account.aliases, account.mailbox.username)
    }
    told: dict[tuple[Reader, str], list[Account]] = {}
    unheard: list[AccountId] = []
    for account in accounts:
        reader = reader_of(kind, reason, account.plan)
        is_refused = reader is Reader.DOCTOR and address_key(account.owner.email) in refused
        people = _people(reader, account, ill, postmaster, is_refused=is_refused)
        if reader is not Reader.OPS and (is_refused or all(email in ill for _, email in people)):
            unheard.append(account.sender)
        for person in people:
            told.setdefault(person, []).append(account)
    return Circle(tuple(_addressee(person, own) for person, own in told.items()), tuple(unheard))


def joined(circles: Iterable[Circle]) -> Circle:
    """Everybody of them, each once: whoever has one address is told of all his accounts in one mail."""
    people: dict[str, Addressee] = {}
    unheard: list[AccountId] = []
    for each in circles:
        unheard += each.unheard
        for person in each.people:
            known = people.get(person.email.lower(), person)
            reader = person.reader if known.reader is Reader.OPS else known.reader  # ops may be told otherwise
            accounts = tuple(dict.fromkeys((*known.accounts, *person.accounts)))
            people[person.email.lower()] = replace(known, reader=reader, accounts=accounts)
    return Circle(tuple(people.values()), tuple(dict.fromkeys(unheard)))


def _people(
    reader: Reader, account: Account, ill: set[str], postmaster: str | None, *, is_refused: bool
) -> list[tuple[Reader, str]]:
    """Readers and addresses, lower case: in the text of a header their case says nothing."""
    staff = Reader.VENDOR if reader is Reader.DOCTOR else reader
    vendor: list[tuple[Reader, str]] = [] if postmaster is None else [(staff, postmaster.lower())]
    own = account.owner.email.lower()
    if reader is not Reader.DOCTOR or not own or is_refused:
        return vendor
    return [(reader, own), *vendor] if own in ill else [(reader, own)]


def _addressee(person: tuple[Reader, str], accounts: Sequence[Account]) -> Addressee:
    reader, email = person
    name = accounts[0].owner.name if reader is Reader.DOCTOR else ""
    return Addressee(reader, email, name, tuple(account.sender for account in accounts))


# by which road


class NoRoad(StrEnum):
    """Why no mail can be sent to whoever has to be told."""

    NO_SENDER = "no-sender"
    """`notices.from` is not set."""
    NO_ACCOUNT = "no-account"
    """It is no account of the routing."""
    ILL = "ill"
    """It sends through the very mailbox, or provider, that is the trouble."""
    STOPPED = "stopped"
    """Its own mailbox or provider is stopped too; later there may be a road."""
    NO_ADDRESS = "no-address"
    """Nobody knows the address of whoever has to be told."""
    REFUSED = "refused"
    """His provider refused the mail, or it did not leave in time."""
    BOUNCE_UNTOLD = "bounce-untold"
    """A sender was not told that his mail failed: two reports were refused, or there is no way for one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is ill: a mailbox, or with `mailbox` None a whole provider, or nothing that carries mail."""

    provider: str | None = None
    mailbox: MailboxId | None = None

    def has(self, mailbox: MailboxId) -> bool:
        """Whether mail through this mailbox would pass through what is ill."""
        return self.mailbox == mailbox if self.mailbox is not None else self.provider == mailbox.provider


def carrier(
    routing: Routing, notices_from: str | None, trouble: Trouble, is_stopped: Callable[[MailboxId], bool]
) -> Account | NoRoad:
    """The account through which a notice leaves; `is_stopped`: nothing goes through that mailbox, or its provider."""
    if not notices_from:
        return NoRoad.NO_SENDER
    account = routing.account_of(notices_from)
    if account is None:
        return NoRoad.NO_ACCOUNT
    if trouble.has(account.mailbox):
        return NoRoad.ILL
    return NoRoad.STOPPED if is_stopped(account.mailbox) else account


@dataclass(frozen=True, slots=True)
class Telling:
    """What is done about a notice: mails to people through an account, and the webhook of ops."""

    people: tuple[Addressee, ...] = ()
    through: Account | None = None
    to_webhook: bool = False
    unsendable: NoRoad | None = None
    """Somebody is not told by mail: shown in readiness, and said to ops."""

    @property
    def is_told(self) -> bool:
        """Whether anybody at all hears of it."""
        return bool(self.people) or self.to_webhook


def telling(people: Circle, road: Account | NoRoad, *, has_webhook: bool) -> Telling:
    """Who is told, by which road. Ops need no mail where they have a webhook."""
    wanted = tuple(each for each in people.people if not (each.reader is Reader.OPS and has_webhook))
    if wanted and isinstance(road, NoRoad):
        return Telling(to_webhook=has_webhook, unsendable=road)
    lacks = bool(people.unheard) or not (wanted or has_webhook)
    through = None if isinstance(road, NoRoad) or not wanted else road
    return Telling(wanted, through, has_webhook, NoRoad.NO_ADDRESS if lacks else None)


# when


class Word(StrEnum):
    """What is said of a trouble now."""

    FIRST = "first"
    REMINDER = "reminder"
    HEALED = "healed"


@dataclass(frozen=True, slots=True)
class Case:
    """One cause at one mailbox, from its beginning until its owner heard of its end.

    A cause that comes back before `STEADY` is over goes on as the same case, with `ended_at` None again. When another
    cause takes its place nothing is said, for the mailbox does not work; whoever was told hears of the end of that one.
    """

    since: int
    told_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What is to be said now, if anything, and when to look again; `look_at` None: the case is closed."""

    word: Word | None
    look_at: int | None


def next_word(case: Case, now: int, *, grace: int = 0) -> Next:
    """What to say of a case; after a word its `told_at` is `now`."""
    if case.ended_at is not None:
        if case.told_at is None:
            return Next(None, None)
        steady_at = case.ended_at + STEADY
        return Next(Word.HEALED, None) if now >= steady_at else Next(None, steady_at)
    due = case.since + grace if case.told_at is None else case.told_at + REMIND_AFTER
    if now < due:
        return Next(None, due)
    return Next(Word.FIRST if case.told_at is None else Word.REMINDER, now + REMIND_AFTER)


KINDS: Mapping[Word, NoticeType] = MappingProxyType(
    {Word.FIRST: NoticeType.STOPPED, Word.REMINDER: NoticeType.STILL_STOPPED, Word.HEALED: NoticeType.HEALED}
)


def paid_step(paid_until: date, today: date, told: Iterable[int]) -> int | None:
    """Which of `PAID_STEPS` is due, for steps already `told` of this very date; one word where several were missed."""
    left = (paid_until - today).days
    if left < 0:
        return None
    passed = [step for step in PAID_STEPS if left <= step]
    return min(passed) if passed and min(passed) not in set(told) else None
