"""Who a mail is for, taken out of what a provider says about it, in whatever wording.

Law: the local part of a known address leaves no reply as a word of its own, whether it stands there with its domain,
cut off from it, quoted, in another case or encoded; the time is linear in the text.
"""

import re
from collections.abc import Iterable
from itertools import zip_longest

MASK: str = "<address>"
"""What stands in the place of an address."""

WORD_LEAST: int = 3
"""Characters from which on a local part is hidden as a word; a shorter one only where an address would stand."""

ANYWHERE_LEAST: int = 6
"""Characters from which on it is hidden inside other words too: no sentence has so many in a row by chance."""

_RUN = re.compile(r"[A-Za-z0-9]+")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_SQUASHED = str.maketrans("", "", " \t\r\n")
_SEPARATORS = "._-"
_OPENING, _CLOSING = r"""[<"'(\[:=]""", r"""[>"')\]@%]"""
_NOT_AFTER_WORD, _NOT_BEFORE_WORD = r"(?<![^\W_])", r"(?![^\W_])"


def hidden(text: str, addresses: Iterable[str]) -> str:
    """The text without the people whose addresses these are; `text` is one line."""
    words = {word for address in addresses for word in _names(address)}
    for word in sorted(words, key=lambda each: (-len(each), each)):
        if _may_hold(text, word):
            text = re.sub(_pattern(word), MASK, text, flags=re.IGNORECASE)
    return text.replace(f"<{MASK}>", MASK)


def original(orcpt: str | None) -> str | None:
    """The address in an ORCPT parameter (RFC 3461, 4.2: `rfc822;` and xtext); None: it holds none."""
    if orcpt is None:
        return None
    address = orcpt.partition(";")[2]
    return _XTEXT.sub(lambda match: chr(int(match[1], 16)), address) or None


def _names(address: str) -> list[str]:
    """The local part as it is, without quotes, and what it names without tag, route or path of hosts."""
    local = address.strip("<>").rpartition("@")[0] or address.strip("<>")
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    local = " ".join(local.split())
    person = re.split(r"[+%=]", local.rpartition("!")[2], maxsplit=1)[0].strip()
    return [name for name in (local, person) if any(char.isalnum() for char in name)]


def _may_hold(text: str, word: str) -> bool:
    """A cheap look: letters and digits of ASCII stay themselves in every encoding, and nearly no reply has them."""
    if not word.isascii():
        return True
    squashed = text.translate(_SQUASHED).lower()
    return max(_RUN.findall(word.lower()), key=len) in squashed


def _pattern(word: str) -> str:
    """The word as it is, or in some encoding; a long name also where a line was broken within it, or with blanks."""
    is_loose = len(word) >= ANYWHERE_LEAST
    spelled = "".join(
        _character(char, is_loose=is_loose) + (" ?+" if is_loose and _is_inside_run(char, after) else "")
        for char, after in zip_longest(word, word[1:], fillvalue=" ")
    )
    exact = rf"(?:{re.escape(word)}|{spelled})"
    if is_loose:
        return exact
    if len(word) >= WORD_LEAST:
        return f"{_NOT_AFTER_WORD}{exact}{_NOT_BEFORE_WORD}"
    return f"{_NOT_AFTER_WORD}{exact}(?={_CLOSING})|(?<={_OPENING}){exact}{_NOT_BEFORE_WORD}"


def _is_inside_run(char: str, after: str) -> bool:
    return char.isalnum() and after.isalnum()


def _character(char: str, *, is_loose: bool) -> str:
    """One way to read it at each place, which is never taken back: so the time stays linear."""
    if char.isalnum() and char.isascii():
        return char
    encoded = "".join(rf"[%+=]{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
    loose = r"|[ ._-]" if is_loose and char in _SEPARATORS else ""
    return rf"(?>{encoded}|\\?+{re.escape(char)}{loose})"
