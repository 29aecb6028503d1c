"""What was accepted and not heard, in memory, as a test puts it there or a dialogue leaves it."""

from relay.core.words import MessageId
from relay.store.ports.unheard import Sending


class RememberedUnheard:
    """The port; `trouble` is raised by whatever waits for the store."""

    def __init__(self) -> None:
        self.remembered: dict[MessageId, Sending] = {}
        self.forgotten: list[MessageId] = []
        self.trouble: Exception | None = None
        self.is_all_told = False

    def may_be(self, sending: Sending) -> bool:
        return sending in self.remembered.values()

    async def first_of(self, sending: Sending) -> MessageId | None:
        self._fail()
        return next((message for message, one in self.remembered.items() if one == sending), None)

    async def remember(self, message: MessageId, sending: Sending) -> None:
        self._fail()
        self.remembered[message] = sending

    async def forget(self, message: MessageId) -> None:
        self._fail()
        self.remembered.pop(message, None)
        self.forgotten.append(message)

    async def all_told(self) -> None:
        self._fail()
        self.is_all_told = True

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble
