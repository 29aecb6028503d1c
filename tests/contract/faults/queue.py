"""Stores that lose, double, reorder or hand out too much, or let somebody sleep.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from relay.core.envelope import NewMessage, Taken
from relay.core.lifecycle import Event, State
from relay.core.words import Lane, MailboxId
from tests.contract.model import ModelStore
from tests.contract.model_data import Delivery, Disk
from tests.contract.order import Choice


class PutTwiceIsTwo(ModelStore):
    """`put` is not idempotent."""

    async def put(self, message: NewMessage) -> None:
        known = [mail for mail in self.disk.mails if mail.new.id == message.id]
        self.disk.mails = [mail for mail in self.disk.mails if mail not in known]
        await super().put(message)
        self.disk.mails += known


class PutInMemory(ModelStore):
    """What was put dies with the process if nothing was written after it."""

    def __init__(self, disk: Disk, *given: Any) -> None:
        unwritten = disk.planted or []
        disk.mails = [mail for mail in disk.mails if mail not in unwritten]
        disk.deliveries = [kept for kept in disk.deliveries if kept.mail not in unwritten]
        super().__init__(disk, *given)

    async def put(self, message: NewMessage) -> None:
        await super().put(message)
        self.disk.planted = self.disk.mails[-1:]

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        self.disk.planted = None
        return await super().take(node, idle, most)


class OneDeliveryForAll(ModelStore):
    """A message to two patients is one delivery."""

    async def put(self, message: NewMessage) -> None:
        first = message.envelope.recipients[:1]
        await super().put(replace(message, envelope=replace(message.envelope, recipients=first)))


class AddressesLowered(ModelStore):
    """Addresses are changed on the way."""

    async def put(self, message: NewMessage) -> None:
        recipients = tuple(replace(one, address=one.address.lower()) for one in message.envelope.recipients)
        await super().put(replace(message, envelope=replace(message.envelope, recipients=recipients)))


class AllExpress(ModelStore):
    """There is no bulk."""

    def lane_of(self, message: NewMessage) -> Lane:
        return Lane.EXPRESS


class LaneForgetsTime(ModelStore):
    """A client that ever sent four messages is in bulk for ever."""

    def lane_of(self, message: NewMessage) -> Lane:
        recent = [mail for mail in self.disk.mails if mail.new.client == message.client]
        return Lane.EXPRESS if message.wants_express or len(recent) < 3 else Lane.BULK


class NewestFirst(ModelStore):
    """A stack, not a queue."""

    def oldest(self, choice: Choice) -> Delivery:
        return max(self.ready_of(choice), key=lambda delivery: delivery.id)


class ReturnsToTheEnd(ModelStore):
    """What comes back goes to the end of its queue."""

    def wait_until(self, delivery: Delivery, event: Event, due: int, reason: str | None) -> None:
        super().wait_until(delivery, event, due, reason)
        self.disk.deliveries.remove(delivery)
        self.disk.deliveries.append(delivery)

    def oldest(self, choice: Choice) -> Delivery:
        return self.ready_of(choice)[0]


class MostIgnored(ModelStore):
    """Gives all that it has."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        return await super().take(node, idle, most if most == 0 else 1000)


class IdleIgnored(ModelStore):
    """Hands out more than a mailbox has sessions for."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        return await super().take(node, dict.fromkeys(idle, 1000), most)


class HalfAtATime(ModelStore):
    """One take of n gives less than n takes of 1."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        return await super().take(node, idle, -(-most // 2))


class InOneRun(ModelStore):
    """The first mailbox is emptied before the next one is looked at."""

    def grant(self, now: int, idle: Mapping[MailboxId, int], most: int, claim: Callable[[Choice], None]) -> None:
        left = most
        for mailbox in sorted(idle):
            left -= len(self.order.grant(now, {mailbox: idle[mailbox]}, left, claim=claim))


class TwiceClaimed(ModelStore):
    """Another node may claim what is claimed."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        for attempt in self.running():
            if attempt.claim.node != node and attempt.gated_at is None:
                attempt.delivery.state = State.WAITING
        self.order.refresh(self.now())
        return await super().take(node, idle, most)


class WakesNobody(ModelStore):
    """Drops every wake-up."""

    def tell(self) -> None:
        return None


class MarkIgnored(ModelStore):
    """Loses what happened between the look and the wait."""

    async def wait(self, mark: int, until: int | None) -> None:
        await super().wait(self.changes, until)


class UntilIgnored(ModelStore):
    """Waits for a change alone."""

    async def wait(self, mark: int, until: int | None) -> None:
        await super().wait(mark, None if until is None else until + 1_000_000)
