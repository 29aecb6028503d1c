"""The kinds of value that a key can have, for pydantic: how each is read, printed and described to an editor.

Law: a kind accepts exactly what its reader in `values` reads; a secret is printed as where it is kept, never as itself.
"""

import os
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)

from relay.config import values
from relay.config.values import Address
from relay.core.limits import Limit, parse_limit
from relay.core.routing import SecretKind, SecretReference
from relay.core.weburl import parse_web_url

Item = TypeVar("Item")

TEXT_LENGTH: int = 1024
"""No name, address or sentence of a configuration is longer."""


def _reads(read: Callable[[str], Item], kind: str) -> Callable[[Any], Item]:
    """Lets `read` see text only: a list or nothing where text belongs is named as that."""

    def from_value(value: Any) -> Item:
        if type(value) is str:
            return read(value)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise ValueError(f"expected {kind}, found {found(value)}")
        return read(str(value))

    return from_value


def found(value: Any) -> str:
    """What kind of value stands there, without repeating it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {dict: "keys and values", list: "a list", int: "a number", str: "text"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "nothing")


def _text(value: Any) -> str:
    if type(value) is str and len(value) <= TEXT_LENGTH and value.isprintable():
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int)):
        raise ValueError(f"expected text, found {found(value)}")
    text = str(value)
    if len(text) > TEXT_LENGTH or not text.isprintable():
        raise ValueError(f"expected at most {TEXT_LENGTH} printable characters on one line")
    return text


def _secret(value: Any, info: ValidationInfo) -> SecretReference:
    if isinstance(value, bool):
        value = "true" if value else "false"
    reference = _reads(values.read_reference, "a secret: env:NAME, file:PATH or secret:NAME")(value)
    if reference.kind is SecretKind.FILE:
        return SecretReference(SecretKind.FILE, str(from_folder(reference.value, info).absolute()))
    return reference


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, found {found(value)}")
    return value


def _switch(value: Any) -> bool:
    switches = {
        True: True,
        "on": True,
        "yes": True,
        "true": True,
        False: False,
        "off": False,
        "no": False,
        "false": False,
    }
    word = value.lower() if isinstance(value, str) else value
    if not isinstance(word, (str, bool)) or word not in switches:
        raise ValueError("expected on or off")
    return switches[word]


def _section(value: Any) -> Any:
    return {} if value is None else value


def _at_least_one(items: Item) -> Item:
    if not items:
        raise ValueError("needs at least one")
    return items


def _positive(duration: int) -> int:
    if duration <= 0:
        raise ValueError("must be longer than nothing")
    return duration


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {text!r}; write it as Europe/Rome") from None
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text, found nothing")
    return text


def _web_address(text: str) -> str:
    parse_web_url(text)
    return text


def from_folder(path: Any, info: ValidationInfo) -> Path:
    """A path as written, from the folder of the file that names it."""
    folder = (info.context or {}).get("folder", "")
    return Path(os.path.normpath(Path(folder, path if isinstance(path, Path) else _not_empty(_text(path)))))


def _described(kind: str, **schema: Any) -> WithJsonSchema:
    return WithJsonSchema({"description": kind, **schema})


_DURATION = _described(
    "A duration: a number and ms, s, m, h, d or w; a bare number is seconds.",
    anyOf=[{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d+ *(ms|s|m|h|d|w)?$"}],
)
_STRING = {"type": "string"}
_TEXT = _described("Text.", anyOf=[_STRING, {"type": "integer"}])

Text = Annotated[str, BeforeValidator(_text), AfterValidator(_not_empty), _TEXT]
Words = Annotated[str, BeforeValidator(_text), _described("Text, or nothing.", type="string")]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_whole_number)]
Count = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_whole_number)]
Weight = Annotated[int, Field(ge=1, le=1000), BeforeValidator(_whole_number)]
Divisor = Annotated[int, Field(ge=1, le=1024), BeforeValidator(_whole_number)]
Switch = Annotated[
    bool,
    PlainValidator(_switch),
    _described("A switch.", anyOf=[{"type": "boolean"}, {"enum": ["on", "off", "yes", "no"]}]),
]
Duration = Annotated[
    int, PlainValidator(_reads(values.read_duration, "a duration")), PlainSerializer(values.print_duration), _DURATION
]
Period = Annotated[
    int,
    PlainValidator(_reads(values.read_duration, "a duration")),
    AfterValidator(_positive),
    PlainSerializer(values.print_duration),
    _DURATION,
]
Size = Annotated[
    int,
    PlainValidator(_reads(values.read_size, "a size")),
    AfterValidator(_positive),
    PlainSerializer(values.print_size),
    _described(
        "A size: a number and kB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024).",
        anyOf=[{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d+ *([kKmMgG]i?)?[bB]?$"}],
    ),
]
Share = Annotated[
    Fraction,
    PlainValidator(_reads(values.read_share, "a percentage")),
    PlainSerializer(values.print_share),
    _described("A percentage from 0% to 99%.", type="string", pattern=r"^\d{1,2}(\.\d+)? *%$"),
]
LimitText = Annotated[
    Limit,
    PlainValidator(_reads(parse_limit, "a limit such as 150/20m")),
    PlainSerializer(str),
    _described(
        "A limit in recipients: N/[k]unit, such as 150/20m, 8/m or 900/calendar-day.",
        type="string",
        pattern=r"^\s*\d+\s*/\s*(calendar-day|\d*\s*(s|m|h|d|w|second|minute|hour|day|week))\s*$",
    ),
]
ListenAddress = Annotated[
    Address,
    PlainValidator(_reads(values.read_listen_address, "ADDRESS:PORT")),
    PlainSerializer(str),
    _described("ADDRESS:PORT.", **_STRING),
]
Host = Annotated[
    str, PlainValidator(_reads(values.read_host, "a host")), _described("A host name or address.", **_STRING)
]
Network = Annotated[
    IPv4Network | IPv6Network,
    PlainValidator(_reads(values.read_network, "a network")),
    PlainSerializer(str),
    _described("A network such as 10.0.0.0/8, or one address.", **_STRING),
]
Day = Annotated[
    date,
    PlainValidator(_reads(values.read_date, "a date")),
    PlainSerializer(str),
    _described("A date.", type="string", pattern=r"^\d{4}-\d{2}-\d{2}$"),
]
Moment = Annotated[
    str,
    PlainValidator(_reads(values.read_moment, "a date and time")),
    _described("A date and time in the provider's time zone: YYYY-MM-DD HH:MM.", **_STRING),
]
MailAddress = Annotated[
    str, PlainValidator(_reads(values.read_mail_address, "a mail address")), _described("A mail address.", **_STRING)
]
Pattern = Annotated[
    str,
    PlainValidator(_reads(values.read_pattern, "a pattern")),
    _described("A glob over the whole address.", **_STRING),
]
TimeZone = Annotated[Text, AfterValidator(_zone)]
WebAddress = Annotated[Text, AfterValidator(_web_address)]
Secret = Annotated[
    SecretReference,
    PlainValidator(_secret),
    PlainSerializer(lambda secret: "..." if secret.kind is SecretKind.LITERAL else str(secret)),
    _described(
        "A secret: env:NAME, file:PATH, secret:NAME, or (not advised) its text.", anyOf=[_STRING, {"type": "integer"}]
    ),
]
FilePath = Annotated[
    Path,
    PlainValidator(from_folder),
    PlainSerializer(str),
    _described("A path from the folder of this file.", **_STRING),
]
AtLeastOne = AfterValidator(_at_least_one)
"""After a list that must not be empty."""
MaybeEmpty = BeforeValidator(_section)
"""Before a section: a key with nothing after it is a section without keys."""
