"""What the limiter remembers of one mailbox and of one provider: all limits that bind it, held together.

Law: an attempt takes a slot of every limit of its mailbox and of its provider, or of none.
"""

from collections.abc import Iterable
from datetime import UTC, tzinfo
from fractions import Fraction

from relay.core.calendar import CalendarWindow
from relay.core.limits import NEWCOMER_SHARE, Instant, Limit, RollingWindow

Window = RollingWindow | CalendarWindow

UNLIMITED: int = 1 << 30
"""The room of a mailbox without limits: more than a queue can hold."""


def window_for(limit: Limit, zone: tzinfo = UTC, offset: int = 0) -> Window:
    """The memory that fits a limit; `zone` and `offset` (civil minus relay time, us) are for calendar days."""
    return CalendarWindow(limit, zone, offset) if limit.is_calendar_day else RollingWindow(limit)


class MailboxLedger:
    """The slots of one mailbox under all of its own limits."""

    __slots__ = ("elsewhere", "in_flight", "windows")

    def __init__(self, limits: Iterable[Limit], zone: tzinfo = UTC, offset: int = 0) -> None:
        self.windows: list[Window] = [window_for(limit, zone, offset) for limit in limits]
        self.in_flight = 0
        self.elsewhere = 0
        """Of those in flight: how many are sent through the same mailbox under another name."""

    def copy(self) -> "MailboxLedger":
        """Another memory of the same, to look ahead with."""
        other = MailboxLedger(())
        other.windows, other.in_flight = [window.copy() for window in self.windows], self.in_flight
        other.elsewhere = self.elsewhere
        return other

    def start(self, now: Instant) -> None:
        """An attempt takes its slot of every limit."""
        self.in_flight += 1
        for window in self.windows:
            window.start(now)

    def give_back(self, started: Instant) -> None:
        """An attempt whose MAIL FROM was never written returns its slots."""
        self.in_flight -= 1
        for window in self.windows:
            window.give_back(started)

    def end(self, started: Instant, at: Instant) -> None:
        """An attempt ends at `at`."""
        self.in_flight -= 1
        for window in self.windows:
            window.end(started, at)

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        """Counts attempts of the past, when the memory is loaded."""
        for window in self.windows:
            window.remember(started, at, many)

    def set_slow(self, slow: int) -> None:
        """Divides the pace of every limit of an hour or less."""
        for window in self.windows:
            window.set_slow(slow)

    def set_offset(self, offset: int) -> None:
        """Takes over a corrected civil clock."""
        for window in self.windows:
            if isinstance(window, CalendarWindow):
                window.set_offset(offset)

    def has_room(self, now: Instant, share: Fraction = Fraction(0)) -> bool:
        """Whether one more attempt may start under every limit, leaving `share` of the long ones free."""
        return all(window.has_room(now, share) for window in self.windows)

    def room(self, now: Instant) -> int:
        """How many attempts more could start at `now`."""
        return min((window.room(now) for window in self.windows), default=UNLIMITED)

    def opens_at(self, now: Instant, share: Fraction = Fraction(0)) -> Instant | None:
        """The earliest instant at which all limits have room if nothing else happens; None: only an end makes room."""
        at = now
        while True:
            openings = [window.opens_at(at, share) for window in self.windows]
            known = [opening for opening in openings if opening is not None]
            if len(known) < len(openings):
                return None
            if max(known, default=at) == at:
                return at
            at = max(known)

    def is_idle(self, now: Instant) -> bool:
        """Whether nothing is left to remember."""
        return self.in_flight == 0 and all(window.is_idle(now) for window in self.windows)


class TotalLedger:
    """The slots of one provider under its total limits, in which no mailbox may crowd out a newcomer."""

    __slots__ = ("_holders", "_limits", "_offset", "_zone", "whole")

    def __init__(self, limits: Iterable[Limit], zone: tzinfo = UTC, offset: int = 0) -> None:
        self._limits = tuple(limits)
        self._zone = zone
        self._offset = offset
        self.whole = MailboxLedger(self._limits, zone, offset)
        self._holders: dict[object, MailboxLedger] = {}

    def copy(self, holders: Iterable[object]) -> "TotalLedger":
        """Another memory of the same, with what these holders hold, to look ahead with."""
        other = TotalLedger(self._limits, self._zone, self._offset)
        other.whole = self.whole.copy()
        other._holders = {holder: self._holders[holder].copy() for holder in holders if holder in self._holders}
        return other

    def start(self, holder: object, now: Instant) -> None:
        """An attempt of `holder` takes its slot of every total."""
        self.whole.start(now)
        if self._limits:
            self._of(holder).start(now)

    def give_back(self, holder: object, started: Instant) -> None:
        """An attempt of `holder` whose MAIL FROM was never written returns its slots."""
        self.whole.give_back(started)
        if self._limits:
            self._of(holder).give_back(started)

    def end(self, holder: object, started: Instant, at: Instant) -> None:
        """An attempt of `holder` ends at `at`."""
        self.whole.end(started, at)
        if self._limits:
            self._of(holder).end(started, at)

    def remember(self, holder: object, started: Instant, at: Instant, many: int = 1) -> None:
        """Counts attempts of `holder` of the past, when the memory is loaded."""
        self.whole.remember(started, at, many)
        if self._limits:
            self._of(holder).remember(started, at, many)

    def share_out(self, holder: object, past: MailboxLedger) -> None:
        """What a holder holds of slots that the whole counts already; `past` is a memory under the same limits."""
        self._holders[holder] = past

    def set_offset(self, offset: int) -> None:
        """Takes over a corrected civil clock."""
        self._offset = offset
        for ledger in (self.whole, *self._holders.values()):
            ledger.set_offset(offset)

    def is_open(self, now: Instant) -> bool:
        """Whether anybody who holds nothing could start an attempt at `now`."""
        return self.whole.has_room(now)

    def has_room(self, holder: object, now: Instant) -> bool:
        """The law, and that a newcomer would still find room beside `holder`: held + 1 <= 32 x free."""
        if not self._limits:
            return True
        if not self.whole.has_room(now):
            return False
        ledger = self._holders.get(holder)
        if ledger is None:
            return True
        return all(
            own.used(now) + 1 <= NEWCOMER_SHARE * (window.count - window.used(now))
            for window, own in zip(self.whole.windows, ledger.windows, strict=True)
        )

    def opens_at(self, holder: object, now: Instant) -> Instant | None:
        """The earliest instant with room for `holder` if nothing else happens; None: only an end can make room."""
        at: Instant | None = now
        while at is not None:
            opening = self._opens_after(holder, at)
            if opening == at:
                break
            at = opening
        return at

    def _opens_after(self, holder: object, now: Instant) -> Instant | None:
        """The latest of the instants at which each total alone opens, which a calendar day may find closed again."""
        openings = [self.whole.opens_at(now)]
        ledger = self._holders.get(holder)
        if ledger is not None:
            pairs = zip(self.whole.windows, ledger.windows, strict=True)
            openings += [_opens_beside(window, own, now) for window, own in pairs]
        known = [opening for opening in openings if opening is not None]
        return max(known) if len(known) == len(openings) else None

    def forget_idle(self, now: Instant) -> None:
        """Drops what is remembered of holders that hold nothing."""
        for holder in [holder for holder, ledger in self._holders.items() if ledger.is_idle(now)]:
            del self._holders[holder]

    def _of(self, holder: object) -> MailboxLedger:
        ledger = self._holders.get(holder)
        if ledger is None:
            ledger = self._holders[holder] = MailboxLedger(self._limits, self._zone, self._offset)
        return ledger


def _opens_beside(window: Window, own: Window, now: Instant) -> Instant | None:
    """When `held + 1 <= 32 x free` first holds, as slots come back."""
    used, held = window.used(now), own.used(now)
    returned = own.openings(now)
    position = 0
    for opening, many in [(now, 0), *window.openings(now)]:
        used -= many
        while position < len(returned) and returned[position][0] <= opening:
            held -= returned[position][1]
            position += 1
        if held + 1 <= NEWCOMER_SHARE * (window.count - used):
            return opening
    return None
