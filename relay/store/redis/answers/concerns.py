"""What somebody has to know of, and who was told, as relay/store/sql/concerns.sql asks for it.

Law: an answer equals its SQL; one concern of a kind about one subject is open at a time, and what would open
another one fails as a whole.
"""

from collections.abc import Iterable
from typing import Any

from relay.core.concerns import ConcernKind
from relay.core.limits import HOUR
from relay.errors import StoreBroken
from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import Id, reason_key

_SHOWN = (
    "id", "kind", "provider", "mailbox", "account", "reason", "opened_at", "closed_at", "told_at", "words", "detail",
)  # fmt: skip

_DUE, _SENT, _DEAD = 0, 1, 2
"""States of a telling."""

PAID_UNTIL_KEPT: int = 31 * 24 * HOUR
"""Beyond what other concerns are kept: so long ahead a paid term is told of."""

AT_ONCE: int = 500
"""Rows that are read in one go."""


def open_concern(ledger: RedisLedger, kind: str, about: str) -> list[Row]:
    """The open concern of a kind about one subject."""
    return _cells(_open(ledger, kind, about), "id", "reason")


def open_of_kind(ledger: RedisLedger, kind: str) -> list[Row]:
    """Whom the open concerns of a kind are about."""
    found = ledger.glance("concerns", ledger.select("concerns", "kind_of", (kind,)))
    return sorted(_cells(found, "about"))


def open_detail(ledger: RedisLedger, kind: str, about: str) -> list[Row]:
    """What is known beside of the open concern of a kind about one subject."""
    return _cells(_open(ledger, kind, about), "detail")


def last_concern(ledger: RedisLedger, kind: str, about: str, reason: str | None) -> list[Row]:
    """The newest concern of a kind about one subject, for one reason."""
    parts = kind, about, reason_key(reason)
    found = ledger.select_rows("concerns", "because", parts, most=1, reverse=True)
    return _cells(found, "id", "opened_at", "closed_at", "told_at", "look_at", "detail")


def add_concern(ledger: RedisLedger, kind: str, about: str, *what: object) -> int:
    """One begins: provider, mailbox, account, reason, opened_at, closed_at, look_at, detail."""
    *begun, look_at, detail = what
    ledger.put("concerns", [ledger.next_number("concerns"), kind, about, *begun, None, look_at, 0, detail])
    _check(ledger, kind, about)
    return 1


def hand_over(ledger: RedisLedger, about: str, mailbox: int, provider: str, was_about: str, was_mailbox: int) -> int:
    """What was told of a mailbox was told of the one that it is called now."""
    rows = ledger.select_rows("concerns", "subject", (was_about,))
    handed = [row for row in rows if row["mailbox"] == was_mailbox]
    for row in handed:
        named = None if row["provider"] is None else provider
        ledger.change("concerns", row["id"], about=about, mailbox=mailbox, provider=named)
    for kind in {row["kind"] for row in handed}:
        _check(ledger, kind, about)
    return len(handed)


def reopen_concern(ledger: RedisLedger, look_at: int, detail: str, number: int) -> int:
    """It is back before anybody heard of its end: it never ended."""
    changed = ledger.change("concerns", number, closed_at=None, look_at=look_at, detail=detail)
    for row in ledger.named_rows("concerns", [number]):
        _check(ledger, row["kind"], row["about"])
    return changed


def forget_concern(ledger: RedisLedger, closed_at: int, number: int) -> int:
    """It is over, and nobody hears of that: nothing was mended."""
    return ledger.change("concerns", number, closed_at=closed_at, look_at=None)


def replace_concern(ledger: RedisLedger, closed_at: int, look_at: int, number: int) -> int:
    """Another reason took its place before whoever was told heard of an end."""
    return _close(ledger, ledger.named_rows("concerns", [number]), closed_at, look_at)


def unheard_ends(ledger: RedisLedger, kind: str, about: str) -> list[Row]:
    """Stops of a kind about one subject whose end nobody of those who were told has heard of yet."""
    return _cells(ledger.select_rows("concerns", "unsaid", (kind, about)), "id", "reason", "opened_at", "detail")


def renew_end(ledger: RedisLedger, closed_at: int, number: int) -> int:
    """What was stopped again works again: whoever was not told yet hears of this end."""
    return ledger.change("concerns", number, closed_at=closed_at, look_at=closed_at)


def drop_end(ledger: RedisLedger, number: int) -> int:
    """Another story of the same trouble was told, or is over without a word: the end of this one is none."""
    return ledger.change("concerns", number, look_at=None)


def of_whom(ledger: RedisLedger, number: int) -> list[Row]:
    """Of which kind a concern is, and about whom."""
    return _cells(ledger.named_rows("concerns", [number]), "kind", "about")


def note_detail(ledger: RedisLedger, detail: str, number: int) -> int:
    """What is known beside."""
    return ledger.change("concerns", number, detail=detail)


def detail_of(ledger: RedisLedger, number: int) -> list[Row]:
    """The same."""
    return _cells(ledger.named_rows("concerns", [number]), "detail")


def close_concern(ledger: RedisLedger, closed_at: int, kind: str, about: str) -> int:
    """It is over; whoever was told hears of it."""
    return _close(ledger, _open(ledger, kind, about), closed_at, closed_at)


def due_concerns(ledger: RedisLedger, wall: int, most: int) -> list[Row]:
    """What has to be looked at, the longest due first."""
    return _cells(ledger.glance("concerns", ledger.select("concerns", "look", hi=wall, most=most)), *_SHOWN)


def next_look(ledger: RedisLedger) -> list[Row]:
    """When the next one is."""
    return _first_or_null(ledger, "concerns", "look", "look_at")


def look_again(ledger: RedisLedger, look_at: int | None, number: int) -> int:
    """Nothing was said; when to look again."""
    return ledger.change("concerns", number, look_at=look_at)


def said(ledger: RedisLedger, told_at: int, look_at: int | None, number: int, words: int) -> int:
    """A word was said."""
    known = ledger.named("concerns", number)
    if known is None or known["words"] != words:
        return 0
    return ledger.change("concerns", number, told_at=told_at, look_at=look_at, words=words + 1)


def open_concerns(ledger: RedisLedger, before: int, most: int) -> list[Row]:
    """Everything that is open, the newest first, before one."""
    found = ledger.select("concerns", "open", hi=before - 1, most=most, reverse=True)
    return _cells(ledger.glance("concerns", found), *_SHOWN)


def add_telling(ledger: RedisLedger, concern: int, word: int, notice: str, due_at: int) -> int:
    """A notice for the webhook."""
    if any(row["word"] == word for row in _tellings(ledger, concern)):
        return 0
    number = ledger.next_number("tellings")
    ledger.put("tellings", [number, concern, word, notice, _DUE, due_at, 0, None, None])
    return 1


def due_tellings(ledger: RedisLedger, wall: int, most: int) -> list[Row]:
    """What has to be sent, the longest due first."""
    found = ledger.glance("tellings", ledger.select("tellings", "due", hi=wall, most=most))
    return _cells(found, "id", "notice", "tries")


def next_telling(ledger: RedisLedger) -> list[Row]:
    """When the next one is due."""
    return _first_or_null(ledger, "tellings", "due", "due_at")


def oldest_telling(ledger: RedisLedger) -> list[Row]:
    """What has waited longest for the webhook."""
    many = ledger.count("tellings", "waiting")
    found = ledger.glance("tellings", ledger.select("tellings", "waiting", most=1))
    return [(row["notice"], row["error"], many) for row in found]


def taken(ledger: RedisLedger, concern: int) -> list[Row]:
    """When the webhook took a notice of a concern last."""
    ends = [row["done_at"] for row in _tellings(ledger, concern) if row["state"] == _SENT]
    return [(max((at for at in ends if at is not None), default=None),)]


def written(ledger: RedisLedger, begin: str, end: str) -> list[Row]:
    """When a letter of a concern went into the queue last: their ids lie between two.

    `begin` is what the ids of its letters begin with, and no others (core/announcing), so that `end` says no more.
    """
    found = ledger.glance("messages", ledger.select("messages", "letters", (begin,), most=1, reverse=True))
    return [(found[0]["accepted_at"] if found and begin <= found[0]["id"] < end else None,)]


def told_next(ledger: RedisLedger, concern: int) -> list[Row]:
    """When the webhook is tried again with a notice of a concern, or it is looked at."""
    waiting = [row["due_at"] for row in _tellings(ledger, concern) if row["state"] == _DUE]
    looks = [row["look_at"] for row in ledger.glance("concerns", [concern])]
    return [(min(waiting, default=looks[0] if looks else None),)]


def hurry_tellings(ledger: RedisLedger, wall: int) -> int:
    """The webhook takes notices again: what waits for another try gets it now."""
    late = ledger.select_rows("tellings", "due", lo=wall + 1)
    return sum(ledger.change("tellings", row["id"], due_at=wall) for row in late)


def telling_later(ledger: RedisLedger, due_at: int, error: str, number: int) -> int:
    """It is tried again."""
    return _tried(ledger, number, due_at=due_at, error=error)


def telling_over(ledger: RedisLedger, state: int, error: str | None, done_at: int, number: int) -> int:
    """It was sent (1), or given up (2)."""
    return _tried(ledger, number, state=state, error=error, done_at=done_at)


def dead_letters(ledger: RedisLedger, before: int, most: int) -> list[Row]:
    """What was given up, the newest first, before one."""
    found = ledger.select("tellings", "dead", hi=before - 1, most=most, reverse=True)
    return _cells(ledger.glance("tellings", found), "id", "notice", "tries", "error", "done_at")


def revive(ledger: RedisLedger, due_at: int, number: int) -> int:
    """A dead letter is tried once more."""
    known = ledger.named("tellings", number)
    if known is None or known["state"] != _DEAD:
        return 0
    return ledger.change("tellings", number, state=_DUE, due_at=due_at, tries=0, error=None, done_at=None)


def prune_concerns(ledger: RedisLedger, horizon: int, most: int) -> int:
    """Forgets what is over and was said long ago; a paid term that was told of, not before it is over too."""
    long_ago = horizon - PAID_UNTIL_KEPT
    old = ledger.select("concerns", "over", hi=long_ago - 1, most=most)
    if len(old) < most:
        since = ledger.select("concerns", "over", lo=long_ago, hi=horizon - 1)
        old += _but_paid_terms(ledger, since, most - len(old))
    return sum(ledger.drop("concerns", row["id"]) for row in ledger.named_rows("concerns", old))


def prune_tellings(ledger: RedisLedger, horizon: int, most: int) -> int:
    """Forgets notices that were sent or given up long ago."""
    old = ledger.select_rows("tellings", "done", hi=horizon - 1, most=most)
    return sum(ledger.drop("tellings", row["id"]) for row in old)


def add_letter(ledger: RedisLedger, message: int, concern: int, word: int, reader: str) -> int:
    """A notice is on its way by mail."""
    ledger.put("letters", [message, concern, word, reader])
    return 1


def letter_of(ledger: RedisLedger, message: int) -> list[Row]:
    """What a message tells."""
    return _cells(ledger.named_rows("letters", [message]), "concern", "word", "reader")


def drop_letter(ledger: RedisLedger, message: int) -> int:
    """It arrived, or never will."""
    return ledger.drop("letters", message)


def told_of(ledger: RedisLedger, number: int) -> list[Row]:
    """How a concern was told."""
    return _cells(ledger.named_rows("concerns", [number]), "kind", "closed_at", "told_at", "words", "detail")


def unsay(ledger: RedisLedger, words: int, told_at: int | None, look_at: int, number: int) -> int:
    """A word did not arrive: it is said once more."""
    return ledger.change("concerns", number, words=words, told_at=told_at, look_at=look_at)


def _cells(rows: Iterable[dict[str, Any]], *names: str) -> list[Row]:
    return [tuple(row[name] for name in names) for row in rows]


def _open(ledger: RedisLedger, kind: str, about: str) -> list[dict[str, Any]]:
    return ledger.select_rows("concerns", "open_of", (kind, about))


def _check(ledger: RedisLedger, kind: str, about: str) -> None:
    if len(ledger.select("concerns", "open_of", (kind, about))) > 1:
        raise StoreBroken(f"two concerns of kind {kind} would be open about one subject")


def _close(ledger: RedisLedger, rows: list[dict[str, Any]], closed_at: int, look_at: int) -> int:
    """These are over; whoever was told hears of it at `look_at`."""
    for row in rows:
        looked = None if row["told_at"] is None else look_at
        ledger.change("concerns", row["id"], closed_at=closed_at, look_at=looked)
    return len(rows)


def _but_paid_terms(ledger: RedisLedger, numbers: list[Id], most: int) -> list[Id]:
    """So many of these that are no paid terms."""
    found: list[Id] = []
    for start in range(0, len(numbers), AT_ONCE):
        rows = ledger.glance("concerns", numbers[start : start + AT_ONCE])
        found += [row["id"] for row in rows if row["kind"] != ConcernKind.PAID_UNTIL]
        if len(found) >= most:
            break
    return found[:most]


def _tellings(ledger: RedisLedger, concern: int) -> list[dict[str, Any]]:
    return ledger.select_rows("tellings", "concern", (concern,))


def _tried(ledger: RedisLedger, number: int, **cells: Any) -> int:
    """It was tried once more, if it still waits."""
    known = ledger.named("tellings", number)
    if known is None or known["state"] != _DUE:
        return 0
    return ledger.change("tellings", number, tries=known["tries"] + 1, **cells)


def _first_or_null(ledger: RedisLedger, table: str, index: str, column: str) -> list[Row]:
    """The least of a column that an index is in the order of."""
    found = ledger.glance(table, ledger.select(table, index, most=1))
    return _cells(found, column) or [(None,)]
