"""The books of the store: the ports beside the mail itself, each a small protocol of its own.

Law: as for every port: what a method says is durable when it returns; when it raises, nothing happened.
"""

from dataclasses import dataclass
from typing import Protocol

from relay.store.ports.control import Control
from relay.store.ports.foresight import Foresight
from relay.store.ports.healths import Healths
from relay.store.ports.keys import Keys
from relay.store.ports.notices import Notices
from relay.store.ports.recipients import RecipientReport
from relay.store.ports.riddles import Riddles
from relay.store.ports.secrets import Secrets
from relay.store.ports.store import Store
from relay.store.ports.suppressions import Suppressions
from relay.store.ports.trials import Trials
from relay.store.ports.unheard import Unheard


@dataclass(frozen=True, slots=True)
class Books:
    """All of them, as the composition root holds them."""

    control: Control
    foresight: Foresight
    healths: Healths
    keys: Keys
    notices: Notices
    riddles: Riddles
    secrets: Secrets
    suppressions: Suppressions
    recipients: RecipientReport
    unheard: Unheard
    trials: Trials


class BookedStore(Store, Protocol):
    """A store with all its books."""

    @property
    def books(self) -> Books:
        """The ports beside the mail itself."""
