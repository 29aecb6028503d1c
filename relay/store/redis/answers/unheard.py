"""Messages whose client cannot have read that they were accepted, as relay/store/sql/unheard.sql asks for them.

Law: an answer equals its SQL. `last_moment` is left out: a node knows itself when its own last life ended.
"""

from itertools import islice, takewhile

from relay.store.engine.ledger import Row
from relay.store.redis.dense import downward, newest, upward
from relay.store.redis.ledger import EVERYTHING, RedisLedger

_MAIL: int = 0
"""The kind of what clients hand in."""


def unheard(ledger: RedisLedger) -> list[Row]:
    """All that are remembered."""
    known = {row["message"]: row["until"] for row in ledger.glance_all("unheard")}
    messages = ledger.glance("messages", sorted(known))
    return [(row["client"], row["submitted_hash"], row["id"], known[row["seq"]]) for row in messages]


def remember_unheard(ledger: RedisLedger, until: int, message: str) -> int:
    """A client was not told."""
    seq = _seq_of(ledger, message)
    if seq is None:
        return 0
    ledger.put("unheard", [seq, until])
    return 1


def forget_unheard(ledger: RedisLedger, message: str) -> int:
    """It was told after all."""
    seq = _seq_of(ledger, message)
    return 0 if seq is None else ledger.drop("unheard", seq)


def drop_unheard(ledger: RedisLedger, wall: int) -> int:
    """Who has not sent again by now will not."""
    return sum(ledger.drop("unheard", row["message"]) for row in ledger.select_rows("unheard", "until", hi=wall))


def message_of(ledger: RedisLedger, message: str) -> list[Row]:
    """A message and where its deliveries are."""
    seq = _seq_of(ledger, message)
    return [
        (row["seq"], row["recipients"], account["sender"], row["submitted_hash"], row["client"])
        for row in ledger.glance("messages", [] if seq is None else [seq])
        for account in ledger.glance("accounts", [row["account"]])
    ]


def recipients_of(ledger: RedisLedger, first: int, end: int) -> list[Row]:
    """To whom it goes, and where each is."""
    rows = upward(ledger, "deliveries", first, end)
    return [(row["recipient_hash"], row["state"]) for row in rows]


def newest_seq(ledger: RedisLedger) -> list[Row]:
    """The message that came last."""
    return [(newest(ledger, "messages"),)]


def recall_unheard(ledger: RedisLedger, kept: int, after: int, most: int, since: int) -> int:
    """After a crash: mail that came in just before it, and that nobody said the end of, from its own time on."""
    newest_first = islice(downward(ledger, "messages", EVERYTHING, after + 1), most)
    late = takewhile(lambda row: row["accepted_at"] >= since, newest_first)  # when numbers grow, so do times
    until = {row["seq"]: row["accepted_at"] + kept for row in late if row["kind"] == _MAIL}
    known = ledger.rows("unheard", list(until))
    unknown = [seq for seq, row in zip(until, known, strict=True) if row is None]
    for seq in unknown:
        ledger.put("unheard", [seq, until[seq]])
    return len(unknown)


def _seq_of(ledger: RedisLedger, message: str) -> int | None:
    found = ledger.group("messages", "ids", message)
    return int(found[0]) if found else None
