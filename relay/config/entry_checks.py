"""What an entry of the routing must keep to beyond its keys' kinds: its name, and keys that depend on each other.

Law: only what the file itself shows is judged here; errors refuse the file, a secret in clear is a warning.
"""

import re
from collections.abc import Mapping
from typing import Any

from relay.config.problems import Mark, Report
from relay.config.validation import suggestion
from relay.config.values import read_mail_address
from relay.core.routing import SecretKind, SecretReference
from relay.core.words import Plan

LOGIN_LENGTH: int = 255
"""RFC 4616, 2 allows a login of this many octets."""

IN_CLEAR = "the secret is written here in clear; keep it in env:NAME, file:PATH or secret:NAME"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HASH = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+", re.ASCII)
_EVERYBODY = re.compile(r"\*+(@\*+)?")


def name_problem(section: str, name: str) -> str | None:
    """What is wrong with an entry's name; None: nothing."""
    if section == "accounts":
        return _address_problem(name)
    if section == "plans":
        plans = [str(plan) for plan in Plan]
        return None if name in plans else f"unknown plan {name!r}{suggestion(name, plans)}"
    if section == "providers":
        return (
            None
            if _NAME.fullmatch(name)
            else "a provider's name has 1 to 64 letters, digits, dots, dashes, underscores"
        )
    is_login = 0 < len(name) <= LOGIN_LENGTH and name.isprintable()
    return None if is_login else f"a login has 1 to {LOGIN_LENGTH} printable characters"


def check_client(values: Mapping[str, Any], marks: Mapping[str, Mark], report: Report) -> None:
    """A client can be somebody, and not everybody from everywhere."""
    password: SecretReference | None = values.get("password")
    if password is None and "networks" not in values:
        report.error(marks[""], "a client needs a password or networks, else nobody can be it")
    if password is not None and password.kind is SecretKind.LITERAL:
        if not password.value.startswith("$argon2id$"):
            report.warning(marks["password"], "the password is written here in clear; use `relay hash-password`")
        elif not _HASH.fullmatch(password.value):
            report.warning(marks["password"], "this is no whole argon2id hash: nobody can log in with it")
    for pattern in values["may_send_as"] if "networks" not in values else ():
        if _EVERYBODY.fullmatch(pattern):
            text = f"{pattern!r} without `networks:` lets this login send as everybody, from anywhere"
            report.warning(marks.get(f"pattern {pattern}", marks[""]), text)


def check_provider(values: Mapping[str, Any], marks: Mapping[str, Mark], report: Report) -> None:
    """Its secret is not in clear."""
    warn_of_clear(values.get("oauth", {}).get("client_secret"), marks.get("oauth", marks[""]), report)


def check_account(values: Mapping[str, Any], marks: Mapping[str, Mark], report: Report) -> None:
    """Its secret is not in clear."""
    warn_of_clear(values.get("password"), marks.get("password", marks[""]), report)


def warn_of_clear(secret: SecretReference | None, mark: Mark, report: Report) -> None:
    """Warns of a secret that stands in the file itself."""
    if secret is not None and secret.kind is SecretKind.LITERAL:
        report.warning(mark, IN_CLEAR)


def _address_problem(name: str) -> str | None:
    try:
        read_mail_address(name)
    except ValueError as error:
        return str(error)
    return None
