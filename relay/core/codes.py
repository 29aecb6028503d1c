"""What a code says by itself, by stage, where no rule read the text: the enhanced one, else the three digits.

Law: codes are compared whole; a code that means nothing certain at its stage is no guess (None).
"""

from collections.abc import Mapping
from types import MappingProxyType

from relay.core.meaning import ReplyClass
from relay.core.reply import Reply
from relay.core.words import Stage

_C = ReplyClass
_HOST = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS})
_MISUNDERSTOOD = frozenset({500, 501, 503, 555})

_EVERYWHERE: Mapping[str, ReplyClass] = MappingProxyType(
    {
        "3.4": _C.MESSAGE_TOO_LARGE,
        "2.3": _C.MESSAGE_TOO_LARGE,
        "5.3": _C.TOO_MANY_RECIPIENTS,
        "7.10": _C.TLS_REQUIRED,
        "7.11": _C.TLS_REQUIRED,
        "7.12": _C.AUTH_METHOD,
        "7.13": _C.ACCOUNT_BLOCKED,
        "7.25": _C.IP_BLOCKED,
        "7.28": _C.RATE_LIMITED,
    }
)
"""RFC 3463 and 5248, 7372, 8689: subject and detail that mean the same at whichever command of a mail."""

_AUTH: Mapping[str, ReplyClass] = MappingProxyType(
    {
        "7.8": _C.AUTH_REJECTED,
        "7.9": _C.AUTH_METHOD,
        "7.10": _C.TLS_REQUIRED,
        "7.11": _C.TLS_REQUIRED,
        "7.12": _C.AUTH_METHOD,
        "7.13": _C.ACCOUNT_BLOCKED,
        "7.14": _C.AUTH_METHOD,
        "7.30": _C.AUTH_METHOD,
        "7.139": _C.AUTH_METHOD,
        "5.4": _C.AUTH_METHOD,
        "2.1": _C.ACCOUNT_BLOCKED,
    }
)
_MAIL: Mapping[str, ReplyClass] = MappingProxyType(
    {
        "1.7": _C.SENDER_REFUSED,
        "1.8": _C.SENDER_REFUSED,
        "1.0": _C.SENDER_REFUSED,
        "2.1": _C.ACCOUNT_BLOCKED,
        "2.2": _C.SENDER_MAILBOX_FULL,
        "7.1": _C.SENDER_REFUSED,
        "7.2": _C.SENDER_REFUSED,
        "7.8": _C.AUTH_REJECTED,
        "7.9": _C.AUTH_METHOD,
        "7.27": _C.SENDER_REFUSED,
    }
)
_RCPT: Mapping[str, ReplyClass] = MappingProxyType(
    {
        "1.1": _C.RECIPIENT_UNKNOWN,
        "1.3": _C.RECIPIENT_UNKNOWN,
        "1.6": _C.RECIPIENT_UNKNOWN,
        "2.1": _C.RECIPIENT_UNKNOWN,
        "1.2": _C.RECIPIENT_DOMAIN_BAD,
        "1.10": _C.RECIPIENT_DOMAIN_BAD,
        "4.3": _C.RECIPIENT_DOMAIN_BAD,
        "4.4": _C.RECIPIENT_DOMAIN_BAD,
        "2.2": _C.RECIPIENT_MAILBOX_FULL,
        "1.7": _C.SENDER_REFUSED,
        "1.8": _C.SENDER_REFUSED,
        "7.17": _C.RECIPIENT_UNKNOWN,
        "7.18": _C.RECIPIENT_DOMAIN_BAD,
    }
)
_FOR_GOOD: Mapping[ReplyClass, ReplyClass | None] = MappingProxyType(
    {_C.RECIPIENT_UNKNOWN: _C.RECIPIENT_REFUSED, _C.SENDER_REFUSED: None, _C.ACCOUNT_BLOCKED: None}
)
"""What is not said for now: what its code means where it is."""

_POLICY = frozenset(f"7.{number}" for number in (20, 21, 22, 23, 24, 26, 29))
_AFTER = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})


def by_enhanced(stage: Stage, reply: Reply) -> ReplyClass | None:
    """What the enhanced code (RFC 3463) says at this stage; None: there is none, or nothing certain."""
    if reply.enhanced is None:
        return None
    status = reply.enhanced[2:]
    if stage in _HOST:
        return _of_host(stage, reply, status)
    if stage is Stage.AUTH:
        return _of_auth(reply, status)
    guess = _EVERYWHERE.get(status) or (_MAIL if stage is Stage.MAIL else _RCPT).get(status)
    if guess is not None and reply.is_temporary and guess in _FOR_GOOD:
        guess = _FOR_GOOD[guess]
    if guess is not None:
        return None if _is_overruled(guess, reply) else guess
    if status == "4.5":
        return _C.OUTAGE if reply.is_temporary else _C.QUOTA_EXCEEDED
    if status in _POLICY:
        return _C.POLICY_REFUSED
    return _by_subject(stage, reply, status.partition(".")[0])


def _is_overruled(guess: ReplyClass, reply: Reply) -> bool:
    """A command that was not understood is no answer about the address in it."""
    return guess in (_C.RECIPIENT_UNKNOWN, _C.SENDER_REFUSED) and reply.code in _MISUNDERSTOOD


def _of_host(stage: Stage, reply: Reply, status: str) -> ReplyClass | None:
    if reply.is_temporary:
        return None
    if status.startswith("7.") and stage is not Stage.STARTTLS:
        return _C.IP_BLOCKED
    return _C.PROTOCOL_ERROR if status.startswith("5.") and stage is Stage.EHLO else None


def _of_auth(reply: Reply, status: str) -> ReplyClass | None:
    if reply.is_temporary:
        is_outage = status.startswith(("3.", "4."))
        return _C.AUTH_METHOD if status == "7.12" else _C.OUTAGE if is_outage else None
    return _AUTH.get(status)


def _by_subject(stage: Stage, reply: Reply, subject: str) -> ReplyClass | None:
    if subject == "5":
        return None if reply.is_temporary else _C.PROTOCOL_ERROR
    if reply.is_temporary:
        if subject == "7" and stage is Stage.MAIL:
            return _C.RATE_LIMITED
        return _C.OUTAGE if subject == "3" and stage is not Stage.RCPT else None
    if subject == "6" and stage in (Stage.DATA, Stage.EOD):
        return _C.CONTENT_REFUSED
    if subject == "7":
        return _C.RECIPIENT_REFUSED if stage is Stage.RCPT else _C.POLICY_REFUSED if stage in _AFTER else None
    return None


def by_code(stage: Stage, reply: Reply) -> ReplyClass | None:
    """What the three digits say at this stage (RFC 5321, 4.2.3; RFC 4954, 6); None: nothing certain."""
    if stage in _HOST:
        return _code_of_host(stage, reply)
    if stage is Stage.AUTH:
        return _code_of_auth(reply)
    if reply.code == 421:
        return _C.OUTAGE
    if reply.code in _MISUNDERSTOOD:
        return _C.PROTOCOL_ERROR
    if stage is Stage.MAIL:
        return _code_of_mail(reply)
    if stage is Stage.RCPT:
        return _code_of_rcpt(reply)
    return _C.MESSAGE_TOO_LARGE if reply.code == 552 and reply.enhanced is None else None


def _code_of_host(stage: Stage, reply: Reply) -> ReplyClass | None:
    if reply.is_temporary:
        return _C.OUTAGE
    if stage is Stage.STARTTLS:
        return _C.TLS_REQUIRED
    return _C.PROTOCOL_ERROR if reply.code in (*_MISUNDERSTOOD, 502, 504) and stage is Stage.EHLO else None


def _code_of_auth(reply: Reply) -> ReplyClass | None:
    if reply.code == 432:
        return _C.AUTH_METHOD  # a password transition is needed (RFC 4954, 4.7.12)
    if reply.is_temporary:
        return _C.AUTH_TEMPORARY
    if reply.code in (530, 538):
        return _C.TLS_REQUIRED
    if reply.code == 525:
        return _C.ACCOUNT_BLOCKED
    if reply.code in (500, 501, 502, 503, 504, 534):
        return _C.AUTH_METHOD
    return _C.AUTH_REJECTED if reply.code in (535, 550, 553, 554) else None


def _code_of_mail(reply: Reply) -> ReplyClass | None:
    if reply.is_temporary:
        return _C.RATE_LIMITED if reply.code in (450, 452) else _C.OUTAGE
    if reply.code == 530:
        return _C.TLS_REQUIRED
    # 554 says only that it failed. 552 is any storage that is exceeded (RFC 5321, 4.2.2): the sender's, the server's, a
    # quota; hardly the message's, whose size is told here only where SIZE is offered and allows it (RFC 1870). Bounced
    # as too large, a doctor's mails come back with a wrong story; not understood, they wait, and ops read the words.
    return _C.SENDER_REFUSED if reply.code in (550, 553) else None


def _code_of_rcpt(reply: Reply) -> ReplyClass | None:
    if reply.code == 556:
        return _C.RECIPIENT_DOMAIN_BAD
    if reply.code == 552:
        return _C.RECIPIENT_MAILBOX_FULL
    return _C.RECIPIENT_REFUSED if reply.is_temporary or reply.code in (550, 551, 553, 554) else None
