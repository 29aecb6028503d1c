"""One spelling for all the spellings of a mailbox, so that whoever asked for no more mail is known under each.

Law: two addresses have one spelling only if no mail system tells them apart; what is merely alike (a dot, a `+tag`)
stays another mailbox.
"""

import re
import unicodedata

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What parts labels (RFC 3490, 3.1)."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_ESCAPE = re.compile(r'(["\\])')
_ATOMS = re.compile(r"[^\x00-\x20()<>\[\]:;@\\,.\"\x7f]+(?:\.[^\x00-\x20()<>\[\]:;@\\,.\"\x7f]+)*")

_A_LABEL = "xn--"


def one_spelling(address: str) -> str:
    """In lower case, without quotes that nothing needs (RFC 5321, 4.1.2), its domain as people read it (U-labels,
    RFC 5890, 2.3.2.1) and without a dot at its end. A plain address is itself in lower case.
    """
    local, at, domain = address.rpartition("@")
    return _local(local) + at + _domain(domain)


def _local(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        bare = _ESCAPED.sub(r"\1", text[1:-1])
        text = bare if _ATOMS.fullmatch(bare) else '"' + _NEEDS_ESCAPE.sub(r"\\\1", bare) + '"'
    return unicodedata.normalize("NFC", text.lower())


def _domain(text: str) -> str:
    lowered = text.lower()
    if lowered.isascii() and _A_LABEL not in lowered:
        return lowered.removesuffix(".")
    labels = _DOTS.split(unicodedata.normalize("NFKC", lowered).lower())
    return ".".join(_readable(label) for label in labels).removesuffix(".")


def _readable(label: str) -> str:
    """A label with its letters; what is no A-label stays as it is."""
    if not (label.startswith(_A_LABEL) and label.isascii()):
        return label
    try:
        found = label.removeprefix(_A_LABEL).encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    return label if found.isascii() else unicodedata.normalize("NFKC", found).lower()
