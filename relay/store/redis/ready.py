"""What may be sent, by the ids of deliveries: in the schedule on Redis, or aside while its account's mail goes nowhere.

Law: what an operation adds and removes it sees itself, before anything is written.
"""

from collections import Counter

from relay.core.words import AccountId, Lane, MailboxId
from relay.store.engine.entry import Entry
from relay.store.engine.remembrance import Remembrance
from relay.store.redis.opened import Opened


class RedisReady:
    """The queues of all accounts."""

    def __init__(self, opened: Opened, remembrance: Remembrance) -> None:
        self._opened = opened
        self._remembrance = remembrance
        self._aside: Counter[tuple[AccountId, Lane]] = Counter()
        """By how much this operation changed what waits of accounts whose mail goes nowhere."""

    def forget(self) -> None:
        """Another operation begins."""
        self._aside.clear()

    def _mailbox_of(self, sender: AccountId) -> MailboxId | None:
        return self._remembrance.routes.mailbox_of(sender)

    def add(self, entry: Entry) -> None:
        """It may be sent, at its place."""
        mailbox, schedule = self._mailbox_of(entry.sender), self._opened.schedule
        schedule.add_deliveries(mailbox, entry.sender, entry.lane, [entry.delivery], self._opened.now)
        self._aside[entry.sender, entry.lane] += mailbox is None

    def remove(self, entry: Entry) -> None:
        """It was ready and is not any more, and was not granted."""
        mailbox, schedule = self._mailbox_of(entry.sender), self._opened.schedule
        schedule.remove_delivery(mailbox, entry.sender, entry.lane, entry.delivery, self._opened.now)
        self._aside[entry.sender, entry.lane] -= mailbox is None

    def count(self, account: int, sender: AccountId, lane: Lane) -> int:
        """How many deliveries of a lane of an account are ready."""
        mailbox = self._mailbox_of(sender)
        if mailbox is not None:
            return self._opened.schedule.ready_of(mailbox, sender)[lane is Lane.BULK]
        return self._opened.schedule.waiting_of(None, sender)[lane is Lane.BULK] + self._aside[sender, lane]

    def move(self, account: int | None, sender: AccountId, origin: MailboxId | None, target: MailboxId | None) -> None:
        """What is ready of an account follows it; None: its mail goes nowhere."""
        if account is None and origin is None:
            return  # whoever takes mail in that goes nowhere gives its account a number
        self._opened.schedule.follow_account(sender, origin, target, self._opened.now)
