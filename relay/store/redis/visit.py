"""A look at a store on Redis by somebody who is no node: it reads, and runs no script.

Law: nothing is written, no clock of the store moves, and nobody is refused for his settings; what cannot be asked is an
error that says so.
"""

from collections.abc import Callable, Sequence

from relay.core.limits import SECOND, Instant
from relay.errors import RelayError
from relay.store.redis.address import Address, Host, Scheme, parse_address
from relay.store.redis.facts import answered
from relay.store.redis.layout import LAYOUT
from relay.store.redis.patience import Patience
from relay.store.redis.rowkeys import META, table_key
from relay.store.redis.sentinel import Sentinels
from relay.store.redis.wire import Command, Reply, Way, Wire

IN_CHECK: int = SECOND
"""`relay check` does not wait longer for a server: what it cannot see it says."""


class Visit:
    """One connection, from its making to its end; StoreUnavailable and below: why it cannot be made, or has ended."""

    def __init__(self, address: Address, boottime: Callable[[], Instant], *, within: int) -> None:
        """`within` microseconds everything that is asked has to be answered, each by itself, and the connecting."""
        self._boottime = boottime
        self._within = within
        until = boottime() + within
        self.way = Way(address.login, address.db, is_tls=address.scheme is Scheme.TLS, ca=address.ca)
        self.host = _primary(address)
        self.wire = Wire(self.host, self.way, boottime)
        self.wire.open(until)

    def ask(self, *command: bytes | str | int) -> Reply:
        """The reply to one command."""
        return self.wire.ask(*command, until=self._boottime() + self._within)

    def ask_all(self, commands: Sequence[Command]) -> list[Reply]:
        """The replies to several that go out together."""
        return answered(self.wire.ask_all(commands, until=self._boottime() + self._within))

    def close(self) -> None:
        """Harmless when called twice."""
        self.wire.close()


def _primary(address: Address) -> Host:
    if address.scheme is not Scheme.SENTINEL:
        return address.hosts[0]
    sentinels = Sentinels(address, Patience())
    try:
        return sentinels.primary()
    finally:
        sentinels.close()


def stored_names(address: str, boottime: Callable[[], Instant]) -> frozenset[str] | None:
    """The names of the secrets; None: that cannot be seen now."""
    try:
        visit = Visit(parse_address(address), boottime, within=IN_CHECK)
    except RelayError:
        return None
    try:
        layout, names = visit.ask_all([("HGET", META, "layout"), ("HKEYS", table_key("secrets"))])
    except RelayError:
        return None
    finally:
        visit.close()
    if layout is not None and layout != str(LAYOUT).encode():
        return None  # another relay's, which may keep them elsewhere
    return frozenset(name.decode() for name in names)
