"""Whoever started the process and watches it: systemd, told over its socket (sd_notify(3)) how the relay is.

Law: what it is told is true: READY when mail is taken and delivered, WATCHDOG only while the loop turns and the store
on its own disk commits. A manager that is not there, or does not listen, changes nothing.
"""

import asyncio
import socket
from collections.abc import Mapping

from relay.errors import RelayError
from relay.store.ports import Store

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"

LOOKS: int = 4
"""In the time after which the manager loses its patience: one that is late leaves room for another."""


class ServiceManager:
    """The manager of this process, as its environment names it (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID)."""

    def __init__(self, environ: Mapping[str, str], *, pid: int) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        usec = environ.get("WATCHDOG_USEC", "")
        is_ours = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        self.watchdog_seconds = int(usec) / 1_000_000 if is_ours and usec.isascii() and usec.isdigit() else 0.0
        """After so many seconds without a sign of life the manager ends the process; 0: it does not watch."""

    def tell(self, state: str) -> bool:
        """Whether the manager took it; it never waits."""
        if not self._address:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(state.encode(), self._address)
            except OSError:
                return False  # it is for the manager to be there; mail goes on without it
        return True


class Watchdog:
    """Gives signs of life while there is life."""

    def __init__(self, manager: ServiceManager, store: Store | None) -> None:
        """`store`: whose life is this process's; None: it is elsewhere, and no start of ours brings it back."""
        self._manager = manager
        self._store = store
        self._pause = manager.watchdog_seconds / LOOKS

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            if await self._store_answers():
                self._manager.tell(ALIVE)
            await asyncio.sleep(self._pause)

    async def _store_answers(self) -> bool:
        """Whether the store can still commit: what it is asked waits for the commit that is under way."""
        if self._store is None:
            return True
        try:
            async with asyncio.timeout(self._pause):
                await self._store.outbox(0)
        except (RelayError, TimeoutError):
            return False
        return True
