"""Whether a client may send a message: as which address, through which account, with which authors in its header.

Law: MAIL FROM, every author in header From, Sender, Resent-From and Resent-Sender and the account agree, or the message
is refused while its sender still sees the error.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

from relay.core.address import read_mailboxes, split_mailboxes
from relay.core.headers import Change, Field, TopHeader
from relay.core.health import Pause
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account, Client, Routing

Today = Callable[[str], date]
"""The present day in a time zone (its IANA name)."""

_IN_ADDRESS = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@\x80-\xff-]"


@dataclass(frozen=True, slots=True)
class Admitted:
    """The account that sends a message, and where old addresses of its authors have to be rewritten."""

    account: Account
    changes: tuple[Change, ...] = ()


def may_send_as(client: Client, address: str) -> bool:
    """Whether one of the client's patterns covers the whole address, case ignored."""
    lowered = address.lower()
    return any(_covers(pattern.lower(), lowered) for pattern in client.may_send_as)


def admit_sender(routing: Routing, client: Client, sender: str, *, today: Today) -> Account | Refusal:
    """The account that sends as this address for this client."""
    values = {"sender": sender, "client": client.name}
    account = routing.account_of(sender)
    if not may_send_as(client, sender):
        return Refusal(Reason.SENDER_FOREIGN, values, None if account is None else account.sender)
    if account is None:
        return Refusal(Reason.SENDER_UNKNOWN, values)
    return _ended(routing, account, values, today=today) or account


def _ended(routing: Routing, account: Account, values: Mapping[str, str], *, today: Today) -> Refusal | None:
    """That its time is over, since which day: the account's own, or that of an old address that it stands in for."""
    last, old = account.retires, _replaced_until(account, values["sender"])
    if last is None and old is None:
        return None
    day = today(routing.provider_of(account.mailbox).timezone)
    if last is not None and day > last:
        return Refusal(Reason.SENDER_RETIRED, {**values, "day": _after(last)}, account.sender)
    if old is not None and day > old:
        said = {**values, "day": _after(old), "own": account.sender}
        return Refusal(Reason.SENDER_REPLACED, said, account.sender)
    return None


def _after(last: date) -> str:
    return (last + timedelta(days=1)).isoformat()


def sent_as(account: Account, sender: str) -> str:
    """The address that goes upstream: the very one accepted, or the account's own in place of one that it replaces."""
    return account.sender if _replaced_until(account, sender) is not None else sender


def is_null_taken(account: Account, routing: Routing) -> bool:
    """Whether its provider lets it send with `MAIL FROM:<>`; else the account's own address stands there."""
    return routing.provider_of(account.mailbox).takes_null_sender


def is_refused_while_paused(account: Account, pause: Pause, now: int) -> bool:
    """Whether mail of an account is put off because its mailbox is paused; `now` is wall time in microseconds."""
    match account.on_paused:
        case "hold":
            return False
        case "reject":
            return True
        case _:
            return now - pause.since >= account.on_paused_after


def admit_authors(
    routing: Routing, client: Client, header: TopHeader, *, account: Account | None, today: Today
) -> Admitted | Refusal:
    """Whether header From, Sender and their Resent- kin name the account of MAIL FROM; with a null sender (`account`
    None), which one.

    A missing From is no refusal where MAIL FROM says what to put there.
    """
    authors, senders = header.named(b"from"), header.named(b"sender")
    if not authors and account is None:
        return Refusal(Reason.FROM_MISSING)
    if len(authors) > 1 or len(senders) > 1:
        return Refusal(Reason.FROM_COUNT)
    changes: list[Change] = []
    for found in (*authors, *senders, *header.named(b"resent-from"), *header.named(b"resent-sender")):
        named = read_mailboxes(header.value(found))
        if not named:
            return Refusal(Reason.FROM_UNREADABLE)
        owner = account or admit_sender(routing, client, named[0], today=today)
        if isinstance(owner, Refusal):
            return owner
        account = owner
        change = _agreed(routing, account, header, found, named)
        if isinstance(change, Refusal):
            return change
        changes += change
    assert account is not None
    return Admitted(account, tuple(changes))


def _covers(pattern: str, address: str) -> bool:
    """Whether a glob covers an address; the usual ones, `*@domain` and a bare address, need no compiled pattern."""
    head, star, tail = pattern.partition("*")
    if "*" in tail or "?" in pattern or "[" in pattern:
        return fnmatchcase(address, pattern)
    if not star:
        return address == pattern
    return len(address) >= len(head) + len(tail) and address.startswith(head) and address.endswith(tail)


def _replaced_until(account: Account, address: str) -> date | None:
    """Until when the account stands in for this old address; None: it is one of its own."""
    if not account.replaces:
        return None
    lowered = address.lower()
    return next((day for old, day in account.replaces.items() if old.lower() == lowered), None)


def _agreed(
    routing: Routing, account: Account, header: TopHeader, found: Field, named: Sequence[str]
) -> list[Change] | Refusal:
    """What has to be rewritten in a field that names only addresses of this account."""
    for author in named:
        if routing.account_of(author) is not account:
            values = {"field": found.name.decode().title(), "author": author, "sender": account.sender}
            return Refusal(Reason.FROM_FOREIGN, values, account.sender)
    old = [author for author in named if _replaced_until(account, author) is not None]
    if not old:
        return []
    change = _renamed(header, found, old, account.sender)
    return Refusal(Reason.FROM_UNREADABLE) if change is None else [change]


def _renamed(header: TopHeader, found: Field, old: Sequence[str], new: str) -> Change | None:
    """A field with the new address wherever one of the old stood; None: it spells one in a way that is not found."""
    lowered = {address.lower() for address in old}
    value = _once(header.content[found.value : found.end - 2], lowered, new.lower())
    for address in old:
        pattern = rb"(?<!%b)%b(?!%b)" % (_IN_ADDRESS, re.escape(address.encode()), _IN_ADDRESS)
        value = re.sub(pattern, lambda _: new.encode(), value, flags=re.IGNORECASE)
    named = read_mailboxes(value.decode(errors="replace").replace("\r\n", "").strip())
    if not named or any(author.lower() in lowered for author in named):
        return None
    return Change(found.value, found.end - 2, value)


def _once(value: bytes, old: AbstractSet[str], new: str) -> bytes:
    """Without the old addresses (lower case) beside which the new one stands: an author is named once, under the name
    that he has with the new one.
    """
    parts = split_mailboxes(value.decode(errors="surrogateescape"))
    if parts is None or len(parts) < 2:
        return value
    named = [(read_mailboxes(part) or ("",))[0].lower() for part in parts]
    kept: list[str] = []
    is_there = new in named
    for part, name in zip(parts, named, strict=True):
        if not (name in old and is_there):
            kept.append(part)
        is_there = is_there or name in old
    if len(kept) == len(parts):
        return value
    margin = parts[0][: len(parts[0]) - len(parts[0].lstrip())]
    return ",".join([margin + kept[0].lstrip(), *kept[1:]]).encode(errors="surrogateescape")
