"""What each account hands in by the day, counted behind the mail, and who has fallen silent or sends far too much.

Law: taking mail in costs nothing for it; a step is bounded, and what was counted is written with how far it came.
"""

from collections import Counter

from relay.core.concerns import ConcernKind, Subject
from relay.core.limits import HOUR, Instant
from relay.core.traffic import LEAST_SURPRISE, LONG_AGO, SPAN, is_silent, missed_days, surprise_of
from relay.core.words import AccountId
from relay.store.engine.concerns import close_concern, open_concern
from relay.store.engine.context import Context
from relay.store.engine.days import day_of, zone_of
from relay.store.engine.statements import load_statements

_SQL = load_statements("traffic")

COUNTED_AT_ONCE: int = 2_000
"""Messages counted in one go: some milliseconds."""

SENDERS_AT_ONCE: int = 200
"""Accounts looked at for silence in one go."""

KEPT: int = LONG_AGO + SPAN
"""Days that are kept: those that are looked back at, from before a silence of some weeks."""

REST: int = HOUR
"""Between two rounds through all accounts."""


class Traffic:
    """Counts, and looks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        row = context.database.read_one(_SQL["counted"])
        self._counted = 0 if row is None else int(row[0])
        self._today: dict[int, tuple[int, int]] = {}
        """Of accounts that sent today: the day, and how many."""
        self._looked_at: Instant = -REST
        self._after = 0

    def sweep(self) -> None:
        """Counts a little of what came in, and looks at some accounts."""
        for (account, day), many in self._count().items():
            self._note(account, day, many)
        self._look_round()

    def _count(self) -> Counter[tuple[int, int]]:
        context = self._context
        row = context.database.read_one(_SQL["counted"])
        if row is not None and int(row[0]) > self._counted:  # another node has gone on meanwhile
            self._counted = int(row[0])
            self._today.clear()
        rows = context.database.read(_SQL["messages_after"], (self._counted, COUNTED_AT_ONCE))
        found = Counter((account, self._day(account, context.clock.shown(at))) for _, account, at in rows)
        if rows:
            self._counted = rows[-1][0]
            context.database.write(_SQL["set_counted"], (str(self._counted),))
            context.database.write_many(_SQL["add_traffic"], [(*of, many) for of, many in found.items()])
        return found

    def _note(self, account: int, day: int, many: int) -> None:
        """More of an account on a day that may be today."""
        context, today = self._context, self._day(account, self._context.clock.civil())
        if day != today:
            return
        known = self._today.get(account)
        total = many + (known[1] if known is not None and known[0] == day else self._before(account, day) - many)
        self._today[account] = (day, total)
        subject = self._subject(account)
        close_concern(context, ConcernKind.SILENCE, subject)
        found = surprise_of(self._days(account, today), today) if total >= LEAST_SURPRISE else None
        if found is not None:
            detail = {"count": str(found.today), "usual": str(found.usual)}
            open_concern(context, ConcernKind.SURPRISE, subject, detail=detail)

    def _before(self, account: int, day: int) -> int:
        """What was counted of a day, this step's part among it."""
        return self._days(account, day).get(day, 0)

    def _look_round(self) -> None:
        context, now = self._context, self._context.clock.now()
        if now < self._looked_at + REST:
            return
        rows = context.database.read(_SQL["senders_after"], (self._after, SENDERS_AT_ONCE))
        for (account,) in rows:
            self._look(account)
        self._after = rows[-1][0] if len(rows) == SENDERS_AT_ONCE else 0
        if not self._after:
            self._looked_at = now

    def _look(self, account: int) -> None:
        context, today = self._context, self._day(account, self._context.clock.civil())
        context.database.write(_SQL["drop_traffic"], (account, today - KEPT))
        sender, days = context.names.sender(account), self._days(account, today)
        if not self._is_expected(sender) or not is_silent(days, today):
            return
        detail = {"count": str(missed_days(days, today)), "since_day": str(max(days))}
        open_concern(context, ConcernKind.SILENCE, self._subject(account), detail=detail)

    def _is_expected(self, sender: AccountId) -> bool:
        """Of who is gone, retired or paused by a person silence is no news."""
        return self._context.routes.trouble_of(sender) is None

    def _days(self, account: int, today: int) -> dict[int, int]:
        return dict(self._context.database.read(_SQL["days_of"], (account, today - KEPT)))

    def _day(self, account: int, civil: int) -> int:
        mailbox = self._context.routes.routing.accounts.get(self._context.names.sender(account))
        return day_of(civil, zone_of(self._context.routes.routing, None if mailbox is None else mailbox.mailbox))

    def _subject(self, account: int) -> Subject:
        sender = self._context.names.sender(account)
        known = self._context.routes.routing.accounts.get(sender)
        if known is None:
            return Subject(account=sender)
        return Subject(known.mailbox.provider, known.mailbox, sender)
