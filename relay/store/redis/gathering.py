"""Calls of one script that go out together as one run of it: what Redis does once for a run is most of what it does.

Law: each is answered as if it had been run by itself. One that is refused among others has written nothing, and is run
again alone, so that it is told why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from relay.store.redis.scripts import Script

PRELUDE = 3
"""Arguments that all calls of such a script begin with: they say who asks, and when, if it matters."""

TOGETHER = 16
"""Of so many the share of what is done once is small, and the server is held up for some milliseconds."""

REFUSED = b""
"""What the script answers for one that has to be run alone."""


class Called(Protocol):
    """A call, as far as it is gathered."""

    @property
    def script(self) -> Script: ...

    @property
    def args(self) -> Sequence[bytes | str | int]: ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """One run: which of the calls it does, and with what arguments."""

    places: tuple[int, ...]
    args: tuple[bytes | str | int, ...]


def gathered(calls: Sequence[Called]) -> Iterator[Gathered]:
    """All calls, in the order of the first of each run; those of a script that does one at a time by themselves."""
    runs: dict[tuple[str, int], list[int]] = {}
    many: dict[str, int] = {}
    for place, call in enumerate(calls):
        if call.script.width and len(call.args) == PRELUDE + call.script.width:
            name = call.script.name
            many[name] = many.get(name, -1) + 1
            runs.setdefault((name, many[name] // TOGETHER), []).append(place)
        else:
            runs["", place] = [place]
    for places in runs.values():
        args = [*calls[places[0]].args, *(each for place in places[1:] for each in calls[place].args[PRELUDE:])]
        yield Gathered(tuple(places), tuple(args))


def apart(calls: Sequence[Called]) -> Iterator[Gathered]:
    """Each in a run of its own."""
    for place, call in enumerate(calls):
        yield Gathered((place,), tuple(call.args))


def spread(runs: Sequence[Gathered], replies: Sequence[Any]) -> list[Any]:
    """The answer of each call, in their order; of a run that failed, its error is that of each."""
    found: dict[int, Any] = {}
    for run, reply in zip(runs, replies, strict=True):
        is_list = len(run.places) > 1 and isinstance(reply, list)
        found.update(zip(run.places, reply if is_list else [reply] * len(run.places), strict=True))
    return [found[place] for place in range(len(found))]
