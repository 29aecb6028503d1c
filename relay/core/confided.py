"""What a mail says of its patient beside the address (subject, names, file names), taken out of a provider's reply.

Law: what the reply repeats of these, whole or cut off, does not leave here; the time is linear in text and content.
"""

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses

from relay.core.headers import HEADER_MOST

WITHHELD: str = "<withheld>"
"""What stands in its place."""

PHRASE_LEAST: int = 3
"""Characters from which on a phrase is looked for: a shorter one is in every sentence."""

CUT_LEAST: int = 12
"""Characters of a phrase that was cut off from which on it is known again."""

NAMES_MOST: int = 64
"""File names looked at: a mail with a prescription has one or two, and a page of HTML has many fields with names."""

_TOP = re.compile(rb"(?im)^(subject|to|cc|resent-to|resent-cc):((?:[^\r\n]|\r?\n[ \t])*)")
_FILE = re.compile(
    rb"""name(?:\*\d*\*?)?[ \t]*=[ \t]*(?:"((?:[^"\\\r\n]|\\.){1,512})"|([^\s;"<>]{1,512}))""", re.IGNORECASE
)
_CHARSET = re.compile(r"^[\w-]*'[\w-]*'")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENCODED = re.compile(r"=\?[^?\s]+\?[^?\s]+\?[^?\s]*\?=")


def confided(content: bytes) -> frozenset[str]:
    """The phrases of a message in wire form that no reply may show: subject, names of whom it is for, file names."""
    end = content.find(b"\r\n\r\n", 0, HEADER_MOST)
    found: set[str] = set()
    for name, value in _TOP.findall(content[: end + 2 if end >= 0 else HEADER_MOST]):
        text = " ".join(value.decode(errors="replace").split())
        found.update(_spellings(text) if name.lower() == b"subject" else _names(text))
    found.update(_files(content))
    return frozenset(phrase for phrase in found if sum(map(str.isalnum, phrase)) >= PHRASE_LEAST)


def withheld(text: str, phrases: frozenset[str]) -> str:
    """The text, one line, without these phrases, in whatever case, and without the beginning of a long one."""
    for phrase in sorted(phrases, key=lambda each: (-len(each), each)):
        text = _without(text, " ".join(phrase.split()))
    return text


def _without(text: str, phrase: str) -> str:
    text_folded, folded = _folded(text), _folded(phrase)
    head = folded[:CUT_LEAST]
    pieces: list[str] = []
    done = 0
    at = text_folded.find(head)
    while at >= 0:
        end = at + 1
        if _is_edge(text, at):
            cut = at + _shared(text_folded, at, folded)
            if cut - at > CUT_LEAST or _is_edge(text, cut):
                pieces += (text[done:at], WITHHELD)
                done = end = cut
        at = text_folded.find(head, end)
    return "".join((*pieces, text[done:])) if pieces else text


def _shared(text: str, at: int, phrase: str) -> int:
    """How many characters of the phrase stand at this place."""
    end = at
    while end - at < len(phrase) and end < len(text) and text[end] == phrase[end - at]:
        end += 1
    return len(text[at:end].rstrip())


def _is_edge(text: str, at: int) -> bool:
    """Whether no word goes through this place."""
    return not (0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum())


def _folded(text: str) -> str:
    """In lower case, character by character, so that places stay the same."""
    return "".join(lower if len(lower := char.lower()) == 1 else char for char in text)


def _spellings(text: str) -> set[str]:
    """A value as a reader sees it, as it is written, and each of its encoded words (RFC 2047)."""
    return {_decoded(text), text, *_ENCODED.findall(text)}


def _names(text: str) -> set[str]:
    return {spelling for name, _ in getaddresses([text]) for spelling in _spellings(name)}


def _files(content: bytes) -> set[str]:
    """File names without their endings, which say why an attachment was refused."""
    found: set[str] = set()
    for count, match in enumerate(_FILE.finditer(content)):
        if count == NAMES_MOST:
            break
        name = re.sub(r"\\(.)", r"\1", (match[1] or match[2]).decode(errors="replace"))
        for spelling in (*_spellings(name), _unescaped(_CHARSET.sub("", name))):
            found.add(re.split(r"[/\\]", spelling)[-1].rpartition(".")[0] or spelling)
    return found


def _decoded(text: str) -> str:
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def _unescaped(value: str) -> str:
    """A parameter's value without its percent signs (RFC 2231, 4)."""
    return _PERCENT.sub(lambda match: bytes.fromhex(match[1].decode()), value.encode()).decode(errors="replace")
