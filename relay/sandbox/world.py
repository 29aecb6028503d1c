"""What the emulator takes from outside itself: an instant and chance.

Law: it stands for a foreign company's machine, so it has a clock of its own, and this is the only file that reads one;
tests hand in another `World` and decide both.
"""

import random  # noqa: TID251 - the emulated provider is another machine: its chance is not the relay's
import time  # noqa: TID251 - likewise its clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Instant(NamedTuple):
    """One reading of both clocks, in seconds: `wall` since the epoch, `steady` since some fixed point of this boot."""

    wall: float
    steady: float


@dataclass(frozen=True, slots=True)
class World:
    """A clock, and chance as numbers from 0 up to but not including 1."""

    now: Callable[[], Instant]
    chance: Callable[[], float]


def real_world(seed: int) -> World:
    """This machine's clocks, and chance that is the same for the same seed."""
    return World(
        now=lambda: Instant(time.time(), time.monotonic()),
        chance=random.Random(seed).random,  # noqa: S311 - faults must be repeatable, not secret
    )
