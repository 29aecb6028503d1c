"""What accounts hand in by the day, and mailboxes that are new, as relay/store/sql/traffic.sql asks for it.

Law: an answer equals its SQL.
"""

from itertools import islice

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import tries_since
from relay.store.redis.dense import newest, upward
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.rowkeys import USED, group_key
from relay.store.redis.tables import key_of

_COUNTED = "traffic_counted"

_MAIL: int = 0
"""The kind of what clients hand in."""

ACCOUNTS_AT_ONCE: int = 200
"""Accounts of which is asked in one go whether they handed in something; their days come along."""


def counted(ledger: RedisLedger) -> list[Row]:
    """The newest message that was counted."""
    return [(row["value"],) for row in ledger.named_rows("meta", [_COUNTED])]


def set_counted(ledger: RedisLedger, value: str) -> int:
    """How far it was counted."""
    ledger.put("meta", [_COUNTED, value])
    return 1


def newest_message(ledger: RedisLedger) -> list[Row]:
    """The newest message that there is."""
    return [(newest(ledger, "messages"),)]


def messages_after(ledger: RedisLedger, seq: int, most: int) -> list[Row]:
    """Mail handed in after a message, oldest first."""
    mail = (row for row in upward(ledger, "messages", seq + 1, EVERYTHING) if row["kind"] == _MAIL)
    return [(row["seq"], row["account"], row["accepted_at"]) for row in islice(mail, most)]


def add_traffic(ledger: RedisLedger, account: int, day: int, messages: int) -> int:
    """So many more on a day."""
    known = ledger.named("traffic", key_of(account, day))
    ledger.put("traffic", [account, day, messages + (0 if known is None else known["messages"])])
    return 1


def days_of(ledger: RedisLedger, account: int, since: int) -> list[Row]:
    """What an account handed in since a day."""
    rows = ledger.glance("traffic", ledger.group("traffic", "account", account))
    return sorted((row["day"], row["messages"]) for row in rows if row["day"] >= since)


def senders_after(ledger: RedisLedger, account: int, most: int) -> list[Row]:
    """Accounts that handed in something, after one."""
    touched, found = _touched(ledger), list[Row]()
    last = max([ledger.last_number("accounts"), *touched])
    for first in range(account + 1, last + 1, ACCOUNTS_AT_ONCE):
        numbers = range(first, min(first + ACCOUNTS_AT_ONCE, last + 1))
        kept = ledger.asking.hmget(group_key("traffic", "account"), [str(number) for number in numbers])
        for number, packed in zip(numbers, kept, strict=True):
            if ledger.group("traffic", "account", number) if number in touched else packed is not None:
                found.append((number,))
        if len(found) >= most:
            break
    return found[:most]


def drop_traffic(ledger: RedisLedger, account: int, day: int) -> int:
    """Forgets days before one, of an account."""
    rows = ledger.named_rows("traffic", ledger.group("traffic", "account", account))
    return sum(ledger.drop("traffic", key_of(account, row["day"])) for row in rows if row["day"] < day)


def warmups(ledger: RedisLedger) -> list[Row]:
    """Mailboxes that are new to the relay, with how many clean days they have had."""
    known = {row["mailbox"]: row for row in ledger.glance_all("warmups")}
    found = []
    for mailbox in ledger.glance("mailboxes", sorted(known)):
        row = known[mailbox["id"]]
        found.append((mailbox["provider"], mailbox["username"], row["begun_at"], row["clean_days"], row["counted_day"]))
    return found


def was_used(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """Whether a mailbox ever tried anything."""
    is_used = ledger.asking.hget(USED, str(mailbox)) is not None
    return [(1,)] if is_used or ledger.select("attempts", "tried", (mailbox,), most=1) else []


def begin_warmup(ledger: RedisLedger, mailbox: int, begun_at: int, day: int) -> int:
    """A mailbox is new."""
    if ledger.row("warmups", mailbox) is not None:
        return 0
    ledger.put("warmups", [mailbox, begun_at, 0, day])
    return 1


def take_warmup(ledger: RedisLedger, mailbox: int, origin: int) -> int:
    """A mailbox is the one that had another name so far."""
    known = ledger.row("warmups", origin)
    if known is None:
        return 0
    ledger.put("warmups", [mailbox, *known[1:]])
    return 1


def drop_warmup(ledger: RedisLedger, mailbox: int) -> int:
    """A mailbox is not new."""
    return ledger.drop("warmups", mailbox)


def set_warmup(ledger: RedisLedger, clean_days: int, day: int, mailbox: int) -> int:
    """A day of it is over."""
    return ledger.change("warmups", mailbox, clean_days=clean_days, counted_day=day)


def classes_between(ledger: RedisLedger, mailbox: int, begins: int, ends: int) -> list[Row]:
    """What a mailbox met between two instants of relay time."""
    rows = tries_since(ledger, mailbox, begins)
    return [(name,) for name in dict.fromkeys(row["class"] for row in rows if row["ended_at"] < ends)]


def _touched(ledger: RedisLedger) -> set[int]:
    """Accounts of whose days this operation writes or drops some."""
    return {_account_in(str(key)) for key in ledger.written("traffic")}


def _account_in(key: str) -> int:
    """The account of a key that `key_of` made of it and a day."""
    many, _, rest = key.partition(":")
    return int(rest[: int(many)])
