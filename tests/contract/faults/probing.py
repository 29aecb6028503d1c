"""Stores that ask the wrong one whether a mailbox works, or believe him.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from relay.core.envelope import Result
from relay.core.health import Health, HealthEvent
from relay.core.words import MailboxId
from tests.contract.model import ModelStore
from tests.contract.model_data import Attempt, Delivery
from tests.contract.order import Choice


class AlwaysTheSameProbe(ModelStore):
    """The oldest one asks again and again."""

    def turn_of(self, choice: Choice) -> Delivery:
        return min(self.ready_of(choice), key=lambda delivery: delivery.id)


class NoTurns(ModelStore):
    """Whoever was refused comes again."""

    def refused_recipients(self, mailbox: MailboxId, since: int) -> set[str]:
        return set()


class OneStopsAllAgain(ModelStore):
    """A recipient who alone hears it stops the mailbox each time."""

    def is_recipients(self, attempt: Attempt, result: Result, event: HealthEvent | None) -> bool:
        return False


class NothingIsTheMailboxs(ModelStore):
    """Whatever was refused before is the recipient's, though nobody else was served."""

    def is_recipients(self, attempt: Attempt, result: Result, event: HealthEvent | None) -> bool:
        before = [each for each in self.disk.attempts if each.delivery is attempt.delivery and each is not attempt]
        return event is not None and bool(before)


class ReportsAreProof(ModelStore):
    """What reaches the doctor reaches his patients."""

    def is_evidence(self, attempt: Attempt) -> bool:
        return True


class ReportsProbe(ModelStore):
    """The oldest one is asked, whatever it is."""

    def may_probe(self, health: Health, delivery: Delivery) -> bool:
        return True
