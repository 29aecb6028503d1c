"""The routing as JSON, as a store keeps it: what is at its default is left out.

Law: reading what was written gives an equal routing; a field that is not known is refused, never dropped.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from relay.core.routing import Account, Routing
from relay.core.words import MailboxId

_Convert = Callable[[Any], Any]
_encode = json.JSONEncoder(separators=(",", ":")).encode


def write_routing(routing: Routing) -> str:
    """JSON of a routing; the same routing gives the same text."""
    return _encode(_written(routing))


def read_routing(text: str | bytes) -> Routing:
    """The routing of `write_routing`'s text; ValueError: it is none."""
    return cast(Routing, _reader(Routing)(json.loads(text)))


def write_account(account: Account) -> str:
    """JSON of one account."""
    return _encode(_written(account))


def read_account(text: str | bytes) -> Account:
    """The account of `write_account`'s text; ValueError: it is none."""
    return cast(Account, _reader(Account)(json.loads(text)))


def _written(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        given = ((name, getattr(value, name), default) for name, default in _defaults(type(value)))
        return {name: _written(inner) for name, inner, default in given if default is MISSING or inner != default}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (date, Fraction, IPv4Network, IPv6Network)):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _written(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_written(inner) for inner in value]
    return value


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, _default(field)) for field in fields(kind))


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


@cache
def _reader(kind: Any) -> _Convert:
    """How a value of this type is read."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _dataclass_reader(cast(type, kind))
    if kind is MailboxId:
        return lambda value: MailboxId(*value)
    if origin in (Union, UnionType):
        return _union_reader(arguments)
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is not None and issubclass(origin, Mapping):
        read = _reader(arguments[1])
        return lambda value: {key: read(inner) for key, inner in value.items()}
    if kind is date:
        return date.fromisoformat
    if isinstance(kind, type) and issubclass(kind, (StrEnum, Fraction)):
        return kind
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _dataclass_reader(kind: type) -> _Convert:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(value: dict[str, Any]) -> Any:
        try:
            return kind(**{name: readers[name](inner) for name, inner in value.items()})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a {kind.__name__}: {error}") from None

    return read


def _union_reader(arguments: tuple[Any, ...]) -> _Convert:
    """`X | None`, and the two kinds of network."""
    if IPv4Network in arguments:
        return ip_network
    (kind,) = (argument for argument in arguments if argument is not NoneType)
    inner = _reader(kind)
    return lambda value: None if value is None else inner(value)


def _tuple_reader(arguments: tuple[Any, ...]) -> _Convert:
    if arguments[-1] is Ellipsis:
        inner = _reader(arguments[0])
        return lambda value: tuple(map(inner, value))
    readers = tuple(_reader(argument) for argument in arguments)
    return lambda value: tuple(read(inner) for read, inner in zip(readers, value, strict=True))
