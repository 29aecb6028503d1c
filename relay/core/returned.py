"""Notices whose mail came back: at whose address, when, and how often, kept in the detail of their concern.

Law: no address is kept, only its key. Durations and instants are microseconds.
"""

import hashlib
import json
from collections.abc import Mapping

from relay.core.limits import HOUR

REMIND_AFTER: int = 24 * HOUR
"""Between two words about the same trouble: at the same time of the day."""

RETRY_AFTER: int = REMIND_AFTER - HOUR
"""So long nobody is written to at an address that refused a notice: the next reminder tries it again."""

REFUSED = "refused"
"""Of a concern's detail: whose mails were refused, as JSON of the address's key, when (microseconds) and how often."""


def address_key(email: str) -> str:
    """What stands for an address where no address is kept."""
    return hashlib.sha256(email.lower().encode()).hexdigest()[:12]


def refusals_of(detail: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """By key of the address: when a notice was refused last, and how many of this concern were."""
    return {key: (at, times) for key, (at, times) in json.loads(detail.get(REFUSED, "{}")).items()}


def refused_at(detail: Mapping[str, str], now: int | None) -> frozenset[str]:
    """The keys of addresses that refused a notice lately; `now` None: ever."""
    known = refusals_of(detail)
    return frozenset(key for key, (at, _) in known.items() if now is None or now < at + RETRY_AFTER)


def with_refusal(detail: Mapping[str, str], key: str, at: int) -> dict[str, str]:
    """The detail of a concern of which a notice was refused once more."""
    known = refusals_of(detail)
    known[key] = (at, known.get(key, (0, 0))[1] + 1)
    return {**detail, REFUSED: json.dumps(known)}
