"""Attempts under way on Redis: rows of the table `claims`, looked up when they are asked for.

Law: as on SQLite, a delivery has at most one claim that is not lost; what an operation changes of one, it sees. Who
looks at all of them is not in the way of those that go on; one that he ends or moves has to be as he saw it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from relay.core.envelope import Claim
from relay.core.limits import Instant
from relay.core.words import DeliveryId, MailboxId
from relay.store.engine.entry import Entries
from relay.store.engine.numbers import Numbers
from relay.store.engine.running import Running, known_claim
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.opened import Opened

_SQL = load_statements("queue")


class RedisClaims:
    """All attempts under way, over all nodes."""

    def __init__(self, opened: Opened, names: Numbers, seals: Seals, entries: Entries) -> None:
        self._opened = opened
        self._names = names
        self._seals = seals
        self._entries = entries
        self._met: dict[int, Running] = {}

    @property
    def _ledger(self) -> RedisLedger:
        return self._opened.ledger

    def forget(self) -> None:
        """Another operation begins: rows may be others by now."""
        self._met.clear()

    def next_number(self) -> int:
        """The number of an attempt that begins."""
        return self._ledger.next_number("attempts")

    def get(self, attempt: int) -> Running | None:
        """The attempt, while it is under way."""
        row = self._ledger.named("claims", attempt)
        return None if row is None or not row["delivery"] else self._running(row)

    def holder_of(self, delivery: DeliveryId) -> Running | None:
        """The attempt that holds a delivery now, and will until the commit; None: no attempt will."""
        found = self._ledger.firm_group("claims", "holders", delivery)
        return self.get(int(found[0])) if found else None

    @contextmanager
    def undecided(self, attempt: int) -> Iterator[None]:
        """Meanwhile an attempt is for no delivery yet."""
        self._ledger.change("claims", attempt, delivery=0)
        try:
            yield
        finally:
            self._ledger.leave("claims", attempt)

    def of_node(self, node: str) -> list[Running]:
        """The attempts of a node, in the order of their start."""
        return self.some(lambda row: bool(row["node"] == node))

    def some(self, is_wanted: Callable[[Mapping[str, Any]], bool]) -> list[Running]:
        """Those whose rows are wanted, in the order of their start; of the others nothing but the row is read."""
        rows = sorted(self._ledger.glance_all("claims"), key=lambda row: int(row["attempt"]))
        return [self._running(row) for row in rows if row["delivery"] and is_wanted(row)]

    def __iter__(self) -> Iterator[Running]:
        return iter(self.some(lambda _: True))

    def gate(self, running: Running, now: Instant) -> None:
        """The attempt passed the gate."""
        self._ledger.write(_SQL["gate_claim"], (now, running.claim.attempt))
        running.gated_at = now

    def lapse(self, running: Running, at: Instant, *, ends_at: Instant) -> None:
        """The lease of its node ended at `at`; it is in doubt at `ends_at`."""
        self._ledger.write(_SQL["lapse_claim"], (at, running.claim.attempt))
        self._ledger.act("attempts.lapse", running.claim.attempt, running.claim.node, ends_at)
        running.lapsed_at = at

    def lose(self, running: Running) -> None:
        """The delivery is not this attempt's any more."""
        self._ledger.write(_SQL["lose_claim"], (running.claim.attempt,))
        running.is_lost = True

    def end(self, running: Running, at: Instant | None, now: Instant) -> None:
        """The attempt is over, and its slots count as ended at `at`; None: they return."""
        claim = running.claim
        self._ledger.write(_SQL["end_claim"], (claim.attempt,))
        self._ledger.act("attempts.gone", claim.attempt, claim.node)
        self._opened.schedule.end_attempt(claim.mailbox, claim.attempt, running.started_at, at=at, now=now)
        self._met.pop(claim.attempt, None)

    def begin_trial(self, mailbox: MailboxId, attempt: int, now: Instant) -> None:
        """An attempt of no delivery takes its slots."""
        self._opened.schedule.begin_trial(mailbox, attempt, now)

    def end_trial(
        self, mailbox: MailboxId, attempt: int, started: Instant, *, at: Instant | None, now: Instant
    ) -> None:
        """It ended at `at`; None: its slots return."""
        self._opened.schedule.end_attempt(mailbox, attempt, started, at=at, now=now)

    def ended(self, row: Mapping[str, Any]) -> Claim | None:
        """The claim of an attempt that is over, as far as its node may still want it; None: its delivery is gone."""
        found = self._entries.one(row["delivery"])
        if found is None:
            return None
        mailbox = self._names.mailbox_name(row["mailbox"])
        return known_claim(found[0], self._seals, row["id"], mailbox, row["node"], is_probe=False)

    def _running(self, row: Mapping[str, Any]) -> Running:
        """One object for each within an operation: who changes it means the same attempt."""
        known = self._met.get(row["attempt"])
        if known is not None:
            return known
        found = self._entries.one(row["delivery"])
        assert found is not None
        entry, mailbox = found[0], self._names.mailbox_name(row["mailbox"])
        claim = known_claim(entry, self._seals, row["attempt"], mailbox, row["node"], is_probe=bool(row["is_probe"]))
        running = Running(
            claim, entry, row["mailbox"], row["started_at"], row["gated_at"], row["lapsed_at"], bool(row["is_lost"])
        )
        self._met[claim.attempt] = running
        return running
