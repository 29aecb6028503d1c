"""What a store needs from outside: a clock, a cipher, a place to run what blocks, and the points where it may die.

Law: the store makes none of them itself, so that the same code runs on a machine and in a simulated world.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from relay.core.healthsettings import HealthSettings
from relay.core.keymark import KeyMark
from relay.core.limits import MINUTE
from relay.core.relaytime import Reading
from relay.core.retry import RETRY
from relay.core.routing import InDoubt
from relay.errors import RelayError
from relay.store.ports.events import Listener

T = TypeVar("T")

CrashPoint = Callable[[str], None]
"""Called with the name of each durable step as it is passed; docs/crash-table.md lists the names."""

Random = Callable[[int], bytes]
"""As many unpredictable bytes as asked for."""


class Clock(Protocol):
    """The machine's clocks, in microseconds."""

    def reading(self) -> Reading:
        """All that the machine's clocks say; costs a few system calls."""

    def boottime(self) -> int:
        """CLOCK_BOOTTIME: runs through suspend, and no step moves it."""

    def wall(self) -> int:
        """Wall time since 1970."""


class Cipher(Protocol):
    """Encryption at rest: one key seals, all that are known open (the vault)."""

    @property
    def fingerprint(self) -> str:
        """Tells the key that seals from another."""

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Opens only at the same `place`."""

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """CorruptValue: another key, another place, or bytes that changed."""

    def seal_with(self, fingerprint: str, plain: bytes, place: bytes) -> bytes:
        """As `seal`, with this key."""

    def head_of(self, fingerprint: str) -> bytes:
        """What everything begins with that this key sealed. StoreKeyError: it is not known."""

    def join(self, other: Self) -> None:
        """Opens from here on what another one of the same store opens."""

    def turn_to(self, fingerprint: str) -> None:
        """Seals with this key from here on. StoreKeyError: it is not known."""

    @property
    def hash_key(self) -> bytes:
        """What keyed hashes are made with."""

    def keep_hash_key(self, key: bytes) -> None:
        """Makes them with this from here on: the key of which it was derived may be gone."""

    def keyed_hash(self, purpose: bytes, value: bytes) -> bytes:
        """The same for as long as the store lives."""


class Runner(Protocol):
    """Runs one blocking call somewhere else (a one-thread executor; in a simulated world, virtual time)."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class CipherFor(Protocol):
    """Finds the keys of a store."""

    def __call__(self, fingerprint: str | None, /, *older: KeyMark) -> Cipher:
        """The cipher for the store that seals with this key (None: a new store) and still needs the older ones.

        StoreKeyError: one is missing or another.
        """


Fatal = Callable[[RelayError], None]
"""Told once that the store cannot go on; ends the process, and recovery starts clean."""

FreeBytes = Callable[[], int]
"""How much space is left for mail."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What relay.yaml says about the queue; durations in microseconds."""

    lifetime: int = 3 * 24 * 60 * MINUTE
    hold_lifetime: int = 7 * 24 * 60 * MINUTE
    delay_notice: int = 0
    """After this the sender of what still waits is told; 0: never."""
    retry: tuple[int, ...] = RETRY
    in_doubt: InDoubt = InDoubt.RESEND
    health: HealthSettings = HealthSettings()
    lease: int = MINUTE
    """How long a node's claims last without a heartbeat."""
    least_free_bytes: int = 200_000_000
    """Below this nothing is accepted: what is queued must still be settled and bounced."""


def never_dies(name: str) -> None:
    """The crash point of a process that is not being tested."""


def nothing_kept() -> bool:
    """The reserve of a store that has none."""
    return False


def nothing_to_keep() -> bool:
    """The reserve of a store that needs none."""
    return True


@dataclass(frozen=True, slots=True)
class Outside:
    """All that a store gets from who composes it."""

    clock: Clock
    random: Random
    cipher_for: CipherFor
    commit: Runner
    """Runs commits, one at a time."""
    read: Runner
    """Runs reads of bodies, and gives back space."""
    fatal: Fatal
    free_bytes: FreeBytes
    listener: Listener | None = None
    crash_point: CrashPoint = never_dies
    give_up_reserve: Callable[[], bool] = nothing_kept
    """Frees the space kept for settling on a full disk; False: there is none left."""
    keep_reserve: Callable[[], bool] = nothing_to_keep
    """Keeps that space again, if there is enough; blocks. Without it no mail is accepted."""
