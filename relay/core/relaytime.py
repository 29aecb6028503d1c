"""Relay time: the clock of the limiter, which no step of the wall clock moves.

Law: it never goes back; it advances by CLOCK_BOOTTIME, and across a reboot by the wall clock's difference only if the
kernel called its clock synchronised before it and after it. All values are microseconds; relay time and wall time
count from 1970.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What the machine's clocks say at one moment."""

    boot_id: str
    boottime: int
    wall: int
    is_synchronised: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """A moment as it was last written down."""

    boot_id: str
    boottime: int
    wall: int
    relay: int
    civil_offset: int
    """Civil time minus relay time: what calendar days are counted by."""
    is_synchronised: bool = True
    """Whether the wall clock was right when this was written down: if not, nobody knows how long a reboot took."""


def first_anchor(reading: Reading) -> Anchor:
    """The beginning of a store's relay time."""
    return Anchor(reading.boot_id, reading.boottime, reading.wall, reading.wall, 0, reading.is_synchronised)


def resumed(anchor: Anchor, reading: Reading) -> Anchor:
    """The anchor moved to the present reading: after a restart, a reboot, or simply later."""
    if reading.boot_id == anchor.boot_id:
        passed = reading.boottime - anchor.boottime
    elif reading.is_synchronised and anchor.is_synchronised:
        passed = reading.wall - anchor.wall
    else:
        passed = 0
    relay = anchor.relay + max(0, passed)
    offset = reading.wall - relay if reading.is_synchronised else anchor.civil_offset
    return Anchor(reading.boot_id, reading.boottime, reading.wall, relay, offset, reading.is_synchronised)


def relay_time(anchor: Anchor, boottime: int) -> int:
    """Relay time at a CLOCK_BOOTTIME of the anchor's own boot."""
    return anchor.relay + max(0, boottime - anchor.boottime)
