"""Who can mend what stops a delivery.

Law: whatever stops mail for longer than a wait names somebody who has to act, and never the patient.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from relay.core.guard import BOUNCE_GUARD
from relay.core.health import Health, HealthState
from relay.core.limits import HOUR
from relay.core.outages import AUTH_OUTAGE


class Needs(StrEnum):
    """Who has to act before it moves."""

    OWNER = "owner"
    """Who can mend the account's mailbox: the doctor, or the vendor."""
    ADMIN = "admin"
    """Who edits the routing."""
    OPS = "ops"
    """Who runs the relay."""


REMEDIES: Mapping[str, Needs] = MappingProxyType(
    {
        "auth-rejected": Needs.OWNER,
        "auth-method": Needs.OWNER,
        "account-blocked": Needs.OWNER,
        "sender-refused": Needs.OWNER,
        "sender-mailbox-full": Needs.OWNER,
        "policy-refused": Needs.OWNER,
        "spam-blocked": Needs.ADMIN,
        "no-account": Needs.ADMIN,
        "no-credentials": Needs.ADMIN,
        "paused-by-admin": Needs.ADMIN,
        "in-doubt": Needs.ADMIN,
        "corrupt": Needs.OPS,
        "ip-blocked": Needs.OPS,
        "tls-required": Needs.OPS,
        "tls-expired": Needs.OPS,
        "tls-not-yet-valid": Needs.OPS,
        "tls-wrong-name": Needs.ADMIN,
        "tls-self-signed": Needs.ADMIN,
        "tls-untrusted": Needs.ADMIN,
        "tls-too-old": Needs.OPS,
        "tls-not-spoken": Needs.ADMIN,
        "tls-expected": Needs.OPS,
        "tls-failed": Needs.OPS,
        "tls-not-offered": Needs.OPS,
        "tls-refused": Needs.OPS,
        "tls-injected": Needs.OPS,
        "tls-ca-unreadable": Needs.ADMIN,
        "clear-text": Needs.ADMIN,
        "auth-not-offered": Needs.OPS,
        "no-token": Needs.ADMIN,
        "oauth-consent": Needs.OWNER,
        "oauth-sign-in": Needs.OWNER,
        "oauth-password-changed": Needs.OWNER,
        "oauth-blocked": Needs.OWNER,
        "oauth-client": Needs.ADMIN,
        "oauth-secret": Needs.ADMIN,
        "oauth-unread": Needs.OPS,
        "oauth-unsaved": Needs.OPS,
        "unusable-credentials": Needs.ADMIN,
        "protocol-error": Needs.OPS,
        "unknown": Needs.OPS,
        BOUNCE_GUARD: Needs.OPS,
    }
)
"""By reason; what is not named here heals by itself."""


ENDED_BY_FIXED: frozenset[str] = frozenset({"policy-refused", "protocol-error", "unknown", "bounce-guard"})
"""For what a delivery is held by itself until somebody says that the cause is mended; what is in doubt was perhaps
sent, and what cannot be read stays so, whatever anybody says."""


LASTING: int = HOUR
"""Microseconds after which what should have passed by itself names somebody."""

LASTING_REMEDIES: Mapping[str, Needs] = MappingProxyType({"too-many-connections": Needs.OPS})
"""Of what passes in minutes, and somebody can mend where it does not."""


def needs_of(reason: str | None, *, lasted: int = 0) -> Needs | None:
    """Who has to act on what has `lasted` so long (microseconds); None: nobody, time does."""
    if reason is None:
        return None
    return REMEDIES.get(reason) or (LASTING_REMEDIES.get(reason) if lasted >= LASTING else None)


def needs_of_health(health: Health, *, lasted: int = 0) -> Needs | None:
    """Who has to act on a mailbox or a host; None also while one login more has to show whether anybody has."""
    return None if health.state is HealthState.DOUBTED else needs_of(health.reason, lasted=lasted)


TOLD_AT_ONCE: frozenset[str] = frozenset({"quota-exceeded", AUTH_OUTAGE})
"""Of what time alone heals, what is told all the same: the owner may want to send what is urgent another way, and
doctors will ask for a password that is not wrong."""


def is_told(health: Health, *, lasted: int) -> bool:
    """Whether somebody has to hear that it is stopped: nobody of a doubt, of what passes only when it has not."""
    if health.state is HealthState.PAUSED or health.reason in TOLD_AT_ONCE:
        return True
    return health.state is HealthState.WAITING and lasted >= LASTING
