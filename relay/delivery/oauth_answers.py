"""What an authorization server's answer means: `read_answer(status, body) -> Grant | Refusal` (RFC 6749, 5 and 6).

Law: what stops a mailbox rests on the error's name alone; a provider's own numbers only say more exactly who mends it,
because they change. What cannot be read stops nobody for good, and no token shows in `repr`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from relay.core.meaning import Fault

TOKEN_LENGTH: int = 8_192
"""In base64 and with a user name this still fits into the 12,288 octets of a line of AUTH (RFC 4954, 4)."""

ASSUMED_SECONDS: float = 300.0
"""How long a token lives of which nothing is said (RFC 6749, 5.1 only recommends to say it)."""

LONGEST_SECONDS: float = 86_400.0
"""A token that claims to live longer is asked for again after a day all the same."""

RETRY_AFTER_MOST: float = 600.0
"""Seconds; a server that asks for more is tried again then."""

CODES_MOST: int = 4
"""So many numbers of one answer are kept."""

_TOKEN = re.compile(r"[\x20-\x7e]+", re.ASCII)
_NAME = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_CODE = re.compile(r"\bAADSTS(\d{4,9})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token, how many seconds it lives, and the refresh token that takes the place of the one shown."""

    access_token: str = field(repr=False)
    seconds: float
    refresh_token: str | None = field(default=None, repr=False)


class Blame(Enum):
    """Whom a refusal is about."""

    TIME = "time"
    """Nobody: it is tried again."""
    GRANT = "grant"
    """The owner's permission to send."""
    CLIENT = "client"
    """The relay itself, as registered with the provider."""
    CLIENT_OR_GRANT = "client-or-grant"
    """The relay itself, unless it was served lately for another mailbox: then the permission."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no access token; `said` are the names and numbers of the answer, and nothing else of it."""

    blame: Blame
    fault: Fault
    said: str
    retry_after: float | None = None
    """Seconds, where the answer asks for a pause."""


_BY_ERROR: Mapping[str, tuple[Blame, Fault]] = MappingProxyType(
    {
        "invalid_grant": (Blame.GRANT, Fault.OAUTH_CONSENT),
        "consent_required": (Blame.GRANT, Fault.OAUTH_CONSENT),
        "access_denied": (Blame.GRANT, Fault.OAUTH_CONSENT),
        "interaction_required": (Blame.GRANT, Fault.OAUTH_SIGN_IN),
        "login_required": (Blame.GRANT, Fault.OAUTH_SIGN_IN),
        "account_selection_required": (Blame.GRANT, Fault.OAUTH_SIGN_IN),
        "admin_policy_enforced": (Blame.GRANT, Fault.OAUTH_BLOCKED),
        "org_internal": (Blame.CLIENT_OR_GRANT, Fault.OAUTH_CLIENT),
        "invalid_client": (Blame.CLIENT, Fault.OAUTH_CLIENT),
        "deleted_client": (Blame.CLIENT, Fault.OAUTH_CLIENT),
        "disabled_client": (Blame.CLIENT, Fault.OAUTH_CLIENT),
        "unsupported_grant_type": (Blame.CLIENT, Fault.OAUTH_CLIENT),
        "invalid_tenant": (Blame.CLIENT, Fault.OAUTH_CLIENT),
        "unauthorized_client": (Blame.CLIENT_OR_GRANT, Fault.OAUTH_CLIENT),
        "invalid_request": (Blame.CLIENT_OR_GRANT, Fault.OAUTH_CLIENT),
        "invalid_scope": (Blame.CLIENT_OR_GRANT, Fault.OAUTH_CLIENT),
        "invalid_resource": (Blame.CLIENT_OR_GRANT, Fault.OAUTH_CLIENT),
        "temporarily_unavailable": (Blame.TIME, Fault.OAUTH_UNREACHABLE),
        "server_error": (Blame.TIME, Fault.OAUTH_UNREACHABLE),
        "internal_failure": (Blame.TIME, Fault.OAUTH_UNREACHABLE),
        "slow_down": (Blame.TIME, Fault.OAUTH_UNREACHABLE),
        "rate_limit_exceeded": (Blame.TIME, Fault.OAUTH_UNREACHABLE),
    }
)
"""By `error` (RFC 6749, 5.2; OpenID Connect Core, 3.1.2.6; the rest as Microsoft and Google say it)."""

_SIGN_IN = (50055, 50072, 50074, 50076, 50078, 50079, 50144, 50158)
_PASSWORD_CHANGED = (50132, 50133, 50173)
_BLOCKED = (50034, 50053, 50057, 50105, 53000, 53001, 53002, 53003, 53004)
_BY_CODE: Mapping[int, Fault] = MappingProxyType(
    dict.fromkeys(_SIGN_IN, Fault.OAUTH_SIGN_IN)
    | dict.fromkeys(_PASSWORD_CHANGED, Fault.OAUTH_PASSWORD_CHANGED)
    | dict.fromkeys(_BLOCKED, Fault.OAUTH_BLOCKED)
)
"""Microsoft's numbers that say more than its `error` about a permission (Entra's list of error codes)."""

_BY_SUBERROR: Mapping[str, Fault] = MappingProxyType(
    {
        "consent_required": Fault.OAUTH_CONSENT,
        "user_password_expired": Fault.OAUTH_PASSWORD_CHANGED,
        "basic_action": Fault.OAUTH_SIGN_IN,
        "additional_action": Fault.OAUTH_SIGN_IN,
        "invalid_rapt": Fault.OAUTH_SIGN_IN,
    }
)
"""Microsoft's `suberror` and Google's `error_subtype`, the last of them: an organisation wants a new sign-in."""

_CLIENT_CODES = frozenset({90002, 900023, 7000112, 7000215, 7000218, 7000222})
"""Tenant unknown, client disabled, client secret wrong, missing or expired: whatever else is said, it is the client."""

_PASSING_CODES = frozenset({50196, 90033, 90055})
"""Too many requests, or the service is away, whatever its `error` is called."""


def read_answer(status: int, body: bytes, retry_after: str | None = None) -> Grant | Refusal:
    """What was granted, or why nothing was; `retry_after` is the header of that name."""
    pause = _pause(retry_after)
    answer = _object(body)
    if status == 200 and answer is not None:
        return _grant(answer) or Refusal(Blame.TIME, Fault.OAUTH_UNREAD, "http 200 without a token", pause)
    if status == 429 or status >= 500:
        return Refusal(Blame.TIME, Fault.OAUTH_UNREACHABLE, f"http {status}", pause)
    if answer is None:
        return Refusal(Blame.TIME, Fault.OAUTH_UNREAD, f"http {status} without JSON", pause)
    return _refusal(status, answer, pause)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _grant(answer: Mapping[str, Any]) -> Grant | None:
    access, kind = answer.get("access_token"), answer.get("token_type", "Bearer")
    refresh = answer.get("refresh_token")
    if not _is_token(access) or str(kind).lower() != "bearer" or not (refresh is None or _is_token(refresh)):
        return None
    return Grant(str(access), _lifetime(answer.get("expires_in")), refresh)


def _is_token(value: Any) -> bool:
    """Visible characters and blanks (RFC 6749, A.12), and not more than a login can carry."""
    return isinstance(value, str) and len(value) <= TOKEN_LENGTH and _TOKEN.fullmatch(value) is not None


def _lifetime(value: Any) -> float:
    """Seconds; some say them as text."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 12:
        return ASSUMED_SECONDS
    return min(float(text), LONGEST_SECONDS)


def _refusal(status: int, answer: Mapping[str, Any], pause: float | None) -> Refusal:
    error = _name(answer.get("error"))
    subtype = _name(answer.get("suberror")) or _name(answer.get("error_subtype"))
    codes = _codes(answer)
    said = " ".join([error or f"http {status}", *filter(None, [subtype]), *(f"AADSTS{code}" for code in codes)])
    if _PASSING_CODES.intersection(codes):
        return Refusal(Blame.TIME, Fault.OAUTH_UNREACHABLE, said, pause)
    blame, fault = _BY_ERROR.get(error, (Blame.TIME, Fault.OAUTH_UNREAD))
    if blame is not Blame.GRANT and _CLIENT_CODES.intersection(codes):
        return Refusal(Blame.CLIENT, Fault.OAUTH_CLIENT, said)
    if blame is Blame.GRANT:
        named = [_BY_CODE[code] for code in codes if code in _BY_CODE]
        fault = named[0] if named else _BY_SUBERROR.get(subtype, fault)
    return Refusal(blame, fault, said, pause)


def _name(value: Any) -> str:
    """A word of the vocabulary, or nothing: what a peer writes is not carried on."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def _codes(answer: Mapping[str, Any]) -> tuple[int, ...]:
    listed = answer.get("error_codes")
    described = answer.get("error_description")
    codes = [code for code in listed if type(code) is int] if isinstance(listed, list) else []
    codes += [int(code) for code in _CODE.findall(described)] if isinstance(described, str) else []
    return tuple(dict.fromkeys(code for code in codes if 0 < code < 10**9))[:CODES_MOST]


def _pause(text: str | None) -> float | None:
    """Seconds; of the two forms of Retry-After (RFC 9110, 10.2.3) the one that needs no clock."""
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return min(float(text), RETRY_AFTER_MOST)
