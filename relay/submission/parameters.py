"""The parameters of MAIL and RCPT: SIZE, BODY, SMTPUTF8, AUTH and those of DSN.

Law: what the EHLO reply offers is understood, and nothing else is taken.
"""

import re
from dataclasses import dataclass

from relay.core.refusal import Reason, Refusal

ENVID_MOST: int = 100
"""Characters of an envelope id (RFC 3461, 4.4)."""

ORCPT_MOST: int = 500
"""Characters of an original recipient (RFC 3461, 4.2)."""

_XTEXT = r"(?:[!-*,-<>-~]|\+[2-6][0-9A-F]|\+7[0-9A-E])"
"""RFC 3461, 4: what is written as hex has to be printable too, or it could begin a line of a report."""
_ENVID = re.compile(_XTEXT + "+")
_ORCPT = re.compile(rf"[A-Za-z0-9-]+;(?:{_XTEXT}|\\x\{{[0-9A-F]{{2,6}}\}}|[\u0080-\U0010ffff])+")
_NOTIFY = frozenset(("SUCCESS", "FAILURE", "DELAY"))
_BODIES = frozenset(("7BIT", "8BITMIME"))
_DIGITS_MOST: int = 20
"""RFC 1870, 3."""


@dataclass(slots=True)
class MailParameters:
    """What MAIL said besides the sender."""

    size: int = 0
    has_smtputf8: bool = False
    ret: str | None = None
    envid: str | None = None


@dataclass(slots=True)
class RecipientParameters:
    """What RCPT said besides the recipient."""

    notify: tuple[str, ...] = ()
    orcpt: str | None = None


def read_mail_parameters(text: str) -> MailParameters | Refusal:
    """RFC 1870 (SIZE), 6152 (BODY), 6531 (SMTPUTF8), 3461 (RET, ENVID), 4954 (AUTH, which is heard and not used)."""
    found = MailParameters()
    seen: set[str] = set()
    for parameter in text.split():
        name, equals, value = parameter.partition("=")
        name, upper = name.upper(), value.upper()
        if name in seen:
            return _refused(name, known=(name,))
        seen.add(name)
        if name == "SIZE" and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MOST:
            found.size = int(value)
        elif name == "SMTPUTF8" and not equals:
            found.has_smtputf8 = True
        elif name == "RET" and upper in {"FULL", "HDRS"}:
            found.ret = upper
        elif name == "ENVID" and len(value) <= ENVID_MOST and _ENVID.fullmatch(value):
            found.envid = value
        elif not ((name == "BODY" and upper in _BODIES) or (name == "AUTH" and value)):
            return _refused(name, known=("SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"))
    return found


def read_recipient_parameters(text: str) -> RecipientParameters | Refusal:
    """RFC 3461, 4.1 (NOTIFY) and 4.2 (ORCPT)."""
    found = RecipientParameters()
    for parameter in text.split():
        name, _, value = parameter.partition("=")
        name = name.upper()
        if name == "NOTIFY" and not found.notify and (events := _events(value)):
            found.notify = events
        elif name == "ORCPT" and found.orcpt is None and len(value) <= ORCPT_MOST and _ORCPT.fullmatch(value):
            found.orcpt = value
        else:
            return _refused(name, known=("NOTIFY", "ORCPT"))
    return found


def _events(value: str) -> tuple[str, ...]:
    """What a sender wants to be told of; empty: it cannot be read."""
    events = tuple(dict.fromkeys(value.upper().split(",")))
    return events if events == ("NEVER",) or _NOTIFY.issuperset(events) else ()


def _refused(name: str, *, known: tuple[str, ...]) -> Refusal:
    if name in known:
        return Refusal(Reason.COMMAND_SYNTAX, {"usage": name})
    return Refusal(Reason.PARAMETER_UNKNOWN)
