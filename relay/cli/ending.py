"""How a verb ends: one of four codes, and the errors that carry theirs.

Law: 0 done; 1 a problem that the text names; 2 wrong use, or relay.yaml cannot be opened; 3 relay not reachable.
"""

from enum import IntEnum

from relay.errors import PermanentError, RelayError, TemporaryError


class ExitCode(IntEnum):
    """How the command ended."""

    DONE = 0
    PROBLEM = 1
    WRONG_USE = 2
    UNREACHABLE = 3


class WrongUse(PermanentError):
    """this is not how it is used"""


class Unreachable(TemporaryError):
    """the relay is not reachable"""


def code_of(error: RelayError) -> ExitCode:
    """The code of an error that ends a verb."""
    if isinstance(error, WrongUse):
        return ExitCode.WRONG_USE
    return ExitCode.UNREACHABLE if isinstance(error, Unreachable) else ExitCode.PROBLEM
