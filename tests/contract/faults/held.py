"""Stores that know only a mailbox's own stop.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from relay.core.words import AccountId
from tests.contract.model import ModelStore
from tests.contract.model_data import Delivery


class BouncesWhatAProviderHolds(ModelStore):
    """Nobody mends a certificate within three days, and the mail is gone."""

    def expire(self, delivery: Delivery) -> None:
        known, self.disk.provider_healths = self.disk.provider_healths, {}
        super().expire(delivery)
        self.disk.provider_healths = known


class HoldsForEver(ModelStore):
    """What was held once is held."""

    def trouble_of(self, account: AccountId) -> str | None:
        found = super().trouble_of(account)
        kept: dict[AccountId, str] = self.__dict__.setdefault("kept", {})
        return kept.setdefault(account, found) if found is not None else kept.get(account)


class HoldsWhatTimeHeals(ModelStore):
    """Whoever's provider does not answer is held."""

    def trouble_of(self, account: AccountId) -> str | None:
        return super().trouble_of(account) or ("network" if self.is_stopped(account) else None)
