"""Addresses are compared as numbers, and the narrowest network tells who it is."""

from ipaddress import ip_network

import pytest

from relay.core.routing import Client, Routing
from relay.submission.peer import Neighbours, Peer
from tests.fakes.submission import by_address, literal


@pytest.mark.parametrize("text", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_known_in_every_spelling(text: str) -> None:
    assert Peer(text).is_loopback


@pytest.mark.parametrize("text", ["10.0.0.1", "::2", "128.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0"])
def test_others_are_not_this_machine(text: str) -> None:
    assert not Peer(text).is_loopback


def test_a_client_without_networks_may_come_from_anywhere() -> None:
    assert Peer("192.0.2.1").is_in(Client("c", ("*",)))


def test_a_client_with_networks_comes_from_one_of_them() -> None:
    client = Client("c", ("*",), networks=(ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")))
    assert Peer("::ffff:10.1.2.3").is_in(client)
    assert Peer("2001:db8::7").is_in(client)
    assert not Peer("11.0.0.1").is_in(client)


def routing_of(*clients: Client) -> Routing:
    return Routing({client.name: client for client in clients})


def test_the_narrowest_network_tells_the_client() -> None:
    neighbours = Neighbours(routing_of(by_address("all", "10.0.0.0/8"), by_address("one", "10.1.0.0/16")))
    found = [neighbours.client_at(Peer(text)) for text in ("10.1.2.3", "10.2.2.3", "11.0.0.1")]
    assert [client.name if client else None for client in found] == ["one", "all", None]


def test_a_client_with_a_password_is_not_known_by_address_but_expected() -> None:
    neighbours = Neighbours(routing_of(by_address("login", "10.0.0.0/8", password=literal("x"))))
    assert neighbours.client_at(Peer("10.1.2.3")) is None
    assert neighbours.is_expected(Peer("10.1.2.3"))
    assert not neighbours.is_expected(Peer("11.1.2.3"))
