"""One file of the routing, read and checked by itself: `read_part(file, content) -> Part`.

Law: a part depends on its file's name and bytes only, so it can be made in another process and kept while they stay.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from relay.config.document import Table, read_document
from relay.config.entries import SECTIONS
from relay.config.fields import found
from relay.config.problems import START, Mark, Problem, Report
from relay.config.validation import suggestion, validated
from relay.config.values import read_mail_address
from relay.core.routing import SecretKind, SecretReference
from relay.core.words import Plan

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {section: TypeAdapter(entry) for section, entry in SECTIONS.items()}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LOGIN_LENGTH = 255
_HASH = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+", re.ASCII)
_EVERYBODY = re.compile(r"\*+(@\*+)?")
_MARKED = {
    "clients": ("password",),
    "providers": ("profile", "host", "port", "tls", "oauth"),
    "plans": ("provider",),
    "accounts": ("provider", "password"),
}
"""The keys that may be blamed after the file itself was found right."""


class Entry(NamedTuple):
    """One client, provider, plan or account; `values` None: it has an error of its own, already reported."""

    values: dict[str, Any] | None
    marks: dict[str, Mark]

    def mark(self, key: str) -> Mark:
        """Where the value of `key` stands, else where the entry does."""
        return self.marks.get(key) or self.marks[""]


@dataclass(frozen=True, slots=True)
class Part:
    """What one file of the routing says, by section and name, and the problems that it has by itself."""

    file: str
    problems: tuple[Problem, ...] = ()
    clients: dict[str, Entry] = field(default_factory=dict)
    providers: dict[str, Entry] = field(default_factory=dict)
    plans: dict[str, Entry] = field(default_factory=dict)
    accounts: dict[str, Entry] = field(default_factory=dict)


SECTION_NAMES = {"clients": "client", "providers": "provider", "plans": "plan", "accounts": "account"}


def read_part(file: str, content: bytes) -> Part:
    """Reads and checks one file; never raises."""
    report = Report(file)
    root = read_document(content, report)
    if not isinstance(root, Table):
        if not report.problems:
            wrong = (
                "nothing is written here; an empty routing is written {}"
                if root is None
                else "expected keys and values"
            )
            report.error(START, wrong)
        return Part(file, tuple(report.problems))
    for key in root:
        if key not in SECTIONS:
            report.error(root.marks[key][0], f"unknown key {key!r}{suggestion(key, SECTIONS)}")
    sections = {section: _section(root, section, report) for section in SECTIONS}
    return Part(file, tuple(report.problems), **sections)


def _section(root: Table, section: str, report: Report) -> dict[str, Entry]:
    written = root.get(section)
    if written is None:
        return {}
    if not isinstance(written, Table):
        report.error(root.marks[section][1], f"expected keys and values, found {found(written)}")
        return {}
    name_problem = _NAME_PROBLEMS[section]
    entries: dict[str, Entry] = {}
    for name in written:
        wrong = name_problem(name)
        if wrong:
            report.error(written.marks[name][0], wrong)
        entry = _entry(root, section, name, report)
        if section == "accounts" and (lower := name.lower()) != name:
            if lower in entries:
                report.error(entry.marks[""], f"duplicate account {lower!r}; case is ignored")
            name = lower
        entries.setdefault(name, entry)
    return entries


def _entry(root: Table, section: str, name: str, report: Report) -> Entry:
    written = root[section][name]
    key_mark, value_mark = root[section].marks[name]
    marks = {"": key_mark}
    if written is None:
        written = {}
    if not isinstance(written, dict):
        report.error(value_mark, f"expected keys and values, found {found(written)}")
        return Entry(None, marks)
    before = len(report.problems)
    values = validated(_ADAPTERS[section], written, report, folder=str(Path(report.file).parent), above=key_mark)
    if isinstance(written, Table):
        marks |= {key: written.marks[key][1] for key in _MARKED[section] if key in written}
        if section == "accounts":
            _mark_addresses(written, marks)
    entry = Entry(values if len(report.problems) == before else None, marks)
    if entry.values is not None:
        _OWN_CHECKS[section](entry, written, report)
    return entry


def _mark_addresses(written: Table, marks: dict[str, Mark]) -> None:
    aliases, replaces = written.get("aliases"), written.get("replaces")
    if isinstance(aliases, list):
        for alias, mark in zip(aliases, getattr(aliases, "marks", ()), strict=False):
            marks[f"address {str(alias).lower()}"] = mark
    if isinstance(replaces, Table):
        for old, (mark, _) in replaces.marks.items():
            marks[f"address {old.lower()}"] = mark


def _check_client(entry: Entry, written: Mapping[str, Any], report: Report) -> None:
    values = entry.values or {}
    password: SecretReference | None = values.get("password")
    if password is None and "networks" not in values:
        report.error(entry.marks[""], "a client needs a password or networks, else nobody can be it")
    if password is not None and password.kind is SecretKind.LITERAL:
        if not password.value.startswith("$argon2id$"):
            report.warning(entry.mark("password"), "the password is written here in clear; use `relay hash-password`")
        elif not _HASH.fullmatch(password.value):
            report.warning(entry.mark("password"), "this is no whole argon2id hash, nobody can log in with it")
    if "networks" in values:
        return
    for pattern, mark in zip(values["may_send_as"], getattr(written["may_send_as"], "marks", ()), strict=False):
        if _EVERYBODY.fullmatch(pattern):
            report.warning(mark, f"{pattern!r} without `networks:` lets this login send as everybody, from anywhere")


def _check_provider(entry: Entry, written: Mapping[str, Any], report: Report) -> None:
    oauth = (entry.values or {}).get("oauth", {})
    _warn_of_literal(oauth.get("client_secret"), entry.mark("oauth"), report)


def _check_account(entry: Entry, written: Mapping[str, Any], report: Report) -> None:
    _warn_of_literal((entry.values or {}).get("password"), entry.mark("password"), report)


def _check_nothing(entry: Entry, written: Mapping[str, Any], report: Report) -> None:
    pass


def _warn_of_literal(secret: SecretReference | None, mark: Mark, report: Report) -> None:
    if secret is not None and secret.kind is SecretKind.LITERAL:
        report.warning(mark, "the secret is written here in clear; keep it in env:NAME, file:PATH or secret:NAME")


def _account_name(name: str) -> str | None:
    try:
        read_mail_address(name)
    except ValueError as error:
        return str(error)
    return None


def _client_name(name: str) -> str | None:
    is_good = 0 < len(name) <= _LOGIN_LENGTH and name.isprintable()
    return None if is_good else f"a login has 1 to {_LOGIN_LENGTH} printable characters"


def _provider_name(name: str) -> str | None:
    return (
        None if _NAME.fullmatch(name) else "a provider's name has 1 to 64 letters, digits, dots, dashes and underscores"
    )


def _plan_name(name: str) -> str | None:
    return None if name in list(Plan) else f"unknown plan {name!r}{suggestion(name, list(Plan))}"


_NAME_PROBLEMS: Mapping[str, Callable[[str], str | None]] = {
    "clients": _client_name,
    "providers": _provider_name,
    "plans": _plan_name,
    "accounts": _account_name,
}
_OWN_CHECKS: Mapping[str, Callable[[Entry, Mapping[str, Any], Report], None]] = {
    "clients": _check_client,
    "providers": _check_provider,
    "plans": _check_nothing,
    "accounts": _check_account,
}
