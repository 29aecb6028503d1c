"""What is wrong with a configuration, and where: `FILE:LINE:COLUMN: error|warning: text`.

Law: problems are collected, never raised; lines and columns count from 1; no text repeats a secret.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

Mark = tuple[int, int]
"""Line and column, from 1."""

START: Mark = (1, 1)


class Severity(StrEnum):
    """An error refuses the file; a warning concerns one account, or what an admin should know."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One line of `relay check`; ordered by file, line and column."""

    file: str
    line: int
    column: int
    severity: Severity
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.text}"


@dataclass(slots=True)
class Report:
    """Collects the problems of one file."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def error(self, mark: Mark, text: str) -> None:
        """Adds what refuses the file."""
        self.problems.append(Problem(self.file, *mark, Severity.ERROR, text))

    def warning(self, mark: Mark, text: str) -> None:
        """Adds what an admin should know."""
        self.problems.append(Problem(self.file, *mark, Severity.WARNING, text))


class Loaded(NamedTuple, Generic[Value]):
    """What a file says, None where an error refuses it, and every problem, sorted."""

    value: Value | None
    problems: tuple[Problem, ...]


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of these refuses the file."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted by place, each once."""
    return tuple(sorted(set(problems)))
