"""The scanner of headers against the printer of messages and against the standard library's reader."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import format_datetime, parsedate_to_datetime

from hypothesis import given
from hypothesis import strategies as st

from relay.core.completion import Stamp, completed
from relay.core.headers import TopHeader, date_text, is_date, is_removed, read_header, rewritten

STAMP = Stamp("relay.example.it", "ESMTPA", "m-1", 1_793_613_600.0)

names = st.sampled_from(
    ["From", "SENDER", "date", "Message-ID", "Received", "Bcc", "Resent-Bcc", "X-Relay-Priority", "Subject", "X-Y"]
)
words = st.text('abc @<>.:;,"éÀ', max_size=12)
values = st.lists(words.filter(str.strip), min_size=1, max_size=3).map("\r\n ".join)
fields = st.lists(st.tuples(names, values), max_size=8)
bodies = st.one_of(st.just(b""), st.binary(max_size=40).map(lambda body: b"\r\n" + body.replace(b"\r", b"\n")))


def printed(found: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in found).encode()


def header_of(content: bytes) -> TopHeader:
    header = read_header(content)
    assert isinstance(header, TopHeader)
    return header


@given(fields, bodies)
def test_what_was_printed_is_read(found: list[tuple[str, str]], body: bytes) -> None:
    header = header_of(printed(found) + body)
    assert header.content[header.end :] == body
    read = [(header.value(field), field.name) for field in header.fields]
    known = {b"from", b"sender", b"date", b"message-id", b"received"}
    expected = [
        (value.replace("\r\n", "").strip(" \t"), name.lower().encode())
        for name, value in found
        if name.lower().encode() in known or is_removed(name.lower().encode())
    ]
    assert read == expected


@given(fields, bodies)
def test_without_changes_every_byte_stays(found: list[tuple[str, str]], body: bytes) -> None:
    content = printed(found) + body
    assert rewritten(header_of(content), b"", []) == content


@given(fields, bodies)
def test_only_what_the_interface_names_changes(found: list[tuple[str, str]], body: bytes) -> None:
    found = [field for field in found if field[0] != "date"]
    sent = completed(header_of(printed(found) + body), STAMP, sender="a@d.test").content
    kept = printed([(name, value) for name, value in found if not is_removed(name.lower().encode())])
    assert sent.endswith(kept + body)
    added = sent[: len(sent) - len(kept + body)]
    names_added = [field.name for field in header_of(added).fields]
    missing = {name for name in (b"message-id", b"from") if not header_of(printed(found)).named(name)}
    assert names_added[0] == b"received"
    assert set(names_added[1:]) == missing | {b"date"}
    assert len(names_added) == len(missing) + 2


@given(fields, bodies)
def test_the_standard_library_reads_the_same_authors(found: list[tuple[str, str]], body: bytes) -> None:
    content = printed(found) + body
    header = header_of(content)
    peer = message_from_bytes(content)
    assert len(peer.get_all("From", [])) == len(header.named(b"from"))
    assert len(peer.get_all("Bcc", [])) == len(header.named(b"bcc"))


@given(st.binary(max_size=80).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n"))
def test_any_lines_at_all_are_read_and_completed(content: bytes) -> None:
    header = header_of(content)
    sent = completed(header, STAMP, sender="a@d.test").content
    assert header_of(sent).first(b"received") is not None
    assert sent.endswith(content[header.end :])


@given(st.integers(0, 4_000_000_000))
def test_dates_are_written_as_the_standard_library_writes_and_reads_them(wall: int) -> None:
    text = date_text(wall + 0.5)
    assert text == format_datetime(datetime.fromtimestamp(wall, UTC))
    assert is_date(text)
    assert parsedate_to_datetime(text).timestamp() == wall
