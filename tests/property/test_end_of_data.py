"""Only CRLF.CRLF ends a message, wherever the network cuts the bytes."""

import re
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from relay.core.content import DOTS_TRIED, Lines, find_dot_line, read_lines, stuffed, unstuffed
from relay.core.routing import BareNewline
from relay.submission.incoming import BLOCK, Incoming

pieces = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b".", b"..", b"\r\n.", b".\r\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"a", b"\0"]
    ),
    max_size=12,
).map(b"".join)


def model(stream: bytes) -> tuple[bytes, bytes] | None:
    """Message and rest, by the sentence of RFC 5321 and nothing faster; None: it has not ended."""
    end = re.search(rb"\r\n\.\r\n", b"\r\n" + stream)
    if end is None:
        return None
    return stream[: max(0, end.start())], stream[end.end() - 2 :]


def received(chunks: list[bytes]) -> tuple[bytes, bytes] | None:
    incoming, blocks = Incoming(), list[bytes]()
    incoming.begin_data()
    is_ended = False
    rest = b""
    for chunk in chunks:
        if is_ended:
            rest += chunk
        else:
            incoming.feed(chunk)
            is_ended = incoming.data(blocks)
    if not is_ended:
        return None
    unread = bytes(incoming._buffer)
    return b"".join(blocks), unread + rest


def chopped(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)] or [stream]


@given(pieces, pieces, st.lists(st.integers(0, 200), max_size=10))
@example(b"", b"", [])
@example(b".", b"", [1, 2, 3])
@example(b"\r\n.", b"QUIT", [1, 2, 3, 4, 5])
def test_the_message_ends_where_the_rfc_says(before: bytes, after: bytes, cuts: list[int]) -> None:
    stream = before + b"\r\n.\r\n" + after
    expected = model(stream)
    assert expected is not None
    message, rest = expected
    assert received(chopped(stream, cuts)) == (message, rest)


@given(pieces, pieces)
def test_one_byte_at_a_time_is_as_good(before: bytes, after: bytes) -> None:
    stream = before + b"\r\n.\r\n" + after
    assert received([bytes([octet]) for octet in stream]) == model(stream)


@given(pieces, st.lists(st.integers(0, 200), max_size=10))
def test_nothing_else_ends_it(stream: bytes, cuts: list[int]) -> None:
    assert received(chopped(stream, cuts)) == model(stream)


@given(st.integers(BLOCK - 8, BLOCK + 8), st.lists(st.integers(BLOCK - 12, BLOCK + 16), max_size=4))
def test_the_edge_of_a_block_hides_no_end(size: int, cuts: list[int]) -> None:
    stream = b"x" * size + b"\r\n.\r\nNOOP\r\n"
    assert received(chopped(stream, cuts)) == (b"x" * size + b"\r\n", b"NOOP\r\n")


lines = st.lists(st.binary(max_size=6).map(lambda line: line.translate(None, b"\r\n\0")), max_size=6)


@given(lines)
def test_what_a_client_stuffs_arrives_as_it_was(message: list[bytes]) -> None:
    content = b"".join(line + b"\r\n" for line in message)
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    found = received([stuffed + b".\r\n"])
    assert found is not None
    assert unstuffed(found[0]) == content


@given(st.integers(DOTS_TRIED - 2, DOTS_TRIED + 2), pieces, st.integers(0, 90))
def test_a_dot_line_is_found_behind_any_number_of_dots(dots: int, after: bytes, start: int) -> None:
    octets = b"x." * dots + after
    assert find_dot_line(octets, start) == find_dot_line(bytearray(octets), start) == octets.find(b"\r\n.", start)


@given(pieces)
def test_stuffing_and_unstuffing_are_each_others_inverse(content: bytes) -> None:
    assert unstuffed(stuffed(content)) == content


@given(st.binary(max_size=40))
def test_what_passes_has_no_line_end_but_crlf(content: bytes) -> None:
    found = read_lines(content, BareNewline.NORMALIZE)
    if isinstance(found, Lines):
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", found.content) is None
        assert found.content.replace(b"\r\n", b"\n").translate(None, b".") == content.replace(b"\r\n", b"\n").translate(
            None, b"."
        )
