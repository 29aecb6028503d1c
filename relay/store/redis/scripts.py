"""The Lua scripts of the store, read from its .lua files, each with what it reaches of its libraries before it.

Law: every file begins with a line that says what it does; a library is a chunk that returns a table, which scripts and
other libraries see as a local of the file's name; no Lua is written anywhere else.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from relay.store.redis.reaching import Reached, statements

_NEEDS = re.compile(r"^-- needs:(?P<names>(?: [a-z_]+)+)$")
_SEVERAL = re.compile(r"^-- several: (?P<width>\d+)$")
_SAYS = re.compile(r"^-- [A-Z].*[.:]$")


@dataclass(frozen=True, slots=True)
class Script:
    """One operation on the server: `text` is sent once, `sha` ever after."""

    name: str
    text: str
    sha: str
    width: int = 0
    """Arguments of one operation after the first three, where several may be done in one run; 0: they may not."""


class ScriptError(ValueError):
    """A Lua file is not as the others are; its text says which, and how."""


@dataclass(frozen=True, slots=True)
class Source:
    """One .lua file: `needs` are the libraries that come before it."""

    name: str
    text: str
    needs: tuple[str, ...]
    width: int = 0

    @classmethod
    def of(cls, name: str, text: str) -> "Source":
        """Read from its text; ScriptError: it does not say what it does."""
        lines = text.splitlines()
        if not lines or _SAYS.match(lines[0]) is None:
            raise ScriptError(f"{name}.lua does not begin with a line that says what it does")
        needs = [found["names"].split() for line in _comments(lines) if (found := _NEEDS.match(line)) is not None]
        widths = [int(found["width"]) for line in _comments(lines) if (found := _SEVERAL.match(line)) is not None]
        return cls(name, text.rstrip() + "\n", tuple(each for names in needs for each in names), sum(widths))


def _comments(lines: list[str]) -> Iterator[str]:
    """The comment with which a file begins."""
    for line in lines:
        if not line.startswith("--"):
            return
        yield line


def assemble(script: Source, libraries: dict[str, Source]) -> Script:
    """A script, and before it what it reaches of libraries. ScriptError: one is not there, or needs itself."""
    placed: dict[str, Source] = {}
    for name in script.needs:
        _place(name, libraries, placed, (script.name,))
    reached = Reached({each.name: statements(each.name, each.text, each.needs) for each in placed.values()})
    reached.ask((name, ".") for name in script.needs)
    for each in statements("", script.text, script.needs):
        reached.ask(each.members())
    parts = [f"local {name} = (function()\n{text}end)()\n" for name in placed if (text := reached.text_of(name))]
    text = "".join([*parts, script.text])
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(script.name, text, sha, script.width)


def _place(name: str, libraries: dict[str, Source], placed: dict[str, Source], asking: tuple[str, ...]) -> None:
    if name in placed:
        return
    if name not in libraries:
        raise ScriptError(f"{asking[-1]}.lua needs {name}, which is not there")
    if name in asking:
        raise ScriptError(f"{name}.lua needs itself: {' > '.join((*asking, name))}")
    for each in libraries[name].needs:
        _place(each, libraries, placed, (*asking, name))
    placed[name] = libraries[name]


@cache
def libraries() -> dict[str, Source]:
    """All libraries by name."""
    return {source.name: source for source in _sources(_folder() / "lib")}


@cache
def load_script(name: str) -> Script:
    """The script `relay/store/lua/<name>.lua`, ready to be sent."""
    return assemble(_read(_folder() / f"{name}.lua"), libraries())


def script_names() -> tuple[str, ...]:
    """All scripts, in the order of their names."""
    return tuple(sorted(source.name for source in _sources(_folder())))


def _sources(folder: Traversable) -> Iterator[Source]:
    return (_read(path) for path in folder.iterdir() if path.name.endswith(".lua"))


def _read(path: Traversable) -> Source:
    return Source.of(path.name.removesuffix(".lua"), path.read_text("utf-8"))


def _folder() -> Traversable:
    return files("relay.store") / "lua"
