"""The keys of a store: the list of those that it needs, and the turn from one to the next.

Law: the list is durable before a value is sealed with a key that it did not name, and the hash key, sealed with the
newest, outlives the key of which it was derived.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from relay.core.keymark import KeyMark
from relay.errors import CorruptValue, StoreBroken
from relay.store.engine.context import Context
from relay.store.engine.ledger import Ledger
from relay.store.engine.note import Note
from relay.store.engine.reader import Ask
from relay.store.engine.ring import HASH_KEY, ListedKey, fact, place_of_hash_key, read_keys, write_keys
from relay.store.engine.secrets import LedgerSecrets
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.ports.keys import KeyState, KeyStillNeeded, Needs, UnknownKey

_SQL = load_statements("keys")
_STORE = load_statements("store")
_ROUTING = load_statements("routing")
_SECRETS = load_statements("secrets")

STEP: int = 256
"""Values sealed anew in one transaction: a few milliseconds."""

_FORGOTTEN = "retired_keys"


class LedgerKeys:
    """The port `Keys`."""

    def __init__(self, note: Note, ask: Ask, seals: Seals, secrets: LedgerSecrets) -> None:
        self._note = note
        self._ask = ask
        self._cipher = seals.cipher
        self._secrets = secrets

    async def ever_used(self) -> Collection[str]:
        """Fingerprints of all keys that this store uses or has used."""
        return await self._ask(lambda context: _ever_used(context.database))

    async def states(self, place_of_first: str) -> Sequence[KeyState]:
        """The keys that the store needs."""
        keys = await self._ask(lambda context: _listed(context, place_of_first))
        return [await self._ask(partial(_state, key=key)) for key in keys]

    async def turn(self, mark: KeyMark, *, place_of_first: str) -> None:
        """Seals with this key from here on."""
        await self._note(lambda context: _turn(context, mark, place_of_first))
        self._cipher.turn_to(mark.fingerprint)
        await self._note(_close)

    async def reseal(self) -> int:
        """Seals secrets and routing that an older key sealed with the newest one."""
        many = await self._note(_reseal_head)
        last_account: int | None = 0
        while last_account is not None:
            last_account, some = await self._note(_accounts_after(last_account))
            many += some
        last_name: str | None = ""
        while last_name is not None:
            last_name, changes = await self._note(_secrets_after(last_name))
            self._secrets.resealed(changes)
            many += len(changes)
        return many

    async def retire(self, fingerprint: str) -> None:
        """Takes a key off the list."""
        await self._note(lambda context: _retire(context, fingerprint))


def _ever_used(database: Ledger) -> frozenset[str]:
    forgotten = json.loads(fact(database, _FORGOTTEN) or "[]")
    listed = [key.mark.fingerprint for key in read_keys(database)]
    return frozenset([fact(database, "key_fingerprint") or "", *listed, *forgotten])


def _listed(context: Context, place_of_first: str) -> list[ListedKey]:
    first = KeyMark(fact(context.database, "key_fingerprint") or "", place_of_first)
    return read_keys(context.database) or [ListedKey(first, None)]


def _turn(context: Context, mark: KeyMark, place_of_first: str) -> None:
    """Idempotent: a turn that was cut short is made again."""
    database, cipher = context.database, context.seals.cipher
    keys = _listed(context, place_of_first)
    if all(key.mark.fingerprint != mark.fingerprint for key in keys):
        write_keys(database, [*keys, ListedKey(mark, context.clock.wall())])
    sealed = cipher.seal_with(mark.fingerprint, cipher.hash_key, place_of_hash_key(database))
    database.write(_STORE["set_meta"], (HASH_KEY, sealed.hex()))
    context.crash_point("keys-turned")


def _close(context: Context) -> None:
    """What was handed in under the older key is written by now: it came before this."""
    keys = read_keys(context.database)
    (newest,) = context.database.read_one(_SQL["newest_delivery"]) or (None,)
    closed = [key if key.until is not None else replace(key, until=newest or 0) for key in keys[:-1]]
    if keys and closed != keys[:-1]:
        write_keys(context.database, [*closed, keys[-1]])
        context.crash_point("keys-closed")


def _reseal_head(context: Context) -> int:
    _close(context)  # where a crash came before it
    database, seals = context.database, context.seals
    row = database.read_one(_ROUTING["get_routing"])
    again = None if row is None else _again(seals, row[1], seals.place("", "routing"))
    if again is None:
        return 0
    database.write(_SQL["reseal_routing"], (again,))
    return 1


def _accounts_after(last: int) -> Callable[[Context], tuple[int | None, int]]:
    def work(context: Context) -> tuple[int | None, int]:
        database, seals = context.database, context.seals
        rows = database.read(_SQL["accounts_after"], (last, STEP))
        found = [(_again(seals, body, seals.place(sender, "account")), number) for number, sender, body in rows]
        fresh = [(body, number) for body, number in found if body is not None]
        if fresh:
            database.write_many(_SQL["reseal_account"], fresh)
            context.crash_point("values-resealed")
        return (rows[-1][0] if len(rows) == STEP else None), len(fresh)

    return work


def _secrets_after(last: str) -> Callable[[Context], tuple[str | None, dict[str, tuple[bytes, int] | None]]]:
    def work(context: Context) -> tuple[str | None, dict[str, tuple[bytes, int] | None]]:
        database, seals = context.database, context.seals
        rows = database.read(_SECRETS["secrets_after"], (last, STEP))
        changes: dict[str, tuple[bytes, int] | None] = {}
        for name, sealed, at in rows:
            again = _again(seals, sealed, seals.place(name, "secret"))
            if again is not None:
                database.write(_SECRETS["set_secret"], (name, again, at))
                changes[name] = (again, at)
        if changes:
            context.crash_point("values-resealed")
        return (rows[-1][0] if len(rows) == STEP else None), changes

    return work


def _again(seals: Seals, sealed: bytes, place: bytes) -> bytes | None:
    """The same under the newest key; None: it is already, or it is damaged and stays as it is."""
    cipher = seals.cipher
    if sealed.startswith(cipher.head_of(cipher.fingerprint)):
        return None
    try:
        return cipher.seal(cipher.open(sealed, place), place)
    except CorruptValue:
        return None


def _state(context: Context, key: ListedKey) -> KeyState:
    is_newest = key.mark.fingerprint == context.seals.cipher.fingerprint
    return KeyState(key.mark, key.since, is_newest, () if is_newest else _needs(context, key))


def _needs(context: Context, key: ListedKey) -> tuple[Needs, ...]:
    """What was sealed with a key that does not seal any more, and is still there."""
    database, head = context.database, context.seals.cipher.head_of(key.mark.fingerprint)

    def under(statement: str) -> bool:
        return database.read_one(statement, (head,)) is not None

    until = (key.until,) if key.until is not None else (2**62,)
    has_mail = database.read_one(_SQL["mail_until"], until) is not None or under(_SQL["owed_under"])
    found = {
        Needs.SECRETS: under(_SECRETS["secret_under"]),
        Needs.ROUTING: under(_SQL["routing_under"]) or under(_SQL["account_under"]),
        Needs.MAIL: has_mail,
        Needs.REPLIES: under(_SQL["said_under"]),
    }
    return tuple(need for need, is_there in found.items() if is_there)


def _retire(context: Context, fingerprint: str) -> None:
    database, keys = context.database, read_keys(context.database)
    key = next((key for key in keys if key.mark.fingerprint == fingerprint), None)
    if key is None:
        raise UnknownKey
    if key is keys[-1]:
        raise KeyStillNeeded(f"the key {key.mark.id} is the one that encrypts now; `relay keys rotate` makes another")
    needs = _needs(context, key)
    if needs:
        what = ", ".join(_MEANT[need] for need in needs)
        raise KeyStillNeeded(f"the key {key.mark.id} is still needed by {what}")
    if fact(database, HASH_KEY) is None:
        raise StoreBroken("the store has no hash key of its own")
    forgotten = json.loads(fact(database, _FORGOTTEN) or "[]")
    database.write(_STORE["set_meta"], (_FORGOTTEN, json.dumps([*forgotten, fingerprint])))
    write_keys(database, [each for each in keys if each is not key])


_MEANT = {
    Needs.SECRETS: "secrets",
    Needs.ROUTING: "the routing in force",
    Needs.MAIL: "mail that waits, or what is kept of finished mail for 90 days",
    Needs.REPLIES: "replies of providers, kept for 30 days",
}
