"""Which address was perhaps meant: one letter too many, too few, another, or two exchanged.

Law: it asks whether an address is known, and never walks through all that are; it makes some thousand guesses at most.
"""

from collections.abc import Callable, Iterator

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-_@+"
"""What addresses are made of."""

LONGEST: int = 100
"""Characters of an address that is guessed about; longer ones are pasted, and not mistyped."""


def meant(address: str, is_known: Callable[[str], bool]) -> str | None:
    """The first known address that is one slip away; None: there is none."""
    typed = address.strip().lower()
    if len(typed) > LONGEST:
        return None
    return next((guess for guess in _guesses(typed) if is_known(guess)), None)


def _guesses(typed: str) -> Iterator[str]:
    if typed:
        yield typed
    cuts = [(typed[:at], typed[at:]) for at in range(len(typed) + 1)]
    for before, after in cuts:
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        if after:
            yield before + after[1:]
        for letter in LETTERS:
            if after:
                yield before + letter + after[1:]
            yield before + letter + after
