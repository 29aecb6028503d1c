"""Mailboxes and providers as Redis keeps them, made into core's own objects: to decide with and to run ahead with.

Law: what is made here is a copy; it holds the same slots, logins and turns as the server counts.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from relay.core.ledger import MailboxLedger, TotalLedger
from relay.core.limits import Instant, RollingWindow
from relay.core.rotation import Line, ProviderLine
from relay.core.round import Round
from relay.core.terms import Memory
from relay.core.witnesses import Broken, Told, Witnesses
from relay.core.words import MailboxId

Read = Callable[[str, Sequence[str | int]], Any]
"""Runs a script that only reads: its name, its arguments; texts come back as bytes."""

AT_ONCE: int = 100
"""Mailboxes that one script writes down: some milliseconds of the server's time."""


class Busy(dict[MailboxId, Line]):
    """The mailboxes of a provider with something ready: counted by the server, and looked at only when asked for."""

    def __init__(self, many: int, find: Callable[[], Collection[Line]]) -> None:
        super().__init__()
        self._many = many
        self._find = find

    def __len__(self) -> int:
        return max(self._many, super().__len__())

    def values(self) -> Any:
        """All of them, which takes one question for each hundred."""
        return {line.mailbox: line for line in [*self._find(), *super().values()]}.values()


class LookedAt(Round):
    """The mailboxes and providers that somebody asked for; each is read once."""

    def __init__(self, memory: Memory, read: Read) -> None:
        super().__init__(memory)
        self._read = read
        self._begins_anew: dict[MailboxId, Instant] = {}

    def begin_anew(self, mailbox: MailboxId, now: Instant) -> None:
        """Its terms are other ones than those under which the server gave it its turn."""
        line = self.lines.get(mailbox)
        if line is None:
            self._begins_anew[mailbox] = now
            return
        line.terms, line.standing = self.memory.mailbox_terms(mailbox), self.memory.mailbox_standing(mailbox)
        self.recount(line)
        self._send_anew(line, now)

    def _send_anew(self, line: Line, now: Instant) -> None:
        line.turn, line.is_in_wanting = None, False
        self.refresh(line, now)

    def look(self, mailbox: MailboxId) -> Line:
        """A mailbox as the server has it, or as it was left since."""
        if mailbox not in self.lines:
            self.take_in(self._read("schedule_look", [mailbox.provider, mailbox.username]))
        return self.lines[mailbox]

    def host(self, name: str) -> ProviderLine:
        """A provider as the server has it, or as it was left since."""
        if name not in self.providers:
            self.providers[name] = self._provider(self._read("schedule_host", [name]))
        return self.providers[name]

    def all_busy(self, name: str = "") -> list[Line]:
        """All mailboxes with something ready, of one provider or of all."""
        found, after = list[Line](), ""
        while True:
            some = [self.take_in(reply) for reply in self._read("schedule_busy", [name, after, AT_ONCE])]
            found += some
            if len(some) < AT_ONCE:
                return found
            after = " ".join(some[-1].mailbox)

    def take_in(self, reply: Sequence[Any]) -> Line:
        """A mailbox that a script wrote down."""
        mailbox = MailboxId(_text(reply[0]), _text(reply[1]))
        known = self.lines.get(mailbox)
        if known is not None:
            return known
        provider = self.host(mailbox.provider)
        line = self.lines[mailbox] = self._line(mailbox, provider, reply)
        self._share_out(line, reply[-1])
        if line.ready:
            provider.busy[mailbox] = line
        if line.opening:
            provider.under_way[mailbox] = line
        if mailbox in self._begins_anew:
            self._send_anew(line, self._begins_anew.pop(mailbox))
        return line

    def recount(self, line: Line, refused_before: Instant | None = None) -> None:
        """Its slots and logins as the server has them, under its terms of now; refusals since then do not count."""
        pasts = self._read("schedule_look", [*line.mailbox])[-1]
        if refused_before is not None:
            pasts = [[*past[:5], [at for at in past[5] if at < refused_before]] for past in pasts]
        line.ledger, line.logins, line.refusals = self._counted(line.mailbox, line.provider, pasts)
        self._share_out(line, pasts)

    def recount_totals(self, provider: ProviderLine) -> None:
        """The totals as the server counts them, under the provider's terms of now."""
        provider.totals = self._totals(provider.name, self._read("schedule_host", [provider.name])[5])
        for line in [each for each in self.lines.values() if each.provider is provider]:
            self._share_out(line, self._read("schedule_look", [*line.mailbox])[-1])

    def _share_out(self, line: Line, pasts: Sequence[Any]) -> None:
        """What it holds of its provider's totals, under this name alone."""
        provider = line.provider
        if provider.terms.total_limits:
            own = MailboxLedger(provider.terms.total_limits, provider.terms.zone, self.memory.civil_offset())
            _take_in(own, pasts[0][1], pasts[0][2])
            provider.totals.share_out(line.mailbox, own)

    def _line(self, mailbox: MailboxId, provider: ProviderLine, reply: Sequence[Any]) -> Line:
        _, _, sessions, opening, turn, credit, alarm, _, _, crowded_until, accounts, pasts = reply
        terms, standing = self.memory.mailbox_terms(mailbox), self.memory.mailbox_standing(mailbox)
        line = Line(mailbox, provider, terms, standing, *self._counted(mailbox, provider, pasts))
        line.ready = {_text(account): [express, bulk] for account, express, bulk, _ in accounts}
        line.express, line.bulk = (sum(counts[lane] for counts in line.ready.values()) for lane in (0, 1))
        line.sessions, line.opening, line.credit, line.crowded_until = sessions, opening, credit, crowded_until
        line.turn, line.alarm = (None if value < 0 else value for value in (turn, alarm))
        return line

    def _counted(
        self, mailbox: MailboxId, provider: ProviderLine, pasts: Sequence[Any]
    ) -> tuple[MailboxLedger, RollingWindow, RollingWindow]:
        """Its slots, logins and refused logins, under all of its names."""
        terms = self.memory.mailbox_terms(mailbox)
        ledger = MailboxLedger(terms.limits, provider.terms.zone, self.memory.civil_offset())
        logins, refusals = RollingWindow(terms.login_limit), RollingWindow(terms.refused_logins)
        for name, running, ends, under_way, over, refused in pasts:
            _take_in(ledger, running, ends)
            ledger.elsewhere += len(running) if _text(name) != mailbox.provider else 0
            _take_in(logins, under_way, over)
            _take_in(refusals, under_way, refused)
        ledger.set_slow(self.memory.mailbox_standing(mailbox).slow)
        return ledger, logins, refusals

    def _provider(self, reply: Sequence[Any]) -> ProviderLine:
        name, sessions, opening, crowded_until, busy, past, seen = reply
        known = _text(name)
        return ProviderLine(
            known,
            self.memory.provider_terms(known),
            self._totals(known, past),
            self.memory.provider_standing(known),
            sessions=sessions,
            opening=opening,
            crowded_until=crowded_until,
            busy=Busy(busy, lambda: self.all_busy(known)),
            witnesses=_witnesses(known, seen),
        )

    def _totals(self, name: str, past: Sequence[Any]) -> TotalLedger:
        terms = self.memory.provider_terms(name)
        totals = TotalLedger(terms.total_limits, terms.zone, self.memory.civil_offset())
        _take_in(totals.whole, *past)
        return totals


def _take_in(memory: MailboxLedger | RollingWindow, running: Sequence[Instant], ends: Sequence[Instant]) -> None:
    """What runs, and what ended; when it had begun bears on no day that is not over."""
    for started in running:
        memory.start(started)
    for at in ends:
        memory.remember(at, at)


def _witnesses(provider: str, reply: Sequence[Any]) -> Witnesses:
    accused, let_in_at, droppers, delivered_at, told, broken, order = reply
    found = Witnesses(let_in_at=let_in_at, delivered_at=delivered_at, _order=order)
    found.accused = dict(_marked(provider, accused))
    found.droppers = dict(_marked(provider, droppers))
    found.told = {MailboxId(provider, _text(name)): Told(began, bool(at)) for name, began, at in told}
    found.broken = {
        MailboxId(provider, _text(name)): Broken(since, at, bool(is_own)) for name, since, at, is_own in broken
    }
    return found


def _marked(provider: str, reply: Sequence[Any]) -> Iterator[tuple[MailboxId, int]]:
    for name, order in zip(reply[::2], reply[1::2], strict=True):
        yield MailboxId(provider, _text(name)), order


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
