"""Reads the arguments of MAIL and RCPT (RFC 5321 4.1.2, and the parameters of what EHLO offers).

Law: the address stays the very text that arrived between < and >; what is not understood is refused, never guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from relay.sandbox.replies import Refusal, Say

_PATH = r'<((?:"(?:\\.|[^"\\])*"|[^<>"\s])*)>((?: +[^ ]+)*) *'
_MAIL = re.compile(r"FROM: ?" + _PATH, re.IGNORECASE)
_RCPT = re.compile(r"TO: ?" + _PATH, re.IGNORECASE)
_MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"})
_RCPT_PARAMETERS = frozenset({"NOTIFY", "ORCPT"})


@dataclass(frozen=True, slots=True)
class MailFrom:
    """The sender, the size it announced (0: none) and whether SMTPUTF8 was asked for."""

    sender: str
    size: int
    is_utf8: bool


def read_mail_from(argument: str) -> MailFrom:
    """Reads `FROM:<sender> PARAMETERS`; raises Refusal 501, 553 or 555."""
    sender, parameters = _read(_MAIL, argument, _MAIL_PARAMETERS)
    size = parameters.get("SIZE", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):
        raise Refusal(Say.SYNTAX)
    is_utf8 = "SMTPUTF8" in parameters
    if not (is_utf8 or sender.isascii()):
        raise Refusal(Say.NEEDS_UTF8)
    return MailFrom(sender, int(size), is_utf8)


def read_rcpt_to(argument: str, *, is_utf8: bool) -> str:
    """Reads `TO:<recipient> PARAMETERS`; raises Refusal 501, 553 or 555."""
    recipient, _ = _read(_RCPT, argument, _RCPT_PARAMETERS)
    if not recipient:
        raise Refusal(Say.SYNTAX)
    if not (is_utf8 or recipient.isascii()):
        raise Refusal(Say.NEEDS_UTF8)
    return recipient


def _read(pattern: re.Pattern[str], argument: str, known: frozenset[str]) -> tuple[str, Mapping[str, str]]:
    match = pattern.fullmatch(argument)
    if match is None:
        raise Refusal(Say.SYNTAX)
    if not match[2]:
        return match[1], {}
    pairs = (word.partition("=") for word in match[2].split())
    parameters = {name.upper(): value for name, _, value in pairs}
    if not known.issuperset(parameters):
        raise Refusal(Say.PARAMETER)
    return match[1], parameters
