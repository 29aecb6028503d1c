"""Stores with one fault each, by the suite that has to find it."""

from types import ModuleType

from tests.contract import suites
from tests.contract.faults import (
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
from tests.contract.model import ModelStore

_FOUND_BY = {
    queue: suites.queue,
    settling: suites.settling,
    limits: suites.limits,
    sessions: suites.sessions,
    leases: suites.leases,
    recovery: suites.recovery,
    renames: suites.renames,
    routing: suites.routing,
    outbox: suites.outbox,
    probing: suites.probing,
    delays: suites.delays,
    health: suites.health,
    about: suites.about,
    held: suites.held,
    history: suites.history,
    reading: suites.reading,
}


def faults_of(module: ModuleType) -> list[type[ModelStore]]:
    """The stores of one file."""
    return [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]


FAULTS = [(fault, suite) for module, suite in _FOUND_BY.items() for fault in faults_of(module)]
"""Each planted fault, with the suite that has to find it."""
