"""The keys of this relay's store: shown, turned to a new one, and taken off the list when nothing needs them.

Law: a turn that was cut short is finished by the next start or the next turn, and no key file is ever removed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from relay.core.keymark import KeyMark
from relay.observe import Log
from relay.store.needs import Runner
from relay.store.ports.keys import Keys, KeyState, UnknownKey
from relay.vault import Keyring, Vault


@dataclass(frozen=True, slots=True)
class KeyTurn:
    """What a rotation did."""

    mark: KeyMark
    resealed: int
    """Secrets and parts of the routing that the new key encrypts now."""


class KeyDesk:
    """Where keys are asked for; one change at a time."""

    def __init__(self, keyring: Keyring, vault: Vault, keys: Keys, *, run: Runner, log: Log) -> None:
        """`run` is where files are read and written."""
        self._keyring = keyring
        self._vault = vault
        self._keys = keys
        self._run = run
        self._log = log
        self._turn = asyncio.Lock()

    async def states(self) -> Sequence[KeyState]:
        """The keys that the store needs, the oldest first."""
        return await self._keys.states(await self._place_of_sealing())

    async def rotate(self) -> KeyTurn:
        """Encrypts with a new key from here on, and what lives long anew at once.

        StoreKeyError: there is none and none can be made.
        """
        async with self._turn:
            place = await self._place_of_sealing()
            used = await self._keys.ever_used()
            new = await self._run(lambda: self._keyring.next_key(used))
            self._vault.add(new.key)
            await self._keys.turn(new.mark, place_of_first=place)
            turned = KeyTurn(new.mark, await self._keys.reseal())
            self._say("rotated", new.mark, turned.resealed)
            return turned

    async def retire(self, key: str) -> KeyMark:
        """Takes the key with this id off the list. KeyStillNeeded, UnknownKey: it stays."""
        async with self._turn:
            for state in await self.states():
                if state.mark.id == key:
                    resealed = await self._keys.reseal()
                    await self._keys.retire(state.mark.fingerprint)
                    self._say("retired", state.mark, resealed)
                    return state.mark
        raise UnknownKey(f"this store needs no key {key}; `relay keys list` has those that it needs")

    async def finish(self) -> int:
        """What a turn that was cut short has left under an older key is encrypted anew; how many values."""
        async with self._turn:
            resealed = await self._keys.reseal() if len(await self._keys.ever_used()) > 1 else 0
            if resealed:
                self._say("finished", None, resealed)
            return resealed

    def _say(self, what: str, mark: KeyMark | None, resealed: int) -> None:
        key, place = (None, None) if mark is None else (mark.id, mark.place)
        self._log.keys_changed(what=what, key=key, place=place, resealed=resealed)

    async def _place_of_sealing(self) -> str:
        fingerprint = self._vault.fingerprint
        return await self._run(lambda: self._keyring.place_of(fingerprint)) or "its file is gone"
