"""Checks a whole configuration: relay.yaml and the routing that it names.

Law: whatever is wrong in one file, the other is checked too.
"""

from collections.abc import Mapping
from pathlib import Path

from relay.config.loading import TryPair, read_service
from relay.config.problems import Problem, in_order
from relay.config.references import References
from relay.config.routing import ReadParts, RoutingLoader, read_parts_here


def check_config(
    path: str | Path,
    environ: Mapping[str, str],
    read_parts: ReadParts = read_parts_here,
    *,
    try_pair: TryPair | None = None,
) -> tuple[Problem, ...]:
    """Every problem of relay.yaml and of the routing that it names, sorted. ConfigUnreadable: it cannot be opened."""
    service, routing = read_service(path, environ, try_pair=try_pair)
    found = list(service.problems)
    if routing is not None:
        found += RoutingLoader(routing, read_parts).load(References(environ)).problems
    return in_order(found)
