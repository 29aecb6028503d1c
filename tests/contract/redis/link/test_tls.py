"""Over TLS the server has to be the one that it says it is."""

from contextlib import closing
from pathlib import Path

from relay.errors import StoreUnavailable
from relay.store.redis.link import Call
from tests.contract.redis.link.scene import PING, link_to
from tests.fakes.redisservers import Server, binary, server
from tests.misfortune.certificates import make


def test_certificate_is_verified(tmp_path: Path):
    for name in ("right", "other"):
        (tmp_path / name).mkdir()
    shown = make(tmp_path / "right", name="127.0.0.1")
    other = make(tmp_path / "other", name="127.0.0.1")
    with server(binary("redis-7"), tls=shown) as made:
        assert _met(made, shown.authority) == ""
        assert "CERTIFICATE_VERIFY_FAILED" in _met(made, other.authority)
        assert "CERTIFICATE_VERIFY_FAILED" in _met(made, None)
        assert "No such file" in _met(made, Path("/nowhere.pem"))


def test_one_connection_carries_all_calls(tmp_path: Path):
    """TLS has words of its own on the line (tickets, keys), which are no sign that the server has left."""
    shown = make(tmp_path, name="127.0.0.1")
    with server(binary("redis-7"), tls=shown) as made, closing(link_to(f"{made.address}?ca={shown.authority}")) as link:
        assert len({link.ask("CLIENT", "ID") for _ in range(5)}) == 1
        assert link.run(PING) == b"pong"
        assert link.run_many([Call(PING)] * 100) == [b"pong"] * 100


def test_certificate_of_another_name_is_refused(tmp_path: Path):
    shown = make(tmp_path, name="elsewhere.example")
    with server(binary("redis-7"), tls=shown) as made:
        assert "CERTIFICATE_VERIFY_FAILED" in _met(made, shown.authority)


def _met(made: Server, anchors: Path | None) -> str:
    """Why the link was not made; empty: it was."""
    with closing(link_to(made, change=lambda address: f"{address}?ca={anchors}" if anchors else address)) as link:
        try:
            link.open()
        except StoreUnavailable as error:
            return str(error)
        return ""
