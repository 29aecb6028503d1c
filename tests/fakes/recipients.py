"""A report on recipients that a test writes."""

from collections.abc import Sequence
from datetime import date

from relay.core.words import AccountId
from relay.store.ports.recipients import BusyRecipient

BUSY = BusyRecipient("anna@d.test", "00ff" * 4, "example.org", date(2026, 11, 22), 31)


class FakeRecipientReport:
    """The port; `trouble` is raised by whoever asks."""

    def __init__(self) -> None:
        self.found = [BUSY]
        self.asked: list[tuple[AccountId | None, int, int]] = []
        self.trouble: Exception | None = None

    async def busiest(self, *, account: AccountId | None, least: int, most: int) -> Sequence[BusyRecipient]:
        self.asked.append((account, least, most))
        if self.trouble is not None:
            raise self.trouble
        return self.found[:most]
