"""A provider's reply as a value: bounded, printable, with everything that names a person or a host masked.

Law: what a peer says is attacker-controlled text; past this border it has no CR, LF, ESC or bidi controls, at most
`REPLY_BYTES` bytes, and no address; nor anything that names those whom the caller knows.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from relay.core.hiding import MASK, hidden

REPLY_BYTES: int = 2048
"""Enough for the longest multi-line reply of a real provider; a lie of 10 MB must not be carried along."""

_PLAIN_LENGTH: int = 512
"""One reply line of RFC 5321 (4.5.3.1.5); longer ones are rare enough to be read slowly."""

_ENHANCED = re.compile(r"^([245])\.(\d{1,3})\.(\d{1,3})(?=$|[\s:;,])")
_ADDRESS = re.compile(
    r"""<?(?:"[^"]{1,128}"|(?<![^\s<>@,;:"'(\[])(?:[^\s<>@,;:"'(\[]|<address>)+)@[^\s<>,;:"')\]]*[^\s<>,;:"')\].]>?""",
)
"""A word is tried from its beginning only, so that a long one without `@` costs no more than its length; a full stop at
the end belongs to the sentence."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Code, enhanced code (RFC 3463, `2.1.5`, None where there was none) and text on one line."""

    code: int
    enhanced: str | None
    text: str

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)

    @property
    def is_positive(self) -> bool:
        """2yz and 3yz: the command was taken."""
        return 200 <= self.code < 400

    @property
    def is_temporary(self) -> bool:
        """4yz."""
        return 400 <= self.code < 500


def masked(text: str) -> str:
    """Text with mail addresses replaced."""
    return _ADDRESS.sub(MASK, text)


def verbatim(code: int, text: str) -> str:
    """What a peer said, with whom it names: bounded and printable, on one line. It may only be kept sealed."""
    said = " ".join(_printable(text[: 4 * REPLY_BYTES]).split())
    return f"{code} {said}".encode()[:REPLY_BYTES].decode(errors="ignore")


def read_reply(code: int, text: str, hide: Collection[str] = ()) -> Reply:
    """Makes the bounded, masked value of what a peer said; `text` may have continuation lines.

    `hide` are addresses whose local parts it must not show in any wording.
    """
    if len(text) <= _PLAIN_LENGTH and text.isascii() and text.isprintable() and "@" not in text:
        return _read_plain(code, text, hide)
    text = text[: 4 * REPLY_BYTES]
    lines = [" ".join(_printable(line).split()) for line in text.splitlines()]
    enhanced = None
    for index, line in enumerate(lines):
        match = _ENHANCED.match(line)
        if match is not None and int(match[1]) == code // 100:
            enhanced = match[0]
            lines[index] = line[match.end() :].lstrip(" :;,")
    joined = masked(hidden(" ".join(line for line in lines if line), hide))
    return Reply(code, enhanced, joined.encode()[: REPLY_BYTES - 32].decode(errors="ignore"))


def _read_plain(code: int, text: str, hide: Collection[str]) -> Reply:
    """The same for one short line of plain characters without an address, which nearly every reply is."""
    text = " ".join(text.split())
    match = _ENHANCED.match(text)
    if match is None or int(match[1]) != code // 100:
        return Reply(code, None, hidden(text, hide))
    return Reply(code, match[0], hidden(text[match.end() :].lstrip(" :;,"), hide))


def _printable(text: str) -> str:
    return "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
