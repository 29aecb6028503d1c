"""How long a client is waited for: for a command, for a message, and for the next octets of a message.

Law: silence ends a connection and a busy relay does not; a message that trickles in counts as silence. Instants are
seconds of the loop's clock, handed in; nothing here waits.
"""

DATA_SECONDS: float = 3600.0
"""A message of the greatest size over the slowest line takes this; who takes longer only keeps a connection."""

DATA_RATE_LEAST: int = 256
"""Octets a second of a message, over each `timeout`: a quarter of what the slowest mobile line carries."""


class Patience:
    """What one connection has left of it."""

    __slots__ = ("_data_unheard", "_data_until", "_heard_at", "_seconds")

    def __init__(self, seconds: float, now: float) -> None:
        """`seconds` of silence may pass."""
        self._seconds = seconds
        self._heard_at = now
        self._data_until: float | None = None
        self._data_unheard = 0

    def begin(self, now: float) -> None:
        """The client is asked for a command."""
        self._heard_at = now

    def begin_data(self, now: float) -> None:
        """The client is asked for a message."""
        self._heard_at = now
        self._data_until = now + DATA_SECONDS
        self._data_unheard = 0

    def hear(self, count: int, now: float) -> None:
        """Octets came; in a message patience begins anew only when they are as many as its whole length asks for."""
        if self._data_until is None:
            return
        self._data_unheard += count
        if self._data_unheard >= DATA_RATE_LEAST * self._seconds:
            self._data_unheard = 0
            self._heard_at = now

    def end_data(self) -> None:
        """The message is whole."""
        self._data_until = None

    def until(self, now: float, *, is_waiting: bool) -> float:
        """When it ends; `is_waiting`: for the client, and not he for the relay."""
        until = (self._heard_at if is_waiting else now) + self._seconds
        return until if self._data_until is None else min(until, self._data_until)
