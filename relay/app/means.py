"""What all parts of the service are made with: the configuration, the machine, and who is told what.

Law: what is wired to what stands in the modules that take these means, one for each station of a message, and nowhere
else; a part gets plain values, ports and callables, and none of them learns where they come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.admin import Readiness
from relay.app.machine import MachineClock, Threads
from relay.app.shelf import SecretShelf
from relay.app.systemd import ServiceManager
from relay.config.references import Resolve
from relay.config.service import ServiceConfig
from relay.observe import Log, Metrics
from relay.store.ports.nodes import Role


@dataclass(frozen=True, slots=True)
class Means:
    """What all parts are made with."""

    config: ServiceConfig
    environ: Mapping[str, str]
    clock: MachineClock
    threads: Threads
    log: Log
    metrics: Metrics
    readiness: Readiness
    resolve: Resolve = field(repr=False)
    """Finds a secret."""
    shelf: SecretShelf = field(default_factory=SecretShelf)
    """Where it looks for stored ones; opened with the store."""
    manager: ServiceManager = field(default_factory=lambda: ServiceManager({}, pid=0))
    """Watches this process; by default nobody does."""
    role: Role = Role.ALL
    """What this node does."""
    started_at: int = 0
    """Wall time in microseconds."""
