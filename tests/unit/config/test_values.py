"""The small languages of a configuration: what is printed is read back, and what is refused says what to write."""

from datetime import timedelta
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config import values
from relay.config.values import Address
from relay.core.limits import Limit, parse_limit
from relay.core.routing import SecretKind, SecretReference

MILLISECONDS = st.integers(min_value=0, max_value=values.LONGEST // 1000)


def microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


@given(MILLISECONDS.map(lambda many: many * 1000))
def test_any_duration_prints_and_is_read_back(duration: int) -> None:
    assert values.read_duration(values.print_duration(duration)) == duration


@given(st.integers(min_value=1, max_value=10**11))
def test_any_size_prints_and_is_read_back(size: int) -> None:
    assert values.read_size(values.print_size(size)) == size


@given(st.integers(min_value=0, max_value=99_999_999))
def test_any_share_prints_and_is_read_back(millionths: int) -> None:
    share = Fraction(millionths, 100_000_000)
    assert values.read_share(values.print_share(share)) == share


@given(
    st.integers(min_value=1, max_value=10**9 - 1),
    st.integers(min_value=1, max_value=999),
    st.sampled_from(["s", "m", "h", "d", "w", "second", "minute", "hour", "day", "week"]),
)
def test_any_limit_prints_and_is_read_back(count: int, many: int, unit: str) -> None:
    limit = parse_limit(f"{count}/{many}{unit}")
    assert parse_limit(str(limit)) == limit


@given(st.integers(min_value=1, max_value=10**9 - 1))
def test_a_limit_of_calendar_days_prints_and_is_read_back(count: int) -> None:
    assert parse_limit(str(Limit(count, 0))) == Limit(count, 0)


@given(st.ip_addresses(), st.integers(min_value=0, max_value=65535))
def test_any_address_to_listen_at_prints_and_is_read_back(host: object, port: int) -> None:
    address = Address(str(host), port)
    assert values.read_listen_address(str(address)) == address


@given(st.ip_addresses().flatmap(lambda ip: st.tuples(st.just(ip), st.integers(0, ip.max_prefixlen))))
def test_any_network_prints_and_is_read_back(pair: tuple[object, int]) -> None:
    network = ip_network(f"{pair[0]}/{pair[1]}", strict=False)
    assert values.read_network(str(network)) == network


@given(st.text(max_size=40))
def test_junk_is_refused_with_a_sentence_and_nothing_else(text: str) -> None:
    readers = [
        values.read_duration, values.read_size, values.read_share, values.read_listen_address, values.read_host,
        values.read_network, values.read_date, values.read_moment, values.read_mail_address, values.read_pattern,
        values.read_reference, parse_limit,
    ]  # fmt: skip
    for read in readers:
        refusal = None
        try:
            read(text)
        except ValueError as error:
            refusal = str(error)
        assert refusal != ""


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("90s", timedelta(seconds=90)),
        ("90", timedelta(seconds=90)),
        (90, timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("4h", timedelta(hours=4)),
        ("3d", timedelta(days=3)),
        ("2w", timedelta(weeks=2)),
        ("10 m", timedelta(minutes=10)),
        ("0s", timedelta()),
    ],
)
def test_durations_have_the_units_that_are_promised(text: str | int, span: timedelta) -> None:
    assert values.read_duration(text) == microseconds(span)


@pytest.mark.parametrize("text", ["", "m", "-1s", "1.5h", "1h30m", "5 months", "3M", "٣s", "1000w", "1e3"])
def test_a_duration_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|ten years"):
        values.read_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("25MB", 25_000_000), ("25MiB", 25 * 2**20), ("10kB", 10_000), ("10KiB", 10_240), ("1GB", 10**9), ("1GiB", 2**30),
     ("500", 500), (500, 500), ("25mb", 25_000_000), ("25 MB", 25_000_000), ("7B", 7)],
)  # fmt: skip
def test_sizes_tell_thousands_from_powers_of_two(text: str | int, size: int) -> None:
    assert values.read_size(text) == size


@pytest.mark.parametrize("text", ["25M", "25K", "1.5MB", "-1MB", "MB", "25 megabytes", "25TB"])
def test_a_size_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        values.read_size(text)


def test_shares_are_percentages_below_the_whole() -> None:
    assert values.read_share("25%") == Fraction(1, 4)
    assert values.read_share("0%") == 0
    assert values.read_share("2.5 %") == Fraction(1, 40)
    for text in ("100%", "25", "0.25", "-1%", "%", "a%"):
        with pytest.raises(ValueError, match="percentage"):
            values.read_share(text)


def test_loopback_is_known_by_name_and_by_number() -> None:
    assert all(values.is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST."))
    assert not any(values.is_loopback(host) for host in ("0.0.0.0", "10.0.0.1", "::", "localhost.example.it"))


def test_localhost_listens_on_the_loopback_address() -> None:
    assert values.read_listen_address("localhost:2525") == Address("127.0.0.1", 2525)


def test_a_network_may_be_one_address_but_has_no_bits_beyond_its_mask() -> None:
    assert values.read_network("10.0.0.5") == IPv4Network("10.0.0.5/32")
    assert values.read_network("fd00::/8") == IPv6Network("fd00::/8")
    with pytest.raises(ValueError, match=r"did you mean 10\.0\.0\.0/8"):
        values.read_network("10.0.0.5/8")


def test_hosts_are_names_or_addresses_without_a_port() -> None:
    assert values.read_host("smtps.aruba.it") == "smtps.aruba.it"
    assert values.read_host("[::1]") == "::1"
    for text in ("h:25", "", "-a.it", "a..it", "a b", "https://x.it", "x" * 64 + ".it"):
        with pytest.raises(ValueError, match="not a host"):
            values.read_host(text)


def test_mail_addresses_are_bounded_and_clean() -> None:
    assert values.read_mail_address("Dr.Rossi@Studio.it") == "Dr.Rossi@Studio.it"
    for text in ("a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nX: y", "<a@b>", "x" * 65 + "@b"):
        with pytest.raises(ValueError, match="not a mail address"):
            values.read_mail_address(text)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env:PW", SecretReference(SecretKind.ENV, "PW")),
        ("file:pw.txt", SecretReference(SecretKind.FILE, "pw.txt")),
        ("secret:m.rossi", SecretReference(SecretKind.STORED, "m.rossi")),
        ("environment:PW", SecretReference(SecretKind.LITERAL, "environment:PW")),
        ("$argon2id$v=19$x", SecretReference(SecretKind.LITERAL, "$argon2id$v=19$x")),
    ],
)
def test_a_secret_says_where_it_is_kept(text: str, reference: SecretReference) -> None:
    assert values.read_reference(text) == reference
