"""Holds a document against its schema and says in the relay's words, at the right place, what does not fit.

Law: every misfit is named, not only the first; no text repeats a value that could be a secret.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
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
    "enum": lambda error: f"expected {_either(error)}",
    "literal_error": lambda error: f"expected {_either(error)}",
    "greater_than_equal": lambda error: f"must be at least {error['ctx']['ge']}",
    "less_than_equal": lambda error: f"must be at most {error['ctx']['le']}",
    "too_short": lambda error: f"needs at least {error['ctx']['min_length']}",
    "too_long": lambda error: f"takes at most {error['ctx']['max_length']}",
    "value_error": lambda error: str(error["ctx"]["error"]),
    "string_type": lambda error: f"expected text, found {found(error['input'])}",
    "at": lambda error: error["msg"],
}
_LISTS = {"list_type", "tuple_type"}
_SECTIONS = {"dict_type", "dataclass_type", "dataclass_exact_type"}


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
    names = list(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
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
    if kind in _LISTS:
        return mark_of(root, path), f"expected a list, found {found(error['input'])}"
    if kind in _SECTIONS:
        return mark_of(root, path), f"expected keys and values, found {found(error['input'])}"
    if path and path[-1] == "[key]":
        return key_mark_of(root, path[:-1]), _TEXTS["value_error"](error)
    text = _TEXTS.get(kind, _said)(error)
    return mark_of(root, path), text


def _said(error: ErrorDetails) -> str:
    return error["msg"]


def _either(error: ErrorDetails) -> str:
    return str(error["ctx"]["expected"]).replace("'", "")


def _keys(adapter: TypeAdapter[Any], path: tuple[int | str, ...]) -> list[str]:
    """The keys that the schema knows at `path`."""
    whole = adapter.json_schema()
    here = whole
    for step in path:
        here = _inner(whole, here, step)
    return list(_resolved(whole, here).get("properties", {}))


def _inner(whole: dict[str, Any], here: dict[str, Any], step: int | str) -> dict[str, Any]:
    here = _resolved(whole, here)
    if isinstance(step, int):
        items = here.get("items", here.get("prefixItems", [{}])[0])
        return dict(items)
    inner = here.get("properties", {}).get(step, here.get("additionalProperties", {}))
    return inner if isinstance(inner, dict) else {}


def _resolved(whole: dict[str, Any], here: dict[str, Any]) -> dict[str, Any]:
    while True:
        if "$ref" in here:
            here = whole["$defs"][here["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in here:
            here = next((choice for choice in here["anyOf"] if choice.get("type") != "null"), {})
        elif "allOf" in here:
            here = here["allOf"][0]
        else:
            return here
