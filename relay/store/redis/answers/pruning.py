"""History that has been kept long enough (relay/store/sql/pruning.sql).

Law: a look begins where the last pruning ended and stops at the first message that is too young: numbers grow with the
time of acceptance. Events go by their place in the stream.
"""

from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Any

import msgpack

from relay.store.engine.ledger import Row
from relay.store.redis.dense import newest, upward
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.rowkeys import EVENTS

HELD: int = 1
"""The last state of what is not final."""


def old_messages(ledger: RedisLedger, first: int, horizon: int, end: int, most: int) -> list[Row]:
    """Messages accepted before a moment, from one on, and whether anything of them moved or may move since."""
    old = takewhile(lambda row: bool(row["accepted_at"] < horizon), upward(ledger, "messages", first, end))
    messages = list(islice(old, most))
    needs = _moving(ledger, messages, horizon), _owed(ledger, messages), _messages_of(messages, _claimed(ledger))
    _read_ahead(ledger, [each for each in messages if not any(each["seq"] in need for need in needs)])
    return [(each["seq"], each["recipients"], *(int(each["seq"] in need) for need in needs)) for each in messages]


def newest_message(ledger: RedisLedger) -> list[Row]:
    """The last message: it stays, because what asks for the newest finds it at once."""
    return [(newest(ledger, "messages"),)]


def drop_deliveries(ledger: RedisLedger, first: int, end: int) -> int:
    """Forgets the deliveries of a message."""
    numbers = range(first, end)
    ledger.rows("deliveries", numbers)
    return sum(ledger.drop("deliveries", number) for number in numbers)


def drop_message(ledger: RedisLedger, seq: int) -> int:
    """Forgets a message."""
    return ledger.drop("messages", seq)


def drop_attempts(ledger: RedisLedger, ended: int, most: int) -> int:
    """Forgets the oldest attempts that ended before an instant; the last one stays."""
    last = newest(ledger, "attempts")
    oldest = islice(upward(ledger, "attempts", 0, EVERYTHING), most)
    numbers = [row["id"] for row in oldest if row["ended_at"] < ended and row["id"] != last]
    ledger.rows("attempts", numbers)
    return sum(ledger.drop("attempts", number) for number in numbers)


def drop_events(ledger: RedisLedger, horizon: int, most: int) -> int:
    """Forgets the oldest events before a moment."""
    oldest = ledger.asking.xrange(EVENTS, most)
    old = [place for place, packed in oldest if msgpack.unpackb(packed, raw=True)[0] < horizon]
    if old:
        ledger.act("events.trim", _after(max(old, key=_place)))
    return len(old)


def drop_said(ledger: RedisLedger, ended: int, most: int) -> int:
    """Forgets what providers said in their own words before an instant, the oldest first."""
    numbers = ledger.select("attempts", "said", hi=ended - 1, most=most)
    ledger.rows("attempts", numbers)
    return sum(ledger.change("attempts", number, said=None) for number in numbers)


def _moving(ledger: RedisLedger, messages: list[dict[str, Any]], horizon: int) -> set[int]:
    """Those with a delivery that is not final, or has not been for long."""
    rows = ledger.glance("deliveries", _deliveries(messages))
    return _messages_of(messages, (row["id"] for row in rows if row["state"] <= HELD or row["since"] >= horizon))


def _deliveries(messages: list[dict[str, Any]]) -> Iterator[int]:
    return (number for each in messages for number in range(each["seq"], each["seq"] + each["recipients"]))


def _messages_of(messages: list[dict[str, Any]], deliveries: Iterable[int]) -> set[int]:
    whose = {each["seq"] + place: each["seq"] for each in messages for place in range(each["recipients"])}
    return {whose[delivery] for delivery in deliveries if delivery in whose}


def _claimed(ledger: RedisLedger) -> list[int]:
    """Deliveries under way, and those of lost attempts: there are few, and none is added to what is final."""
    return [row["delivery"] for row in ledger.glance_all("claims")]


def _owed(ledger: RedisLedger, messages: list[dict[str, Any]]) -> set[int]:
    """Those of which something in the outbox tells; mostly nothing is there."""
    if not messages or not ledger.has_rows("outbox"):
        return set()
    return {each["seq"] for each in messages if ledger.count("outbox", "message", (each["seq"],))}


def _read_ahead(ledger: RedisLedger, messages: list[dict[str, Any]]) -> None:
    """What is dropped next is read at once, not row by row."""
    ledger.rows("messages", [each["seq"] for each in messages])
    ledger.rows("deliveries", list(_deliveries(messages)))


def _place(place: bytes) -> tuple[int, int]:
    instant, _, order = place.partition(b"-")
    return int(instant), int(order)


def _after(place: bytes) -> str:
    """The least id above this one."""
    instant, order = _place(place)
    return f"{instant}-{order + 1}"
