"""History that has been kept long enough, on Redis: the engine's rule, and where the next look at what is left begins.

Law: as relay/store/engine/pruning.py; while Redis has little memory left, history goes sooner, for mail goes before it.
"""

from relay.store.engine.context import Context
from relay.store.engine.pruning import Pruning
from relay.store.redis.dense import raise_floor, upward
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.pending import Present

AT_ONCE: int = 200
"""Messages, attempts and events looked at in one go: the script that drops them takes some milliseconds, in which the
server does nothing else; with a go at each heartbeat, 800,000 a day, and more while memory is short (easing.py)."""

NEARLY_FULL: int = 90
"""Of a hundred parts of its memory; beyond all of them Redis takes no mail."""


class RedisPruning:
    """Goes through what is finished, again and again."""

    def __init__(self, context: Context, opened: Present) -> None:
        self._pruning = Pruning(context, AT_ONCE)
        self._opened = opened

    def prune(self, *, used: int, most: int) -> bool:
        """Deletes a little of what is old enough; whether more of it has to go at once, for memory is short.

        `used` and `most`: octets of the server's memory; `most` 0: it has no bound.
        """
        is_short = is_tight(used, most)
        has_more = self._pruning.prune(before=None, is_tight=is_short) and is_short
        for table, column in (("messages", "seq"), ("attempts", "id")):
            _note_floor(self._opened.ledger, table, column)
        return has_more


def is_tight(used: int, most: int) -> bool:
    """Whether the memory of a server is nearly full."""
    return most > 0 and used * 100 >= most * NEARLY_FULL


def _note_floor(ledger: RedisLedger, table: str, column: str) -> None:
    """After rows were dropped: nothing lies below the first that is left.

    No higher than what was dropped: what began below it long ago may still come, as an attempt under way does.
    """
    dropped = [int(key) for key, values in ledger.written(table).items() if values is None]
    if dropped:
        left = next(upward(ledger, table, 0, EVERYTHING), None)
        raise_floor(ledger, table, min([max(dropped) + 1] + ([] if left is None else [left[column]])))
