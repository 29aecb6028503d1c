"""Attempts under way: what the table `claims` says, in memory.

Law: a delivery has at most one claim that is not lost; a lost one only holds its slots until its attempt ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from relay.core.limits import Instant
from relay.core.schedule import Schedule
from relay.core.words import DeliveryId, MailboxId
from relay.store.engine.entry import Entries
from relay.store.engine.numbers import Numbers
from relay.store.engine.running import Running, known_claim
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.sqlite.database import Database

_SQL = load_statements("queue")


@dataclass(slots=True)
class Claims:
    """All attempts under way, by attempt and by delivery."""

    database: Database
    schedule: Schedule
    _running: dict[int, Running] = field(default_factory=dict)
    _holders: dict[DeliveryId, Running] = field(default_factory=dict)
    _next_number: int = 1

    def number_from(self, number: int) -> None:
        """The number of the next attempt: above all that were ever used."""
        self._next_number = number

    def next_number(self) -> int:
        """The number of an attempt that begins."""
        number = self._next_number
        self._next_number += 1
        return number

    def get(self, attempt: int) -> Running | None:
        """The attempt, while it is under way."""
        return self._running.get(attempt)

    def holder_of(self, delivery: DeliveryId) -> Running | None:
        """The attempt that holds a delivery now."""
        return self._holders.get(delivery)

    def of_node(self, node: str) -> list[Running]:
        """The attempts of a node, in the order of their start."""
        return [running for running in self._running.values() if running.claim.node == node]

    def __iter__(self) -> Iterator[Running]:
        return iter(list(self._running.values()))

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, running: Running) -> None:
        """An attempt starts: recorded before it is handed out."""
        claim = running.claim
        values = (claim.attempt, claim.delivery, running.mailbox, claim.node, running.started_at, claim.is_probe)
        self.database.write(_SQL["add_claim"], values)
        self._keep(running)

    def gate(self, running: Running, now: Instant) -> None:
        """The attempt passed the gate."""
        self.database.write(_SQL["gate_claim"], (now, running.claim.attempt))
        running.gated_at = now

    def lapse(self, running: Running, at: Instant) -> None:
        """The lease of its node ended."""
        self.database.write(_SQL["lapse_claim"], (at, running.claim.attempt))
        running.lapsed_at = at

    def lose(self, running: Running) -> None:
        """The delivery is not this attempt's any more."""
        self.database.write(_SQL["lose_claim"], (running.claim.attempt,))
        running.is_lost = True
        self._holders.pop(running.claim.delivery, None)

    def end(self, running: Running, at: Instant | None, now: Instant) -> None:
        """The attempt is over, and its slots count as ended at `at`; None: they return."""
        self.schedule.end(running.claim.mailbox, running.started_at, at, now)
        self.database.write(_SQL["end_claim"], (running.claim.attempt,))
        del self._running[running.claim.attempt]
        if not running.is_lost:
            self._holders.pop(running.claim.delivery, None)

    def begin_trial(self, mailbox: MailboxId, attempt: int, now: Instant) -> None:
        """An attempt of no delivery takes its slots."""
        self.schedule.start_trial(mailbox, now)

    def end_trial(
        self, mailbox: MailboxId, attempt: int, started: Instant, *, at: Instant | None, now: Instant
    ) -> None:
        """It ended at `at`; None: its slots return."""
        self.schedule.end(mailbox, started, at, now)

    def _keep(self, running: Running) -> None:
        self._running[running.claim.attempt] = running
        if not running.is_lost:
            self._holders[running.claim.delivery] = running

    def load(self, names: Numbers, seals: Seals, entries: Entries) -> None:
        """Reads back what was under way when the process ended."""
        for row in self.database.read(_SQL["get_claims"]):
            attempt, delivery, mailbox, node, started, gated, is_probe, lapsed, is_lost = row
            found = entries.one(delivery)
            assert found is not None
            entry = found[0]
            claim = known_claim(entry, seals, attempt, names.mailbox_name(mailbox), node, is_probe=bool(is_probe))
            self._keep(Running(claim, entry, mailbox, started, gated, lapsed, bool(is_lost)))
