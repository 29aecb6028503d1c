"""Holds a document against its schema and says in the relay's words, at the right place, what does not fit.

Law: every misfit is named, not only the first; no text repeats a value that could be a secret.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from relay.config.document import key_mark_of, mark_of
from relay.config.fields import found
from relay.config.problems import START, Mark, Report

Value = TypeVar("Value")

KEYS_NAMED: int = 12
"""Without a likely meaning the known keys are listed, unless they would fill the screen."""

_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_TEXTS: Mapping[str, Callable[[ErrorDetails], str]] = {
    **dict.fromkeys(
        ("dict_type", "dataclass_type", "dataclass_exact_type"),
        lambda error: f"expected keys and values, found {found(error['input'])}",
    ),
    **dict.fromkeys(("list_type", "tuple_type"), lambda error: f"expected a list, found {found(error['input'])}"),
    "enum": lambda error: f"expected {_either(error)}",
    "literal_error": lambda error: f"expected {_either(error)}",
    "greater_than_equal": lambda error: f"must be at least {error['ctx']['ge']}",
    "less_than_equal": lambda error: f"must be at most {error['ctx']['le']}",
    "too_long": lambda error: f"takes at most {error['ctx']['max_length']}",
    "value_error": lambda error: str(error["ctx"]["error"]),
    "string_type": lambda error: f"expected text, found {found(error['input'])}",
}


def misfit(text: str, at: str) -> PydanticCustomError:
    """The error of a check over several keys; `at` names the key whose value is to blame."""
    return PydanticCustomError("at", "{text}", {"text": text, "at": at})


def validated(
    adapter: TypeAdapter[Value], root: Any, report: Report, *, folder: str, above: Mark = START
) -> Value | None:
    """The value after its schema; None after reporting every misfit. `above`: the place of what has no place inside."""
    try:
        return adapter.validate_python(root, context={"folder": folder})
    except ValidationError as failure:
        for error in failure.errors(include_url=False):
            mark, text = _explained(error, root, adapter)
            report.error(mark or above, text)
        return None


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the short list of what is known, or nothing."""
    return _suggestion(word.lower(), tuple(known))


@lru_cache(maxsize=1024)
def _suggestion(word: str, names: tuple[str, ...]) -> str:
    """The same slip may stand in every account of a hundred thousand."""
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(names)}" if 0 < len(names) <= KEYS_NAMED else ""


def _explained(error: ErrorDetails, root: Any, adapter: TypeAdapter[Any]) -> tuple[Mark | None, str]:
    path, kind = error["loc"], error["type"]
    if kind in _UNKNOWN:
        key = str(path[-1])
        return key_mark_of(root, path), f"unknown key {key!r}{suggestion(key, _keys(adapter, path[:-1]))}"
    if kind == "missing" and isinstance(path[-1], int):
        return mark_of(root, path), f"needs more than {path[-1]}"
    if kind == "missing":
        return mark_of(root, path), f"the key {str(path[-1])!r} is missing"
    if kind == "at":
        return mark_of(root, (*path, error["ctx"]["at"])), error["msg"]
    text = _TEXTS[kind](error) if kind in _TEXTS else error["msg"]
    if path and path[-1] == "[key]":
        return key_mark_of(root, path[:-1]), text
    return mark_of(root, path), text


def _either(error: ErrorDetails) -> str:
    return str(error["ctx"]["expected"]).replace("'", "")


def _keys(adapter: TypeAdapter[Any], path: tuple[int | str, ...]) -> list[str]:
    """The keys that the schema knows at `path`."""
    whole = _schema(adapter)
    here = whole
    for step in path:
        here = _resolved(whole, here)
        here = here["items"] if isinstance(step, int) else here["properties"][step]
    return list(_resolved(whole, here)["properties"])


@lru_cache(maxsize=16)
def _schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    return adapter.json_schema()


def _resolved(whole: dict[str, Any], here: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in here:  # a section, or nothing
        here = here["anyOf"][0]
    return whole["$defs"][here["$ref"].rsplit("/", 1)[1]] if "$ref" in here else here
