"""Where two routings differ, for the person whose files are not what is in force.

Law: it names places and references, never a literal secret; of a secret it says only where it is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any

from relay.core.routing import Routing, SecretReference

SHOWN: int = 5
"""Differences that are named; who mends these sees the next ones."""

PARTS = ("clients", "providers", "accounts")


def differences(here: Routing, in_force: Routing) -> str:
    """The first few places that differ, `here` first; empty: none."""
    found = list(islice(_places(here, in_force), SHOWN + 1))
    more = ["and others"] if len(found) > SHOWN else []
    return "; ".join([*found[:SHOWN], *more])


def _places(here: Routing, in_force: Routing) -> Iterator[str]:
    for part in PARTS:
        mine: Mapping[str, Any] = getattr(here, part)
        theirs: Mapping[str, Any] = getattr(in_force, part)
        for name in sorted({*mine, *theirs}):
            if name not in theirs:
                yield f"{part}.{name} is here alone"
            elif name not in mine:
                yield f"{part}.{name} is missing here"
            elif mine[name] != theirs[name]:
                yield from _settings(f"{part}.{name}", mine[name], theirs[name])


def _settings(place: str, mine: Any, theirs: Any) -> Iterator[str]:
    for each in fields(mine):
        ours, other = getattr(mine, each.name), getattr(theirs, each.name)
        if ours == other:
            continue
        if isinstance(ours, SecretReference) and isinstance(other, SecretReference) and str(ours) != str(other):
            yield f"{place}.{each.name} is {ours} here, and {other} in force"
        else:
            yield f"{place}.{each.name}"
