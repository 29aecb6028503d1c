"""The patience that a client gets, over a transport without a socket and on virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from relay.core.refusal import Reason
from relay.submission.connection import CLOSING_SECONDS, Connection
from relay.submission.door import STRANGER_SECONDS, Door
from relay.submission.hearing import UNREAD_MOST
from relay.submission.patience import DATA_RATE_LEAST, DATA_SECONDS
from tests.fakes.submission import Office, by_address, practice
from tests.simulation.loop import VirtualLoop
from tests.unit.submission.dialogue import MAIL, MESSAGE

TIMEOUT = 300.0


class Pipe(asyncio.Transport):
    """A transport that remembers; what is written counts as read by the client unless it is clogged."""

    def __init__(self, protocol: Connection, *, peer: tuple[str, int] | None = ("127.0.0.1", 40000)) -> None:
        super().__init__({"peername": peer})
        self.protocol = protocol
        self.heard = b""
        self.asked: list[str] = []
        self.is_clogged = False
        self._is_closing = False

    def write(self, data: Any) -> None:
        assert not self._is_closing, "written after close"
        self.heard += data

    def get_write_buffer_size(self) -> int:
        return len(self.heard) if self.is_clogged else 0

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")

    def close(self) -> None:
        assert not self._is_closing, "closed twice"
        self.asked.append("close")
        self._is_closing = True
        if not self.is_clogged:
            self._end()

    def abort(self) -> None:
        self.asked.append("abort")
        self._is_closing = True
        self._end()

    def _end(self) -> None:
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Line:
    """One connection to a relay, seen from the client's end."""

    def __init__(self, office: Office | None = None, *, door: Door | None = None) -> None:
        self.office = office or Office(practice(by_address()))
        self.door = door or Door(self.office.desk())
        self.connection = Connection(self.door, self.office.listener, asyncio.get_running_loop())
        self.pipe = Pipe(self.connection)

    async def open(self, *said: bytes) -> "Line":
        self.connection.connection_made(self.pipe)
        await self.say(*said)
        return self

    async def say(self, *said: bytes) -> None:
        await settle()
        for octets in said:
            self.connection.data_received(octets)
            await settle()

    @property
    def codes(self) -> list[str]:
        return [line[:3].decode() for line in self.pipe.heard.split(b"\r\n")[:-1] if line[3:4] == b" "]

    @property
    def is_gone(self) -> bool:
        return self.connection.transport is None and not self.door._visits


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def run():
    """Runs a scenario on virtual time: an hour takes no time, and nothing scheduled is a deadlock found."""

    def runner(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as made:
            made.run(scenario())

    return runner


def test_silence_is_ended_after_the_timeout_and_not_before(run) -> None:
    async def scenario() -> None:
        line = await Line().open()
        await asyncio.sleep(TIMEOUT - 1)
        assert line.codes == ["220"]
        await asyncio.sleep(2)
        assert line.codes == ["220", "421"]
        assert line.is_gone

    run(scenario)


def test_each_command_begins_the_wait_anew(run) -> None:
    async def scenario() -> None:
        line = await Line().open()
        for _ in range(5):
            await asyncio.sleep(TIMEOUT - 1)
            await line.say(b"NOOP\r\n")
        assert line.codes == ["220"] + ["250"] * 5
        await asyncio.sleep(TIMEOUT + 1)
        assert line.is_gone

    run(scenario)


def test_half_a_command_begins_nothing(run) -> None:
    async def scenario() -> None:
        line = await Line().open()
        for octet in b"NOOP NOOP NOOP":
            await line.say(bytes([octet]))
            await asyncio.sleep(TIMEOUT / 10)
        assert line.codes == ["220", "421"]

    run(scenario)


def test_a_message_may_come_slowly_but_not_for_ever(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n" + MAIL)
        for _ in range(int(DATA_SECONDS) - 1):
            await line.say(b"x" * (DATA_RATE_LEAST + 10))
            await asyncio.sleep(1)
        assert line.codes[-1] == "354"
        await asyncio.sleep(2)
        assert line.codes[-1] == "421"
        assert line.is_gone
        assert line.office.intake.messages == []

    run(scenario)


def test_a_message_that_comes_an_octet_a_second_is_ended_after_the_timeout(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n" + MAIL)
        for _ in range(int(TIMEOUT) - 1):
            await line.say(b"x")
            await asyncio.sleep(1)
        assert line.codes[-1] == "354"
        await asyncio.sleep(2)
        assert line.codes[-1] == "421"
        assert line.is_gone

    run(scenario)


def test_a_message_that_came_fast_and_then_drips_is_ended_too(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n" + MAIL + b"x" * 5_000_000)
        for _ in range(int(TIMEOUT) + 1):
            await line.say(b"x")
            await asyncio.sleep(1)
        assert line.codes[-1] == "421"
        assert line.door.desk.memory.held == 0

    run(scenario)


def test_who_is_sent_away_for_others_is_told_so(run) -> None:
    async def scenario() -> None:
        office = Office(practice(by_address()), max_connections=1)
        line = await Line(office).open(b"EHLO pc\r\n")
        other = Line(office, door=line.door)
        assert line.connection.is_stranger
        await asyncio.sleep(STRANGER_SECONDS)
        await other.open(b"EHLO pc\r\n" + MAIL)
        assert line.codes == ["220", "250", "421"]
        assert office.observer.reasons() == [Reason.FULL]
        assert line.connection.transport is None
        assert not other.connection.is_stranger
        third = await Line(office, door=line.door).open()
        assert third.codes == ["421"]

    run(scenario)


def test_who_is_sent_away_and_does_not_read_is_cut_off(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n")
        line.connection.pause_writing()
        line.connection.make_room()
        await settle()
        assert line.pipe.asked == ["abort"]
        assert line.is_gone

    run(scenario)


def test_the_wait_for_the_store_is_not_the_clients_silence(run) -> None:
    async def scenario() -> None:
        line = Line()
        line.office.intake.gate = asyncio.Event()
        await line.open(b"EHLO pc\r\n" + MAIL + MESSAGE + b".\r\n")
        await asyncio.sleep(10 * TIMEOUT)
        line.office.intake.gate.set()
        await settle()
        assert line.codes[-1] == "250"
        await asyncio.sleep(TIMEOUT + 1)
        assert line.codes[-1] == "421"

    run(scenario)


def test_what_a_busy_dialogue_cannot_read_is_left_in_the_network(run) -> None:
    async def scenario() -> None:
        line = Line()
        line.office.intake.gate = asyncio.Event()
        await line.open(b"EHLO pc\r\n" + MAIL + MESSAGE + b".\r\n")
        await line.say(*[b"NOOP " + b"x" * 4000 + b"\r\n"] * (UNREAD_MOST // 4000 + 5))
        assert line.pipe.asked == ["pause"]
        line.office.intake.gate.set()
        await settle()
        assert line.pipe.asked == ["pause", "resume"]
        assert line.codes[-1] == "250"

    run(scenario)


def test_who_does_not_read_his_replies_is_waited_for_and_then_cut_off(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n")
        line.pipe.is_clogged = True
        line.connection.pause_writing()
        await line.say(b"NOOP\r\n", b"NOOP\r\n")
        assert line.codes == ["220", "250"]
        await asyncio.sleep(TIMEOUT + 1)
        assert line.pipe.asked == ["close"]
        await asyncio.sleep(CLOSING_SECONDS + 1)
        assert line.pipe.asked == ["close", "abort"]
        assert line.is_gone

    run(scenario)


def test_who_reads_again_goes_on(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n")
        line.connection.pause_writing()
        await line.say(b"NOOP\r\n")
        line.connection.resume_writing()
        await line.say(b"NOOP\r\n", b"QUIT\r\n")
        assert line.codes == ["220", "250", "250", "250", "221"]
        assert line.is_gone

    run(scenario)


def test_who_hangs_up_while_clogged_is_gone(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n")
        line.connection.pause_writing()
        await line.say(b"NOOP\r\n")
        line.connection.connection_lost(ConnectionResetError())
        await settle()
        assert line.is_gone
        assert line.office.observer.errors == []

    run(scenario)


def test_who_reset_the_connection_before_it_was_looked_at_is_gone(run) -> None:
    async def scenario() -> None:
        line = Line()
        line.pipe._extra["peername"] = None  # type: ignore[attr-defined]
        await line.open()
        assert line.pipe.heard == b""
        early = Line()
        early.connection.connection_made(early.pipe)
        early.connection.connection_lost(None)
        await settle()
        for one in (line, early):
            assert one.connection.transport is None or one.pipe.is_closing()
            assert one.office.observer.events == []
            assert one.office.observer.errors == []

    run(scenario)


def test_who_does_not_read_is_not_read_from_for_ever(run) -> None:
    async def scenario() -> None:
        line = await Line().open(b"EHLO pc\r\n")
        line.connection.pause_writing()
        for _ in range(100):
            await line.say(b"NOOP " + b"x" * 4000 + b"\r\n")
        assert line.pipe.asked == ["pause"]
        line.connection.resume_writing()
        await settle()
        assert line.pipe.asked == ["pause", "resume"]
        assert line.codes == ["220"] + ["250"] * 101

    run(scenario)


def test_stop_and_abort_are_harmless_when_the_client_is_gone(run) -> None:
    async def scenario() -> None:
        line = Line()
        line.connection.stop()
        line.connection.abort()
        await line.open(b"QUIT\r\n")
        line.connection.stop()
        line.connection.abort()
        line.connection.say(b"nobody hears")
        assert line.codes == ["220", "221"]

    run(scenario)


def test_silence_is_told_to_the_observer(run) -> None:
    async def scenario() -> None:
        line = await Line().open()
        await asyncio.sleep(TIMEOUT + 1)
        assert line.office.observer.reasons() == [Reason.IDLE]

    run(scenario)
