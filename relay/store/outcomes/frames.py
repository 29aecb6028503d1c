"""The form of the journal: one record a line, its checksum before it, so that each is found whatever became of others.

Law: of any prefix of a journal exactly the whole records are read; what a checksum refutes is never taken for a record.
"""

import binascii
from collections.abc import Iterator
from zlib import crc32

_CHECKSUM = 8


def frame(record: bytes) -> bytes:
    """One record as a line: eight hexadecimal digits of CRC-32, a blank, base64, LF."""
    text = binascii.b2a_base64(record, newline=False)
    return b"%08x %s\n" % (crc32(text), text)


def frames(content: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Each whole line with its record; None: it is damaged. A last line without its end was never kept."""
    *lines, _torn = content.split(b"\n")
    for line in lines:
        yield line + b"\n", _record(line)


def _record(line: bytes) -> bytes | None:
    text = line[_CHECKSUM + 1 :]
    if line[: _CHECKSUM + 1] != b"%08x " % crc32(text):
        return None
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return None
