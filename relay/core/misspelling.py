"""Which mail domain somebody meant who wrote one that is not there.

Law: a domain is only ever named to a person who then decides; what is one of the usual domains is never taken for a
misspelling of another.
"""

from collections.abc import Iterator
from types import MappingProxyType

USUAL: tuple[str, ...] = (
    "gmail.com",
    "libero.it",
    "hotmail.it",
    "hotmail.com",
    "virgilio.it",
    "yahoo.it",
    "tiscali.it",
    "alice.it",
    "icloud.com",
    "outlook.it",
    "outlook.com",
    "live.it",
    "tim.it",
    "yahoo.com",
    "tin.it",
    "fastwebnet.it",
    "inwind.it",
    "email.it",
    "poste.it",
    "pec.it",
    "legalmail.it",
    "googlemail.com",
    "live.com",
    "msn.com",
    "me.com",
    "aol.com",
    "gmx.com",
    "gmx.net",
    "gmx.de",
    "iol.it",
    "blu.it",
    "teletu.it",
    "tele2.it",
    "aruba.it",
    "proton.me",
    "protonmail.com",
    "yahoo.fr",
    "yahoo.de",
    "web.de",
)
"""Where Italian patients have their mailboxes, the most usual first: of two that are as near, the first was meant."""

_USUAL = frozenset(USUAL)

SQUATTED = MappingProxyType(
    {
        "gmial.com": "gmail.com",
        "gmai.com": "gmail.com",
        "gamil.com": "gmail.com",
        "gnail.com": "gmail.com",
        "gmal.com": "gmail.com",
        "gmil.com": "gmail.com",
        "hotmial.com": "hotmail.com",
        "hotmai.com": "hotmail.com",
        "hotnail.com": "hotmail.com",
        "outlok.com": "outlook.com",
    }
)
"""Misspellings that somebody has registered: they take mail, and it is read by whoever registered them."""

SHORT: int = 6
"""Characters of a domain of which one is a large part: of so short a one only its ending is looked at."""


def meant(domain: str) -> str | None:
    """The usual domain that was meant; None: there is none.

    One of the same name with another ending (gmail.it, libero.com) comes before one that is a slip away: a letter too
    many, too few, wrong, or two swapped.
    """
    typed = domain.lower().rstrip(".")
    if typed in _USUAL:
        return None
    if typed in SQUATTED:
        return SQUATTED[typed]
    slips, name = set(_one_slip_from(typed)), typed.partition(".")[0]
    alike = [usual for usual in USUAL if usual.partition(".")[0] == name]
    near = [usual for usual in USUAL if usual in slips and len(usual) > SHORT]
    return next((usual for usual in (*(each for each in alike if each in slips), *alike, *near)), None)


def is_squatted(domain: str) -> bool:
    """Whether this is a misspelling whose mail somebody else reads."""
    return domain.lower().rstrip(".") in SQUATTED


_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-."


def _one_slip_from(typed: str) -> Iterator[str]:
    """Everything at a Damerau distance of one; what is too long to be near is not looked at."""
    if len(typed) > max(map(len, USUAL)) + 1:
        return
    for at in range(len(typed) + 1):
        head, tail = typed[:at], typed[at:]
        yield from (head + letter + tail for letter in _LETTERS)
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _LETTERS)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
