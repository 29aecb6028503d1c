"""Stores that log in too often, too seldom, or blame the wrong one.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from relay.core.envelope import LoginFailure, Taken
from relay.core.health import HealthEvent
from relay.core.words import MailboxId
from relay.store.ports.sessions import SessionEvent
from tests.contract.model import ModelStore


class EverybodyLogsIn(ModelStore):
    """Names every mailbox that there is."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        taken = await super().take(node, idle, most)
        return replace(taken, open=dict.fromkeys(self.facts.mailboxes(), 1) | taken.open)


class NobodyMakesPlace(ModelStore):
    """Idle sessions keep others out."""

    def close_for_others(self, now: int, left: Mapping[MailboxId, int]) -> dict[MailboxId, int]:
        return {}


class NothingReserved(ModelStore):
    """Names a session again before it was reported on."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        taken = await super().take(node, idle, most)
        self.process.openings.clear()
        return taken

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        self.reserve(mailbox) if event is not SessionEvent.CLOSED else None
        await super().session(mailbox, event)

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        self.reserve(mailbox)
        await super().refused(mailbox, failure)


class DeclinedCounts(ModelStore):
    """A login that was never tried counts."""

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        if event is SessionEvent.DECLINED:
            self.reported(mailbox).ended = self.now()
            self.changed()
        else:
            await super().session(mailbox, event)


class ClosedSessionsStay(ModelStore):
    """A closed session still counts."""

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        if event is not SessionEvent.CLOSED:
            await super().session(mailbox, event)


class LostIsClosed(ModelStore):
    """Logs in again at once where it is thrown out each time."""

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        await super().session(mailbox, SessionEvent.CLOSED if event is SessionEvent.LOST else event)


class NeverProven(ModelStore):
    """A login that worked proves nothing."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        super().change_health(mailbox, event, *given)
        self.disk.healths[mailbox] = replace(self.disk.healths[mailbox], is_proven=False)


class AlwaysProven(ModelStore):
    """Several logins are tried though none has worked."""

    def reserve(self, mailbox: MailboxId) -> None:
        super().reserve(mailbox)
        self.change_health(mailbox, HealthEvent.LOGIN_WORKED)


class RefusedStopsNothing(ModelStore):
    """A refused password is tried again at once."""

    def judge_failure(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        if failure.is_provider:
            super().judge_failure(mailbox, failure)


class RefusedStopsTheProvider(ModelStore):
    """One doctor's password stops everybody at his provider."""

    def judge_failure(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        super().judge_failure(mailbox, replace(failure, is_provider=True))


class RefusedSpendsATry(ModelStore):
    """A refused login costs its mail a try."""

    def judge_failure(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        super().judge_failure(mailbox, failure)
        for delivery in self.disk.deliveries:
            delivery.tries += 1


class CrowdForgotten(ModelStore):
    """Logs in again at once where there are too many sessions."""

    def crowd(self, mailbox: MailboxId, *, is_provider: bool) -> None:
        pass


class CrowdStopsTheMailbox(ModelStore):
    """A session too many is taken for a refusal."""

    def crowd(self, mailbox: MailboxId, *, is_provider: bool) -> None:
        self.change_health(mailbox, HealthEvent.BUSY, "too-many-connections")


class CrowdIsEverybodys(ModelStore):
    """One mailbox's sessions keep its whole provider out."""

    def crowd(self, mailbox: MailboxId, *, is_provider: bool) -> None:
        super().crowd(mailbox, is_provider=not is_provider)


class NoBreaker(ModelStore):
    """A host that is down is each mailbox's own trouble."""

    def judge_failure(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        super().judge_failure(mailbox, replace(failure, is_provider=False))


class HealthLostInACrash(ModelStore):
    """A restart tries every stopped mailbox again."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.disk.healths.clear()
        self.order.refresh(self.now())


class LoginsThatHangTakeAllPlaces(ModelStore):
    """Nothing is kept for mailboxes that work."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.order.may_begin = lambda mailbox: True  # type: ignore[method-assign]


class TroubleGoesFirst(ModelStore):
    """Who met trouble comes in his turn, before those that never had a chance."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.order._new_before_troubled = lambda wanting: wanting  # type: ignore[method-assign]


class LeavesNothing(ModelStore):
    """A node is sent to log in as whom it cannot."""

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        """Forgotten at once."""


class WaitsForWhoIsLeft(ModelStore):
    """Who is left to others keeps the place of who comes after."""

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        self.left = frozenset(self.facts.mailboxes()) if mailboxes else frozenset()
