"""A reply without what differs from one to the next: the text that equal replies share, and its bare words.

Law: addresses, hosts, numbers of a machine and ids leave no trace; the same text always gives the same result, in time
linear in its length.
"""

import re
import unicodedata

from relay.core.reply import REPLY_BYTES, masked

_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\w)|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}(?![\w:]))"
)
_MOMENT = re.compile(
    r"(?<![\w.])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?)?Z?(?!\w)|(?<![\w.])\d\d:\d\d:\d\d(?!\w)"
)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*+")
"""What may be a host or an id: taken whole, from its beginning only."""

_HOST = re.compile(r"(?:[a-z0-9_-]++\.)++[a-z]{2,24}\.?|(?:[A-Z0-9_-]++\.)++[A-Z]{2,24}\.?")
"""In one case throughout: a sentence without a blank after its full stop goes on with a capital letter."""

_CODE = re.compile(r"[A-Za-z]{2,8}[_-]?\d{1,6}")
"""A word with a number behind it is a name for a reason: AUTH005, AS42003, LIB_102."""

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{8,}")
_CHANGE = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")
_SPAN = re.compile(r"\b\d{1,6}(?= ?(?:s|secs?|seconds?|secondi|mins?|minutes?|minuti|h|hours?|ore)\b)", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?<![\w.])\d{6,}(?![\w.])")
_COUNTER = re.compile(r"(?<![\w./])\d{1,5}(?:/\d{1,5})+(?![\w./]\w)(?!\w)")
_NUMBER = re.compile(
    r"(?<![\w./<-])(?<!rfc )(?<!error )(?<!errore )(?<!code )"
    r"(?!(?<=[:(#])[45]\d\d\b)(?!(?<=[:(#] )[45]\d\d\b)(?![45]\d\d(?:[:)]|[ -][45]\.\d))"
    r"\d{1,5}(?!\w)(?![./]\w)(?!-[a-z])",
    re.IGNORECASE,
)
"""What counts or numbers a case; a reply's code that is quoted, and one with points, says what is meant."""

_NUMBERED = re.compile(r"(?<![\w.-])([a-z]{2,12})-\d{1,5}(?![\w.-]\w)(?!\w)")
"""A machine or an instance in small letters: smtp-12; LIB_654 and AUTH005 are names for a reason."""

_GOOGLE = re.compile(r"(?<![^\s.])[^\s.]{1,64}(?:\.[^\s.]{1,16})? ?- ?gsmtp\b")
_IN_BRACKETS = re.compile(r"\[<ip>[ :\d]*\]")

ID_LEAST: int = 10
"""Characters of a word with letters and two digits from which on it is an id: providers put 11 to 22 into a text."""

MIXED_LEAST: int = 6
MIXED_CHANGES: int = 3
"""Changes between letter and digit from which on a shorter word is an id: K1Q8ZT13 changes five times."""

LONG_ID: int = 16
"""Characters from which on one digit is enough."""

_LISTS = (
    "spamhaus",
    "barracuda",
    "cloudmark",
    "spamcop",
    "sorbs",
    "uceprotect",
    "abusix",
    "surbl",
    "dnsbl",
    "proofpoint",
)
"""Who keeps lists of bad senders: that one is named is the reason, wherever its pages lie."""

_PROOFS = ("openspf", "open-spf", "dmarc.org", "dmarcian")
"""Who explains to senders how to prove who they are: pointing there is the reason."""

_MASKS = (("<address>", "someone"), ("<host>", "somehost"), ("<id>", " "), ("<time>", " "))
"""As words of their own, so that no mask is read as a word of the sentence; who is named by an IP is."""

_NOT = re.compile(r"n['\u2019]t\b")
_BETWEEN = re.compile(r"[^a-z0-9]+")


def normalised(text: str) -> str:
    """The text with whatever tells equal replies apart masked, down to counters: `relay replies` groups by it."""
    text = _NUMBERED.sub(r"\1-<n>", _COUNTER.sub("<n>", nameless(text)))
    return _NUMBER.sub("<n>", text)


def nameless(text: str) -> str:
    """The text with addresses, IPs, hosts, ids, moments and waiting times masked: rules read it, with its numbers."""
    text = " ".join(masked(text[:REPLY_BYTES]).split())
    text = _GOOGLE.sub("<id>", text)
    text = _MOMENT.sub("<time>", _IP.sub("<ip>", text))
    text = _TOKEN.sub(_shown, text)
    return _IN_BRACKETS.sub("[<ip>]", _LONG_NUMBER.sub("<n>", _SPAN.sub("<n>", text)))


def words_of(text: str) -> str:
    """The bare words of a masked text, in small letters without accents, a blank before, between and after them."""
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    for mask, word in _MASKS:
        text = text.replace(mask, word)
    return f" {_BETWEEN.sub(' ', _NOT.sub('nt', text.lower())).strip()} "


def _shown(match: re.Match[str]) -> str:
    token = match[0]
    if _HOST.fullmatch(token):
        is_list = any(name in token.lower() for name in _LISTS)
        if any(name in token.lower() for name in _PROOFS):
            return "<dmarc>"
        return "<blocklist>" if is_list else "<host>"
    return "<id>" if _is_id(token) else token


def _is_id(token: str) -> bool:
    digits = sum(map(str.isdigit, token))
    if digits == 0 or digits == len(token) or not any(map(str.isalpha, token)) or _CODE.fullmatch(token):
        return False
    if _HEXADECIMAL.fullmatch(token):
        return True
    if len(token) >= MIXED_LEAST and len(_CHANGE.findall(token)) >= MIXED_CHANGES:
        return True
    return len(token) >= LONG_ID or (len(token) >= ID_LEAST and digits > 1)
