"""A password is checked once, remembered for some minutes, and outlives no routing that it was not checked against."""

import asyncio
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from relay.core.refusal import Reason
from relay.core.routing import Client, Routing, SecretKind, SecretReference
from relay.submission import authentication
from relay.submission.authentication import (
    HASHES_AT_ONCE,
    HASHES_WAITING_MOST,
    REMEMBERED_MOST,
    REMEMBERED_SECONDS,
    Authenticator,
)
from relay.submission.guesses import GUESSES_MOST, SIEGE_GUESSES, WINDOW_SECONDS
from relay.submission.passwords import hashed
from relay.submission.peer import Peer
from tests.fakes.submission import Clock, by_address, literal, practice

HERE, THERE = Peer("127.0.0.1"), Peer("127.0.0.2")


class AtOnce(Executor):
    """Runs everything where it is called, and counts it."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Held(Executor):
    """Runs nothing until the test says so; remembers how much was asked for, and how much at once."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any, tuple[Any, ...]]] = []
        self.calls = 0
        self.most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args))
        self.calls += 1
        self.most = max(self.most, len(self.waiting))
        return future

    def run_all(self) -> None:
        waiting, self.waiting = self.waiting, []
        for future, fn, args in waiting:
            future.set_result(fn(*args))


class Office:
    """An authenticator, and the hands to move its world; hashes are cheap unless the test asks for real ones."""

    def __init__(self, routing: Routing | None = None, executor: Executor | None = None) -> None:
        self.routing = routing or practice()
        self.at_once = AtOnce()
        self.clock = Clock()
        self.authenticator = Authenticator(
            lambda: self.routing,
            lambda reference: reference.value if reference.kind is SecretKind.LITERAL else None,
            executor=executor or self.at_once,
            key=b"k" * 32,
            clock=self.clock,
        )


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are compared without the wasted hash: what is tested is when and how often, not what it costs."""
    monkeypatch.setattr(authentication, "is_right", lambda kept, password: kept.encode() == password)
    monkeypatch.setattr(authentication, "waste", lambda password: None)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def names(office: Office, login: str, password: str, peer: Peer = HERE) -> str | Reason:
    found = await office.authenticator.verify(login, password.encode(), peer)
    return found.name if isinstance(found, Client) else found


async def test_a_hash_is_checked_and_not_compared() -> None:
    kept = hashed("segreta", b"s" * 16)
    office = Office(practice(Client("h", ("*",), literal(kept))))
    assert await names(office, "h", "segreta") == "h"
    assert await names(office, "h", kept) is Reason.LOGIN_WRONG


async def test_a_hash_that_cannot_be_read_is_no_wrong_password() -> None:
    office = Office(practice(Client("h", ("*",), literal("$argon2id$v=19$broken"))))
    assert await names(office, "h", "x") is Reason.LOGIN_UNCHECKED


async def test_a_client_without_a_password_has_no_login() -> None:
    assert await names(Office(practice(by_address())), "server-room", "") is Reason.LOGIN_WRONG


async def test_a_login_works_only_from_the_networks_of_its_client() -> None:
    office = Office(practice(by_address("ward", "127.0.0.1/32", password=literal("secret"))))
    assert await names(office, "ward", "secret") == "ward"
    assert await names(office, "ward", "secret", THERE) is Reason.LOGIN_WRONG


async def test_a_password_that_cannot_be_looked_up_is_not_called_wrong() -> None:
    office = Office(practice(Client("lost", ("*",), SecretReference(SecretKind.ENV, "NOT_SET"))))
    assert await names(office, "lost", "secret") is Reason.LOGIN_UNCHECKED


@pytest.mark.usefixtures("cheap")
async def test_a_right_password_is_remembered_for_some_minutes() -> None:
    office = Office()
    assert await names(office, "studio", "secret") == "studio"
    office.clock.now += REMEMBERED_SECONDS - 1
    assert await names(office, "studio", "secret") == "studio"
    assert office.at_once.calls == 1
    office.clock.now += 2
    assert await names(office, "studio", "secret") == "studio"
    assert office.at_once.calls == 2


@pytest.mark.usefixtures("cheap")
async def test_a_wrong_password_is_never_taken_for_the_remembered_one() -> None:
    office = Office(practice(Client("studio\0s", ("*",), literal("ecret"))))
    await names(office, "studio", "secret")
    assert await names(office, "studio", "secret2") is Reason.LOGIN_WRONG
    assert await names(office, "nobody", "secret") is Reason.LOGIN_WRONG


@pytest.mark.usefixtures("cheap")
async def test_a_new_routing_forgets() -> None:
    office = Office()
    await names(office, "studio", "secret")
    office.routing = practice()
    assert await names(office, "studio", "secret") == "studio"
    assert office.at_once.calls == 2
    office.routing = practice(Client("studio", ("*",), literal("new")))
    assert await names(office, "studio", "secret") is Reason.LOGIN_WRONG


@pytest.mark.usefixtures("cheap")
async def test_what_was_checked_against_an_old_routing_is_not_remembered() -> None:
    held = Held()
    office = Office(executor=held)
    login = asyncio.create_task(names(office, "studio", "secret"))
    await settle()
    office.routing = practice(Client("studio", ("*",), literal("new")))
    other = asyncio.create_task(names(office, "nobody", "x"))
    await settle()
    held.run_all()
    await settle()
    held.run_all()
    assert await login == "studio"
    await other
    late = asyncio.create_task(names(office, "studio", "secret"))
    await settle()
    held.run_all()
    assert await late is Reason.LOGIN_WRONG


@pytest.mark.usefixtures("cheap")
async def test_forget_checks_everything_again() -> None:
    office = Office()
    await names(office, "studio", "secret")
    office.authenticator.forget()
    await names(office, "studio", "secret")
    assert office.at_once.calls == 2


async def test_nothing_in_memory_is_the_password() -> None:
    office = Office()
    await names(office, "studio", "secret")
    assert all(b"secret" not in digest and len(digest) == 32 for digest in office.authenticator._remembered)


@pytest.mark.usefixtures("cheap")
async def test_the_memory_is_bounded() -> None:
    office = Office()
    await names(office, "studio", "secret")
    remembered = office.authenticator._remembered
    first = next(iter(remembered))
    remembered.update({number.to_bytes(32, "big"): 0.0 for number in range(REMEMBERED_MOST - 1)})
    office.clock.now += REMEMBERED_SECONDS
    office.authenticator._remember(b"new", office.clock.now)
    assert len(remembered) == REMEMBERED_MOST
    assert first not in remembered


@pytest.mark.usefixtures("cheap")
async def test_at_most_two_hashes_run_at_once_and_the_same_password_is_hashed_once() -> None:
    clients = tuple(Client(f"c{number}", ("*",), literal("secret")) for number in range(5))
    held = Held()
    office = Office(practice(*clients), held)
    logins = [asyncio.create_task(names(office, f"c{number % 5}", "secret")) for number in range(20)]
    for _ in range(3):
        await settle()
        held.run_all()
    assert [await login for login in logins] == [f"c{number % 5}" for number in range(20)]
    assert held.most == HASHES_AT_ONCE


@pytest.mark.usefixtures("cheap")
async def test_more_than_can_wait_are_put_off() -> None:
    held = Held()
    office = Office(executor=held)
    most = HASHES_AT_ONCE + HASHES_WAITING_MOST
    logins = [asyncio.create_task(names(office, f"c{number}", "x")) for number in range(most + 1)]
    await settle()
    assert logins[-1].done()
    assert logins[-1].result() is Reason.LOGIN_UNCHECKED
    while not all(login.done() for login in logins):
        held.run_all()
        await settle()
    assert {login.result() for login in logins[:-1]} == {Reason.LOGIN_WRONG}


async def test_an_unknown_login_costs_a_hash_like_any_other() -> None:
    office = Office()
    await names(office, "nobody", "secret")
    await names(office, "studio", "wrong")
    assert office.at_once.calls == 2


@pytest.mark.usefixtures("cheap")
class TestGuessing:
    async def guess(self, office: Office, number: int, peer: Peer = HERE, login: str = "studio") -> str | Reason:
        return await names(office, login, f"guess-{number}", peer)

    async def test_the_tenth_wrong_answer_for_a_login_from_an_address_is_too_often(self) -> None:
        office = Office()
        found = [await self.guess(office, number) for number in range(GUESSES_MOST)]
        assert found == [Reason.LOGIN_WRONG] * (GUESSES_MOST - 1) + [Reason.LOGIN_TOO_OFTEN]

    async def test_after_it_nothing_is_hashed_any_more_not_even_the_right_one(self) -> None:
        office = Office()
        for number in range(GUESSES_MOST):
            await self.guess(office, number)
        assert await names(office, "studio", "secret") is Reason.LOGIN_TOO_OFTEN
        assert office.at_once.calls == GUESSES_MOST

    async def test_other_addresses_and_other_logins_are_not_concerned(self) -> None:
        office = Office(practice(Client("other", ("*",), literal("secret"))))
        for number in range(GUESSES_MOST):
            await self.guess(office, number)
        assert await names(office, "studio", "secret", THERE) == "studio"
        assert await names(office, "other", "secret") == "other"

    async def test_a_login_that_worked_before_works_on_while_somebody_guesses(self) -> None:
        office = Office()
        assert await names(office, "studio", "secret") == "studio"
        for number in range(GUESSES_MOST):
            await self.guess(office, number)
        assert await names(office, "studio", "secret") == "studio"

    async def test_who_was_let_in_before_is_never_locked_out_by_a_neighbour(self) -> None:
        office = Office()
        assert await names(office, "studio", "secret") == "studio"
        office.clock.now += 10 * REMEMBERED_SECONDS
        office.routing = practice()
        for number in range(GUESSES_MOST):
            await self.guess(office, number)
        assert await self.guess(office, 99) is Reason.LOGIN_TOO_OFTEN
        assert await names(office, "studio", "secret") == "studio"

    async def test_a_password_that_was_right_once_opens_nothing_when_it_is_changed(self) -> None:
        office = Office()
        assert await names(office, "studio", "secret") == "studio"
        office.routing = practice(Client("studio", ("*",), literal("new")))
        for number in range(GUESSES_MOST):
            await self.guess(office, number)
        assert await names(office, "studio", "secret") is Reason.LOGIN_TOO_OFTEN
        calls = office.at_once.calls
        assert await names(office, "studio", "secret") is Reason.LOGIN_TOO_OFTEN
        assert office.at_once.calls == calls, "it was heard once more, and then no more"

    async def test_guesses_from_everywhere_lock_out_nobody_at_an_address_of_his_own(self) -> None:
        office = Office()
        for number in range(3 * SIEGE_GUESSES):
            await self.guess(office, number, Peer(f"198.51.{number // 200}.{number % 200}"))
        assert await names(office, "studio", "secret", THERE) == "studio"

    async def test_guesses_from_everywhere_are_heard_once_from_each_address(self) -> None:
        office = Office()
        for number in range(SIEGE_GUESSES):
            await self.guess(office, number, Peer(f"198.51.100.{number}"))
        before = office.at_once.calls
        for number in range(50):
            assert await self.guess(office, number, Peer("198.51.100.7")) is Reason.LOGIN_TOO_OFTEN
        assert office.at_once.calls == before

    async def test_what_could_not_be_checked_is_no_guess(self) -> None:
        office = Office(practice(Client("lost", ("*",), SecretReference(SecretKind.ENV, "NOT_SET"))))
        found = [await self.guess(office, number, login="lost") for number in range(2 * GUESSES_MOST)]
        assert set(found) == {Reason.LOGIN_UNCHECKED}

    async def test_a_flood_of_guesses_does_not_keep_out_who_was_let_in_before(self) -> None:
        held = Held()
        office = Office(executor=held)
        honest = asyncio.create_task(names(office, "studio", "secret"))
        await settle()
        held.run_all()
        assert await honest == "studio"
        office.clock.now += REMEMBERED_SECONDS
        flood = [
            asyncio.create_task(self.guess(office, 0, Peer(f"198.51.100.{number % 250}"), login=f"l-{number}"))
            for number in range(500)
        ]
        await settle()
        honest = asyncio.create_task(names(office, "studio", "secret"))
        await settle()
        held.run_all()
        await settle()
        held.run_all()
        assert await honest == "studio", "he was the next whose password was hashed"
        while not all(guess.done() for guess in flood):
            await settle()
            held.run_all()

    async def test_time_forgives(self) -> None:
        office = Office()
        for number in range(GUESSES_MOST):
            await self.guess(office, number)
        office.clock.now += WINDOW_SECONDS
        assert await names(office, "studio", "secret") == "studio"

    async def test_the_right_password_forgives(self) -> None:
        office = Office()
        for number in range(GUESSES_MOST - 1):
            await self.guess(office, number)
        assert await names(office, "studio", "secret") == "studio"
        assert await self.guess(office, 99) is Reason.LOGIN_WRONG

    @pytest.mark.parametrize("is_same", [True, False])
    async def test_guesses_made_at_once_are_counted_like_any_other(self, is_same: bool) -> None:
        held = Held()
        office = Office(executor=held)
        guesses = [
            asyncio.create_task(self.guess(office, 0 if is_same else number)) for number in range(3 * GUESSES_MOST)
        ]
        while not all(guess.done() for guess in guesses):
            await settle()
            held.run_all()
        assert await names(office, "studio", "secret") is Reason.LOGIN_TOO_OFTEN
        assert held.calls <= GUESSES_MOST
