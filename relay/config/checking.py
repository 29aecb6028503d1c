"""Checks a whole configuration: relay.yaml and the routing that it names.

Law: whatever is wrong in one file, the other is checked too.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from relay.config.loading import StoredOf, TryPair, read_service, unseen
from relay.config.notices import check_roads
from relay.config.problems import Problem, Report, in_order
from relay.config.references import References, nothing_seen
from relay.config.routing import ReadParts, RoutingLoader, read_parts_here
from relay.config.store import Look, nobody_looks


def check_config(
    path: str | Path,
    environ: Mapping[str, str],
    read_parts: ReadParts = read_parts_here,
    *,
    try_pair: TryPair | None = None,
    stored_of: StoredOf = unseen,
    look_at_store: Look = nobody_looks,
    today: date | None = None,
) -> tuple[Problem, ...]:
    """Every problem of relay.yaml and of the routing that it names, sorted. ConfigUnreadable: it cannot be opened.

    Without `today` dates are not held against it.
    """
    service, routing, mark_of = read_service(
        path, environ, try_pair=try_pair, stored_of=stored_of, look_at_store=look_at_store
    )
    found = list(service.problems)
    if routing is not None:
        stored = nothing_seen if service.value is None else stored_of(service.value)
        loader = RoutingLoader(routing, read_parts)
        loaded = loader.load(References(environ, stored))
        found += loaded.problems
        if service.value is not None and loaded.value is not None:
            report = Report(str(path))
            check_roads(service.value.notices, loaded.value, mark_of, report)
            found += report.problems
            found += [] if today is None else loader.lasting(service.value.queue, today)
    return in_order(found)
