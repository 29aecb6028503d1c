"""Ports for programs that cannot be told to let the kernel choose one.

Law: they lie where the kernel chooses none by itself, so that between looking and listening only somebody who names the
very port could take it.
"""

import random
import socket
from pathlib import Path

LOWEST = 10_000
"""Below this, machines have services of their own."""

FEWEST = 5_000
"""Among so many one is chosen; fewer would be met by two test runs on one machine."""

_chance = random.SystemRandom()


def free_ports(count: int, *, room: int = 0) -> list[int]:
    """So many ports of loopback that nobody uses now, each another one; for a program that also takes the port `room`
    above its own, unasked, that one is none of the kernel's either.
    """
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < count:
            try:
                sockets.append(socket.create_server(("127.0.0.1", _port_to_try(room))))
            except OSError:
                continue  # somebody listens there
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _port_to_try(room: int) -> int:
    """One that is `room` below those that the kernel gives away; 0, its own choice, where it gives nearly all."""
    highest = _first_of_the_kernel() - 1 - room
    return _chance.randint(LOWEST, highest) if highest - LOWEST >= FEWEST else 0


def _first_of_the_kernel() -> int:
    """The lowest port that a connection, or a listener that names none, is given (ip(7))."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 0
