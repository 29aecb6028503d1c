"""Mailboxes that are new to the relay, and how much of their daily limits each has earned.

Law: a mailbox is new until its first attempt, which is written down with that attempt, so that no restart makes it an
old one; a day counts when it is over.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from relay.core.limits import Limit
from relay.core.routing import Routing
from relay.core.warmup import CLEAN_DAYS, COMPLAINTS, warmed
from relay.core.words import MailboxId
from relay.store.engine.days import begins_at, day_of, zone_of
from relay.store.engine.ground import Times
from relay.store.engine.ledger import Ledger
from relay.store.engine.numbers import Numbers
from relay.store.engine.statements import load_statements

_SQL = load_statements("traffic")

AT_ONCE: int = 50
"""Mailboxes looked at in one go: some milliseconds."""


class Warmup(NamedTuple):
    """How far it is: clean days, and the last day that was looked at."""

    clean_days: int
    counted_day: int


class Warmups:
    """What is known of mailboxes that are, or were, new."""

    def __init__(
        self, database: Ledger, names: Numbers, clock: Times, *, numbers_of: Callable[[MailboxId], Sequence[int]]
    ) -> None:
        """`numbers_of`: all under which a mailbox was ever used."""
        self._numbers_of = numbers_of
        self._database = database
        self._names = names
        self._clock = clock
        self._known: dict[MailboxId, Warmup] = {}
        self._fresh: dict[MailboxId, None] = {}
        self._old: dict[MailboxId, None] = {}
        self.load()

    def load(self) -> None:
        """As they are written; who is not there any more was found to be old."""
        self._known = {
            MailboxId(provider, username): Warmup(clean_days, day)
            for provider, username, _, clean_days, day in self._database.read(_SQL["warmups"])
        }
        self._fresh = {mailbox: None for mailbox in self._fresh if mailbox not in self._known}

    def hear(self) -> None:
        """Others wrote some, or mailboxes have other names: who is new and who is old is found out anew."""
        self._fresh.clear()
        self._old.clear()
        self.load()

    def may_begin(self, mailbox: MailboxId) -> bool:
        """Whether its next attempt may begin its warm-up, as far as it was looked at."""
        return mailbox not in self._known and mailbox not in self._old

    def bind(self, mailbox: MailboxId, limits: tuple[Limit, ...], *, is_warmed: bool) -> tuple[Limit, ...]:
        """The limits of a mailbox as they bind now; `is_warmed`: its provider wants what is new to be warmed up."""
        if not is_warmed or mailbox in self._old:
            return limits
        known = self._known.get(mailbox)
        if known is not None:
            return warmed(limits, known.clean_days)
        if self._was_used(mailbox):
            self._old[mailbox] = None
            return limits
        self._fresh[mailbox] = None
        return warmed(limits, 0)

    def adopt(self, mailbox: MailboxId, origin: MailboxId) -> None:
        """It is the mailbox that was called `origin` so far: as far as that one had come, it has."""
        for marks in (self._known, self._fresh, self._old):
            marks.pop(mailbox, None)
        known = self._known.get(origin)
        if known is None:
            self._database.write(_SQL["drop_warmup"], (self._names.mailbox(mailbox),))
            if self._was_used(origin):
                self._old[mailbox] = None
            return
        self._known[mailbox] = known
        self._database.write(_SQL["take_warmup"], (self._names.mailbox(mailbox), self._names.mailbox(origin)))

    def used(self, mailbox: MailboxId, routing: Routing) -> None:
        """An attempt of it has ended; called in the transaction that records it."""
        if mailbox not in self._fresh:
            return
        del self._fresh[mailbox]
        day = self._today(routing, mailbox) - 1
        self._known[mailbox] = Warmup(0, day)
        values = (self._names.mailbox(mailbox), self._clock.wall(), day)
        self._database.write(_SQL["begin_warmup"], values)

    def advance(self, routing: Routing) -> list[MailboxId]:
        """Counts days that are over, of some mailboxes; those whose limits are others now."""
        due = [
            (mailbox, known)
            for mailbox, known in self._known.items()
            if known.clean_days < CLEAN_DAYS and known.counted_day < self._today(routing, mailbox) - 1
        ]
        return [mailbox for mailbox, known in due[:AT_ONCE] if self._count(routing, mailbox, known)]

    def _count(self, routing: Routing, mailbox: MailboxId, known: Warmup) -> bool:
        """The days that are over since; True: some were clean. What is longer ago than a warm-up lasts is one day."""
        number, yesterday = self._names.mailbox(mailbox), self._today(routing, mailbox) - 1
        first = max(known.counted_day + 1, yesterday - CLEAN_DAYS)
        clean = sum(self._is_clean(routing, mailbox, day) for day in range(first, yesterday + 1))
        changed = Warmup(min(CLEAN_DAYS, known.clean_days + clean), yesterday)
        self._known[mailbox] = changed
        self._database.write(_SQL["set_warmup"], (*changed, number))
        return clean > 0

    def _is_clean(self, routing: Routing, mailbox: MailboxId, day: int) -> bool:
        zone = zone_of(routing, mailbox)
        span = (begins_at(day, zone, self._clock), begins_at(day + 1, zone, self._clock))
        numbers = self._numbers_of(mailbox)
        met = {row[0] for each in numbers for row in self._database.read(_SQL["classes_between"], (each, *span))}
        return "delivered" in met and not met & COMPLAINTS

    def _today(self, routing: Routing, mailbox: MailboxId) -> int:
        return day_of(self._clock.civil(), zone_of(routing, mailbox))

    def _was_used(self, mailbox: MailboxId) -> bool:
        return any(self._database.read_one(_SQL["was_used"], (each,)) for each in self._numbers_of(mailbox))
