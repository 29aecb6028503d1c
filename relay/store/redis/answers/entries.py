"""Deliveries as the store handles them; each begins with the same columns, in the same order.

Law: a delivery that an attempt is under way for, held or lost, is neither ready nor over.
"""

from collections.abc import Iterable

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import Named, in_hand, with_messages
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import Id

OF_MESSAGE = ("id", "kind", "recipients", "accepted_at", "size", "segment", "offset", "length", "is_dated")
OF_DELIVERY = ("account", "lane", "expires_at", "tries", "doubts", "envelope")
STATE = ("state", "due")
WHY = ("reason", "reply", "since")


def ready_entries(ledger: RedisLedger, account: int, lane: int, most: int) -> list[Row]:
    """The oldest deliveries of a lane of an account that may be sent and are not being sent."""
    busy = in_hand(ledger)
    found = ledger.select("deliveries", "ready", (account, lane), most=most + len(busy))
    return _entries(ledger, [each for each in found if each not in busy][:most], ())


def one_entry(ledger: RedisLedger, delivery: int) -> list[Row]:
    """A delivery, with its state: whoever asks for it moves it, so it has to stay as it is."""
    return [_entry(*each, STATE) for each in with_messages(ledger, ledger.named_rows("deliveries", [delivery]))]


def due_entries(ledger: RedisLedger, wall: int, most: int) -> list[Row]:
    """Deliveries whose next try is due, the earliest first."""
    return _entries(ledger, ledger.select("deliveries", "due", hi=wall, most=most), STATE + WHY)


def expired_entries(ledger: RedisLedger, wall: int, most: int) -> list[Row]:
    """Deliveries whose lifetime is over and that are not being sent, the earliest first."""
    busy = in_hand(ledger)
    found = ledger.select("deliveries", "expiry", hi=wall, most=most + len(busy))
    return _entries(ledger, [each for each in found if each not in busy][:most], STATE + WHY)


def _entries(ledger: RedisLedger, ids: Iterable[Id], more: tuple[str, ...]) -> list[Row]:
    return [_entry(*each, more) for each in with_messages(ledger, ledger.glance("deliveries", ids))]


def _entry(row: Named, message: Named, more: tuple[str, ...]) -> Row:
    theirs = (message[name] for name in OF_MESSAGE)
    return row["id"], row["message"], *theirs, *(row[name] for name in (*OF_DELIVERY, *more))
