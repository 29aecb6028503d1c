"""The wire side of one session: feeds it bytes, flushes the log, then does the steps.

Law: the log is flushed before a step is taken, and steps are taken in their order however slow one of them is.
"""

import asyncio
from collections import deque
from typing import Protocol, cast

from relay.sandbox.journal import Journal
from relay.sandbox.replies import Say
from relay.sandbox.session import Session
from relay.sandbox.voice import After, Step

MAX_LATE_STEPS = 64
"""How many replies may wait behind a slow one before the client is no longer read."""


class Owner(Protocol):
    """What a connection needs of the sandbox that it belongs to."""

    def admit(self, connection: "Connection") -> bool:
        """Takes a connection into the count; False if there are too many."""

    def release(self, connection: "Connection") -> None:
        """The connection is gone."""

    async def upgrade(self, connection: "Connection", transport: asyncio.Transport) -> asyncio.Transport | None:
        """Puts TLS under a connection; None if the client does not manage it."""


class Connection(asyncio.Protocol):
    """One client's connection; `idle_seconds` of silence end it."""

    def __init__(self, session: Session, journal: Journal, owner: Owner, *, idle_seconds: float) -> None:
        self._session = session
        self._journal = journal
        self._owner = owner
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._late: deque[Step] = deque()
        self._upgrading: asyncio.Task[None] | None = None
        self._early = b""
        self._is_hung = False
        self._is_gone = False
        self._last_heard = self._loop.time()
        self._idle: asyncio.TimerHandle | None = None

    # ----------------------------------------------------------------------------------------------- asyncio's calls
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets, once: under STARTTLS the session goes on with another transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._idle = self._loop.call_later(self._idle_seconds, self._check_idle)
        is_welcome = self._owner.admit(self)
        self._do(self._session.greet() if is_welcome else self._session.end(Say.TOO_MANY_SESSIONS))

    def data_received(self, data: bytes) -> None:
        """Feeds the session."""
        self._last_heard = self._loop.time()
        if self._upgrading:
            self._early += data  # a client goes on as soon as its side of the handshake is done
        elif not self._is_hung:
            self._do(self._session.receive(data))

    def connection_lost(self, error: Exception | None) -> None:
        """Notes the end, whichever it was, once: a handshake that failed is not always told to us by asyncio."""
        if self._is_gone:
            return
        self._is_gone = True
        if self._idle:
            self._idle.cancel()
        self._late.clear()
        self._transport = None
        self._session.lost()
        self._journal.flush()
        self._owner.release(self)

    def pause_writing(self) -> None:
        """A client that does not read its replies is not read either."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    # ---------------------------------------------------------------------------------------------------- the steps
    def abort(self) -> None:
        """Breaks the connection."""
        if self._upgrading:
            self._upgrading.cancel()
        if self._transport:
            self._transport.abort()

    def _do(self, steps: list[Step]) -> None:
        self._journal.flush()
        for step in steps:
            if self._late or step.late:
                self._do_late(step)
            else:
                self._take(step)

    def _take(self, step: Step) -> None:
        transport = self._transport
        if transport is None:
            return
        if step.data:
            transport.write(step.data)
        match step.after:
            case After.STAY:
                pass
            case After.CLOSE:
                transport.close()
            case After.DROP if step.data:
                transport.close()
            case After.DROP:
                transport.abort()
            case After.HANG:
                self._is_hung = True
            case After.UPGRADE:
                transport.pause_reading()
                self._upgrading = self._loop.create_task(self._start_tls(transport))

    def _do_late(self, step: Step) -> None:
        """Queues a step behind the slow ones; a trickle is its bytes, one step each."""
        was_empty = not self._late
        if step.is_trickle:
            self._late.extend(Step(bytes((byte,)), late=step.late) for byte in step.data)
            self._late.append(step._replace(data=b"", late=0.0))
        else:
            self._late.append(step)
        if was_empty:
            self._loop.call_later(self._late[0].late, self._take_late)
        if len(self._late) > MAX_LATE_STEPS:
            self.pause_writing()

    def _take_late(self) -> None:
        """Takes the step whose time has come, and all behind it up to the next slow one."""
        if self._late:
            self._take(self._late.popleft())
        while self._late and not self._late[0].late:
            self._take(self._late.popleft())
        if self._late:
            self._loop.call_later(self._late[0].late, self._take_late)
        else:
            self.resume_writing()

    async def _start_tls(self, transport: asyncio.Transport) -> None:
        encrypted = None
        try:
            encrypted = await self._owner.upgrade(self, transport)
        finally:
            self._upgrading = None
            if encrypted is None:
                transport.abort()
                self.connection_lost(None)
        if encrypted is not None:
            self._transport = encrypted
            self._session.upgraded()
            early, self._early = self._early, b""
            self._do(self._session.receive(early))

    def _check_idle(self) -> None:
        left = self._last_heard + self._idle_seconds - self._loop.time()
        if left > 0:
            self._idle = self._loop.call_later(left, self._check_idle)
        elif self._is_hung:
            self.abort()
        else:
            self._do(self._session.end(Say.IDLE))
