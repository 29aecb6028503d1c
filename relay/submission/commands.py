"""The commands of a client whose answer is always the same, and what the others count for.

Law: whatever a client says that is in no table is unknown, and unknown is an error.
"""

from collections.abc import Mapping
from types import MappingProxyType

from relay.core.refusal import Reason, Refusal
from relay.core.words import Stage
from relay.submission.replies import CANNOT_VERIFY, HELP, OK

_NOT_OFFERED = Refusal(Reason.COMMAND_NOT_OFFERED)
_MISLED = Refusal(Reason.TOO_MANY_ERRORS)
"""A browser that a web page made talk to this port: what it says next is the page's and may look like a mail."""

FIXED: Mapping[bytes, bytes | Refusal] = MappingProxyType(
    {
        b"NOOP": OK,
        b"HELP": HELP,
        b"VRFY": CANNOT_VERIFY,
        **dict.fromkeys((b"EXPN", b"ETRN", b"TURN", b"BDAT"), _NOT_OFFERED),
        **dict.fromkeys(
            (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PRI"), _MISLED
        ),
    }
)
"""Answers that depend on nothing."""

STAGES: Mapping[bytes, Stage] = MappingProxyType(
    {b"AUTH": Stage.AUTH, b"MAIL": Stage.MAIL, b"RCPT": Stage.RCPT, b"DATA": Stage.DATA}
)
"""Where a refusal belongs that a command meets; all others are EHLO."""

ERRORS = frozenset(
    (
        Reason.COMMAND_TOO_LONG,
        Reason.COMMAND_UNKNOWN,
        Reason.COMMAND_SYNTAX,
        Reason.COMMAND_NOT_OFFERED,
        Reason.COMMAND_ORDER,
        Reason.PARAMETER_UNKNOWN,
        Reason.LOGIN_NEEDED,
        Reason.LOGIN_IN_CLEAR,
        Reason.MECHANISM_UNKNOWN,
    )
)
"""Refusals that a mail client does not meet again and again."""


def order(text: str) -> Refusal:
    """A command that comes at the wrong time."""
    return Refusal(Reason.COMMAND_ORDER, {"usage": text})
