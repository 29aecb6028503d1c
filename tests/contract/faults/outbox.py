"""Stores that forget what follows, or do it twice.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relay.core.envelope import Kind
from relay.core.lifecycle import Event
from relay.core.reply import Reply
from relay.store.ports import OutboxEntry
from tests.contract.model import ModelStore
from tests.contract.model_data import Delivery


class NoBounce(ModelStore):
    """Nothing follows from a bounce."""

    def owe_bounce(self, delivery: Delivery, reason: str, reply: Reply | None) -> None:
        return None


class ReportsOnReports(ModelStore):
    """A report that bounces is reported on."""

    def finish(self, delivery: Delivery, event: Event, reason: str, reply: Reply | None) -> None:
        kind = delivery.mail.new.kind
        super().finish(delivery, event, reason, reply)
        if event is Event.BOUNCE and kind is not Kind.MAIL:
            self.owe_bounce(delivery, reason, reply)


class OutboxInMemory(ModelStore):
    """What is owed dies with the process."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.disk.outbox.clear()


class DoneStays(ModelStore):
    """What was done is done again."""

    async def done(self, entry: int) -> None:
        return None


class DoneTakesTheMessage(ModelStore):
    """What is done for one patient is done for all."""

    async def done(self, entry: int) -> None:
        messages = {kept.message for kept in self.disk.outbox if kept.id == entry}
        self.disk.outbox = [kept for kept in self.disk.outbox if kept.message not in messages]


class NewestEntryFirst(ModelStore):
    """The outbox is read from its end."""

    async def outbox(self, most: int) -> Sequence[OutboxEntry]:
        return list(reversed(await super().outbox(1000)))[:most]


class StoppedUnsaid(ModelStore):
    """Nobody is told that the report has to go another way."""

    async def outbox(self, most: int) -> Sequence[OutboxEntry]:
        return [replace(entry, is_mailbox_stopped=False) for entry in await super().outbox(most)]
