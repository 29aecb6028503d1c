"""Who a proxy says that the client is: only a header without doubt is believed, and nothing behind it is touched."""

import struct
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.refusal import Reason
from relay.core.routing import Client
from relay.submission.peer import Neighbours, Origin, Peer
from relay.submission.proxy import HEADER_MOST, LINE_MOST, announced, comes_from_proxy
from relay.submission.settings import ListenerSettings
from relay.submission.wire import ClientGone
from tests.fakes.submission import by_address, practice

PROXY = Peer("10.1.0.4")
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(addresses: bytes, *, command: int = 0x21, kind: int = 0x11, more: bytes = b"") -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, kind, len(addresses + more)) + addresses + more


def inet(source: str, port: int = 50_000) -> bytes:
    target = "192.0.2.1" if ip_address(source).version == 4 else "2001:db8::1"
    return ip_address(source).packed + ip_address(target).packed + struct.pack("!HH", port, 587)


class Stream:
    """Octets that come a few at a time; then the client is gone."""

    def __init__(self, octets: bytes, step: int = 1_000_000) -> None:
        self.left = octets
        self.step = step

    async def __call__(self, most: int) -> bytes:
        if not self.left:
            raise ClientGone
        got, self.left = self.left[: min(most, self.step)], self.left[min(most, self.step) :]
        return got


async def read(octets: bytes) -> Peer | Reason:
    return await announced(PROXY, Stream(octets))


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("header", "address"),
    [
        (b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 587\r\n", "203.0.113.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 50000 587\r\n", "2001:db8::7"),
        (v2(inet("203.0.113.7")), "203.0.113.7"),
        (v2(inet("2001:db8::7"), kind=0x21), "2001:db8::7"),
        (v2(inet("203.0.113.7"), more=b"\x04\x00\x03abc\xee\x00\x10" + b"x" * 16), "203.0.113.7"),
    ],
)
async def test_the_client_is_whom_the_header_names_and_what_follows_is_left(
    header: bytes, address: str, step: int
) -> None:
    stream = Stream(header + b"EHLO pc\r\n", step)
    found = await announced(PROXY, stream)
    assert isinstance(found, Peer)
    assert (found.text, found.origin) == (address, Origin.PROXIED)
    assert stream.left == b"EHLO pc\r\n"


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
        v2(b"", command=0x20, kind=0x00),
        v2(inet("127.0.0.1"), command=0x20),
        v2(b"", kind=0x00),
        v2(b"/run/proxy".ljust(216, b"\0"), kind=0x31),
    ],
)
async def test_a_proxy_that_speaks_for_itself_or_hides_the_client_is_nobody(header: bytes) -> None:
    stream = Stream(header + b"NOOP\r\n")
    found = await announced(PROXY, stream)
    assert isinstance(found, Peer)
    assert (found.text, found.origin) == ("10.1.0.4", Origin.HIDDEN)
    assert stream.left == b"NOOP\r\n"


@pytest.mark.parametrize(
    "header",
    [
        b"EHLO pc\r\n",
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PROXY \r\n",
        b"PROXY\r\n",
        b"PROXYTCP4 203.0.113.7 192.0.2.1 50000 587\r\n",
        b"PROXY TCP4\r\n",
        b"PROXY TCP4 203.0.113.7\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 50000\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 587 extra\r\n",
        b"PROXY TCP4 203.0.113.7  192.0.2.1 50000 587\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 587\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 70000 587\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 abc 587\r\n",
        b"PROXY TCP4 203.0.113.256 192.0.2.1 50000 587\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 50000 587\r\n",
        b"PROXY TCP6 203.0.113.7 192.0.2.1 50000 587\r\n",
        b"PROXY UDP4 203.0.113.7 192.0.2.1 50000 587\r\n",
        b"PROXY TCP4 localhost 192.0.2.1 50000 587\r\n",
        b"PROXY TCP4 " + b"1" * 200,
        SIGNATURE[:-1] + b"x" + v2(inet("203.0.113.7"))[12:],
        v2(inet("203.0.113.7"), command=0x11),
        v2(inet("203.0.113.7"), command=0x22),
        v2(inet("203.0.113.7"), kind=0x12),
        v2(inet("203.0.113.7"), kind=0x10),
        v2(inet("203.0.113.7"), kind=0x41),
        v2(inet("203.0.113.7")[:-1]),
        v2(inet("203.0.113.7"), kind=0x21),
        v2(inet("203.0.113.7"), more=b"x" * HEADER_MOST),
    ],
)
async def test_what_is_no_header_without_doubt_is_not_believed(header: bytes) -> None:
    assert await read(header) is Reason.PROXY_GARBLED


async def test_no_more_is_read_than_a_header_may_have() -> None:
    line = Stream(b"PROXY TCP4 " + b"1" * 100_000)
    assert await announced(PROXY, line) is Reason.PROXY_GARBLED
    assert 100_011 - len(line.left) <= LINE_MOST + 5
    long = Stream(v2(inet("203.0.113.7"), more=b"x" * 60_000))
    assert await announced(PROXY, long) is Reason.PROXY_GARBLED
    assert 60_028 - len(long.left) <= HEADER_MOST


async def test_who_hangs_up_before_the_header_is_gone() -> None:
    with pytest.raises(ClientGone):
        await read(b"")
    with pytest.raises(ClientGone):
        await read(b"PRO")


@given(st.binary(max_size=300))
async def test_no_octets_make_anything_but_a_client_or_a_refusal(noise: bytes) -> None:
    for octets in (noise, b"PROXY" + noise, SIGNATURE + noise):
        try:
            found = await read(octets)
        except ClientGone:
            continue
        assert found is Reason.PROXY_GARBLED or isinstance(found, Peer)


def test_only_the_listeners_own_proxies_are_heard() -> None:
    listener = ListenerSettings("0.0.0.0:25", proxies=(ip_network("10.1.0.0/24"), ip_network("2001:db8::/64")))
    assert comes_from_proxy(listener, PROXY)
    assert comes_from_proxy(listener, Peer("::ffff:10.1.0.4"))
    assert comes_from_proxy(listener, Peer("2001:db8::9"))
    assert not comes_from_proxy(listener, Peer("10.1.1.4"))
    assert not comes_from_proxy(listener, Peer("127.0.0.1"))


class TestTrust:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
    def test_a_proxied_loopback_is_not_this_machine(self, address: str) -> None:
        assert Peer(address).is_loopback
        assert not Peer(address, Origin.PROXIED).is_loopback
        assert not Peer(address, Origin.HIDDEN).is_loopback

    def test_a_hidden_client_is_in_no_network(self) -> None:
        known = Client("room", ("*",), networks=(ip_network("10.1.0.0/24"),))
        hidden = Peer("10.1.0.4", Origin.HIDDEN)
        assert Peer("10.1.0.4", Origin.PROXIED).is_in(known)
        assert not hidden.is_in(known)
        assert hidden.is_in(Client("anywhere", ("*",)))
        neighbours = Neighbours(practice(by_address(network="10.1.0.0/24")))
        assert neighbours.client_at(Peer("10.1.0.4", Origin.PROXIED)) is not None
        assert neighbours.client_at(hidden) is None
        assert not neighbours.is_expected(hidden)
