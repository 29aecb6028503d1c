"""The conformance suites, one file per concern of the ports: every coroutine function in them is one check."""

from collections.abc import Awaitable, Callable, Iterator
from inspect import iscoroutinefunction
from types import ModuleType

from tests.contract.scene import Scene
from tests.contract.suites import (
    about,
    delays,
    health,
    held,
    history,
    leases,
    limits,
    outbox,
    probing,
    queue,
    reading,
    recovery,
    renames,
    routing,
    sessions,
    settling,
)

Check = Callable[[Scene], Awaitable[None]]

SUITES = (
    queue,
    settling,
    limits,
    sessions,
    leases,
    recovery,
    renames,
    routing,
    outbox,
    probing,
    delays,
    held,
    health,
    about,
    history,
    reading,
)


def checks_of(suite: ModuleType) -> Iterator[Check]:
    """The checks of one suite, in the order of the file."""
    for name, check in vars(suite).items():
        if iscoroutinefunction(check) and check.__module__ == suite.__name__ and not name.startswith("_"):
            yield check


CHECKS: tuple[Check, ...] = tuple(check for suite in SUITES for check in checks_of(suite))
