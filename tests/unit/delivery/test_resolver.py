"""Name look-ups: bounded per provider, never twice at once, and nobody waits for another's."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from relay.delivery.resolver import FRESH, PATIENCE, STALE, ExecutorResolver, RememberingResolver
from tests.fakes.network import NetworkLoop, on_virtual_time


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


class Server:
    """A resolver that answers, fails or hangs as it is told, and remembers how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.mood: list[str] | Exception | None = ["192.0.2.1"]

    async def __call__(self, provider: str, host: str) -> Sequence[str]:
        self.asked.append(provider)
        if self.mood is None:
            await asyncio.Event().wait()
        if isinstance(self.mood, Exception):
            raise self.mood
        assert self.mood is not None
        return self.mood


def test_a_burst_of_logins_is_one_question_and_each_provider_asks_its_own() -> None:
    async def main(loop: NetworkLoop) -> None:
        server = Server()
        resolve = RememberingResolver(server)
        for _ in range(5):
            assert await resolve("lab", "mail.test") == ["192.0.2.1"]
        assert server.asked == ["lab"]
        await resolve("other", "mail.test")
        assert server.asked == ["lab", "other"]
        server.mood = ["192.0.2.2"]
        await asyncio.sleep(FRESH)
        assert await resolve("lab", "mail.test") == ["192.0.2.2"], "an edit of the zone is seen within a minute"

    on_virtual_time(main)


@pytest.mark.parametrize("mood", [socket.gaierror("no answer"), None], ids=["fails", "hangs"])
def test_a_name_that_was_known_outlives_its_name_server_for_an_hour(mood: Exception | None) -> None:
    async def main(loop: NetworkLoop) -> None:
        server = Server()
        resolve = RememberingResolver(server)
        await resolve("lab", "mail.test")
        server.mood = mood
        await asyncio.sleep(FRESH)
        began = loop.time()
        assert await resolve("lab", "mail.test") == ["192.0.2.1"]
        assert loop.time() - began <= PATIENCE
        await asyncio.sleep(STALE)
        with pytest.raises(OSError):  # noqa: PT011 - whatever it says
            async with asyncio.timeout(30):
                await resolve("lab", "mail.test")

    on_virtual_time(main)


def test_a_name_that_nobody_knows_is_asked_for_each_time() -> None:
    async def main(loop: NetworkLoop) -> None:
        server = Server()
        resolve = RememberingResolver(server)
        server.mood = socket.gaierror("unknown")
        for _ in range(2):
            with pytest.raises(OSError, match="unknown"):
                await resolve("lab", "mail.test")
        server.mood = []
        assert await resolve("lab", "mail.test") == []
        server.mood = ["192.0.2.1"]
        assert await resolve("lab", "mail.test") == ["192.0.2.1"]

    on_virtual_time(main)


def test_one_who_gives_up_waiting_is_not_given_an_old_answer() -> None:
    """Cancelled is cancelled."""

    async def main(loop: NetworkLoop) -> None:
        server = Server()
        resolve = RememberingResolver(server)
        await resolve("lab", "mail.test")
        server.mood = None
        await asyncio.sleep(FRESH)
        asking = asyncio.ensure_future(resolve("lab", "mail.test"))
        await asyncio.sleep(1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    on_virtual_time(main)


@pytest.mark.usefixtures("_hosts")
async def test_real_threads_that_hang_stop_only_their_own_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """More look-ups hang than the provider has threads; the other provider, and whoever comes later there, go on."""
    answer, answered = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: str, *rest: Any, **more: Any) -> list[Any]:
        if host.endswith("sick.test"):
            assert answer.wait(30)
        return list(answered(host, *rest, **more))

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with ThreadPoolExecutor(2) as sick, ThreadPoolExecutor(2) as well:
        resolve = ExecutorResolver(lambda provider: sick if provider == "sick" else well)
        waiting = [asyncio.ensure_future(resolve("sick", f"{number}.sick.test")) for number in range(5)]
        try:
            assert await resolve("well", "mail.test")
            assert not any(lookup.done() for lookup in waiting)
        finally:
            answer.set()
        for lookup in waiting:
            assert await lookup
