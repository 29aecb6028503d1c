"""Who is told of what: the doctor, the vendor, or whoever runs the relay, and at which address.

Law: whoever can mend it is told; where a doctor cannot be, the vendor is, who has his telephone number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from relay.core.notice import NoticeType
from relay.core.remedy import Needs, needs_of
from relay.core.returned import address_key
from relay.core.routing import Account
from relay.core.words import AccountId, Plan


class Reader(StrEnum):
    """For whom a text is written."""

    DOCTOR = "doctor"
    VENDOR = "vendor"
    OPS = "ops"


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

TO_OWNERS = frozenset({"quota-exceeded", "spam-blocked"})
"""Causes that time ends, and that their owners have to know of all the same."""


def owner_of(plan: Plan) -> Reader:
    """Who can mend a mailbox: the doctor a personal one, the vendor those that he provides."""
    return Reader.DOCTOR if plan is Plan.PERSONAL else Reader.VENDOR


def reader_of(kind: NoticeType, reason: str | None, plan: Plan) -> Reader:
    """For whom a notice about an account of this plan is written."""
    if kind in _OF_TYPE:
        return _OF_TYPE[kind]
    needs = needs_of(reason)
    if needs is Needs.OWNER or reason in TO_OWNERS:
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
