"""The ledger of the operation that runs now, in the place where the engine looks for one.

Law: outside of an operation there is none: who asks then has a fault, and hears so.
"""

from collections.abc import Iterable, Sequence

from relay.core.limits import Instant
from relay.errors import StoreBroken
from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.schedule import RedisSchedule
from relay.store.redis.times import RedisTimes


class Opened:
    """Stands for the ledger of each operation in turn."""

    def __init__(self, times: RedisTimes) -> None:
        self._times = times
        self._ledger: RedisLedger | None = None
        self._schedule: RedisSchedule | None = None

    @property
    def ledger(self) -> RedisLedger:
        """That of this operation."""
        if self._ledger is None:
            raise StoreBroken("the store was asked outside of an operation")
        return self._ledger

    @property
    def schedule(self) -> RedisSchedule:
        """What this operation sees of the schedule."""
        if self._schedule is None:
            raise StoreBroken("the schedule was asked outside of an operation")
        return self._schedule

    @property
    def now(self) -> Instant:
        """Relay time of this operation."""
        return self._times.now()

    def open(self, ledger: RedisLedger, schedule: RedisSchedule | None) -> None:
        """An operation begins."""
        self._ledger, self._schedule = ledger, schedule

    def close(self) -> None:
        """It is over."""
        self._ledger = self._schedule = None

    def read(self, statement: str, parameters: Sequence[object] = (), /) -> list[Row]:
        """All rows that answer."""
        return self.ledger.read(statement, parameters)

    def read_one(self, statement: str, parameters: Sequence[object] = (), /) -> Row | None:
        """The first row, or None."""
        return self.ledger.read_one(statement, parameters)

    def write(self, statement: str, parameters: Sequence[object] = (), /) -> int:
        """Writes, and says how many rows it changed."""
        return self.ledger.write(statement, parameters)

    def write_many(self, statement: str, rows: Iterable[Sequence[object]], /) -> None:
        """Writes once a row."""
        self.ledger.write_many(statement, rows)
