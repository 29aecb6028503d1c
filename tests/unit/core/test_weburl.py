"""Where webhooks may go: nothing leads them inside unless the configuration says so, and some places never."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.weburl import Reach, WebUrl, may_ask, parse_web_url, reach_of, url_problem


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://ops.example/hook", WebUrl("https", "ops.example", 443, "/hook")),
        ("https://OPS.example", WebUrl("https", "ops.example", 443, "/")),
        ("https://ops.example:8443/a/b?x=1&y=%20", WebUrl("https", "ops.example", 8443, "/a/b?x=1&y=%20")),
        ("https://ops.example?x=1", WebUrl("https", "ops.example", 443, "/?x=1")),
        ("https://ops.example./", WebUrl("https", "ops.example", 443, "/")),
        ("http://127.0.0.1:80/", WebUrl("http", "127.0.0.1", 80, "/")),
        ("https://[2001:DB8::1]:9/x", WebUrl("https", "2001:db8::1", 9, "/x")),
        ("https://ops.example/a@b", WebUrl("https", "ops.example", 443, "/a@b")),
    ],
)
def test_an_address_of_the_web_has_four_parts(text: str, url: WebUrl) -> None:
    assert parse_web_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "ops.example", "ftp://ops.example", "HTTPS://ops.example", "https:/ops.example", "https://", "https:///x",
        "https://./", "https://ops.example:0/", "https://ops.example:65536/", "https://ops.example:/",
        "https://ops example/", "https://ops.example/ a", "https://ops.example/#part", "https://ops.example\\@evil/",
        "https://user@ops.example/", "https://user:hush@ops.example/", "https://ops.example@evil.example/",
        "https://[::1/", "https://[:::]/", "https://[fe80::1%25eth0]/", "https://òps.example/", "https://o.it/\r\nX: y",
        "https://o.it/" + "x" * 1024,
    ],
)  # fmt: skip
def test_anything_else_is_none_and_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="web address") as caught:
        parse_web_url(text)
    assert "hush" not in str(caught.value)


def test_what_may_be_secret_in_it_is_not_shown() -> None:
    url = parse_web_url("https://ops.example:8443/s3cret/path?token=s3cret")
    assert (url.origin, url.authority) == ("https://ops.example:8443", "ops.example:8443")
    assert "s3cret" not in f"{url!r} {url.origin}"
    assert parse_web_url("https://[2001:db8::1]/").authority == "[2001:db8::1]"


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("::ffff:8.8.8.8", Reach.PUBLIC),
        ("64:ff9b::808:808", Reach.PUBLIC),
        ("2002:808:808::1", Reach.PUBLIC),
        ("127.0.0.1", Reach.PRIVATE),
        ("127.255.255.254", Reach.PRIVATE),
        ("::1", Reach.PRIVATE),
        ("10.1.2.3", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.0.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("::ffff:127.0.0.1", Reach.PRIVATE),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("::127.0.0.1", Reach.PRIVATE),
        ("64:ff9b::7f00:1", Reach.PRIVATE),
        ("2002:7f00:1::", Reach.PRIVATE),
        ("0.0.0.0", Reach.NEVER),
        ("0.1.2.3", Reach.NEVER),
        ("::", Reach.NEVER),
        ("169.254.169.254", Reach.NEVER),
        ("::ffff:169.254.169.254", Reach.NEVER),
        ("64:ff9b::a9fe:a9fe", Reach.NEVER),
        ("2002:a9fe:a9fe::", Reach.NEVER),
        ("100.100.100.200", Reach.NEVER),
        ("168.63.129.16", Reach.NEVER),
        ("192.0.0.192", Reach.NEVER),
        ("fd00:ec2::254", Reach.NEVER),
        ("fe80::1", Reach.NEVER),
        ("fe80::1%eth0", Reach.NEVER),
        ("fec0::1", Reach.NEVER),
        ("224.0.0.1", Reach.NEVER),
        ("ff02::1", Reach.NEVER),
        ("255.255.255.255", Reach.NEVER),
        ("240.0.0.1", Reach.NEVER),
        ("198.18.0.1", Reach.NEVER),
        ("192.0.2.1", Reach.NEVER),
        ("2001:db8::1", Reach.NEVER),
        ("64:ff9b:1::7f00:1", Reach.NEVER),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Reach.NEVER),
        ("ops.example", Reach.NEVER),
        ("0x7f.1", Reach.NEVER),
        ("", Reach.NEVER),
    ],
)
def test_each_address_is_as_far_away_as_it_is(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach
    assert may_ask(address, is_private_allowed=False) == (reach is Reach.PUBLIC)
    assert may_ask(address, is_private_allowed=True) == (reach is not Reach.NEVER)


@given(st.ip_addresses())
def test_nothing_that_is_not_global_is_public(address) -> None:
    if reach_of(str(address)) is Reach.PUBLIC:
        assert address.is_global or address.version == 6, "IPv6 that stands for IPv4 counts as that"
        assert not address.is_multicast
        assert not address.is_link_local


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_no_nearer_in_the_clothes_of_ipv6(address) -> None:
    number = int(address)
    clothes = [0xFFFF << 32 | number, 0x0064_FF9B << 96 | number, 0x2002 << 112 | number << 80]
    for each in clothes:
        assert reach_of(str(ip_address(each))) is reach_of(str(address))


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert reach_of(text) in Reach
    try:
        url = parse_web_url(f"https://{text}")
    except ValueError:
        return
    assert url.host
    assert url.target.startswith("/")


ONLY_HTTPS = "not https"


@pytest.mark.parametrize(
    ("text", "outside", "inside"),
    [
        ("https://ops.example/", None, None),
        ("https://8.8.8.8/", None, None),
        ("http://ops.example/", ONLY_HTTPS, ONLY_HTTPS),
        ("http://10.0.0.1/", ONLY_HTTPS, ONLY_HTTPS),
        ("http://127.0.0.1:8000/", ONLY_HTTPS, None),
        ("http://localhost:8000/", ONLY_HTTPS, None),
        ("http://[::1]:8000/", ONLY_HTTPS, None),
        ("https://localhost/", "a private address", None),
        ("https://ops.localhost/", "a private address", None),
        ("https://10.0.0.1/", "a private address", None),
        ("https://169.254.169.254/", "an address to which nothing", "an address to which nothing"),
    ],
)
def test_an_address_alone_may_already_be_wrong(text: str, outside: str | None, inside: str | None) -> None:
    for is_allowed, expected in ((False, outside), (True, inside)):
        problem = url_problem(parse_web_url(text), is_private_allowed=is_allowed)
        assert problem == expected or (problem is not None and expected is not None and problem.startswith(expected))
