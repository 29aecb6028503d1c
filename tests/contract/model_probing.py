"""Which delivery of the model probes a stopped mailbox, what it proves, and whose a refusal is.

Law: every question is answered from the attempts on record, each time anew.
"""

from relay.core.envelope import Kind, Result
from relay.core.health import Health, HealthEvent
from relay.core.lifecycle import State
from relay.core.limits import HOUR
from relay.core.probing import is_proof, may_be_its_own, needs_client_mail, takes_turns
from relay.core.words import Lane, MailboxId
from tests.contract.model_data import Attempt, Delivery
from tests.contract.model_telling import Telling
from tests.contract.order import Choice


def recipient_of(delivery: Delivery) -> str:
    """To whom it goes."""
    return delivery.envelope.recipients[0].address.lower()


class Probing(Telling):
    """The probes of a process of the model."""

    def ready_of(self, choice: Choice) -> list[Delivery]:
        """What may be sent of a lane of an account."""
        raise NotImplementedError

    def name_in_force(self, mailbox: MailboxId) -> MailboxId:
        """What it is called now."""
        raise NotImplementedError

    def turn_of(self, choice: Choice) -> Delivery:
        """The oldest of the lane, unless it is another recipient's turn."""
        lanes = [Choice(choice.mailbox, choice.account, lane, choice.is_probe) for lane in Lane]
        waiting = [each for lane in lanes for each in sorted(self.ready_of(lane), key=lambda each: each.id)]
        oldest = min(self.ready_of(choice), key=lambda delivery: delivery.id)
        health = self.disk.healths.get(choice.mailbox, Health())
        if not choice.is_probe or not takes_turns(health):
            return oldest
        refused = self.refused_recipients(choice.mailbox, health.since or 0)
        fitting = [each for each in waiting if self.may_probe(health, each)]
        turns = [each for each in fitting if recipient_of(each) not in refused]
        if not turns and not self.may_probe(health, oldest):
            turns = fitting
        return turns[0] if turns else oldest

    def has_client_mail(self, mailbox: MailboxId) -> bool:
        """Whether any may be sent."""
        return any(
            each.state is State.WAITING and each.due <= self.clock.relay() and each.mail.new.kind is Kind.MAIL
            for each in self.disk.deliveries
            if self.disk.applied.mailbox_of(each.account) == mailbox
        )

    def may_probe(self, health: Health, delivery: Delivery) -> bool:
        """Whether its delivery would show that the mailbox works."""
        return delivery.mail.new.kind is Kind.MAIL or not needs_client_mail(health)

    def tried_since(self, mailbox: MailboxId, since: int) -> list[Attempt]:
        """What a mailbox tried since then."""
        return [
            each
            for each in self.disk.attempts
            if each.mailbox == mailbox and each.is_over and each.is_counted and (each.ended or 0) >= since
        ]

    def refused_recipients(self, mailbox: MailboxId, since: int) -> set[str]:
        """Who was refused."""
        tried = self.tried_since(mailbox, since)
        return {recipient_of(each.delivery) for each in tried if each.is_refused and each.reply is not None}

    def is_evidence(self, attempt: Attempt) -> bool:
        """Whether it shows that its mailbox works, now that it went through."""
        health = self.disk.healths.get(self.name_in_force(attempt.mailbox), Health())
        return is_proof(health, attempt.delivery.mail.new.kind)

    def is_recipients(self, attempt: Attempt, result: Result, event: HealthEvent | None) -> bool:
        """Whether he alone hears it, again, after others were served."""
        if not may_be_its_own(result, event):
            return False
        who = recipient_of(attempt.delivery)
        tried = self.tried_since(attempt.mailbox, self.clock.relay() - 48 * HOUR)
        same = [each for each in tried if each is not attempt and recipient_of(each.delivery) == who]
        if not same or same[-1].reply_class != result.reply_class:
            return False
        at = same[-1].ended or 0
        return any(
            each.reply_class == "delivered" and each.started >= at and recipient_of(each.delivery) != who
            for each in tried
        )
