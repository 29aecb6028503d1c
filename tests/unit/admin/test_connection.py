"""The deadline of a request on one connection: when it runs, when it ends, and what does not put it off."""

import asyncio
import json
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from relay.admin.connection import connection_with

HEAD = b"GET /healthz HTTP/1.1\r\nHost: relay\r\n"
WHOLE = HEAD + b"\r\n"
REQUEST = 10.0
IDLE = 30


class Timer:
    """A call that is due, until it is cancelled."""

    def __init__(self, seconds, call):
        self.seconds = seconds
        self.call = call
        self.runs = True

    def cancel(self):
        self.runs = False


class Loop:
    """Remembers its timers; tasks run on the real loop."""

    def __init__(self):
        self._timers = []

    def time(self):
        return 0.0

    def call_later(self, seconds, call):
        self._timers.append(Timer(seconds, call))
        return self._timers[-1]

    def create_task(self, coroutine, **options):
        return asyncio.get_running_loop().create_task(coroutine, **options)

    @property
    def running(self):
        return [each for each in self._timers if each.runs]


class Transport:
    """Remembers what was done to it."""

    def __init__(self):
        self.written = b""
        self.aborted = False
        self.closed = False

    def get_extra_info(self, name):
        return None

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.aborted or self.closed

    def abort(self):
        self.aborted = True

    def close(self):
        self.closed = True

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


class Stage:
    """One connection to an application that answers when it is let."""

    def __init__(self):
        self.loop = Loop()
        self.transport = Transport()
        self.may_answer = asyncio.Event()
        self.reads_bodies = True
        self._state = ServerState()
        config = uvicorn.Config(self._app, interface="asgi3", ws="none", log_config=None, timeout_keep_alive=IDLE)
        made: Any = connection_with(REQUEST, crowd=100)
        self.connection = made(config=config, server_state=self._state, app_state={}, _loop=self.loop)
        self.connection.connection_made(self.transport)

    async def _app(self, scope, receive, send):
        while self.reads_bodies and (await receive()).get("more_body"):
            pass
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    @property
    def running(self):
        return [each.seconds for each in self.loop.running]

    def receives(self, *parts):
        for part in parts:
            self.connection.data_received(part)

    async def answered(self):
        """Lets the requests under way be answered."""
        self.may_answer.set()
        await asyncio.gather(*self._state.tasks)


@pytest.fixture
async def stage():
    return Stage()


async def test_a_connection_that_says_nothing_is_cut_at_the_deadline(stage):
    assert stage.running == [REQUEST]
    stage.loop.running[0].call()
    assert stage.transport.aborted


async def test_bytes_one_by_one_do_not_put_the_deadline_off(stage):
    (first,) = stage.loop.running
    stage.receives(*(bytes([each]) for each in HEAD))
    assert stage.loop.running == [first]


async def test_an_answer_may_take_longer_than_its_request(stage):
    stage.receives(HEAD, b"\r\n")
    assert stage.running == []
    await stage.answered()
    assert stage.transport.written.endswith(b"ok")


async def test_after_an_answer_the_connection_may_idle(stage):
    stage.receives(WHOLE)
    await stage.answered()
    assert stage.running == [IDLE]


async def test_the_next_request_has_its_deadline_from_its_first_byte(stage):
    stage.receives(WHOLE)
    await stage.answered()
    stage.receives(b"G")
    assert stage.running == [REQUEST]


async def test_a_body_belongs_to_the_request(stage):
    (first,) = stage.loop.running
    stage.receives(HEAD + b"Content-Length: 2\r\n\r\n", b"a")
    assert stage.loop.running == [first]
    stage.receives(b"b")
    assert stage.running == []
    await stage.answered()


async def test_a_request_that_was_sent_ahead_has_its_deadline_from_the_answer_before_it(stage):
    stage.receives(WHOLE + HEAD + b"Content-Length: 2\r\n\r\n")
    await stage.answered()
    assert stage.running == [REQUEST]
    stage.receives(b"ab")
    await stage.answered()
    assert stage.transport.written.count(b"200 OK") == 2


async def test_a_lost_connection_leaves_no_deadline(stage):
    stage.connection.connection_lost(None)
    assert stage.running == []


async def test_what_is_no_request_is_refused_and_leaves_no_deadline(stage):
    stage.receives(b"\x00\r\n\r\n")
    assert stage.transport.closed
    assert stage.running == []
    head, _, body = stage.transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"cache-control: no-store" in head.lower()
    assert json.loads(body)["status"] == 400


async def test_nonsense_after_an_answer_gets_no_second_one_and_breaks_nothing(stage):
    stage.reads_bodies = False
    stage.receives(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    await stage.answered()
    stage.receives(b"nonsense\r\n")
    assert stage.transport.closed
    assert stage.transport.written.count(b"HTTP/1.1") == 1
