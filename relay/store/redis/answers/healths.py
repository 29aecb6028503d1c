"""How healthy mailboxes and providers were, and what nobody understood.

Law: a history is read from its newest end, and forgotten from its oldest.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.answers.cells import cells
from relay.store.redis.answers.past import (
    WAITING,
    Named,
    attempts_of,
    attempts_since,
    held_for,
    in_hand,
    with_deliveries,
    with_messages,
)
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import key_of

HOST = 0
"""Stands in the index for the mailbox of what a provider's host became."""

TOLD = ("at", "state", "reason", "cause", "reply", "by", "slow")


def add_health(ledger: RedisLedger, *cells: object) -> int:
    """A mailbox, or the host of a provider, became something else."""
    ledger.put("healths", [ledger.next_number("healths"), *cells])
    return 1


def healths_of_mailbox(ledger: RedisLedger, provider: str, mailbox: int, most: int) -> list[Row]:
    """What became of a mailbox, the newest first."""
    found = ledger.select("healths", "of", (provider, mailbox), most=most, reverse=True)
    return cells(ledger.glance("healths", found), *TOLD)


def healths_of_provider(ledger: RedisLedger, provider: str, most: int) -> list[Row]:
    """What became of a provider's host, the newest first."""
    return healths_of_mailbox(ledger, provider, HOST, most)


def drop_healths(ledger: RedisLedger, before: int, most: int) -> int:
    """Forgets the oldest before a moment."""
    oldest = ledger.select_rows("healths", "all", most=most)
    return sum(ledger.drop("healths", row["id"]) for row in oldest if row["at"] < before)


# what was refused, and why


def _refused(ledger: RedisLedger, mailbox: int, since: int, met: str) -> list[tuple[Named, Named]]:
    """For each attempt of a mailbox that met a class since an instant, its delivery and message, in their order."""
    found = attempts_since(ledger, mailbox, since)
    return with_messages(
        ledger, (each for _, each in with_deliveries(ledger, (row for row in found if row["class"] == met)))
    )


def spam_since(ledger: RedisLedger, seq: int, mailbox: int, since: int) -> list[Row]:
    """How many clients' messages of a mailbox were taken for spam since an instant, and how often this one was."""
    found = _refused(ledger, mailbox, since, "spam-blocked")
    taken = [message["seq"] for _, message in found if message["kind"] == 0]
    return [(len({*taken}), taken.count(seq) if taken else None)]


def policy_since(ledger: RedisLedger, mailbox: int, since: int, most: int) -> list[Row]:
    """Where the mail of a mailbox was refused by policy since an instant: the domain, sealed, and its place."""
    found = _refused(ledger, mailbox, since, "policy-refused")
    places = dict.fromkeys((row["domain"], message["id"], row["id"] - message["seq"]) for row, message in found)
    return list(places)[:most]


def held_of(ledger: RedisLedger, account: int, reason: str) -> list[Row]:
    """Deliveries of an account that are held for a reason, the oldest first."""
    return [(row["id"], row["reply"]) for row in held_for(ledger, account, reason)]


def oldest_deferred(ledger: RedisLedger, account: int) -> list[Row]:
    """The oldest delivery of an account that waits for a time and is not being sent."""
    busy = in_hand(ledger)
    found = ledger.select("deliveries", "stalled", (account, WAITING), most=len(busy) + 1)
    rows = ledger.glance("deliveries", [each for each in found if each not in busy][:1])
    return [(row["id"], row["reason"], row["reply"]) for row in rows]


def said_of(ledger: RedisLedger, message: str) -> list[Row]:
    """What was said at the attempts of a message's deliveries, sealed, the oldest first."""
    found = [
        (each["id"], each["said"], each["ended_at"], each["stage"], each["class"], row["domain"], row["id"] - of["seq"])
        for of in ledger.glance("messages", ledger.group("messages", "ids", message))
        for row in ledger.glance("deliveries", range(of["seq"], of["seq"] + of["recipients"]))
        for each in attempts_of(ledger, row["id"])
        if each["said"] is not None
    ]
    return sorted(found, key=lambda row: int(row[0]))


# riddles


def meet_riddle(ledger: RedisLedger, at: int, provider: str, stage: str, code: int, text: str) -> int:
    """A reply that is known to be a riddle came again."""
    key = key_of(provider, stage, code, text)
    known = ledger.named("riddles", key)
    return 0 if known is None else ledger.change("riddles", key, many=known["many"] + 1, last_at=at)


def add_riddle(
    ledger: RedisLedger, provider: str, stage: str, code: int, text: str, first_at: int, last_at: int
) -> int:
    """A reply that no rule understands came for the first time."""
    ledger.put("riddles", [provider, stage, code, text, 1, first_at, last_at])
    return 1


def count_riddles(ledger: RedisLedger, provider: str) -> list[Row]:
    """How many riddles of a provider are known."""
    return [(ledger.count("riddles", "of", (provider,)),)]


def drop_oldest_riddle(ledger: RedisLedger, provider: str) -> int:
    """Forgets the one of a provider that was met longest ago."""
    first = ledger.select_rows("riddles", "of", (provider,), most=1)
    if not first:
        return 0
    at = first[0]["last_at"]
    tied = ledger.select_rows("riddles", "of", (provider,), lo=at, hi=at)
    oldest = min(tied, key=lambda row: (row["stage"], row["code"], row["text"]))
    return ledger.drop("riddles", key_of(oldest["provider"], oldest["stage"], oldest["code"], oldest["text"]))


def all_riddles(ledger: RedisLedger, provider: str | None, most: int) -> list[Row]:
    """Those that came last first."""
    index, of = ("all", ()) if provider is None else ("of", (provider,))
    rows = (tuple(row.values()) for row in ledger.glance("riddles", ledger.select("riddles", index, of)))
    return sorted(rows, key=lambda row: (-row[-1], *row[:4]))[:most]
