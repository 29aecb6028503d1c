"""Who is at the other end of a connection, by network address, and which clients are known by it.

Law: an address is compared as a number, never as text, and an IPv4 address inside IPv6 is the IPv4 address.
"""

from collections.abc import Iterable
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from relay.core.routing import Client, Routing


class Origin(Enum):
    """How an address is known."""

    DIRECT = "direct"
    """The system says it."""
    PROXIED = "proxied"
    """A proxy says it."""
    HIDDEN = "hidden"
    """It is the proxy's own: the proxy asks for itself, or does not say for whom."""


class Peer:
    """The network address of a connection; `text` is how the system writes it."""

    def __init__(self, text: str, origin: Origin = Origin.DIRECT) -> None:
        self.text = text.partition("%")[0]
        self.origin = origin

    @cached_property
    def address(self) -> IPv4Address | IPv6Address:
        """The address as a number."""
        address = ip_address(self.text)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return mapped or address

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine; what a proxy says proves nothing of the kind."""
        if self.origin is not Origin.DIRECT:
            return False
        return self.text.startswith("127.") or self.address.is_loopback

    def is_in(self, client: Client) -> bool:
        """Whether the client may come from here."""
        return not client.networks or self.is_in_any(client.networks)

    def is_in_any(self, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
        """Whether the client's own address is in one of these; a hidden one is in none."""
        return self.origin is not Origin.HIDDEN and any(self.address in network for network in networks)


class Neighbours:
    """The clients of one routing that network addresses tell of."""

    def __init__(self, routing: Routing) -> None:
        self._networks = tuple(network for client in routing.clients.values() for network in client.networks)
        alone = [
            (network, client)
            for client in routing.clients.values()
            if client.password is None
            for network in client.networks
        ]
        self._alone = sorted(alone, key=lambda entry: -entry[0].prefixlen)

    def client_at(self, peer: Peer) -> Client | None:
        """The client that is known by this address alone; of several the one with the narrowest network."""
        return next((client for network, client in self._alone if peer.is_in_any((network,))), None)

    def is_expected(self, peer: Peer) -> bool:
        """Whether some client names a network with this address."""
        return peer.is_in_any(self._networks)
