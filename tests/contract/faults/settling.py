"""Stores that end attempts wrongly: twice, too early, for too little, or on the wrong mailbox.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from dataclasses import replace

from relay.core.envelope import Claim, Result, Verdict
from relay.core.lifecycle import Event, State
from relay.core.words import MailboxId
from relay.store.ports import OutboxKind
from tests.contract.model import ModelStore
from tests.contract.model_data import Attempt, Delivery


class GateAlwaysOpen(ModelStore):
    """The gate lets everybody through."""

    async def gate(self, claim: Claim) -> bool:
        await super().gate(claim)
        return True


class SettlesTwice(ModelStore):
    """An attempt may end again."""

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        attempt = self.attempt_of(claim)
        if attempt is not None and attempt.is_over:
            if result.verdict is Verdict.BOUNCED:
                self.owe(OutboxKind.BOUNCE, attempt.delivery, result.reply_class, result.reply, None)
            return result.verdict
        return await super().settle(claim, result)


class TriesUncounted(ModelStore):
    """Every try is the first."""

    def move(self, attempt: Attempt, result: Result) -> None:
        super().move(attempt, result)
        attempt.delivery.tries = 0


class RetriesAtOnce(ModelStore):
    """A deferred delivery does not wait."""

    def wait_until(self, delivery: Delivery, event: Event, due: int, reason: str | None) -> None:
        super().wait_until(delivery, event, 0 if event is Event.DEFER else due, reason)


class HintIgnored(ModelStore):
    """What the reply asked for is not read."""

    def move(self, attempt: Attempt, result: Result) -> None:
        super().move(attempt, replace(result, retry_after=None))


class HintShortens(ModelStore):
    """A short hint shortens the delay."""

    def move(self, attempt: Attempt, result: Result) -> None:
        super().move(attempt, result)
        if result.verdict is Verdict.DEFERRED and result.retry_after is not None:
            attempt.delivery.due = self.clock.relay() + result.retry_after


class HeldBounces(ModelStore):
    """A refused mailbox bounces its mail."""

    def move(self, attempt: Attempt, result: Result) -> None:
        is_held = result.verdict is Verdict.HELD
        super().move(attempt, replace(result, verdict=Verdict.BOUNCED) if is_held else result)


class HeldStopsNothing(ModelStore):
    """A refused mailbox goes on."""

    def judge(self, mailbox: MailboxId, result: Result) -> None:
        if result.verdict is not Verdict.HELD:
            super().judge(mailbox, result)


class HeldStopsEverybody(ModelStore):
    """One refused mailbox stops all of its provider."""

    def judge(self, mailbox: MailboxId, result: Result) -> None:
        for other in self.facts.mailboxes():
            super().judge(other, result)


class LingerForgotten(ModelStore):
    """An attempt without a last reply ends when the relay hung up."""

    def linger_of(self, mailbox: MailboxId) -> int:
        return 0


class SlotAlwaysGivenBack(ModelStore):
    """What was not delivered costs nothing."""

    def end(self, attempt: Attempt, result: Result) -> None:
        super().end(attempt, replace(result, is_mail_written=result.verdict is Verdict.DELIVERED))


class SlotNeverGivenBack(ModelStore):
    """What was never sent costs as much as what was."""

    def give_back(self, attempt: Attempt) -> None:
        attempt.ended = self.now()


class DoubtForgotten(ModelStore):
    """A doubtful delivery is sent again and again."""

    def doubt(self, delivery: Delivery, pause: int) -> None:
        super().doubt(delivery, pause)
        delivery.doubts = 0


class DoubtSentAtOnce(ModelStore):
    """A doubtful delivery is sent again though the provider may still read the first one."""

    def doubt(self, delivery: Delivery, pause: int) -> None:
        super().doubt(delivery, 0)


class DoubtNeverHeldAtOnce(ModelStore):
    """An account's own wish for what is in doubt is not read."""

    def doubt(self, delivery: Delivery, pause: int) -> None:
        delivery.tries, delivery.doubts = delivery.tries + 1, delivery.doubts + 1
        event = Event.DOUBT if delivery.doubts == 1 else Event.HOLD
        self.wait_until(delivery, event, self.clock.relay() + pause, "in-doubt")


class EveryBreakIsADoubt(ModelStore):
    """What broke before the gate is in doubt too."""

    def move(self, attempt: Attempt, result: Result) -> None:
        if result.verdict is Verdict.IN_DOUBT:
            attempt.delivery.state, attempt.gated_at = State.GATED, self.now()
        super().move(attempt, result)


class NothingExpires(ModelStore):
    """Mail waits for ever."""

    def expire(self, delivery: Delivery) -> None:
        return None


class StoppedExpiresEarly(ModelStore):
    """A stopped mailbox's mail has the ordinary lifetime."""

    def expire(self, delivery: Delivery) -> None:
        self.finish(delivery, Event.BOUNCE, "expired", delivery.reply)
