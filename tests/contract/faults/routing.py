"""Stores that leave mail behind when the routing changes.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Mapping
from typing import Any

from relay.core.envelope import Taken
from relay.core.lifecycle import State
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.store.ports import AppliedRouting
from tests.contract.model import ModelStore
from tests.contract.model_data import Applied, Disk


class VersionAlwaysGrows(ModelStore):
    """An equal routing is a new version."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        await super().apply(routing, fingerprints)
        self.disk.applied.version += 1
        self.version = self.disk.applied.version
        return self.version


class MailStaysBehind(ModelStore):
    """What waits does not follow its account."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        waiting = [delivery for delivery in self.disk.deliveries if delivery.state is State.WAITING]
        had_any = self.disk.applied.version
        version = await super().apply(routing, fingerprints)
        for delivery in waiting if had_any else ():
            delivery.state = State.HELD
        self.order.refresh(self.now())
        return version


class RemovedIsLost(ModelStore):
    """A removed account's mail goes with it."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        self.disk.deliveries = [kept for kept in self.disk.deliveries if kept.account in routing.accounts]
        return await super().apply(routing, fingerprints)


class CredentialsAssumed(ModelStore):
    """A mailbox without credentials logs in all the same."""

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        return await super().apply(routing, {mailbox: known or "" for mailbox, known in fingerprints.items()})


class FingerprintIgnored(ModelStore):
    """A new password is tried when the old one would have been."""

    def renew(self, before: Mapping[MailboxId, str | None], now: Mapping[MailboxId, str | None]) -> None:
        return None


class EveryEditWakes(ModelStore):
    """Any edit wakes every stopped mailbox."""

    def renew(self, before: Mapping[MailboxId, str | None], now: Mapping[MailboxId, str | None]) -> None:
        super().renew({}, now)


class RoutingInMemory(ModelStore):
    """The routing in force dies with the process."""

    def __init__(self, disk: Disk, *given: Any) -> None:
        disk.applied = Applied()
        super().__init__(disk, *given)


class NeverStale(ModelStore):
    """An older node goes on with what it knows."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        self.version = self.disk.applied.version
        return await super().take(node, idle, most)


class LooksAreForEver(ModelStore):
    """What was in force once is good enough to build on."""

    async def apply_on(
        self, base: AppliedRouting, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        return await self.apply(routing, fingerprints)
