"""One file of the routing, read and checked by itself: `read_part(file, content) -> Part`.

Law: a part depends on its file's name and bytes only, so it can be made in another process and kept while they stay.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from relay.config.document import Rows, Table, read_document
from relay.config.entries import SECTIONS
from relay.config.entry_checks import check_account, check_client, check_provider, name_problem
from relay.config.fields import found
from relay.config.problems import START, Mark, Problem, Report
from relay.config.validation import suggestion, validated

SECTION_NAMES: Mapping[str, str] = {
    "clients": "client",
    "providers": "provider",
    "plans": "plan",
    "accounts": "account",
}
"""Each section, and what one entry of it is called."""

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {section: TypeAdapter(entry) for section, entry in SECTIONS.items()}
_MARKED: Mapping[str, tuple[str, ...]] = {
    "clients": ("password",),
    "providers": ("profile", "host", "port", "tls", "tls_ca", "oauth"),
    "plans": ("provider", "lifetime", "on_paused"),
    "accounts": ("provider", "password", "owner", "lifetime", "on_paused", "paid_until"),
}
"""The keys that may be blamed after the file itself was found right."""
_MARKED_ITEMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "clients": (("may_send_as", "pattern"),),
    "accounts": (("aliases", "address"), ("replaces", "address")),
}
"""The same for items of a list or keys of a section, and under which word their places are kept."""
_CHECKS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Mark], Report], None]] = {
    "clients": check_client,
    "providers": check_provider,
    "accounts": check_account,
}


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


def read_part(file: str, content: bytes) -> Part:
    """Reads and checks one file; never raises."""
    report = Report(file)
    root = read_document(content, report)
    if not isinstance(root, Table):
        if not report.problems:
            nothing = "nothing is written here; an empty routing is written {}"
            report.error(START, nothing if root is None else f"expected keys and values, found {found(root)}")
        return Part(file, tuple(report.problems))
    for key in root:
        if key not in SECTIONS:
            report.error(root.key_mark(key), f"unknown key {key!r}{suggestion(key, SECTIONS)}")
    sections = {section: _Section(root, section, report).entries() for section in SECTIONS}
    return Part(file, tuple(report.problems), **sections)


class _Section:
    def __init__(self, root: Table, section: str, report: Report) -> None:
        self._root = root
        self._section = section
        self._report = report
        self._folder = str(Path(report.file).parent)

    def entries(self) -> dict[str, Entry]:
        written = self._root.get(self._section)
        if written is None:
            return {}
        if not isinstance(written, Table):
            text = f"expected keys and values, found {found(written)}"
            self._report.error(self._root.mark(self._section), text)
            return {}
        entries: dict[str, Entry] = {}
        for written_name, value in written.items():
            key_mark, value_mark = written.key_mark(written_name), written.mark(written_name)
            wrong = name_problem(self._section, written_name)
            if wrong:
                self._report.error(key_mark, wrong)
            entry = self._entry({} if value is None else value, key_mark, value_mark)
            name = written_name.lower() if self._section == "accounts" else written_name
            if name in entries:
                self._report.error(key_mark, f"duplicate account {name!r}: case is ignored")
            entries[name] = Entry(None, entry.marks) if wrong else entry
        return entries

    def _entry(self, written: Any, key_mark: Mark, value_mark: Mark) -> Entry:
        marks = {"": key_mark}
        if not isinstance(written, dict):
            self._report.error(value_mark, f"expected keys and values, found {found(written)}")
            return Entry(None, marks)
        if isinstance(written, Table):
            _keep_marks(written, self._section, marks)
        before = len(self._report.problems)
        adapter = _ADAPTERS[self._section]
        values = validated(adapter, written, self._report, folder=self._folder, above=key_mark)
        if values is None or len(self._report.problems) > before:
            return Entry(None, marks)
        if self._section in _CHECKS:
            _CHECKS[self._section](values, marks, self._report)
        return Entry(values, marks)


def _keep_marks(written: Table, section: str, marks: dict[str, Mark]) -> None:
    for key in _MARKED[section]:
        if key in written:
            marks[key] = written.mark(key)
    for key, word in _MARKED_ITEMS.get(section, ()):
        items = written.get(key)
        if isinstance(items, Table):
            marks |= {f"{word} {item.lower()}": items.key_mark(item) for item in items}
        elif isinstance(items, Rows):
            marks |= {f"{word} {str(item).lower()}": mark for item, mark in zip(items, items.marks(), strict=True)}
