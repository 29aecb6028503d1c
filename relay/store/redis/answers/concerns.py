"""What somebody has to know of, as relay/store/sql/concerns.sql asks for it.

Law: an answer equals its SQL; one concern of a kind about one subject is open at a time, and what would open
another one fails as a whole.
"""

from typing import Any

from relay.core.concerns import ConcernKind
from relay.core.limits import HOUR
from relay.errors import StoreBroken
from relay.store.engine.ledger import Row
from relay.store.redis.answers.cells import cells, least
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import Id, reason_key

_SHOWN = (
    "id", "kind", "provider", "mailbox", "account", "reason", "opened_at", "closed_at", "told_at", "words", "detail",
)  # fmt: skip

PAID_UNTIL_KEPT: int = 31 * 24 * HOUR
"""Beyond what other concerns are kept: so long ahead a paid term is told of."""

AT_ONCE: int = 500
"""Rows that are read in one go."""


def open_concern(ledger: RedisLedger, kind: str, about: str) -> list[Row]:
    """The open concern of a kind about one subject."""
    return cells(_open(ledger, kind, about), "id", "reason")


def open_of_kind(ledger: RedisLedger, kind: str) -> list[Row]:
    """Whom the open concerns of a kind are about."""
    found = ledger.glance("concerns", ledger.select("concerns", "kind_of", (kind,)))
    return sorted(cells(found, "about"))


def open_detail(ledger: RedisLedger, kind: str, about: str) -> list[Row]:
    """What is known beside of the open concern of a kind about one subject."""
    return cells(_open(ledger, kind, about), "detail")


def last_concern(ledger: RedisLedger, kind: str, about: str, reason: str | None) -> list[Row]:
    """The newest concern of a kind about one subject, for one reason."""
    parts = kind, about, reason_key(reason)
    found = ledger.select_rows("concerns", "because", parts, most=1, reverse=True)
    return cells(found, "id", "opened_at", "closed_at", "told_at", "look_at", "detail")


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
    return cells(ledger.select_rows("concerns", "unsaid", (kind, about)), "id", "reason", "opened_at", "detail")


def renew_end(ledger: RedisLedger, closed_at: int, number: int) -> int:
    """What was stopped again works again: whoever was not told yet hears of this end."""
    return ledger.change("concerns", number, closed_at=closed_at, look_at=closed_at)


def drop_end(ledger: RedisLedger, number: int) -> int:
    """Another story of the same trouble was told, or is over without a word: the end of this one is none."""
    return ledger.change("concerns", number, look_at=None)


def of_whom(ledger: RedisLedger, number: int) -> list[Row]:
    """Of which kind a concern is, and about whom."""
    return cells(ledger.named_rows("concerns", [number]), "kind", "about")


def note_detail(ledger: RedisLedger, detail: str, number: int) -> int:
    """What is known beside."""
    return ledger.change("concerns", number, detail=detail)


def detail_of(ledger: RedisLedger, number: int) -> list[Row]:
    """The same."""
    return cells(ledger.named_rows("concerns", [number]), "detail")


def close_concern(ledger: RedisLedger, closed_at: int, kind: str, about: str) -> int:
    """It is over; whoever was told hears of it."""
    return _close(ledger, _open(ledger, kind, about), closed_at, closed_at)


def due_concerns(ledger: RedisLedger, wall: int, most: int) -> list[Row]:
    """What has to be looked at, the longest due first."""
    return cells(ledger.glance("concerns", ledger.select("concerns", "look", hi=wall, most=most)), *_SHOWN)


def next_look(ledger: RedisLedger) -> list[Row]:
    """When the next one is."""
    return least(ledger, "concerns", "look", "look_at")


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
    return cells(ledger.glance("concerns", found), *_SHOWN)


def prune_concerns(ledger: RedisLedger, horizon: int, most: int) -> int:
    """Forgets what is over and was said long ago; a paid term that was told of, not before it is over too."""
    long_ago = horizon - PAID_UNTIL_KEPT
    old = ledger.select("concerns", "over", hi=long_ago - 1, most=most)
    if len(old) < most:
        since = ledger.select("concerns", "over", lo=long_ago, hi=horizon - 1)
        old += _but_paid_terms(ledger, since, most - len(old))
    return sum(ledger.drop("concerns", row["id"]) for row in ledger.named_rows("concerns", old))


def told_of(ledger: RedisLedger, number: int) -> list[Row]:
    """How a concern was told."""
    return cells(ledger.named_rows("concerns", [number]), "kind", "closed_at", "told_at", "words", "detail")


def unsay(ledger: RedisLedger, words: int, told_at: int | None, look_at: int, number: int) -> int:
    """A word did not arrive: it is said once more."""
    return ledger.change("concerns", number, words=words, told_at=told_at, look_at=look_at)


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
