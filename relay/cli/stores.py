"""What can be said of the address of a store before anybody connects to it.

Law: what a start refuses, it refuses too, in the same words, and without user and password.
"""

from collections.abc import Iterator

from relay.config.problems import Severity
from relay.config.values import is_loopback

PLAIN = "without TLS {what} cross the network readable (mail and recipients do not: they are encrypted); {instead}"
TLS = "rediss:// hides them too"
TUNNEL = (
    "with Sentinel the relay has no TLS: let relays, sentinels and servers have a network of their own, or a tunnel "
    "between them"
)


def look_at_store(address: str) -> Iterator[tuple[Severity, str]]:
    """An error if it is none; a warning if what is said there can be read on the way."""
    from relay.errors import ConfigError  # noqa: PLC0415 - most have no such store
    from relay.store.redis.address import Scheme, parse_address  # noqa: PLC0415 - the same
    from relay.store.redis.causes import flaw_of_anchors  # noqa: PLC0415 - the same

    try:
        place = parse_address(address)
    except ConfigError as error:
        yield Severity.ERROR, str(error).removeprefix("store: ")
        return
    if place.ca is not None and (flaw := flaw_of_anchors(place.ca)) is not None:
        yield Severity.ERROR, flaw
    if place.scheme in (Scheme.PLAIN, Scheme.SENTINEL) and not all(is_loopback(host.name) for host in place.hosts):
        what = ("the password of Redis and " if place.login.password else "") + "the senders' addresses"
        yield Severity.WARNING, PLAIN.format(what=what, instead=TLS if place.scheme is Scheme.PLAIN else TUNNEL)
