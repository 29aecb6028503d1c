"""How the model tells senders of bounces: an entry stays until a report of it was taken, and fails twice at most.

Law: what is being told of, and what nobody can be told of, is kept and shown to nobody who does the outbox's work.
"""

from dataclasses import replace

from relay.core.lifecycle import Event
from relay.core.words import MailboxId
from relay.store.ports import OutboxEntry, OutboxKind
from tests.contract.clock import LoopClock
from tests.contract.model_data import Disk, Mail


class Telling:
    """The outbox of a process of the model."""

    disk: Disk
    clock: LoopClock

    def open_entries(self) -> list[OutboxEntry]:
        """What nobody tells of yet."""
        closed = {*self.disk.handed, *self.disk.untold}
        return [each for each in self.disk.outbox if each.id not in closed]

    async def done(self, entry: int) -> None:
        """Nothing has to be done any more."""
        self.disk.outbox = [kept for kept in self.disk.outbox if kept.id != entry]
        self.disk.handed.pop(entry, None)
        self.disk.untold.discard(entry)

    async def answered(self, entry: int, report: Mail) -> None:
        """A report of it was put."""
        kinds = {each.id: each.kind for each in self.disk.outbox}
        if kinds[entry] is OutboxKind.BOUNCE:
            self.disk.handed[entry] = report
        else:
            await self.done(entry)

    def report_ended(self, report: Mail, event: Event) -> None:
        """A report was taken, or never will be."""
        for number in [number for number, mail in self.disk.handed.items() if mail is report]:
            del self.disk.handed[number]
            if event is not Event.BOUNCE:
                self.disk.outbox = [kept for kept in self.disk.outbox if kept.id != number]
            else:
                own = next(kept for kept in self.disk.outbox if kept.id == number)
                self.disk.outbox[self.disk.outbox.index(own)] = self.told_again(own, report)

    def told_again(self, entry: OutboxEntry, report: Mail) -> OutboxEntry:
        """Another one may go another way; of the second nobody can be told."""
        mailbox = self.way_of(report)
        if entry.refused_by is not None or mailbox is None:
            self.disk.untold.add(entry.id)
            return entry
        return replace(entry, refused_by=mailbox, refused_at=self.clock.wall())

    def way_of(self, report: Mail) -> MailboxId | None:
        """The mailbox of its account."""
        account = self.disk.applied.routing.accounts.get(report.new.account)
        return None if account is None else account.mailbox

    async def give_up(self, entry: int) -> None:
        """Nobody can be told."""
        if entry in [each.id for each in self.open_entries()]:
            self.disk.untold.add(entry)

    async def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return len(self.disk.untold)
