"""Name look-ups: bounded per provider, never twice at once, and nobody waits for another's."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from relay.delivery.resolver import ExecutorResolver


class Held(Executor):
    """Runs what it was given when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        self.jobs.append((future, lambda: fn(*args, **kwargs)))
        return future

    def run(self) -> None:
        jobs, self.jobs = self.jobs, []
        for future, job in jobs:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job())
                except OSError as error:
                    future.set_exception(error)


@pytest.fixture
def _hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *_: object, **__: object) -> list[tuple[Any, ...]]:
        if host == "gone.test":
            raise socket.gaierror("unknown")
        addresses = ["192.0.2.1", "192.0.2.1", "2001:db8::1"]
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("_hosts")
def test_a_name_gives_its_addresses_once_each_in_order() -> None:
    async def main() -> None:
        executor = Held()
        lookup = asyncio.ensure_future(ExecutorResolver(lambda _: executor)("lab", "mail.test"))
        await asyncio.sleep(0)
        executor.run()
        assert await lookup == ["192.0.2.1", "2001:db8::1"]

    asyncio.run(main())


@pytest.mark.usefixtures("_hosts")
def test_an_unknown_name_is_an_error_for_everybody_who_waits_for_it() -> None:
    async def main() -> None:
        executor = Held()
        resolver = ExecutorResolver(lambda _: executor)
        lookups = [asyncio.ensure_future(resolver("lab", "gone.test")) for _ in range(3)]
        await asyncio.sleep(0)
        assert len(executor.jobs) == 1, "the same name is looked up once"
        executor.run()
        for lookup in lookups:
            with pytest.raises(OSError, match="unknown"):
                await lookup

    asyncio.run(main())


@pytest.mark.usefixtures("_hosts")
def test_a_name_server_that_hangs_stops_only_its_own_provider() -> None:
    async def main() -> None:
        executors = {"sick": Held(), "well": Held()}
        resolver = ExecutorResolver(lambda provider: executors[provider])
        sick = asyncio.ensure_future(resolver("sick", "mail.test"))
        well = asyncio.ensure_future(resolver("well", "mail.test"))
        await asyncio.sleep(0)
        executors["well"].run()
        assert await well
        assert not sick.done()
        sick.cancel()

    asyncio.run(main())


@pytest.mark.usefixtures("_hosts")
def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    async def main() -> None:
        executor = Held()
        resolver = ExecutorResolver(lambda _: executor)
        first = asyncio.ensure_future(resolver("lab", "mail.test"))
        second = asyncio.ensure_future(resolver("lab", "mail.test"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        executor.run()
        assert await second
        again = asyncio.ensure_future(resolver("lab", "mail.test"))
        await asyncio.sleep(0)
        assert len(executor.jobs) == 1, "a new question is asked anew"
        executor.run()
        assert await again

    asyncio.run(main())
