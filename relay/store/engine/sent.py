"""How much accounts hand in: when each last did, and how many messages in a week and in a month.

Law: it only reads, by the index of messages by account, a bounded number of rows in each step; reports of ours are not
what an account sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from relay.core.envelope import Kind
from relay.core.limits import HOUR
from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements
from relay.store.engine.values import KINDS
from relay.store.ports.reading import AccountView, SentView

_SQL = load_statements("particulars")

ROWS: int = 1_000
"""Messages looked at in one step: a millisecond or two."""

ACCOUNTS: int = 50
"""Accounts looked at in one step, where they send little."""

NEWEST: int = 1 << 62
"""Before it is everything."""

WEEK: int = 7 * 24 * HOUR
MONTH: int = 30 * 24 * HOUR
_MAIL = KINDS.index(Kind.MAIL)


@dataclass(slots=True)
class _Tally:
    """What is known so far of one account; `before` and `next` are where to go on."""

    last_at: int | None = None
    before: int | None = NEWEST
    next: int | None = None
    week: int = 0
    month: int = 0


@dataclass(slots=True)
class Sent:
    """Counts, some rows at a time, what these accounts have handed in."""

    views: Sequence[AccountView]
    _done: list[AccountView] = field(default_factory=list)
    _tally: _Tally | None = None
    _since: tuple[int, int, int] | None = None
    """The first message of the month, and the queue time at which week and month began."""

    @property
    def found(self) -> list[AccountView]:
        """The accounts with their figures, in their order."""
        return self._done

    def go_on(self, context: Context) -> bool:
        """One step; whether it is over."""
        budget, most = ROWS, len(self._done) + ACCOUNTS
        while len(self._done) < min(len(self.views), most) and budget > 0:
            budget -= self._look(context, self.views[len(self._done)])
        return len(self._done) == len(self.views)

    def _look(self, context: Context, view: AccountView) -> int:
        """Reads some of an account's messages; how many."""
        number = context.names.known_account(view.sender)
        first, week, month = self._since = self._since or _borders(context)
        tally = self._tally = self._tally or _Tally(next=first)
        looked = 1
        if number is not None and tally.before is not None:
            looked += _look_for_last(context, number, tally)
        elif number is not None and tally.next is not None:
            looked += _count(context, number, tally, week=week, month=month)
        if number is None or (tally.before is None and tally.next is None):
            self._finish(context, view, tally)
        return looked

    def _finish(self, context: Context, view: AccountView, tally: _Tally) -> None:
        last = None if tally.last_at is None else context.clock.shown(tally.last_at)
        sent = SentView(last, tally.week, tally.month)
        self._done.append(replace(view, particulars=replace(view.particulars, sent=sent)))
        self._tally = None


def _look_for_last(context: Context, number: int, tally: _Tally) -> int:
    """Among the newest first; an account that gets many reports sends much as well."""
    rows = context.database.read(_SQL["last_sent"], (number, tally.before, ROWS))
    for _, accepted, kind in rows:
        if kind == _MAIL:
            tally.last_at, tally.before = accepted, None
            return 1
    tally.before = rows[-1][0] if len(rows) == ROWS else None
    return len(rows)


def _count(context: Context, number: int, tally: _Tally, *, week: int, month: int) -> int:
    rows = context.database.read(_SQL["sent_since"], (number, tally.next, ROWS))
    for _, accepted, kind in rows:
        tally.month += kind == _MAIL and accepted >= month
        tally.week += kind == _MAIL and accepted >= week
    tally.next = rows[-1][0] + 1 if len(rows) == ROWS else None
    return len(rows)


def _borders(context: Context) -> tuple[int, int, int]:
    wall = context.clock.wall()
    return _first_since(context, wall - MONTH), wall - WEEK, wall - MONTH


def _first_since(context: Context, instant: int) -> int:
    """The first message accepted since an instant: ids grow with the time of acceptance, so some twenty looks do."""
    row = context.database.read_one(_SQL["newest_seq"])
    low, high = 1, (row[0] if row is not None and row[0] else 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = context.database.read_one(_SQL["first_from"], (middle,))
        if found is not None and found[1] < instant:
            low = found[0] + 1
        else:
            high = middle
    return low
