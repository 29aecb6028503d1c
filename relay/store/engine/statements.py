"""The statements of the store, read from its .sql files.

Law: every statement has a name and a line that says what it does, and no SQL is written anywhere else.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType


class Statement(str):  # noqa: SLOT000  its name is all that is added, and there are some hundreds
    """One question or entry of the ledger: its SQL, and the name by which another ledger answers it."""

    name: str
    """`file.statement`."""

    @classmethod
    def of(cls, name: str, sql: str) -> "Statement":
        """A statement of this name."""
        found = cls(sql)
        found.name = name
        return found


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


def load_statements(file: str) -> Mapping[str, Statement]:
    """The statements of `relay/store/sql/<file>.sql`."""
    text = (files("relay.store") / "sql" / f"{file}.sql").read_text("utf-8")
    return MappingProxyType({name: Statement.of(f"{file}.{name}", sql) for name, sql in read_statements(text).items()})
