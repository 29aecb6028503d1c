"""What a sandbox is told at its start, in plain values written as on its command line.

Law: every notation is read here and nowhere else, and a wrong one is a ConfigError that says what was meant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from relay.errors import ConfigError


class Tls(StrEnum):
    """How a session becomes encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class CountAt(StrEnum):
    """The command at whose processing the provider counts a recipient."""

    MAIL = "mail"
    RCPT = "rcpt"
    EOD = "eod"


class Fault(StrEnum):
    """A way to misbehave that is drawn by lot."""

    REFUSE_AUTH = "refuse-auth"
    """A right password is answered 535; drawn for each login."""
    DROP_DATA = "drop-data"
    """The connection breaks inside the message; drawn for each DATA."""
    DROP_AFTER_DOT = "drop-after-dot"
    """The message is taken and the connection breaks before the reply; drawn for each message."""
    LOSE_AFTER_DOT = "lose-after-dot"
    """The connection breaks after the final dot and the message is not taken; drawn for each message."""
    SLOW = "slow"
    """A reply comes late by `slow_seconds`; drawn for each reply."""
    TRICKLE = "trickle"
    """A reply comes byte by byte, `slow_seconds` apart; drawn for each reply."""
    TEMPFAIL = "tempfail"
    """RCPT or the final dot is answered 451; drawn for each transaction."""
    PERMFAIL = "permfail"
    """RCPT or the final dot is answered 554; drawn for each transaction."""
    GARBAGE = "garbage"
    """The command takes effect and something that is no reply is sent instead of the reply; drawn for each reply."""
    NO_STARTTLS = "no-starttls"
    """STARTTLS is neither offered nor known; drawn for each connection."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` recipients of one user in every closed window of `seconds`."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Everything a sandbox is told; durations in seconds, sizes in bytes, port 0 lets the kernel choose."""

    host: str = "127.0.0.1"
    port: int = 0
    hostname: str = "sandbox.test"
    tls: Tls = Tls.NONE
    certificate: Path | None = None
    key: Path | None = None
    users: Mapping[str, str] | None = field(default=None, repr=False)
    users_file: Path | None = None
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    """Of PLAIN, LOGIN, CRAM-MD5 and XOAUTH2 (a user's password is then his token)."""
    limits: tuple[str, ...] = ()
    count_at: CountAt = CountAt.MAIL
    log: Path | None = None
    inbox: Path | None = None
    faults: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    seed: int = 0
    slow_seconds: float = 1.0
    idle_seconds: float = 300.0
    max_size: int = 100_000_000
    max_recipients: int = 1_000
    max_sessions: int = 2_000
    remember: bool = True
    """Keep the records in memory for `Sandbox.log`; a long-running process writes only the file."""


_WINDOW = re.compile(r"(\d+)/(\d*)(ms|s|m|h|d|w|second|minute|hour|day|week)", re.ASCII)
_SECONDS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_window(text: str) -> Window:
    """Reads `5/1s` or `150/20m`: a day is 24 h here, as a provider means it, without the relay's caution."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None or match[1] == "0" or match[2] == "0":
        raise ConfigError(f"not a rolling limit: {text!r}; write N/[k]unit, such as 5/1s or 150/20m")
    unit = match[3] if match[3] == "ms" else match[3][0]
    return Window(int(match[1]), int(match[2] or 1) * _SECONDS[unit])


def parse_faults(texts: tuple[str, ...]) -> dict[Fault, float]:
    """Reads `tempfail:0.1`: a kind and how often, from 0 to 1."""
    return dict(_parse_fault(text) for text in texts)


def _parse_fault(text: str) -> tuple[Fault, float]:
    kind, _, rate_text = text.partition(":")
    try:
        fault, rate = Fault(kind), float(rate_text)
    except ValueError:
        raise ConfigError(f"not a fault: {text!r}; write KIND:RATE with KIND one of {', '.join(Fault)}") from None
    if not 0 <= rate <= 1:
        raise ConfigError(f"the rate of a fault lies between 0 and 1: {text!r}")
    return fault, rate
