"""A move from one place to another: carried, counted on both sides, then the one is barred and the other freed.

Law: killed at any moment and run again it comes to the same end; at no moment can a relay be started on both places.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from relay.errors import StoreBroken, StoreMoved, StoreUnavailable
from relay.store.moving.carried import CARRIED, EVENTS, Page, shifted
from relay.store.moving.counting import Counted, Counting
from relay.store.moving.sides import Journey, Leave, Source, Target
from relay.store.needs import CrashPoint, never_dies

SPOILT = "spoilt"
"""The state of no source: what did not arrive as it was is not gone on with, the next run begins anew."""


class Telling(Protocol):
    """Hears how far it is."""

    def __call__(self, name: str, done: int, of: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What a move is made with."""

    open_source: Callable[[], Source]
    prepare: Callable[[], int]
    """Ends what a dead process left under way, as its next start would; the widest window of the limits."""
    today: str
    """For the sentence that bars the source."""
    told: Telling
    new_id: Callable[[], str]
    """Of a move, and of a run of it: no two are the same."""
    passes: CrashPoint = never_dies
    """Told of each durable step: `move-prepared`, `move-begun`, `move-page`, `move-carried`, `move-barred`."""


class Move:
    """One run."""

    def __init__(self, target: Target, means: Means) -> None:
        self._target = target
        self._means = means
        self._source = means.open_source()
        try:
            self._journey = self._begun()
        except BaseException:
            self.close()
            raise

    def _begun(self) -> Journey:
        """What is half done goes on, if the source is as it was; else all begins anew."""
        means, target, source, found = self._means, self._target, self._source, self._target.journey()
        if found is not None and found.store_id != source.store_id:
            raise StoreBroken(f"{target.where} has the half of another move in it, of store {found.store_id}")
        is_left = found is not None and source.is_left_by(found.token)
        if source.moved and not is_left:
            raise StoreMoved(f"{source.where}: {source.moved}")
        is_as_it_was = found is not None and found.state == source.state()
        if found is not None and (is_left or (is_as_it_was and found.ahead == source.ahead)):
            target.go_on(found, means.new_id())
            return found
        source.close()
        width = means.prepare()
        means.passes("move-prepared")
        self._source = source = means.open_source()
        since, token = source.moment() - width, means.new_id()
        journey = Journey(source.store_id, source.where, source.state(), source.ahead, since, token)
        target.begin(journey, found, means.new_id())
        means.passes("move-begun")
        return journey

    def run(self) -> list[Counted]:
        """Carries and counts; the target is freed only if all is there. StoreUnavailable: the source was used."""
        for table in CARRIED:
            self._carry(table)
        self._carry_events()
        self._target.wake(self._moment, self._source.numbers())
        self._means.passes("move-carried")
        counting = Counting(self._source, self._target, lambda table: self._shifted(table, ""))
        counted = [*counting.counted()]
        if all(each.is_same for each in counted):
            self._finish()
        elif not self._source.moved:
            self._target.note(replace(self._journey, state=SPOILT))
        return counted

    @property
    def store_id(self) -> str:
        """Which store is moved."""
        return self._journey.store_id

    def close(self) -> None:
        """Lets go of the source."""
        self._source.close()

    def _finish(self) -> None:
        source, target = self._source, self._target
        came = source.bar(f"it was moved to {target.where} on {self._means.today}", self._journey)
        if came is Leave.ELSEWHERE:
            raise StoreMoved(f"{source.where}: {source.moved}; what was carried to {target.where} is of no use")
        if came is Leave.USED:
            raise StoreUnavailable(
                f"{source.where} was used while it was being moved: stop every relay, and run it again"
            )
        self._means.passes("move-barred")
        target.finish(self._moment, source.changes())

    def _moment(self) -> int:
        """Relay time and queue time of now, as the target has them. A reboot may have let queue time go on alone since
        the rows were carried: then retries wait for it once more, and no window of a limit is shorter.
        """
        source = self._source
        return source.moment() - source.ahead + self._journey.ahead

    # carrying

    def _carry(self, table: str) -> None:
        done, of = 0, self._source.many(table)
        for page in self._shifted(table, self._target.position(table)):
            self._target.take(table, page)
            self._means.passes("move-page")
            done += len(page.rows)
            self._means.told(table, done, of)

    def _carry_events(self) -> None:
        done, of = 0, self._source.many(EVENTS)
        for page in self._source.events(self._target.position(EVENTS)):
            self._target.take_events(page)
            self._means.passes("move-page")
            done += len(page.rows)
            self._means.told(EVENTS, done, of)

    def _shifted(self, table: str, after: str) -> Iterator[Page]:
        for page in self._source.pages(table, after):
            yield replace(page, rows=[shifted(table, cells, self._journey.ahead) for cells in page.rows])
