"""The keys' port: which keys a store needs, and how it turns to another one.

Law: a key is in the store's list before anything is sealed with it, and leaves the list only when nothing needs it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from relay.core.keymark import KeyMark
from relay.errors import PermanentError


class Needs(StrEnum):
    """What still needs an older key."""

    SECRETS = "secrets"
    ROUTING = "routing"
    MAIL = "mail"
    """Mail that waits, and what is kept of finished mail."""
    REPLIES = "replies"
    """What providers said, unmasked: kept for a month."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """One key of the store."""

    mark: KeyMark
    since: int | None
    """Since when it seals or sealed, wall time in microseconds; None: since the store was made."""
    seals: bool
    """Whether it is the one that seals now."""
    needs: tuple[Needs, ...]
    """What needs it, beside the newest key's own work."""


class KeyStillNeeded(PermanentError):
    """something still needs this key"""


class UnknownKey(PermanentError):
    """the store has no such key"""


class Keys(Protocol):
    """What can be asked and done."""

    async def ever_used(self) -> Collection[str]:
        """Fingerprints of all keys that this store uses or has used."""

    async def states(self, place_of_first: str) -> Sequence[KeyState]:
        """The keys that the store needs, the oldest first; `place_of_first` is said where the list does not know."""

    async def turn(self, mark: KeyMark, *, place_of_first: str) -> None:
        """Seals with this key, which the vault holds already, from here on. Durable before anything is sealed so."""

    async def reseal(self) -> int:
        """Seals secrets and routing that an older key sealed with the newest one; how many."""

    async def retire(self, fingerprint: str) -> None:
        """Takes a key off the list. KeyStillNeeded: it says by what. UnknownKey."""
