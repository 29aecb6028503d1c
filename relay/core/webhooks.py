"""Webhooks as the Standard Webhooks specification 1.0.0 has them: the body, its signature, and when to try again.

Law: a try is over with any 2xx and with nothing else; the id of an event never changes, the time of its try always
does; what gets no 2xx is tried again over three days, and then somebody is told. Durations are microseconds.
"""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.notice import Notice, instant, told

STEPS: tuple[int, ...] = (
    5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""The pauses after the first, second, ... try: the specification's own schedule, 75 h in all."""

JITTER: float = 0.2
"""A pause grows by up to this part of itself by chance, so that what failed together does not come back together."""

LATE: int = 15 * MINUTE
"""A notice that nobody has taken for so long is said in readiness: its first three tries have failed by then."""

RETRY_AFTER_MOST: int = 24 * HOUR
"""A receiver may ask for so much patience: the longest pause of the schedule."""

SECRET_PREFIX = "whsec_"
SECRET_LEAST, SECRET_MOST = 24, 64
"""Octets of a secret, as the specification asks."""

_GONE = 410
_THROTTLING = frozenset({429, 502, 503, 504})
"""Answers that say: less, and later."""


class Silence(StrEnum):
    """Why there was no answer."""

    UNKNOWN_HOST = "unknown-host"
    REFUSED_ADDRESS = "refused-address"
    """Its name leads to an address that nothing may be sent to."""
    UNREACHABLE = "unreachable"
    UNVERIFIED = "unverified"
    """No TLS, or a certificate that cannot be verified."""
    TIMEOUT = "timeout"
    NONSENSE = "nonsense"
    """It hung up, or spoke something else than HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: its status, and for how long it asks to be left alone."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Later:
    """To be tried again so many microseconds from now; `reason` is a word or a status."""

    after: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Not tried any more by itself: to be kept where an admin sees it."""

    reason: str


Outcome = Sent | Later | Dead


def next_try(answer: Answer | Silence, tries: int, chance: float) -> Outcome:
    """What follows from the answer to try number `tries` (from 1 on); `chance` is from 0 to less than 1."""
    if isinstance(answer, Answer) and 200 <= answer.status < 300:
        return Sent()
    reason = _reason(answer)
    if isinstance(answer, Answer) and answer.status == _GONE:
        return Dead(reason)
    if tries > len(STEPS):
        return Dead(reason)
    step = STEPS[max(tries, 1) - 1]
    return Later(int(max(step, _asked(answer)) * (1 + JITTER * chance)), reason)


def _reason(answer: Answer | Silence) -> str:
    return str(answer) if isinstance(answer, Silence) else f"status-{answer.status}"


def _asked(answer: Answer | Silence) -> int:
    if isinstance(answer, Silence) or answer.status not in _THROTTLING or answer.retry_after is None:
        return 0
    return min(answer.retry_after, RETRY_AFTER_MOST)


def read_retry_after(text: str | None, now: int) -> int | None:
    """Microseconds that a Retry-After field asks for (RFC 9110, 10.2.3: seconds, or a date); None: none, or nonsense.

    `now` is wall time in microseconds.
    """
    if text is None or len(text) > 64:
        return None
    seconds = text.strip(" \t")
    if seconds.isascii() and seconds.isdigit():
        return min(int(seconds), RETRY_AFTER_MOST // SECOND) * SECOND
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    known = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0, int((known - datetime.fromtimestamp(now / SECOND, UTC)).total_seconds()) * SECOND)


# what is sent


def body_of(notice: Notice) -> bytes:
    """The event as JSON: its type, when it happened, and what is told of it."""
    event = {"type": notice.type, "timestamp": instant(notice.at), "data": told(notice)}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(ident: str, body: bytes, *, now: int, keys: Sequence[bytes]) -> dict[str, str]:
    """The metadata of a try at `now` (wall time, microseconds), signed with each key; without one it is unsigned."""
    timestamp = now // SECOND
    headers = {"webhook-id": ident, "webhook-timestamp": str(timestamp)}
    if keys:
        headers["webhook-signature"] = " ".join(sign(key, ident, timestamp, body) for key in keys)
    return headers


def sign(key: bytes, ident: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA-256 of id, time (seconds) and body, joined by full stops; so no id may have one."""
    signed = b"%s.%d.%s" % (ident.encode(), timestamp, body)
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def read_keys(secret: str) -> tuple[bytes, ...]:
    """The keys of a secret: base64, `whsec_` before it or not; several, apart by blanks, while one replaces another.

    ValueError with what to write instead; it never repeats the secret.
    """
    keys = tuple(_key(each) for each in secret.split())
    if not keys:
        raise ValueError("an empty secret; write whsec_ and 24 to 64 random octets in base64")
    return keys


def _key(text: str) -> bytes:
    if text.startswith(("whsk_", "whpk_")):
        raise ValueError("the secret is a key of the asymmetric scheme; write one with whsec_")
    encoded = text.removeprefix(SECRET_PREFIX)
    try:
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise ValueError("the secret is not base64; write whsec_ and 24 to 64 random octets in base64") from None
    if not key:
        raise ValueError("an empty secret; write whsec_ and 24 to 64 random octets in base64")
    return key


def is_weak(keys: Sequence[bytes]) -> bool:
    """Whether one of them is shorter or longer than the specification asks."""
    return any(not SECRET_LEAST <= len(key) <= SECRET_MOST for key in keys)
