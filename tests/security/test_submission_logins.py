"""Who guesses passwords is stopped, learns nothing from how long an answer takes, and stops nobody else."""

import asyncio
import os
import socket
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

from relay.core.routing import Client
from relay.submission import Authenticator, ListenerSettings, SubmissionServer, SubmissionSettings
from relay.submission.passwords import hashed
from tests.fakes.submission import WALL, RememberingIntake, RememberingObserver, literal, practice
from tests.integration import submission_peer


class Fortress:
    """A relay with the real authenticator, hashing in real threads."""

    def __init__(self) -> None:
        self.routing = practice(Client("hashed", ("*@d.test",), literal(hashed("segreta", b"s" * 16))))
        self.observer = RememberingObserver()
        self.port = 0

    async def guess(self, login: str, *passwords: str) -> list[str]:
        """The codes of the answers to these passwords in one connection, as long as it lasts."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        client = submission_peer.Client(reader, writer)
        await client.reply()
        await client.ask(b"EHLO pc\r\n")
        answers = []
        for password in passwords:
            said = b"AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode()) + b"\r\n"
            answers.append((await client.ask(said))[:9])
            if not answers[-1].startswith("535"):
                break
        await client.close()
        return answers

    async def __aenter__(self) -> "Fortress":
        self.threads = ThreadPoolExecutor(2)
        bound = socket.create_server(("127.0.0.1", 0))
        self.port = bound.getsockname()[1]
        self.server = SubmissionServer(
            RememberingIntake(),
            lambda: self.routing,
            settings=SubmissionSettings("relay.example.it", (ListenerSettings("x"),)),
            authenticator=Authenticator(
                lambda: self.routing,
                lambda reference: reference.value,
                executor=self.threads,
                key=os.urandom(32),
                clock=time.monotonic,
            ),
            new_id=lambda: "m-1",
            wall_clock=lambda: WALL,
            observe=self.observer,
        )
        await self.server.start([bound])
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.wait_for(self.server.close(), 30)
        self.threads.shutdown()
        assert self.observer.errors == []


async def test_the_right_password_is_let_in() -> None:
    async with Fortress() as fortress:
        assert await fortress.guess("hashed", "segreta") == ["235 2.7.0"]
        assert await fortress.guess("studio", "secret") == ["235 2.7.0"]


async def test_the_third_wrong_answer_ends_a_connection_and_the_tenth_the_guessing() -> None:
    async with Fortress() as fortress:
        found = [await fortress.guess("hashed", *(f"guess-{n}-{m}" for m in range(4))) for n in range(4)]
        wrong, enough = "535 5.7.8", "421 4.7.0"
        assert found == [[wrong, wrong, enough]] * 3 + [[enough]]
        assert await fortress.guess("hashed", "segreta") == [enough]
        assert await fortress.guess("studio", "secret") == ["235 2.7.0"]


async def test_a_guesser_with_many_connections_is_counted_once_for_each() -> None:
    async with Fortress() as fortress:
        found = await asyncio.gather(*(fortress.guess("hashed", f"guess-{n}") for n in range(25)))
        assert [answer[0] for answer in found].count("535 5.7.8") < 10


async def test_unknown_and_known_logins_get_the_very_same_answers() -> None:
    async with Fortress() as fortress:
        assert await fortress.guess("hashed", "a", "b", "c") == await fortress.guess("nobody", "a", "b", "c")


async def test_a_burst_of_connections_with_the_right_password_is_let_in() -> None:
    async with Fortress() as fortress:
        found = await asyncio.gather(*(fortress.guess("hashed", "segreta") for _ in range(60)))
        assert found == [["235 2.7.0"]] * 60


async def test_no_password_and_no_guess_is_told_to_anybody() -> None:
    async with Fortress() as fortress:
        await fortress.guess("hashed", "hunter2", "segreta")
        told = str(fortress.observer.events)
        assert "logged_in" in told
        assert "hunter2" not in told
        assert "segreta" not in told
        assert "segreta" not in repr(fortress.routing)


async def test_a_practice_is_not_locked_out_by_who_guesses_behind_its_own_address() -> None:
    async with Fortress() as fortress:
        assert await fortress.guess("hashed", "segreta") == ["235 2.7.0"]
        fortress.routing = practice(Client("hashed", ("*@d.test",), literal(hashed("segreta", b"s" * 16))))
        for number in range(5):
            await fortress.guess("hashed", *(f"guess-{number}-{more}" for more in range(3)))
        assert await fortress.guess("hashed", "another") == ["421 4.7.0"]
        assert await fortress.guess("hashed", "segreta") == ["235 2.7.0"], "hashed anew, in spite of the lock"
