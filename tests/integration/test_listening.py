"""The sockets of the service: bound, or refused in a sentence that names the address."""

import errno
import os
import socket

import pytest

from relay.app.sockets import CannotListen, address_of, bind, shown


def has_ipv6() -> bool:
    """Whether loopback has an address of IPv6: Python may know it and the kernel, or a container, not."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_bound_socket_takes_connections_at_the_address_that_it_says(host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with bind(host, 0) as bound:
        port = bound.getsockname()[1]
        assert address_of(bound) == shown(host, port)
        socket.create_connection((host, port), 10).close()


def test_an_address_is_shown_as_it_is_written() -> None:
    assert shown("127.0.0.1", 25) == "127.0.0.1:25"
    assert shown("::", 587) == "[::]:587"


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as refused:
            bind("127.0.0.1", port)
    assert str(refused.value) == f"cannot listen at 127.0.0.1:{port}: another process listens there"


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(CannotListen, match=r"cannot listen at 192\.0\.2\.1:0: cannot assign requested address"):
        bind("192.0.2.1", 0)


def test_a_port_that_needs_a_right_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    class Forbidden(socket.socket):
        bind = forbidden

    monkeypatch.setattr(socket, "socket", Forbidden)
    with pytest.raises(CannotListen, match="CAP_NET_BIND_SERVICE"):
        bind("127.0.0.1", 465)
