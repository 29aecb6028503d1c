"""The round in which mailboxes take their turns, and the alarms that bring them back into it.

Law: a mailbox is in the round exactly while something is ready that its health and its own limits let go; a newcomer
goes to the tail; whoever is out of it is looked at again when its alarm rings, and not before.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count

from relay.core.kinship import NO_KIN
from relay.core.ledger import TotalLedger
from relay.core.limits import Instant
from relay.core.loading import load_line, load_provider
from relay.core.rotation import Line, ProviderLine
from relay.core.terms import Memory
from relay.core.words import MailboxId


class Round:
    """All mailboxes and providers in memory, and the order of those that may send."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.lines: dict[MailboxId, Line] = {}
        self.providers: dict[str, ProviderLine] = {}
        self.kinship = NO_KIN
        """Which mailboxes are one, under several names."""
        self._turns = count()
        self._alarms: list[tuple[Instant, MailboxId]] = []

    # what is met for the first time

    def look(self, mailbox: MailboxId) -> Line:
        """A mailbox as it stands; for others to be read and not changed."""
        line = self.lines.get(mailbox)
        if line is None:
            line = self.lines[mailbox] = load_line(self.memory, mailbox, self.host(mailbox.provider))
        return line

    def host(self, name: str) -> ProviderLine:
        """A provider as it stands; for others to be read and not changed."""
        provider = self.providers.get(name)
        if provider is None:
            provider = self.providers[name] = load_provider(self.memory, name)
        return provider

    # what counts for several

    def kin_of(self, line: Line) -> list[Line]:
        """The same mailbox under its other names, as far as they are in memory; the others read it when they are."""
        names = self.kinship.of(line.mailbox)
        return [each for name in names if (each := self.lines.get(name)) is not None]

    def totals_of(self, line: Line) -> Iterator[TotalLedger]:
        """The totals in which its attempts count."""
        yield line.provider.totals
        for name in self.kinship.heirs_of(line.provider.name):
            if name in self.providers:
                yield self.providers[name].totals

    def start(self, line: Line, now: Instant) -> None:
        """An attempt takes its slot of every limit."""
        line.ledger.start(now)
        for totals in self.totals_of(line):
            totals.start(line.mailbox, now)
        for kin in self.kin_of(line):
            kin.ledger.start(now)
            kin.ledger.elsewhere += 1
            self.refresh(kin, now)

    def end(self, line: Line, started: Instant, at: Instant | None, now: Instant) -> None:
        """An attempt ended at `at`; None: its slots return."""
        for totals in self.totals_of(line):
            if at is None:
                totals.give_back(line.mailbox, started)
            else:
                totals.end(line.mailbox, started, at)
        for each in (line, *self.kin_of(line)):
            if at is None:
                each.ledger.give_back(started)
            else:
                each.ledger.end(started, at)
            each.ledger.elsewhere -= each is not line
            self.refresh(each, now)

    def start_login(self, line: Line, now: Instant) -> None:
        """A login counts from now on, and may be refused."""
        for each in (line, *self.kin_of(line)):
            each.logins.start(now)
            each.refusals.start(now)

    def end_login(self, line: Line, now: Instant, at: Instant | None, *, is_refusal: bool) -> None:
        """A login ended at `at`; None: it was never sent."""
        kin = self.kin_of(line)
        for each in (line, *kin):
            if is_refusal:
                each.refusals.end(now, now)
            else:
                each.refusals.give_back(now)
            if at is None:
                each.logins.give_back(now)
            else:
                each.logins.end(now, at)
        for each in kin:
            self.refresh(each, now)

    # turns

    def refresh(self, line: Line, now: Instant) -> None:
        """Puts a mailbox into the rotation (newcomers at the tail) or takes it out, as what it may do has changed."""
        if not (line.express or line.bulk):
            line.turn = line.alarm = None
        elif not line.may_send(now):
            line.turn = None
            at = line.sends_at(now)
            self.set_alarm(line, None if at is None else max(at, now + 1))
        else:
            if line.turn is None:
                self.send_to_tail(line)
            line.alarm = None
            is_misplaced = line.is_among_doubtful and (not line.is_doubtful or line.place < line.stands_at)
            if (not line.is_in_wanting or is_misplaced) and line.wants_session(now):
                self.push_wanting(line)

    def send_to_tail(self, line: Line) -> None:
        """All others come before it, and it may send what its weight lets it."""
        line.turn, line.credit = next(self._turns), line.terms.weight

    def push_wanting(self, line: Line) -> None:
        """Remembers that a mailbox of the round wants a session."""
        assert line.turn is not None
        line.is_in_wanting, line.is_among_doubtful, line.stands_at = True, line.is_doubtful, line.place
        heap = line.provider.doubtful if line.is_among_doubtful else line.provider.wanting
        heappush(heap, (line.place, line.mailbox))

    # alarms

    def set_alarm(self, line: Line, at: Instant | None) -> None:
        """Looks at a mailbox again at this instant; None: not by itself."""
        if at is not None and at != line.alarm:
            heappush(self._alarms, (at, line.mailbox))
        line.alarm = at

    def ring_alarms(self, now: Instant) -> None:
        """Looks again at whoever was to be looked at by now."""
        while self._alarms and (self._alarms[0][0] <= now or self._is_stale(self._alarms[0])):
            alarm = heappop(self._alarms)
            line = self.lines.get(alarm[1])
            if line is not None and line.alarm == alarm[0]:
                line.alarm = None
                self.refresh(line, now)

    def next_alarm(self) -> Instant | None:
        """When the first one rings."""
        while self._alarms and self._is_stale(self._alarms[0]):
            heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def _is_stale(self, alarm: tuple[Instant, MailboxId]) -> bool:
        line = self.lines.get(alarm[1])
        return line is None or line.alarm != alarm[0]

    # running ahead

    def copy(self, lines: Iterable[Line]) -> "Round":
        """Another one with these mailboxes alone: what happens in it has no effect here."""
        ahead, chosen = Round(self.memory), {line.mailbox: line for line in lines}
        for line in chosen.values():
            provider = ahead.providers.get(line.provider.name) or line.provider.copy(chosen)
            ahead.providers[provider.name] = provider
            copied = ahead.lines[line.mailbox] = line.copy(provider)
            if copied.alarm is not None:
                heappush(ahead._alarms, (copied.alarm, copied.mailbox))
        ahead._turns = count(1 + max((line.turn or 0 for line in chosen.values()), default=0))
        return ahead
