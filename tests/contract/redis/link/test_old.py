"""A Redis that is too old for the scripts is refused before anything is written; none such can be installed here."""

import socket
import threading
from collections.abc import Iterator

import pytest

from relay.errors import StoreBroken
from tests.contract.redis.link.scene import link_to

INFO = b"# Server\r\nredis_version:6.0.16\r\nloading:0\r\ncluster_enabled:0\r\n"
REPLIES = b"$%d\r\n%b\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" % (len(INFO), INFO)


@pytest.fixture
def heard() -> Iterator[tuple[int, list[bytes]]]:
    """A port where a server of old answers INFO and ROLE, and what it was sent."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                said.append(connection.recv(65536))
                connection.sendall(REPLIES)
                said.append(connection.recv(65536))

        answering = threading.Thread(target=answer)
        answering.start()
        yield listener.getsockname()[1], said
        answering.join(60)


def test_redis_older_than_6_2_is_refused(heard: tuple[int, list[bytes]]):
    port, said = heard
    link = link_to(f"redis://127.0.0.1:{port}")
    with pytest.raises(StoreBroken, match=r"is Redis 6.0.16; the relay needs 6.2 or newer, or Valkey"):
        link.open()
    link.close()
    assert b"INFO" in said[0]
    assert b"EVAL" not in b"".join(said)
