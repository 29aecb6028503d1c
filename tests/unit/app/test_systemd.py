"""The service manager: it is told what is true, and hears no sign of life of a relay that hangs."""

import asyncio
import socket
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest

from relay.app.systemd import ALIVE, READY, STOPPING, ServiceManager, Watchdog
from relay.errors import StoreUnavailable

PID = 7


class Listener:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """What came since the last time."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(1000).decode())
            except BlockingIOError:
                return found


class Store:
    """A store whose disk may hang."""

    def __init__(self) -> None:
        self.is_hanging = False
        self.failure: Exception | None = None
        self.asked = asyncio.Event()

    async def outbox(self, most: int) -> list[object]:
        assert most == 0, "a sign of life costs next to nothing"
        self.asked.set()
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return []


@pytest.fixture
def address() -> Iterator[str]:
    """A path for a socket: the kernel takes 107 bytes, and where tests keep their files may be called anything."""
    with TemporaryDirectory(dir="/tmp") as folder:
        yield f"{folder}/notify"


@pytest.fixture
def listener(address: str) -> Iterator[Listener]:
    listening = Listener(address)
    yield listening
    listening.socket.close()


@pytest.fixture
def environ(address: str, listener: Listener) -> dict[str, str]:
    return {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "40000", "WATCHDOG_PID": str(PID)}


def test_the_manager_is_told_over_its_socket(environ: dict[str, str], listener: Listener) -> None:
    manager = ServiceManager(environ, pid=PID)
    assert manager.tell(READY)
    assert manager.tell(STOPPING)
    assert listener.heard() == ["READY=1", "STOPPING=1"]


def test_an_abstract_socket_is_named_with_an_at_sign() -> None:
    listening = Listener("")  # the kernel chooses one that nobody has
    name = listening.socket.getsockname().decode()
    assert name.startswith("\0")
    assert ServiceManager({"NOTIFY_SOCKET": name.replace("\0", "@")}, pid=PID).tell(READY)
    assert listening.heard() == [READY]
    listening.socket.close()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/not/there"}])
def test_nobody_is_told_where_no_manager_is(environ: dict[str, str]) -> None:
    assert not ServiceManager(environ, pid=PID).tell(READY)


@pytest.mark.parametrize(
    ("changed", "seconds"),
    [({}, 0.04), ({"WATCHDOG_PID": "8"}, 0), ({"WATCHDOG_USEC": "soon"}, 0), ({"WATCHDOG_USEC": ""}, 0)],
)
def test_the_watchdog_is_for_this_process_only_and_only_if_the_manager_watches(
    environ: dict[str, str], changed: dict[str, str], seconds: float
) -> None:
    assert ServiceManager(environ | changed, pid=PID).watchdog_seconds == seconds


async def until_heard(listener: Listener) -> None:
    """Waits for a sign of life; the test's time-out is the bound."""
    assert await asyncio.get_running_loop().sock_recv(listener.socket, 1000) == ALIVE.encode()


async def test_a_relay_that_lives_gives_signs_of_life(environ: dict[str, str], listener: Listener) -> None:
    watchdog = asyncio.create_task(Watchdog(ServiceManager(environ, pid=PID), cast("Any", Store())).run())
    await until_heard(listener)
    await until_heard(listener)
    watchdog.cancel()


@pytest.mark.parametrize("kind", ["hangs", "is away"])
async def test_a_store_that_does_not_commit_stops_the_signs_of_life_until_it_does(
    environ: dict[str, str], listener: Listener, kind: str
) -> None:
    store = Store()
    store.is_hanging, store.failure = (True, None) if kind == "hangs" else (False, StoreUnavailable())
    watchdog = asyncio.create_task(Watchdog(ServiceManager(environ, pid=PID), cast("Any", store)).run())
    for _ in range(5):
        store.asked.clear()
        await store.asked.wait()
    assert listener.heard() == []
    store.is_hanging, store.failure = False, None
    await until_heard(listener)
    watchdog.cancel()


async def test_a_loop_that_hangs_gives_no_sign_of_life(environ: dict[str, str], listener: Listener) -> None:
    watchdog = asyncio.create_task(Watchdog(ServiceManager(environ, pid=PID), cast("Any", Store())).run())
    await until_heard(listener)
    listener.heard()
    time.sleep(0.1)  # the loop stands still, for longer than the manager's patience  # noqa: ASYNC251
    assert ALIVE not in listener.heard()
    await until_heard(listener)
    watchdog.cancel()
