"""What may be sent, counted: in the schedule, or aside while its account's mail goes nowhere.

Law: a delivery is counted once; its head in memory is forgotten as soon as something in its queue moved.
"""

from relay.core.schedule import Schedule
from relay.core.words import AccountId, Lane, MailboxId
from relay.store.engine.entry import Entry
from relay.store.engine.ground import Times
from relay.store.engine.remembrance import Remembrance
from relay.store.engine.values import LANES
from relay.store.sqlite.heads import Heads


class ReadyQueue:
    """The counts of all queues that wait."""

    def __init__(self, schedule: Schedule, heads: Heads, clock: Times, remembrance: Remembrance) -> None:
        self._schedule = schedule
        self._heads = heads
        self._clock = clock
        self._remembrance = remembrance
        self._unrouted: dict[tuple[int, Lane], int] = {}
        """Ready deliveries of accounts whose mail goes nowhere now."""

    def _mailbox_of(self, sender: AccountId) -> MailboxId | None:
        """Where an account's mail goes by the routing of the moment."""
        return self._remembrance.routes.mailbox_of(sender)

    def add(self, entry: Entry) -> None:
        """It may be sent, at its place."""
        self.add_many(entry.account, entry.sender, entry.lane)
        self._heads.forget(entry.account, entry.lane)

    def add_many(self, account: int, sender: AccountId, lane: Lane, many: int = 1) -> None:
        """Deliveries became ready, whichever: behind all others, or counted at a start."""
        mailbox = self._mailbox_of(sender)
        if mailbox is None:
            self._unrouted[account, lane] = self._unrouted.get((account, lane), 0) + many
        else:
            self._schedule.add_ready(mailbox, sender, lane, self._clock.now(), many)

    def remove(self, entry: Entry) -> None:
        """It was ready and is not any more, and was not granted."""
        account, sender, lane = entry.account, entry.sender, entry.lane
        mailbox = self._mailbox_of(sender)
        if mailbox is None:
            self._unrouted[account, lane] -= 1
            if not self._unrouted[account, lane]:
                del self._unrouted[account, lane]
        else:
            self._schedule.remove_ready(mailbox, sender, lane, self._clock.now())
        self._heads.forget(account, lane)

    def count(self, account: int, sender: AccountId, lane: Lane) -> int:
        """How many deliveries of a lane of an account are ready."""
        mailbox = self._mailbox_of(sender)
        if mailbox is None:
            return self._unrouted.get((account, lane), 0)
        return self._schedule.ready_of(mailbox, sender)[lane is Lane.BULK]

    def move(self, account: int | None, sender: AccountId, origin: MailboxId | None, target: MailboxId | None) -> None:
        """What is ready of an account follows it; None: its mail goes nowhere."""
        now = self._clock.now()
        if account is None:
            return
        if origin is None:
            for lane in LANES:
                many = self._unrouted.pop((account, lane), 0)
                if many and target is not None:
                    self._schedule.add_ready(target, sender, lane, now, many)
            return
        if target is None:
            for lane, many in zip(LANES, self._schedule.ready_of(origin, sender), strict=True):
                if many:
                    self._unrouted[account, lane] = many
        self._schedule.move_account(sender, origin, target, now)
