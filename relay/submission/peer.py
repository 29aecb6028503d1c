"""Who is at the other end of a connection, by network address, and which clients are known by it.

Law: an address is compared as a number, never as text, and an IPv4 address inside IPv6 is the IPv4 address.
"""

from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address

from relay.core.routing import Client, Routing


class Peer:
    """The network address of a connection; `text` is how the system writes it."""

    def __init__(self, text: str) -> None:
        self.text = text.partition("%")[0]

    @cached_property
    def address(self) -> IPv4Address | IPv6Address:
        """The address as a number."""
        address = ip_address(self.text)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return mapped or address

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        return self.text.startswith("127.") or self.address.is_loopback

    def is_in(self, client: Client) -> bool:
        """Whether the client may come from here."""
        return not client.networks or any(self.address in network for network in client.networks)


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
        return next((client for network, client in self._alone if peer.address in network), None)

    def is_expected(self, peer: Peer) -> bool:
        """Whether some client names a network with this address."""
        return any(peer.address in network for network in self._networks)
