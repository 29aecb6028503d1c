"""The client's end of a connection as the dialogue sees it: lines and messages in, replies out.

Law: the dialogue never sees a socket, so that it can be held over anything that carries bytes.
"""

from typing import Protocol

from relay.core.refusal import Reason
from relay.errors import TemporaryError


class ClientGone(TemporaryError):
    """the client hung up, or said nothing for too long and was hung up on"""


class Wire(Protocol):
    """What carries one dialogue."""

    @property
    def has_unread(self) -> bool:
        """Whether octets are there that the dialogue has not read: what comes of them was not said after the last
        reply.
        """

    @property
    def has_finished(self) -> bool:
        """Whether the client says nothing more; it may still listen, and mostly does not."""

    @property
    def is_all_read(self) -> bool:
        """After the end: whether everything that was said arrived while the client was there."""

    async def line(self, most: int) -> bytes | Reason:
        """The next command line without its end; a reason: it had more than `most` octets. ClientGone."""

    def begin_data(self) -> None:
        """What comes next is a message."""

    async def data(self, blocks: list[bytes]) -> bool:
        """Waits for more of the message and appends it to `blocks`; whether it has ended. ClientGone."""

    def say(self, reply: bytes) -> None:
        """Sends reply lines; harmless when the client is gone."""

    async def start_tls(self, go_ahead: bytes) -> None:
        """Says so and changes to TLS; what the client sent before is forgotten. ClientGone."""
