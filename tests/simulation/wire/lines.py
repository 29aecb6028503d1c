"""Connections without sockets: octets take their time, come in pieces, stop at a full window, and get lost.

Law: what arrives is a prefix of what was written, in order, and nothing arrives at an end that is gone; when the relay
hung up is written down, for only that is in its hands.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HIGH_WATER: int = 65_536
"""As asyncio's transports: from so many octets on the writer is asked to wait."""

END = b""
"""What arrives last from an end that says no more."""


@dataclass(frozen=True)
class Weather:
    """What the network does to a connection; `cut` and `mute` are chances."""

    latency: tuple[float, float] = (0.001, 0.02)
    segment: int = 1400
    """The longest piece that arrives at once."""
    window: int = 65_536
    """Octets that the kernels hold between the two ends."""
    cut: float = 0.0
    """Broken at some octet: both ends are told."""
    mute: float = 0.0
    """Swallows everything from some octet on: nobody is told."""

    def calm(self) -> "Weather":
        """The same, without loss."""
        return Weather(self.latency, self.segment, self.window)


class Line(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, weather: Weather, dice: random.Random, peer: str) -> None:
        super().__init__()
        self._loop = loop
        self._weather = weather
        self._dice = dice
        self._peer = peer
        self._protocol: asyncio.Protocol
        self.other: Line
        self.opened_at = loop.time()
        self.gone_at: float | None = None
        """When this end let go: nothing is written or heard here any more."""
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._kept = bytearray()
        self._under_way = 0
        self._sent = 0
        self._breaks_at: tuple[int, bool] | None = None
        self._arrives_at = 0.0
        self._post: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._coming: deque[bytes] = deque()
        self._unread: deque[bytes] = deque()
        self._is_deaf = False
        self._is_reading = True
        self._is_paused = False
        self._is_closing = False
        self._has_said_all = False
        self._is_end_sent = False
        self._is_broken = False
        self.is_mute = False

    def join(self, other: "Line", protocol: asyncio.Protocol) -> None:
        """Both ends know each other; `protocol` is ours."""
        self.other, self._protocol = other, protocol

    def break_after(self, octets: int, *, is_silent: bool) -> None:
        """The network fails after so many octets from this end."""
        self._breaks_at = octets, is_silent

    # asyncio's transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self._peer, 50_000) if name == "peername" else default

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_WATER if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        return len(self._kept)

    def is_closing(self) -> bool:
        return self._is_closing

    def is_reading(self) -> bool:
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        self._loop.call_soon(self._read)

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_closing or self._has_said_all or not data:
            return
        self._kept += data
        self._push()
        if len(self._kept) > self._high and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        self._has_said_all = True
        self._push()

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = self._has_said_all = True
        if self._is_end_sent:
            self._go(None)
        else:
            self._push()

    def abort(self) -> None:
        self._reset(tells=True)

    # the way of the octets

    @property
    def _room(self) -> int:
        return self._weather.window - self._under_way

    def _push(self) -> None:
        """The kernel takes what its window has room for; the rest waits in our hands."""
        while self._kept and not self._is_broken and self.gone_at is None:
            many = min(len(self._kept), self._dice.randint(1, self._weather.segment), self._room)
            if many <= 0:
                break
            piece = bytes(self._kept[:many])
            del self._kept[:many]
            self._send(piece)
        if self._is_paused and len(self._kept) <= self._low and self.gone_at is None:
            self._is_paused = False
            self._loop.call_soon(self._resume)
        if not self._kept and self._has_said_all and not self._is_end_sent and self.gone_at is None:
            self._is_end_sent = True
            self._later(self.other._arrive, END)
            if self._is_closing:
                self._go(None)

    def _resume(self) -> None:
        if not self._is_paused and self.gone_at is None:
            self._protocol.resume_writing()

    def _send(self, piece: bytes) -> None:
        self._under_way += len(piece)
        if self._breaks_at is not None and self._sent + len(piece) >= self._breaks_at[0]:
            piece, is_silent = piece[: self._breaks_at[0] - self._sent], self._breaks_at[1]
            self._breaks_at, self._is_broken = None, True
            if piece:
                self._put(piece)
            if is_silent:
                self.is_mute = self.other.is_mute = True
            else:
                self._later(self.other._told_of_break)
                self._loop.call_soon(self._told_of_break)
            return
        self._sent += len(piece)
        self._put(piece)

    def _put(self, piece: bytes) -> None:
        if self.is_mute:
            return
        self.other._coming.append(piece)
        self._later(self.other._arrive, piece)

    def _later(self, what: Callable[..., None], *values: Any) -> None:
        """After the way to the other end; never before what was sent earlier."""
        if self.is_mute:
            return
        self._arrives_at = max(self._arrives_at, self._loop.time() + self._dice.uniform(*self._weather.latency))
        self._post.append((what, values))
        self._loop.call_at(self._arrives_at, self._deliver)

    def _deliver(self) -> None:
        """Whatever timer rings: what was sent first arrives first."""
        what, values = self._post.popleft()
        what(*values)

    def _arrive(self, piece: bytes) -> None:
        if piece:
            self._coming.popleft()
        if self._is_deaf:
            return
        if self.gone_at is not None or self._is_closing:
            if piece and not self.is_mute:
                self._later(self.other._told_of_break)  # nobody is there: the kernel answers with a reset
            return
        self._unread.append(piece)
        self._read()

    def _read(self) -> None:
        while self._is_reading and self._unread and not self._is_closing:
            piece = self._unread.popleft()
            if piece == END:
                if not self._protocol.eof_received():
                    self.close()
                return
            self._protocol.data_received(piece)
            self.other._taken(len(piece))

    def _taken(self, many: int) -> None:
        self._under_way -= many
        if self.gone_at is None:
            self._push()

    def read_what_is_left(self) -> None:
        """The other end died: what the kernels hold may still be read, without time passing."""
        for piece in [*self._unread, *self._coming]:
            if piece and not self._is_closing:
                self._protocol.data_received(piece)

    # the end

    def _told_of_break(self) -> None:
        self._reset(tells=False, error=ConnectionResetError("the line broke"))

    def _reset(self, *, tells: bool, error: Exception | None = None) -> None:
        if self.gone_at is not None:
            return
        self._kept.clear()
        self._is_closing = True
        if tells:
            self.other._is_deaf = self._dice.random() < 0.5  # a reset overtakes what was sent before it, or not
            self._later(self.other._told_of_break)
        self._go(error)

    def _go(self, error: Exception | None) -> None:
        self.gone_at = self._loop.time()
        self._loop.call_soon(self._protocol.connection_lost, error)
