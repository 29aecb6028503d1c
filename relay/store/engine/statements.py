"""The statements of the store, read from its .sql files.

Law: every statement has a name and a line that says what it does, and no SQL is written anywhere else.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_HEAD = re.compile(r"^-- (?P<name>[a-z_]+): (?P<says>\S.*)$")


def read_statements(text: str) -> Mapping[str, str]:
    """The statements of one file by name, in the file's order; ValueError: one without name, or a name twice."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head is not None:
            if head["name"] in found:
                raise ValueError(f"two statements are called {head['name']}")
            current = found[head["name"]] = []
        elif line.strip() and not line.startswith("--"):
            if current is None:
                raise ValueError(f"a statement without a name: {line}")
            current.append(line)
    return {name: "\n".join(lines).rstrip().rstrip(";") for name, lines in found.items()}


def load_statements(file: str) -> Mapping[str, str]:
    """The statements of `relay/store/sql/<file>.sql`."""
    text = (files("relay.store") / "sql" / f"{file}.sql").read_text("utf-8")
    return MappingProxyType(dict(read_statements(text)))
