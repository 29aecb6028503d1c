"""The one thread's work: scripts together, judgements under one hold of the pen, looks after one look at the clock.

Law: an operation that fails does not take others with it; memory that a failed one may have changed is loaded again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from relay.errors import NodeOutlived, RelayError, StoreError, StoreFull, StoreSilent, StoreUnavailable
from relay.store.redis.core import NOTHING, Core
from relay.store.redis.hearing import Hearer
from relay.store.redis.link import Call
from relay.store.redis.operations import PenHeld, Stale
from relay.store.redis.parts import Ground
from relay.store.redis.turns import Again, Hot, Item

WAITS: int = 200
"""Turns that an operation waits for the pen: longer than a node that died with it keeps it."""

TRIES: int = 5
"""So often an operation is begun again that somebody else's came before; the pen makes that rare."""


@dataclass(slots=True)
class Doubt:
    """Operations that were committed, or not: the answer was lost."""

    number: int
    items: list[tuple[Item, Any]]
    """With what came of each if they were."""


class Worker:
    """Has the core of this node, and loads it again when it is spoilt."""

    def __init__(self, ground: Ground, hearers: Mapping[str, Hearer], loaded: Callable[[Core], None]) -> None:
        """`loaded` is told of each core."""
        self._ground = ground
        self._hearers = hearers
        self._loaded = loaded
        self._core: Core | None = None
        self._doubt: Doubt | None = None
        self._lost: list[Hot] = []
        """Operations whose answers were lost, and that left something to be undone."""
        self._heard = 0
        """Up to which revision those have heard that outlive a core."""
        self.changes = 0
        """How many changes this node has heard of."""

    def alive(self) -> Core:
        """The core. StoreUnavailable and below: it cannot be loaded."""
        if self._core is None:
            self._core = Core(self._ground, self._hearers, self._heard)
            self._heard = self._core.revision
            self._loaded(self._core)
        return self._core

    @property
    def is_in_doubt(self) -> bool:
        """Whether somebody waits for what only the store can tell, when it is back."""
        return self._doubt is not None

    def run(self, items: Sequence[Item]) -> None:
        """Each is done afterwards, or has failed; but for those whose answer was lost, which wait until it is known."""
        try:
            self._clear_up()
            for item in items:
                item.has_waited = False
            while self._run_some(items):
                pass
            self._look_all([item for item in items if item.look is not None])
        except RelayError as error:
            self._core = None
            for item in items:
                if item.is_open:
                    item.fail(error)
        if self._core is not None:
            self._heard = self._core.revision
            self.changes = max(self.changes, self._core.changes)

    def _run_some(self, items: Sequence[Item]) -> bool:
        """What is hot, then what is judged; whether anything was left to do."""
        hot = [item for item in items if item.hot is not None and item.judge is None and item.is_open]
        if hot:
            self._run_hot(hot)
        judged = [item for item in items if item.judge is not None and item.is_open and not item.has_waited]
        if judged:
            self._judge_all(judged)
        return bool(hot or judged)

    def _clear_up(self) -> None:
        """What was in doubt is known now, and what nobody heard of is undone. StoreUnavailable: not yet."""
        if self._doubt is not None:
            is_done = self._ground.operations.is_done(self._doubt.number)
            doubt, self._doubt = self._doubt, None
            for item, outcome in doubt.items:
                item.is_in_doubt = False
                if is_done:
                    self._judged(item, outcome)
                else:
                    item.fail(StoreUnavailable("Redis went away before it was done"))
        while self._lost:
            undo = self._lost[0].undo
            if undo is not None:
                try:
                    self.alive().judge(lambda undo=undo: undo(self.alive()))  # type: ignore[misc]
                except NodeOutlived:
                    pass  # the newer life of this node has done so
            del self._lost[0]

    # what is hot

    def _run_hot(self, items: Sequence[Item]) -> None:
        core, calls = self.alive(), list[tuple[Item, Call]]()
        for item in items:
            assert item.hot is not None
            try:
                calls.append((item, item.hot.call(core)))
            except Again as again:
                self._put_off(item, again)
            except RelayError as error:
                item.fail(error)
        if not calls:
            return
        try:
            replies = self._ground.link.run_many([call for _, call in calls], is_durable=True)
        except RelayError as error:
            replies = [error] * len(calls)
        for (item, _), reply in zip(calls, replies, strict=True):
            self._take_answer(core, item, reply)

    def _take_answer(self, core: Core, item: Item, reply: Any) -> None:
        assert item.hot is not None
        if isinstance(reply, RelayError):
            if isinstance(reply, StoreSilent) and item.hot.undo is not None:
                self._lost.append(item.hot)
            item.fail(reply)
            return
        try:
            item.end(item.hot.answered(core, msgpack.unpackb(reply, raw=True, strict_map_key=False)))
        except Again as again:
            self._put_off(item, again)
        except RelayError as error:
            item.fail(error)

    @staticmethod
    def _put_off(item: Item, again: Again) -> None:
        """It is judged in this very turn."""
        item.judge, item.and_again = again.judge, again.and_again
        item.tries += 1
        if item.tries > TRIES:
            item.fail(StoreUnavailable("what has to be judged first never ends; it is tried again"))

    # what decides

    def _judge_all(self, items: Sequence[Item]) -> None:
        """All under one hold of the pen and in one commit; if one of them fails, each by itself."""
        usual = [item for item in items if item.held is None]
        if len(usual) > 1 and self._doubt is None and self._judge_together(usual):
            usual = []
        for item in (*usual, *(item for item in items if item.held is not None)):
            if self._doubt is None:
                self._judge_alone(item)
            else:  # Redis remembers the last commit of a node alone: none comes before that is asked for
                item.fail(StoreUnavailable("what became of an operation before this one is not known yet"))

    def _judge_together(self, items: Sequence[Item]) -> bool:
        core = self.alive()

        def work() -> list[Any]:
            return [item.judge(core) for item in items if item.judge is not None]

        try:
            outcomes = core.judge(work, is_fact=all(item.is_fact for item in items))
        except PenHeld as error:
            self._wait_for_pen(items, error)
            return True
        except StoreSilent as error:
            self._after(core, error)
            self._wonder(core, items, error)
            return True
        except StoreError as error:
            self._after(core, error)
            if isinstance(error, Stale | StoreFull):  # refused is what is new; the others go on
                return False
            for item in items:
                item.fail(error)
            return True
        except RelayError as error:
            self._after(core, error)
            return False
        for item, outcome in zip(items, outcomes, strict=True):
            self._judged(item, outcome)
        return True

    def _judge_alone(self, item: Item) -> None:
        for _ in range(TRIES):
            core, judge = self.alive(), item.judge
            assert judge is not None
            try:
                outcome = core.judge(lambda core=core, judge=judge: judge(core), held=item.held, is_fact=item.is_fact)  # type: ignore[misc]
                self._judged(item, outcome)
            except PenHeld as error:
                self._wait_for_pen([item], error)
            except StoreSilent as error:
                self._after(core, error)
                self._wonder(core, [item], error)
            except RelayError as error:
                self._after(core, error)
                if isinstance(error, Stale):
                    continue
                item.fail(error)
            return
        item.fail(StoreUnavailable("other nodes were always first; it is tried again"))

    @staticmethod
    def _wait_for_pen(items: Sequence[Item], error: PenHeld) -> None:
        """They are asked again in the next turn, after what is hot; a node that died lets the pen go by its time."""
        for item in items:
            item.has_waited = True
            item.waits += 1
            if item.waits > WAITS:
                item.fail(error)

    def _wonder(self, core: Core, items: Sequence[Item], error: StoreSilent) -> None:
        """Whether it was committed is asked when the store is back; until then nobody is told either."""
        if core.in_doubt is NOTHING:
            for item in items:
                item.fail(error)
            return
        outcomes = core.in_doubt if len(items) > 1 else [core.in_doubt]
        assert isinstance(outcomes, list)
        self._doubt = Doubt(self._ground.operations.number, list(zip(items, outcomes, strict=True)))
        for item in items:
            item.is_in_doubt = True

    def _after(self, core: Core, error: RelayError) -> None:
        is_answer = isinstance(error, StoreFull) or not isinstance(error, StoreError)
        if core.is_spoilt or not is_answer:
            self._core = None
        if is_answer:
            core.give_up()

    @staticmethod
    def _judged(item: Item, outcome: Any) -> None:
        if item.and_again:
            item.judge, item.and_again = None, False  # the script goes on with it
        else:
            item.end(outcome)

    # what only reads

    def _look_all(self, items: Sequence[Item]) -> None:
        if not items:
            return

        def work(core: Core) -> None:
            for item in items:
                assert item.look is not None
                try:
                    item.end(item.look(core))
                except RelayError as error:
                    item.fail(error)

        try:
            core = self.alive()
            core.look(lambda: work(core))
        except Stale:
            self._core = None
            core = self.alive()
            core.look(lambda: work(core))
