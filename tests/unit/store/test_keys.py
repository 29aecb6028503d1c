"""A store turns to another key at work: what lives long is sealed anew, and the old one goes when nothing needs it."""

import pytest

from relay.core.keymark import KeyMark
from relay.core.secretuse import OWN
from relay.errors import StoreFull, StoreKeyError
from relay.store.ports.keys import KeyStillNeeded, Needs, UnknownKey
from relay.vault import Vault
from tests.unit.store.workbench import DELIVERED, Bench, account, message

OLD, NEW = b"k" * 32, b"n" * 32


class Rotating(Bench):
    """A store whose vault is at hand."""

    keys: tuple[bytes, ...] = (OLD, NEW)
    vault: Vault

    def ring(self, fingerprint: str | None, /, *older: KeyMark) -> Vault:
        marks = {Vault(key, self.chance).fingerprint: key for key in self.keys}
        if fingerprint is not None and fingerprint not in marks:
            raise StoreKeyError
        for mark in older:
            if mark.fingerprint not in marks:
                raise StoreKeyError(mark.place)
        self.vault = Vault(marks[fingerprint] if fingerprint is not None else OLD, self.chance)
        for key in marks.values():
            self.vault.add(key)
        return self.vault

    @property
    def new(self) -> KeyMark:
        return KeyMark(Vault(NEW, self.chance).fingerprint, "new.key")

    async def turn(self) -> int:
        await self.store.books.keys.turn(self.new, place_of_first="old.key")
        return await self.store.books.keys.reseal()

    async def needs(self) -> dict[str, tuple[Needs, ...]]:
        states = await self.store.books.keys.states("old.key")
        return {state.mark.place: state.needs for state in states}

    def heads(self, statement: str) -> set[bytes]:
        return {bytes(value)[:5] for (value,) in self.rows(statement)}


@pytest.fixture
async def bench() -> Rotating:
    bench = Rotating()
    await bench.route()
    await bench.store.books.secrets.set("rossi", "hush", use=OWN)
    return bench


async def test_what_lives_long_is_sealed_anew_at_once_and_mail_keeps_its_key(bench: Rotating) -> None:
    await bench.store.put(message(1))
    old, new = bench.vault.head_of(bench.vault.fingerprint), bench.vault.head_of(bench.new.fingerprint)
    assert await bench.turn() == 4, "the routing's head, two accounts, a secret"
    assert bench.heads("SELECT sealed FROM secrets") == {new}
    assert bench.heads("SELECT body FROM routing UNION ALL SELECT body FROM routed_accounts") == {new}
    await bench.store.put(message(2))
    assert bench.heads("SELECT envelope FROM deliveries") == {old, new}
    assert await bench.needs() == {"old.key": (Needs.MAIL,), "new.key": ()}


async def test_it_all_opens_after_a_crash_with_both_keys(bench: Rotating) -> None:
    await bench.store.put(message(1))
    hashed = bench.vault.keyed_hash(b"recipient", b"x")
    await bench.turn()
    bench.crash()
    assert bench.vault.fingerprint == bench.new.fingerprint
    assert bench.vault.keyed_hash(b"recipient", b"x") == hashed
    found = bench.store.books.secrets.get("rossi")
    assert found is not None
    assert found.value == "hush"
    await bench.log_in()
    (claim,) = await bench.take()
    assert b"body" in await bench.store.content(claim)


async def test_without_the_old_key_that_is_still_needed_it_does_not_open(bench: Rotating) -> None:
    await bench.turn()
    bench.keys = (NEW,)
    with pytest.raises(StoreKeyError, match=r"old\.key"):
        bench.crash()


async def test_a_turn_that_was_not_durable_did_not_happen(bench: Rotating) -> None:
    bench.disk.refuse = [StoreFull()] * 9
    with pytest.raises(StoreFull):
        await bench.turn()
    bench.disk.refuse = []
    assert bench.vault.fingerprint != bench.new.fingerprint
    assert list(await bench.needs()) == ["old.key"]
    assert await bench.turn() == 4


async def test_a_turn_that_was_cut_short_is_finished(bench: Rotating) -> None:
    await bench.store.put(message(1))
    await bench.store.books.keys.turn(bench.new, place_of_first="old.key")
    bench.crash()
    assert (await bench.needs())["old.key"] == (Needs.SECRETS, Needs.ROUTING, Needs.MAIL)
    assert await bench.store.books.keys.reseal() == 4
    assert await bench.store.books.keys.reseal() == 0
    assert (await bench.needs())["old.key"] == (Needs.MAIL,)


async def test_a_damaged_secret_stops_nobody_elses(bench: Rotating) -> None:
    await bench.store.books.secrets.set("verdi", "hush")
    bench.connection.execute("UPDATE secrets SET sealed = zeroblob(60) WHERE name = 'rossi'")
    assert await bench.turn() == 4, "the head, two accounts, the other secret"
    bench.crash()
    assert [(each.name, each.use) for each in await bench.store.books.secrets.names()] == [
        ("rossi", None),
        ("verdi", None),
    ]
    assert await bench.store.books.secrets.bind({"rossi": OWN, "verdi": OWN}) == 1
    assert await bench.store.books.secrets.set("rossi", "again")


async def test_a_key_goes_when_nothing_needs_it_and_is_never_taken_again(bench: Rotating) -> None:
    keys = bench.store.books.keys
    old = bench.vault.fingerprint
    await bench.turn()
    await keys.retire(old)
    assert list(await bench.needs()) == ["new.key"]
    assert set(await keys.ever_used()) == {old, bench.new.fingerprint}
    bench.keys = (NEW,)
    bench.crash()
    found = bench.store.books.secrets.get("rossi")
    assert found is not None
    assert found.value == "hush"
    assert bench.store.books.keys is not keys


async def test_a_key_that_is_needed_stays(bench: Rotating) -> None:
    await bench.store.put(message(1))
    old = bench.vault.fingerprint
    await bench.turn()
    with pytest.raises(KeyStillNeeded, match="mail"):
        await bench.store.books.keys.retire(old)
    with pytest.raises(KeyStillNeeded, match="encrypts now"):
        await bench.store.books.keys.retire(bench.new.fingerprint)
    with pytest.raises(UnknownKey):
        await bench.store.books.keys.retire("f" * 32)
    await bench.log_in()
    (claim,) = await bench.take()
    await bench.send(claim, DELIVERED)
    with pytest.raises(KeyStillNeeded, match="mail"):
        await bench.store.books.keys.retire(old)
    bench.connection.execute("DELETE FROM deliveries")
    await bench.store.books.keys.retire(old)


async def test_a_thousand_accounts_are_sealed_anew_in_steps(bench: Rotating) -> None:
    many = [account(f"{number}@studio.test") for number in range(600)]
    await bench.route(*many)
    before = bench.disk.commits
    assert await bench.turn() == 1 + 600 + 1
    assert bench.disk.commits - before >= 5, "each step lets others in between"
