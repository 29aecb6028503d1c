"""Stores that say wrongly what is late.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from relay.core.words import AccountId
from tests.contract.model import ModelStore
from tests.contract.model_data import Delivery


class NeverSays(ModelStore):
    """Nobody hears that his mail is late."""

    def tell_of_delays(self) -> None:
        return None


class SaysItAgain(ModelStore):
    """Whoever waits hears of it at every look."""

    def tell_of_delays(self) -> None:
        for delivery in self.disk.deliveries:
            delivery.is_seen = False
        super().tell_of_delays()


class SaysItOfEveryMail(ModelStore):
    """Five hundred notices for one burst."""

    def may_tell(self, account: AccountId) -> bool:
        return True


class SaysItToWhoDoesNotWant(ModelStore):
    """NOTIFY=NEVER is not heard."""

    def wants_notice(self, delivery: Delivery) -> bool:
        return True


class SaysItAfterwards(ModelStore):
    """The notice stays though the mail has gone."""

    def strike_delay(self, delivery: Delivery) -> None:
        return None


class Oversleeps(ModelStore):
    """Nobody is woken for what is late."""

    def next_look(self, wake_at: int | None) -> int | None:
        return wake_at
