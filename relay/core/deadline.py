"""Until when a message is worth anything: what its header field `X-Relay-Valid-Until` says, or its account's lifetime.

Law: a day that cannot be read or is over refuses the message while its sender still sees it; no day makes it live
longer than its account lets it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from email.utils import parsedate_to_datetime

from relay.core.headers import TopHeader
from relay.core.instants import exact
from relay.core.limits import SECOND
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account

VALID_UNTIL = b"x-relay-valid-until"

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})[T ]", re.IGNORECASE)
"""A day and a time of it: ISO 8601 has weeks too, which nobody means to the minute."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When it ends, wall time in microseconds; `is_dated`: its sender named the day, so it ends then, held or not."""

    at: int
    is_dated: bool


@dataclass(frozen=True, slots=True)
class Lateness:
    """That a message would leave after its deadline, as a doctor reads it; `leaves` empty: not before somebody acts."""

    leaves: str
    deadline: str
    comes_back: bool = True
    """At its deadline; not what is held without a day of its own, which waits longer."""
    cause: str = ""
    """Why its account is paused, so that somebody has to act first; empty: nobody has to, or that is not known."""


def lateness_of(deadline: Deadline, leaves_at: int | None, zone: tzinfo) -> Lateness | None:
    """None: it leaves in time."""
    if leaves_at is not None and leaves_at < deadline.at:
        return None
    comes_back = deadline.is_dated or leaves_at is not None
    return Lateness("" if leaves_at is None else shown(leaves_at, zone), shown(deadline.at, zone), comes_back)


def deadline_of(header: TopHeader, account: Account, *, zone: tzinfo, now: int) -> Deadline | Refusal | None:
    """The deadline of a message that comes in `now` (wall time, microseconds); None: only the queue's own lifetime."""
    own = None if account.lifetime is None else Deadline(now + account.lifetime, is_dated=False)
    said = header.named(VALID_UNTIL)
    if not said:
        return own
    if len(said) > 1:
        return Refusal(Reason.VALID_UNTIL_TWICE, {}, account.sender)
    text = header.value(said[0])
    at = read_day(text, zone)
    if at is None:
        return Refusal(Reason.VALID_UNTIL_UNREADABLE, {"said": text}, account.sender)
    if at <= now:
        return Refusal(Reason.VALID_UNTIL_PAST, {"day": shown(at, zone)}, account.sender)
    return own if own is not None and own.at < at else Deadline(at, is_dated=True)


def read_day(text: str, zone: tzinfo) -> int | None:
    """An instant as RFC 5322 (3.3) or ISO 8601 write it; a day alone (2026-11-22, and no week) ends with it; without a
    zone it is in `zone`.
    """
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        found = None if day is None else datetime.combine(day + timedelta(days=1), time.min)
    except (ValueError, OverflowError):
        return None
    if found is None:
        found_or_none = _instant(text)
        if found_or_none is None:
            return None
        found = found_or_none
    try:
        return round(found.replace(tzinfo=found.tzinfo or zone).timestamp() * SECOND)
    except (ValueError, OverflowError, OSError):
        return None


def shown(at: int, zone: tzinfo) -> str:
    """An instant as an answer of SMTP has it."""
    return exact(datetime.fromtimestamp(at / SECOND, UTC).astimezone(zone))


def _instant(text: str) -> datetime | None:
    for read in (datetime.fromisoformat,) if _MOMENT.match(text) else (parsedate_to_datetime,):
        try:
            return read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
