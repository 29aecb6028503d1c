"""E-mail addresses: which text is one, how a command names one, and which ones a header field names.

Law: what cannot be read beyond doubt is refused, never guessed, so that no reader sees another address than the relay
did; an address that is read is returned in the very characters in which it was written.
"""

import re
from itertools import pairwise

LOCAL_MOST: int = 64
"""Octets before the @ (RFC 5321, 4.5.3.1.1)."""

DOMAIN_MOST: int = 255
"""Octets after the @ (RFC 5321, 4.5.3.1.2)."""

ADDRESS_MOST: int = 254
"""Octets in all: a path has 256 with its angle brackets (RFC 5321, 4.5.3.1.3)."""

_WIDE = "\u0080-\U0010ffff"
_ATOM = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_WIDE}-]+"
_LABEL = rf"(?!-)[A-Za-z0-9{_WIDE}-]{{1,63}}(?<!-)"
_QUOTED = rf'"(?:[ !#-\[\]-~{_WIDE}]|\\[ -~])*"'
_LITERAL = r"\[[!-Z^-~]+\]"

_ADDRESS = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_LABEL}(?:\.{_LABEL})*|{_LITERAL})")
_BRACKETED = re.compile(r'\s*<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>(?:\s+(.*))?\s*', re.DOTALL)
_BARE = re.compile(r"\s*([^\s<>]+)(?:\s+(.*))?\s*", re.DOTALL)

_PLAIN_ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+"
_PLAIN_PHRASE = r'(?:"[^"\\\r\n]*"[ \t]*|[^@,:;<>()\[\]"\\\r\n]*)'
_USUAL = re.compile(rf"{_PLAIN_PHRASE}<({_PLAIN_ADDRESS})>|({_PLAIN_ADDRESS})")

_TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<literal>\[[^\[\]\\]*\])'
    r"|(?P<atom>[^\x00-\x20()<>\[\]:;@\\,.\"\x7f]+)|(?P<special>[<>@,:;.])",
    re.DOTALL,
)


def is_address(text: str) -> bool:
    """Whether this is `local@domain` (RFC 5321, 4.1.2; beyond ASCII RFC 6531, 3.3)."""
    if len(text) > ADDRESS_MOST or _ADDRESS.fullmatch(text) is None:
        return False
    local, _, domain = text.rpartition("@")
    if text.isascii():
        return len(local) <= LOCAL_MOST and len(domain) <= DOMAIN_MOST
    return text.isprintable() and len(local.encode()) <= LOCAL_MOST and len(text.encode()) <= ADDRESS_MOST


def read_path(text: str) -> tuple[str, str] | None:
    """The address in `<address> parameters` and the parameters; the null path gives an empty address. None: neither.

    Brackets may be missing, as some clients leave them out. The address is not checked, see `is_address`.
    """
    match = _BRACKETED.fullmatch(text) or _BARE.fullmatch(text)
    if match is None:
        return None
    return match[1], match[2] or ""


def read_mailboxes(value: str) -> tuple[str, ...] | None:
    """Every address in the value of an address-list field (RFC 5322, 3.4), groups opened; None: it is not one."""
    match = _USUAL.fullmatch(value.strip(" \t"))
    if match is not None:
        address = match[1] or match[2]
        return (address,) if is_address(address) else None
    tokens = _tokens(value)
    return None if tokens is None else _addresses(tokens)


def split_mailboxes(value: str) -> list[str] | None:
    """What stands between the commas of an address-list field, as it is written; None: it has groups, or is none."""
    tokens = _placed_tokens(value)
    if tokens is None or any(kind == "special" and text in ":;" for kind, text, _ in tokens):
        return None
    commas = [at for kind, text, at in tokens if (kind, text) == ("special", ",")]
    return [value[start + 1 : end] for start, end in pairwise([-1, *commas, len(value)])]


def _tokens(value: str) -> list[tuple[str, str]] | None:
    """Kind and text of each token without white space and comments; None: something is none."""
    placed = _placed_tokens(value)
    return None if placed is None else [(kind, text) for kind, text, _ in placed]


def _placed_tokens(value: str) -> list[tuple[str, str, int]] | None:
    """As `_tokens`, with where each begins."""
    found: list[tuple[str, str, int]] = []
    at = 0
    while at < len(value):
        if value[at] == "(":
            end = _end_of_comment(value, at)
            if end is None:
                return None
            at = end
            continue
        match = _TOKEN.match(value, at)
        if match is None:
            return None
        at = match.end()
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0], match.start()))
    return found


def _end_of_comment(value: str, at: int) -> int | None:
    """Where the comment that opens at `at` has closed; comments nest."""
    depth = 0
    while at < len(value):
        char = value[at]
        at += 2 if char == "\\" else 1
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at
    return None


def _addresses(tokens: list[tuple[str, str]]) -> tuple[str, ...] | None:
    """The addresses of a list of mailboxes and groups."""
    found: list[str] = []
    in_group = False
    element: list[tuple[str, str]] = []
    for kind, text in [*tokens, ("special", ",")]:
        if kind != "special" or text not in ",:;":
            element.append((kind, text))
            continue
        if text == ":":
            if in_group or not element or not _is_phrase(element):
                return None
            in_group = True
        else:
            if text == ";" and not in_group:
                return None
            if element:
                address = _mailbox(element)
                if address is None:
                    return None
                found.append(address)
            in_group = in_group and text != ";"
        element = []
    return None if in_group else tuple(found)


def _mailbox(element: list[tuple[str, str]]) -> str | None:
    """The address of `phrase <address>` or `address`."""
    if ("special", "<") not in element:
        return _spelled(element)
    opening = element.index(("special", "<"))
    if element[-1] != ("special", ">") or not _is_phrase(element[:opening]):
        return None
    return _spelled(element[opening + 1 : -1])


def _spelled(element: list[tuple[str, str]]) -> str | None:
    """The address that words, dots and one @ spell."""
    for (left, _), (right, _) in pairwise(element):
        if left != "special" and right != "special":
            return None
    address = "".join(text for _, text in element)
    return address if is_address(address) else None


def _is_phrase(element: list[tuple[str, str]]) -> bool:
    """Whether this may stand before an address or a group; a lone dot is obsolete there and usual."""
    return all(kind in {"atom", "quoted"} or text == "." for kind, text in element)
