"""Which routing is in force, with the secrets of now, when this node has had its say.

Law: a node puts nothing over what it has not looked at; what another put in force meanwhile is looked at first.
"""

from collections.abc import Callable
from dataclasses import dataclass

from relay.app.complaints import lacking_clients
from relay.app.others import Others
from relay.app.routingdesk import Desk
from relay.config.references import Fingerprinted, fingerprints
from relay.core.nodesecrets import Weighed
from relay.core.routing import Routing
from relay.errors import CorruptValue, StaleRouting
from relay.store.ports import AppliedRouting
from relay.store.ports.routing import NONE_APPLIED


@dataclass(frozen=True, slots=True)
class Say:
    """What this node brings; nothing: it asks for what is in force, with the secrets of now."""

    files: Routing | None = None
    digest: str | None = None
    """Of these files, among others: only a change of them is an edit."""
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Works:
    """What this node works with until now."""

    routing: Routing
    version: int
    looked: Fingerprinted | None
    """Its secrets when it looked last."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is in force from now on."""

    applied: AppliedRouting
    looked: Fingerprinted
    """This node's secrets for it."""
    weighed: Weighed
    """What they make of it, and whom this node leaves to others."""


async def agree_alone(desk: Desk, say: Say, works: Works) -> Agreed:
    """One node alone: what its files say counts."""
    routing = works.routing if say.files is None else say.files
    looked = await _look_twice(desk, routing, works.looked)
    version = await desk.store.apply(routing, looked.found)
    return Agreed(AppliedRouting(version, routing, looked.found), looked, Weighed(looked.found))


async def agree_among(desk: Desk, others: Others, *, say: Say, works: Works, is_behind: Callable[[], None]) -> Agreed:
    """One node among others; `is_behind` hears that another routing is in force than the one it works with."""
    while True:
        found = await look_at_applied(desk)
        applied = found or NONE_APPLIED
        if applied.version != works.version:
            is_behind()
        edit = say.files if say.digest is not None and others.is_edit(say.digest, found) else None
        if found is None and edit is None:
            edit = works.routing
        routing = edit if edit is not None else applied.routing
        looked = await _look_twice(desk, routing, works.looked)
        weighed = await desk.run(_weighing(desk, others, looked, applied))
        if edit is None and weighed.prints == applied.fingerprints:
            return Agreed(applied, looked, weighed)
        try:
            version = await desk.store.apply_on(applied, routing, weighed.prints)
        except StaleRouting:
            continue
        by = applied.by if version == applied.version else None
        return Agreed(AppliedRouting(version, routing, weighed.prints, by), looked, weighed)


async def look_at_applied(desk: Desk) -> AppliedRouting | None:
    """What was applied last is not needed where the files are good; that it cannot be read is said."""
    try:
        return await desk.store.applied()
    except CorruptValue as error:
        desk.log.trouble(what="routing", text=str(error))
        return None


def _weighing(desk: Desk, others: Others, looked: Fingerprinted, applied: AppliedRouting) -> Callable[[], Weighed]:
    routing, resolve = looked.routing, desk.resolve
    return lambda: others.weigh(routing, looked.found, applied, lacking_clients(routing, resolve))


async def _look_twice(desk: Desk, routing: Routing, last: Fingerprinted | None) -> Fingerprinted:
    """The fingerprints with the secrets of now, which are bound by looking at them."""
    looked = await _look(desk, routing, last)
    if await desk.shelf.bind():
        looked = await _look(desk, routing, looked)
    return looked


async def _look(desk: Desk, routing: Routing, last: Fingerprinted | None) -> Fingerprinted:
    """The fingerprints of a routing with the secrets of now."""
    mark = desk.shelf.changes
    prints = await desk.run(lambda: fingerprints(routing, desk.resolve, desk.key, last=last, shelf=desk.shelf))
    return Fingerprinted(routing, prints, mark)
