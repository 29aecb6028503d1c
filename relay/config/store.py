"""What `store:` names: this node's own file, the address of a Redis, or where that address is kept (`env:`, `file:`).

Law: what stands before the last @ of an address shows in no text, and neither does what env: or file: lead to.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationInfo

from relay.config.fields import from_folder
from relay.config.files import is_open_to_all
from relay.config.problems import Mark, Report, Severity
from relay.config.references import Resolve, Unresolved
from relay.config.values import read_reference
from relay.core.routing import SecretKind, SecretReference
from relay.errors import ConfigError

OWN = "sqlite"
"""The store in data_dir, for one node."""

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel")

Durability = Literal["checked", "asserted", "relaxed"]
Role = Literal["all", "submission", "delivery"]

Look = Callable[[str], Iterable[tuple[Severity, str]]]
"""What is wrong with an address, in sentences without its password."""


def nobody_looks(address: str) -> Iterable[tuple[Severity, str]]:
    """Of a caller that does not go on to open the store."""
    return ()


def is_address(store: str) -> bool:
    """Whether it says itself where the store is."""
    scheme, found, _ = store.partition("://")
    return bool(found) and scheme in SCHEMES


def read_store(text: str, info: ValidationInfo) -> str:
    """The value of `store:`; the path of `file:` from the folder of the file that names it."""
    if text == OWN or is_address(text):
        return text
    reference = read_reference(text)
    if reference.kind is SecretKind.STORED:
        raise ValueError("secret:NAME is kept in the very store that this is to lead to; write env:NAME or file:PATH")
    if reference.kind is SecretKind.LITERAL:
        raise ValueError("unknown store; write sqlite or redis://HOST:PORT/NUMBER (or rediss://, redis+sentinel://)")
    if reference.kind is SecretKind.FILE:
        return f"file:{from_folder(reference.value, info).absolute()}"
    return str(reference)


def kept_at(store: str) -> SecretReference | None:
    """Where the address is kept; None: `store:` says it itself."""
    return None if store == OWN or is_address(store) else read_reference(store)


def shown_store(store: str) -> str:
    """The same without user and password, for the log."""
    if not is_address(store):
        return store
    scheme, _, rest = store.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def store_address(store: str, resolve: Resolve) -> str:
    """`sqlite`, or the address with its password. ConfigError: it cannot be had; the text says why, and no password."""
    reference = kept_at(store)
    found = store if reference is None else resolve(reference)
    if isinstance(found, Unresolved):
        raise ConfigError(f"store: {found.reason}")
    return found.strip()


def check_store(store: str, mark: Mark, report: Report, resolve: Resolve, *, look: Look) -> bool:
    """Reports what is wrong with it; whether it is, as far as can be seen, a store that several nodes share."""
    reference = kept_at(store)
    try:
        address = store_address(store, resolve)
    except ConfigError as error:  # as `relay check` without the environment of the relay has it
        report.warning(mark, f"{str(error).removeprefix('store: ')}: without it the relay does not start")
        return True
    if reference is None and "@" in address:
        report.warning(mark, "the password is written here in clear; keep the whole address in env:NAME or file:PATH")
    if reference is not None and reference.kind is SecretKind.FILE and is_open_to_all(Path(reference.value)):
        report.warning(mark, f"everybody on this machine can read the password in it: chmod 600 {reference.value}")
    for severity, text in look(address) if address != OWN else ():
        say = report.error if severity is Severity.ERROR else report.warning
        say(mark, text if reference is None else f"{reference}: {text}")
    return address != OWN
