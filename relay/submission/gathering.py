"""The octets of one message while they come in, and the memory that all messages coming in share.

Law: more than a message may have is read to its end and thrown away, so that the session stays usable; what all
connections together hold is bounded.
"""

import hashlib

from relay.core.refusal import Reason
from relay.submission.wire import Wire


class Memory:
    """Octets that messages coming in hold, over all connections."""

    def __init__(self, most: int, *, most_of_one: int | None = None) -> None:
        """`most_of_one`: of one client, so that his burst of giants leaves room for the others; None: all of it."""
        self._most = most
        self._most_of_one = most if most_of_one is None else most_of_one
        self._by_client: dict[str, int] = {}
        self.held = 0

    def take(self, count: int, client: str = "") -> bool:
        """Takes so many octets; False: there are not so many left, nothing was taken."""
        his = self._by_client.get(client, 0) + count
        if self.held + count > self._most or his > self._most_of_one:
            return False
        self.held += count
        self._by_client[client] = his
        return True

    def give_back(self, count: int, client: str = "") -> None:
        """They are free again."""
        self.held -= count
        his = self._by_client.pop(client, 0) - count
        if his > 0:
            self._by_client[client] = his


class Gathering:
    """One message coming in; `release` when it is stored or refused."""

    def __init__(self, most: int, memory: Memory, client: str = "") -> None:
        """`most` octets after dot-unstuffing; stuffed at its worst, `..` on every line, a message is a third longer."""
        self._most = most + most // 3 + 1
        self._memory = memory
        self._client = client
        self._held = 0
        self._kept: list[bytes] = []
        self._hash = hashlib.sha256()

    async def read(self, wire: Wire) -> Reason | None:
        """Reads the message to its end; a reason: it was too much to keep. ClientGone."""
        wire.begin_data()
        refused: Reason | None = None
        is_ended = False
        while not is_ended:
            blocks: list[bytes] = []
            is_ended = await wire.data(blocks)
            if refused is None:
                refused = self._keep(blocks)
        return refused

    def raw(self) -> bytes:
        """The message as it came, still stuffed."""
        return self._kept[0] if len(self._kept) == 1 else b"".join(self._kept)

    def digest(self) -> bytes:
        """SHA-256 of what came."""
        return self._hash.digest()

    def release(self) -> None:
        """Lets go of the octets; harmless when called twice."""
        self._kept.clear()
        self._memory.give_back(self._held, self._client)
        self._held = 0

    def _keep(self, blocks: list[bytes]) -> Reason | None:
        for block in blocks:
            if self._held + len(block) > self._most:
                self.release()
                return Reason.MESSAGE_TOO_LARGE
            if not self._memory.take(len(block), self._client):
                self.release()
                return Reason.STORE_FULL
            self._held += len(block)
            self._kept.append(block)
            self._hash.update(block)
        return None
