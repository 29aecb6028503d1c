"""What can be said of the address of a store before anybody connects to it.

Law: what a start refuses, it refuses too, in the same words, and without user and password.
"""

from collections.abc import Iterator

from relay.config.problems import Severity
from relay.config.values import is_loopback

PLAIN = (
    "without TLS the password of Redis and the senders' addresses cross the network readable (mail and recipients do "
    "not: they are encrypted); rediss:// hides them too"
)


def look_at_store(address: str) -> Iterator[tuple[Severity, str]]:
    """An error if it is none; a warning if what is said there can be read on the way."""
    from relay.errors import ConfigError  # noqa: PLC0415 - most have no such store
    from relay.store.redis.address import Scheme, parse_address  # noqa: PLC0415 - the same

    try:
        place = parse_address(address)
    except ConfigError as error:
        yield Severity.ERROR, str(error).removeprefix("store: ")
        return
    if place.scheme in (Scheme.PLAIN, Scheme.SENTINEL) and not all(is_loopback(host.name) for host in place.hosts):
        yield Severity.WARNING, PLAIN
