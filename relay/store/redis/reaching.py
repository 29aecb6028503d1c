"""What of the libraries a script reaches: Redis makes every function of a script anew at each call, needed or not.

Law: whatever is not plainly a definition that nobody names is kept; a library is laid out as tests/lint/test_lua.py
demands, so that a statement begins where a line does, and names no library but those that it needs.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_LOCAL_FUNCTION = re.compile(r"local function (\w+)")
_LOCALS = re.compile(r"local (\w+(?:, \w+)*)")
_MEMBER = re.compile(r"(?:function )?(\w+)\.(\w+)(?:\(| = )")
_CLOSING = re.compile(r"(?:end\b|[})])")
_COMMENT_OR_TEXT = re.compile(r"--[^\n]*|\"(?:[^\"\\\n]|\\.)*\"")
_WORDS = re.compile(r"(?<![.:\w])([A-Za-z_]\w*)(?:\.(\w+)|\s*(=)(?!=))?")

Member = tuple[str, str]
"""A library, and a name in it; an empty one stands for all of it."""


@dataclass(frozen=True)
class Statement:
    """One statement of a library, with the lines that belong to it."""

    text: str
    owner: str
    libraries: frozenset[str]
    """Those that it may name, its own among them."""

    @cached_property
    def member(self) -> str | None:
        """The name in its library that it defines."""
        found = _MEMBER.match(self.text)
        return found[2] if found is not None and found[1] == self.owner else None

    @cached_property
    def locals(self) -> frozenset[str]:
        """The names of its file that it defines."""
        found = _LOCAL_FUNCTION.match(self.text) or _LOCALS.match(self.text)
        return frozenset(found[1].split(", ")) if found is not None else frozenset()

    @cached_property
    def is_frame(self) -> bool:
        """Whether it makes the library's table, or gives it."""
        return self.text.startswith((f"local {self.owner} = {{", f"return {self.owner}\n"))

    @cached_property
    def is_always(self) -> bool:
        """Whether it is more than a definition that may go."""
        return self.is_frame or not (self.member or self.locals)

    @cached_property
    def words(self) -> frozenset[tuple[str, str]]:
        """All names in it, each with what is asked of it; `=` where it is one of a table, or given a value."""
        code = _COMMENT_OR_TEXT.sub('""', self.text)
        return frozenset((found[1], found[2] or found[3] or "") for found in _WORDS.finditer(code))

    def members(self) -> Iterator[Member]:
        """What it asks of libraries; of one that it hands on as a whole, all."""
        for name, asked in self.words:
            if name in self.libraries and asked != "=" and not (self.is_frame and name == self.owner):
                yield name, asked


def statements(name: str, text: str, needs: Iterable[str]) -> list[Statement]:
    """Those of a file, without its comments."""
    groups: list[list[str]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("--"):
            continue
        if groups and (line[0].isspace() or _CLOSING.match(line)):
            groups[-1].append(line)
        else:
            groups.append([line])
    known = frozenset((*needs, name))
    return [Statement("\n".join(lines) + "\n", name, known) for lines in groups]


@dataclass
class Reached:
    """Goes from a script to all that it can come to."""

    libraries: Mapping[str, Sequence[Statement]]
    kept: set[Statement] = field(default_factory=set)
    _asked: set[Member] = field(default_factory=set)

    def ask(self, members: Iterable[Member]) -> None:
        """These are needed, with all that they need."""
        waiting = list(members)
        while waiting:
            member = waiting.pop()
            if member in self._asked:
                continue
            self._asked.add(member)
            library, asked = member
            for each in self.libraries[library]:
                if each.is_always or (each.member and asked in ("", each.member)):
                    waiting += self._keep(each)

    def _keep(self, chosen: Statement) -> Iterator[Member]:
        """It stays, and what its file defines for it; what all of these ask of libraries."""
        waiting = [chosen]
        while waiting:
            each = waiting.pop()
            if each in self.kept:
                continue
            self.kept.add(each)
            names = {name for name, _ in each.words}
            waiting += [other for other in self.libraries[each.owner] if other.locals & names]
            yield from each.members()

    def text_of(self, name: str) -> str:
        """What is left of a library, in its order; its table has room for all of it from the start."""
        left = [each for each in self.libraries[name] if each in self.kept]
        room = ", ".join(dict.fromkeys(f"{each.member} = false" for each in left if each.member))
        return "".join(each.text for each in left).replace(
            f"local {name} = {{}}\n", f"local {name} = {{ {room} }}\n", 1
        )
