"""Over TLS the server has to be the one that it says it is."""

from contextlib import closing
from pathlib import Path

import pytest

from relay.errors import StoreUnavailable
from relay.store.redis.link import Call, Link
from relay.store.redis.patience import Patience
from tests.contract.redis.link.scene import LONG, PING, SECOND, link_to
from tests.fakes.redisservers import Server, binary, server, until
from tests.misfortune.certificates import make

HASTY = Patience(connect=SECOND, reply=LONG, whole=LONG, confirm=LONG, replica=LONG, sentinel=LONG)
"""For a handshake that nobody answers."""


def test_certificate_is_verified(tmp_path: Path):
    for name in ("right", "other"):
        (tmp_path / name).mkdir()
    shown = make(tmp_path / "right", name="127.0.0.1")
    other = make(tmp_path / "other", name="127.0.0.1")
    with server(binary("redis-7"), tls=shown) as made:
        assert _met(made, shown.authority) == ""
        assert "CERTIFICATE_VERIFY_FAILED" in _met(made, other.authority)
        assert "CERTIFICATE_VERIFY_FAILED" in _met(made, None)
        assert "write ?ca=/FILE at the end of `store`" in _met(made, None)
        assert f"{other.authority} (?ca=) has not the authority of its certificate" in _met(made, other.authority)


def test_file_of_anchors_that_is_none_is_named(tmp_path: Path):
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file, why in ((Path("/nowhere.pem"), "No such file or directory"), (empty, "no certificate in it")):
        with closing(link_to(f"rediss://127.0.0.1:1?ca={file}")) as link:
            with pytest.raises(StoreUnavailable, match=why) as caught:
                link.open()
            assert str(file) in str(caught.value)


def test_tls_on_one_side_alone_is_said_with_what_to_write(tmp_path: Path):
    shown = make(tmp_path, name="127.0.0.1")
    with server(binary("redis-7"), tls=shown) as secure:
        for login in ("", ":geheim@"):
            told = pytest.raises(StoreUnavailable, match="Then the address begins with rediss://")
            with closing(link_to(f"redis://{login}127.0.0.1:{secure.port}")) as link, told:
                link.open()
    with server(binary("redis-7"), is_tcp=True) as plain:
        told = pytest.raises(StoreUnavailable, match="Without TLS the address begins with redis://")
        with closing(link_to(f"rediss://127.0.0.1:{plain.port}", patience=HASTY)) as link, told:
            link.open()
        port = plain.port
    for scheme in ("redis", "rediss"):
        with closing(link_to(f"{scheme}://127.0.0.1:{port}")) as link, pytest.raises(StoreUnavailable) as caught:
            link.open()
        assert "begins with" not in str(caught.value), "nobody is there, so nothing is known of TLS"


def test_server_that_answered_before_is_not_said_to_be_at_another_port(tmp_path: Path):
    shown = make(tmp_path, name="127.0.0.1")
    with (
        server(binary("redis-7"), tls=shown) as made,
        closing(link_to(f"{made.address}?ca={shown.authority}", patience=HASTY)) as link,
    ):
        until(lambda: _is_open(link), "it is reached in time")
        link.close()
        made.pause()
        with pytest.raises(StoreUnavailable, match=r"did not answer in time$"):
            link.open()
        made.go_on()


def test_server_that_wants_a_certificate_of_the_relay_is_told_what_to_write(tmp_path: Path):
    shown = make(tmp_path, name="127.0.0.1")
    with server(binary("redis-7"), tls=shown) as made:
        with made.client() as client:
            client.config_set("tls-auth-clients", "yes")
        assert "write `tls-auth-clients no`" in _met(made, shown.authority)


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
        told = _met(made, shown.authority)
        assert "CERTIFICATE_VERIFY_FAILED" in told
        assert "has not the name that `store` says" in told


def _is_open(link: Link) -> bool:
    try:
        link.open()
    except StoreUnavailable:
        return False
    return True


def _met(made: Server, anchors: Path | None) -> str:
    """Why the link was not made; empty: it was."""
    with closing(link_to(made, change=lambda address: f"{address}?ca={anchors}" if anchors else address)) as link:
        try:
            link.open()
        except StoreUnavailable as error:
            return str(error)
        return ""
