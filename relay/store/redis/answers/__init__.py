"""What a store on Redis answers to the statements of relay/store/sql: a module for each file, a function for each name.

Law: an answer says what its SQL says, row for row and in the same order; a writing one says how many rows it changed.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def answer(name: str) -> Callable[..., Any]:
    """The function that answers the statement of this name (`file.statement`); LookupError: nobody wrote one."""
    file, _, statement = name.partition(".")
    path = f"{__name__}.{file}"
    if not file.isidentifier() or find_spec(path) is None:
        raise LookupError(f"the store on Redis answers no statement of {file!r}")
    found: Callable[..., Any] | None = getattr(import_module(path), statement, None)
    if found is None or getattr(found, "__module__", None) != path or statement.startswith("_"):
        raise LookupError(f"the store on Redis has no answer to {name!r}")
    return found
