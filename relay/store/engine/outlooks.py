"""When what waits will leave: the forecast of each mailbox, made once for all that is asked at one moment.

Law: however much is asked, the attempts run ahead are bounded; it changes nothing.
"""

from statistics import median_low

from relay.core.forecast import ATTEMPT, Outlook
from relay.core.limits import Instant
from relay.core.words import AccountId, DeliveryId, Lane, MailboxId
from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements
from relay.store.engine.values import LANES

_SQL = load_statements("reading")

DETAIL_STEPS: int = 256
"""The same where one mailbox alone is asked about."""

LIST_STEPS: int = 16
"""The same in a list, which may be about a hundred mailboxes: what is farther away is told from the pace."""

SPARE_STEPS: int = 768
"""What a list has beside: one of few mailboxes, as of one doctor's burst, is as exact as where one alone is asked
about."""

GAUGE_STEPS: int = 2
"""The same for metrics, which ask for a thousand mailboxes at once."""

LATENCIES: int = 9
"""Attempts whose median is how long the next ones will take."""

LOOK: int = 1_000
"""How far a delivery's place is counted from either end of its queue; in the middle of a longer one it is estimated."""


class Outlooks:
    """The outlooks of the mailboxes that one answer is about."""

    def __init__(self, context: Context, steps: int, *, spare: int = 0) -> None:
        """Each mailbox is run ahead by `steps` at most; while there is something to `spare`, by more."""
        self._context = context
        self._steps = steps
        self._spare = spare
        self._outlooks: dict[MailboxId, Outlook] = {}

    @property
    def spent(self) -> int:
        """Steps that were run ahead so far."""
        return sum(outlook.spent for outlook in self._outlooks.values())

    def leaves_at(self, mailbox: MailboxId, account: AccountId, lane: Lane, position: int) -> Instant | None:
        """When a ready delivery will be taken, relay time; None: not before somebody acts."""
        return self._of(mailbox).leaves_at(account, lane, position)

    def drained_at(self, mailbox: MailboxId, account: AccountId) -> Instant | None:
        """When the last ready delivery of an account will be taken; None: there is none, or as above."""
        return self._of(mailbox).drained_at(account)

    def position(self, account: AccountId, lane: Lane, delivery: DeliveryId) -> int:
        """The place of a ready delivery in its lane, 1 for the next; what is being sent is before nobody."""
        context = self._context
        number = context.names.account(account)
        ready = context.ready.count(number, account, lane)
        place = (number, LANES.index(lane), delivery, LOOK)
        newer = self._count("newer_ready", place)
        if newer < LOOK:
            return max(1, ready - newer)
        older = self._count("older_ready", place)
        sending = sum(
            1
            for running in context.claims
            if running.entry.account == number and running.entry.lane is lane and running.entry.delivery < delivery
        )
        return max(1, older - sending + 1) if older < LOOK else self._estimated(number, delivery, ready)

    def _estimated(self, account: int, delivery: DeliveryId, ready: int) -> int:
        """In the middle of a long queue: as if it were evenly filled."""
        line = self._context.pending.line(account)
        oldest = delivery if line is None else line.oldest
        row = self._context.database.read_one(_SQL["newest_delivery"])
        newest = delivery if row is None or row[0] is None else row[0]
        return min(ready - LOOK, max(LOOK, ready * (delivery - oldest) // max(1, newest - oldest)))

    def _count(self, statement: str, place: tuple[object, ...]) -> int:
        row = self._context.database.read_one(_SQL[statement], place)
        return 0 if row is None else int(row[0])

    def _of(self, mailbox: MailboxId) -> Outlook:
        known = self._outlooks.get(mailbox)
        if known is None:
            context = self._context
            latency = latency_of(context, mailbox)
            steps = max(self._steps, min(DETAIL_STEPS, self._spare - self.spent))
            known = Outlook(context.schedule, mailbox, now=context.clock.now(), latency=latency, steps=steps)
            self._outlooks[mailbox] = known
        return known


def latency_of(context: Context, mailbox: MailboxId) -> int:
    """How long the next attempts of a mailbox will take, microseconds."""
    number = context.names.known_mailbox(mailbox)
    if number is None:
        return ATTEMPT
    rows = context.database.read(_SQL["last_latencies"], (number, LATENCIES))
    return max(1, median_low(row[0] for row in rows)) if rows else ATTEMPT
