"""Stores that forget what follows, or do it twice.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relay.core.envelope import Kind, Result
from relay.core.lifecycle import Event
from relay.core.reply import Reply
from relay.store.ports import OutboxEntry, OutboxKind
from tests.contract.model import ModelStore
from tests.contract.model_data import Delivery, Mail


class NoBounce(ModelStore):
    """Nothing follows from a bounce."""

    def owe(self, kind: OutboxKind, delivery: Delivery, *about: Any) -> None:
        if kind is not OutboxKind.BOUNCE:
            super().owe(kind, delivery, *about)


class ReportsOnReports(ModelStore):
    """A report that bounces is reported on."""

    def finish(self, delivery: Delivery, event: Event, reason: str, reply: Reply | None, **more: Any) -> None:
        super().finish(delivery, event, reason, reply, **more)
        if event is Event.BOUNCE and delivery.mail.new.kind is not Kind.MAIL:
            self.owe(OutboxKind.BOUNCE, delivery, reason, reply, None)


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

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        return list(reversed(await super().outbox(1000, after)))[:most]


class StoppedUnsaid(ModelStore):
    """Nobody is told that the report has to go another way."""

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        return [replace(entry, is_mailbox_stopped=False) for entry in await super().outbox(most, after)]


class ConfirmsTwice(ModelStore):
    """The sender hears of success from the provider and from us."""

    def confirm(self, delivery: Delivery, result: Result) -> None:
        super().confirm(delivery, replace(result, is_dsn_passed_on=False))


class ConfirmsUnasked(ModelStore):
    """Everybody hears of success."""

    def confirm(self, delivery: Delivery, result: Result) -> None:
        self.owe(OutboxKind.RELAYED, delivery, result.reply_class, result.reply, None)


class LifetimeUnsaid(ModelStore):
    """A mail that waited too long looks as if it had been refused."""

    def finish(self, delivery: Delivery, event: Event, reason: str, reply: Reply | None, **more: Any) -> None:
        super().finish(delivery, event, reason, reply)


class PutIsTold(ModelStore):
    """A bounce counts as told as soon as its report is in the queue."""

    async def answered(self, entry: int, report: Mail) -> None:
        await self.done(entry)


class ReportsForEver(ModelStore):
    """A bounce is told until somebody takes it."""

    def told_again(self, entry: OutboxEntry, report: Mail) -> OutboxEntry:
        return super().told_again(replace(entry, refused_by=None), report)


class LostUnsaid(ModelStore):
    """Nobody hears of what nobody can be told of."""

    async def lost(self) -> int:
        return 0
