"""Reads YAML (and so JSON) into plain values that remember where each key and value stood.

Law: whatever the text, the outcome is values or problems; nesting and size are bounded before they can hurt.
Scalars resolve as in YAML 1.2 and only where the printed value is the written one again (`0123`, `12:30`, `on` and
`1e3` are text), so that an unquoted password stays what it is.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import yaml
from yaml._yaml import CParser
from yaml.events import AliasEvent, Event, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from relay.config.problems import START, Mark, Report

MAX_BYTES: int = 64_000_000
"""Three times a file of 100,000 accounts; more is not a configuration."""

MAX_DEPTH: int = 16
"""The deepest key stands at 6; each level costs a Python call, and a file of brackets must not exhaust the stack."""

_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
_DIGITS = "-0123456789"
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "false": False,
}  # fmt: skip
_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str"}
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")

Path = Sequence[str | int]


class Table(dict[str, Any]):
    """A mapping that remembers its events, and so the place of each key and of its value."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, tuple[Event, Event]] = {}

    def key_mark(self, key: str) -> Mark:
        """Where this key stands."""
        return _mark(self.events[key][0])

    def mark(self, key: str) -> Mark:
        """Where the value of this key stands."""
        return _mark(self.events[key][1])


class Rows(list[Any]):
    """A list that remembers its events, and so the place of each item."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def marks(self) -> list[Mark]:
        """Where each item stands."""
        return [_mark(event) for event in self.events]


def read_document(content: bytes, report: Report) -> Any:
    """The value of a file's only document; None where a problem was reported or nothing is written."""
    if len(content) > MAX_BYTES:
        report.error(START, f"longer than {MAX_BYTES // 1_000_000} MB")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.error(_mark_at(content[: error.start].decode()), "not UTF-8")
        return None
    try:
        return _Builder(_with_whole_characters(text), report).document()
    except _Refused:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        report.error((mark.line + 1, mark.column + 1) if mark else START, f"not YAML: {error.problem or error.context}")
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")
        report.error(_mark_at(before), f"not YAML: {error.reason}")
    return None


def mark_of(root: Any, path: Path) -> Mark | None:
    """Where the value at `path` stands; where it is missing, the key of what should hold it; None: that is `root`."""
    mark: Mark | None = None
    for step in path:
        if isinstance(root, Table) and step in root:
            inner = root[str(step)]
            mark = root.key_mark(str(step)) if isinstance(inner, (Table, Rows)) else root.mark(str(step))
            root = inner
        elif isinstance(root, Rows) and isinstance(step, int) and step < len(root):
            mark, root = root.marks()[step], root[step]
        else:
            break
    return mark


def key_mark_of(root: Any, path: Path) -> Mark | None:
    """Where the key at the end of `path` stands; where it is missing, as `mark_of`."""
    parent = root
    for step in path[:-1]:
        parent = parent[step]
    if isinstance(parent, Table) and path and path[-1] in parent:
        return parent.key_mark(str(path[-1]))
    return mark_of(root, path)


class _Refused(Exception):
    pass


class _Builder:
    def __init__(self, text: str, report: Report) -> None:
        self._next = cast("Callable[[], Event]", CParser(text).get_event)  # None comes after the stream's end only
        self._report = report
        self._anchors: dict[str, Any] = {}

    def document(self) -> Any:
        self._next()  # the stream starts
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        root = self._value(self._next(), 0)
        self._next()  # the document ends
        if not isinstance(event := self._next(), yaml.StreamEndEvent):
            self._report.error(_mark(event), "a second document; one file has one")
            raise _Refused
        return root

    def _value(self, event: Event, depth: int) -> Any:
        value: Any
        if isinstance(event, ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, AliasEvent):
            return self._alias(event)
        elif depth >= MAX_DEPTH:
            self._report.error(_mark(event), f"nested more than {MAX_DEPTH} deep")
            raise _Refused
        elif isinstance(event, MappingStartEvent):
            value = self._mapping(event, depth + 1)
        else:
            assert isinstance(event, SequenceStartEvent)
            value = self._sequence(event, depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            self._report.error(_mark(event), f"no anchor &{event.anchor} before this")
            raise _Refused
        return self._anchors[event.anchor]

    def _scalar(self, event: ScalarEvent) -> str | int | bool | None:
        text = event.value
        if event.tag not in _PLAIN_TAGS:
            self._report.error(_mark(event), "YAML tags are not used here")
        if event.tag is None and event.implicit[0]:
            if text in _WORDS:
                return _WORDS[text]
            if text[0] in _DIGITS and _WHOLE_NUMBER.fullmatch(text):
                return int(text)
        return str(text)

    def _sequence(self, start: SequenceStartEvent, depth: int) -> Rows:
        self._refuse_tag(start)
        rows = Rows()
        while not isinstance(event := self._next(), SequenceEndEvent):
            rows.events.append(event)
            rows.append(self._value(event, depth))
        return rows

    def _mapping(self, start: MappingStartEvent, depth: int) -> Table:
        self._refuse_tag(start)
        table = Table()
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self._report.error(_mark(event), "a key must be one word or text")
                raise _Refused
            key, after = event.value, self._next()
            value = self._value(after, depth)
            if key in table:
                self._report.error(_mark(event), f"duplicate key {key!r}, first in line {table.key_mark(key)[0]}")
            else:
                table[key] = value
                table.events[key] = (event, after)
        return table

    def _refuse_tag(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        if event.tag not in (None, "!"):
            self._report.error(_mark(event), "YAML tags are not used here")


def _mark(event: Event) -> Mark:
    mark = event.start_mark
    assert mark is not None, "events of a parser have a place"
    return mark.line + 1, mark.column + 1


def _mark_at(before: str) -> Mark:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _with_whole_characters(text: str) -> str:
    """JSON writes characters beyond U+FFFF as two escapes, which YAML does not know; only JSON files are touched."""
    if not text.lstrip().startswith("{"):
        return text
    return _SURROGATES.sub(_joined, text)


def _joined(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"
