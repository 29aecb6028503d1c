import pytest

from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def peer(world: FakeWorld) -> Peer:
    """A client that has said EHLO and logged in."""
    peer = Peer(provider_of(world))
    peer.login()
    return peer
