"""A connection does the steps of its session in order, flushes the log before it, and bounds what a client can cost."""

import asyncio
from pathlib import Path

import pytest

from relay.sandbox.connection import MAX_LATE_STEPS, Connection
from relay.sandbox.journal import read_log
from relay.sandbox.session import Session
from tests.unit.sandbox.peer import FakeWorld, provider_of


class Wire(asyncio.Transport):
    """A transport that remembers, and at each write how many lines the log file had."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.log = log
        self.written: list[bytes] = []
        self.logged: list[list[str]] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.ending: str | None = None
        self.ended = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))
        self.logged.append([record["event"] for record in read_log(self.log)])

    def close(self) -> None:
        self.ending = self.ending or "closed"
        self.ended.set()

    def abort(self) -> None:
        self.ending = self.ending or "aborted"
        self.ended.set()

    def is_closing(self) -> bool:
        return self.ending is not None

    def pause_reading(self) -> None:
        self.reading.clear()

    def resume_reading(self) -> None:
        self.reading.set()


class Host:
    """The owner of one connection."""

    def __init__(self, *, has_room: bool = True) -> None:
        self.has_room = has_room
        self.released: list[Connection] = []

    def admit(self, connection: Connection) -> bool:
        return self.has_room

    def release(self, connection: Connection) -> None:
        self.released.append(connection)

    async def upgrade(self, connection: Connection, transport: asyncio.Transport) -> asyncio.Transport | None:
        return None


class Setup:
    def __init__(self, world: FakeWorld, folder: Path, *, has_room: bool = True, **settings: object) -> None:
        provider = provider_of(world, log=folder / "log", **settings)
        self.host = Host(has_room=has_room)
        self.wire = Wire(folder / "log")
        session = Session(provider, 1, can_upgrade=True)
        self.connection = Connection(session, provider.journal, self.host, idle_seconds=300)
        self.connection.connection_made(self.wire)

    def send(self, *lines: str) -> None:
        self.connection.data_received("".join(line + "\r\n" for line in lines).encode())


async def test_no_reply_leaves_before_its_line_is_in_the_file(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path)
    for lines in (["EHLO x"], ["MAIL FROM:<a@x>"], ["RCPT TO:<b@x>"], ["DATA"], ["x", "."]):
        setup.send(*lines)
    assert [logged[-1] for logged in setup.wire.logged] == ["connect", "connect", "mail", "rcpt", "data", "delivered"]
    setup.connection.connection_lost(None)
    assert read_log(tmp_path / "log")[-1]["event"] == "disconnect"
    assert setup.host.released == [setup.connection]


async def test_replies_behind_a_slow_one_wait_for_it(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path, faults=("slow:0.5",), slow_seconds=0.001)
    world.lots = [0.0, 0.9]
    setup.send("EHLO x", "NOOP", "MAIL FROM:<a@x>", "QUIT")
    assert len(setup.wire.written) == 1, "the banner"
    await setup.wire.ended.wait()
    assert [data[:3] for data in setup.wire.written] == [b"220", b"250", b"250", b"250", b"221"]


async def test_a_trickle_is_the_same_reply_byte_by_byte(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path, faults=("trickle:0.5",), slow_seconds=0.0001)
    world.lots = [0.0]
    setup.send("HELO x", "QUIT")
    await setup.wire.ended.wait()
    assert b"".join(setup.wire.written[1:-1]) == b"250 sandbox.test\r\n"
    assert {len(data) for data in setup.wire.written[1:-1]} == {1}


async def test_a_client_that_outruns_slow_replies_is_not_read_until_they_are_sent(
    world: FakeWorld, tmp_path: Path
) -> None:
    setup = Setup(world, tmp_path, faults=("slow:0.5",), slow_seconds=0.001)
    world.lots = [0.0]
    setup.send("EHLO x", *["NOOP"] * (MAX_LATE_STEPS + 1))
    assert not setup.wire.reading.is_set()
    await setup.wire.reading.wait()
    assert len(setup.wire.written) == MAX_LATE_STEPS + 3


async def test_a_client_that_does_not_read_its_replies_is_not_read(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path)
    setup.connection.pause_writing()
    assert not setup.wire.reading.is_set()
    setup.connection.resume_writing()
    assert setup.wire.reading.is_set()
    setup.connection.connection_lost(None)


async def test_one_session_too_many_is_told_so_and_closed(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path, has_room=False)
    assert setup.wire.written == [b"421 4.3.2 Too many sessions\r\n"]
    assert setup.wire.ending == "closed"
    setup.connection.connection_lost(None)


async def test_a_client_that_fails_at_tls_is_dropped(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path)
    setup.send("EHLO x", "STARTTLS")
    assert not setup.wire.reading.is_set(), "nothing in clear is read any more"
    await setup.wire.ended.wait()
    assert setup.wire.ending == "aborted"
    setup.connection.connection_lost(None)


@pytest.mark.parametrize(
    ("reply", "ending", "written"),
    [("mail:!drop", "aborted", []), ("mail:!drop 25", "closed", [b"25"]), ("mail:!hang 25", None, [b"25"])],
)
async def test_a_break_and_a_silence(
    world: FakeWorld, tmp_path: Path, reply: str, ending: str | None, written: list[bytes]
) -> None:
    setup = Setup(world, tmp_path, replies=(reply,))
    setup.send("HELO x")
    del setup.wire.written[:]
    setup.send("MAIL FROM:<a@x>", "NOOP")
    setup.send("NOOP")
    assert (setup.wire.ending, setup.wire.written) == (ending, written)
    setup.connection.abort()
    setup.connection.connection_lost(None)


async def test_only_silence_counts_as_idle(world: FakeWorld, tmp_path: Path) -> None:
    setup = Setup(world, tmp_path)
    setup.send("NOOP")
    setup.connection._check_idle()
    assert not setup.wire.is_closing()
    setup.connection._last_heard -= 301
    setup.connection._check_idle()
    assert setup.wire.written[-1] == b"421 4.4.2 Idle for too long\r\n"
    assert setup.wire.ending == "closed"
    setup.connection.connection_lost(None)
