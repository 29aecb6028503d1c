"""Checks a whole configuration: relay.yaml and the routing that it names.

Law: whatever is wrong in one file, the other is checked too.
"""

from collections.abc import Mapping
from pathlib import Path

from relay.config.loading import StoredOf, TryPair, read_service, unseen
from relay.config.problems import Problem, in_order
from relay.config.references import References, nothing_seen
from relay.config.routing import ReadParts, RoutingLoader, read_parts_here


def check_config(
    path: str | Path,
    environ: Mapping[str, str],
    read_parts: ReadParts = read_parts_here,
    *,
    try_pair: TryPair | None = None,
    stored_of: StoredOf = unseen,
) -> tuple[Problem, ...]:
    """Every problem of relay.yaml and of the routing that it names, sorted. ConfigUnreadable: it cannot be opened."""
    service, routing = read_service(path, environ, try_pair=try_pair, stored_of=stored_of)
    found = list(service.problems)
    if routing is not None:
        stored = nothing_seen if service.value is None else stored_of(service.value.data_dir)
        found += RoutingLoader(routing, read_parts).load(References(environ, stored)).problems
    return in_order(found)
