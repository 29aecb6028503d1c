"""The keys that a store needs, as they stand in it: which seals, which still open, and the hash key of its own.

Law: the hash key, sealed with the newest key, outlives the key of which it was derived.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from relay.core.keymark import KeyMark
from relay.store.engine.ledger import Ledger
from relay.store.engine.statements import load_statements
from relay.store.needs import Cipher, CipherFor

_STORE = load_statements("store")

HASH_KEY = "hash-key"


@dataclass(frozen=True, slots=True)
class ListedKey:
    """One key that the store needs; `until` is the last delivery of which anything may be sealed with it."""

    mark: KeyMark
    since: int | None
    until: int | None = None


def open_ring(database: Ledger, cipher_for: CipherFor) -> Cipher:
    """The cipher of an existing store. StoreKeyError: a key is missing or another one."""
    keys = read_keys(database)
    newest = keys[-1].mark.fingerprint if keys else fact(database, "key_fingerprint")
    cipher = cipher_for(newest, *(key.mark for key in keys[:-1]))
    kept = fact(database, HASH_KEY)
    if kept is not None:
        cipher.keep_hash_key(cipher.open(bytes.fromhex(kept), place_of_hash_key(database)))
    return cipher


def follow_ring(database: Ledger, cipher: Cipher, cipher_for: CipherFor) -> None:
    """Another node may have turned to a newer key: with that one this node seals too. StoreKeyError: it is not here."""
    keys = read_keys(database)
    if keys and keys[-1].mark.fingerprint != cipher.fingerprint:
        newest = keys[-1].mark.fingerprint
        cipher.join(cipher_for(newest, *(key.mark for key in keys[:-1])))
        cipher.turn_to(newest)


def read_keys(database: Ledger) -> list[ListedKey]:
    """The keys of a store, the oldest first; none where it has never turned to another one."""
    written = json.loads(fact(database, "keys") or "[]")
    return [ListedKey(KeyMark(fingerprint, place), since, until) for fingerprint, place, since, until in written]


def fact(database: Ledger, name: str) -> str | None:
    """What the store says of itself; None: nothing."""
    row = database.read_one(_STORE["get_meta"], (name,))
    return None if row is None else str(row[0])


def place_of_hash_key(database: Ledger) -> bytes:
    """What the hash key is sealed for; the store's id stands in it as in every place."""
    return b"\0".join((bytes.fromhex(fact(database, "store_id") or ""), b"", HASH_KEY.encode()))


def write_keys(database: Ledger, keys: Sequence[ListedKey]) -> None:
    """Writes the list, the oldest first."""
    written = [[*key.mark, key.since, key.until] for key in keys]
    database.write(_STORE["set_meta"], ("keys", json.dumps(written)))
