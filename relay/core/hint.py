"""The times that a reply names: how long to wait, and over which period a limit counts.

Law: a wait is never longer than `LONGEST_HINT`; where a text names two periods the longer one is meant. Linear time.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from relay.core.limits import DAY, HOUR, MINUTE, SECOND

LONGEST_HINT: int = DAY
"""A reply that asks for more is a slip or a lie; a mailbox is probed daily anyway."""

_NUMBERS: Mapping[str, float] = MappingProxyType(
    {
        "a": 1, "an": 1, "one": 1, "un": 1, "una": 1, "un'": 1, "uno": 1, "two": 2, "due": 2, "three": 3, "tre": 3,
        "four": 4, "quattro": 4, "five": 5, "cinque": 5, "six": 6, "sei": 6, "ten": 10, "dieci": 10, "twelve": 12,
        "dodici": 12, "fifteen": 15, "quindici": 15, "twenty": 20, "venti": 20, "thirty": 30, "trenta": 30,
        "sixty": 60, "sessanta": 60, "half an": 0.5, "half a": 0.5, "mezz'": 0.5, "mezza": 0.5,
    }
)  # fmt: skip
_HINT = re.compile(
    r"(?<![\w.])(\d{1,5}|half an?|an?|one|una?|un'|uno|mezz[a']|two|due|three|tre|four|quattro|five|cinque|six|sei|ten|"
    r"dieci|twelve|dodici|fifteen|quindici|twenty|venti|thirty|trenta|sixty|sessanta)"
    r"[ -]?(?:(s|secs?|seconds?|secondi|secondo|sekunden?|secondes?|segundos?)"
    r"|(m|mins?|minutes?|minuti|minuto|minuten?|minutos?)"
    r"|(h|hrs?|hours?|ore|ora|stunden?|heures?|horas?)"
    r"|(d|days?|giorni|giorno|tage?|jours?|dias?))(?!\w)",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"\b(?:hourly|orari[oae]?|minutely|stundlich|horaire)\b"
    r"|\b(?:per|an|each|every|this|in the last|all'|ogni|por|par|pro|/) ?"
    r"(?:second|minute|hour|ora|minuto|secondo|stunde|heure)\b"
    r"|\b(?:last|past|ultima) (?:hour|minute|ora)\b",
    re.IGNORECASE,
)
_LONG = re.compile(
    r"\b(?:daily|giornalier[oaei]|quotidian[oaei]|weekly|monthly|settimanal[ei]|mensil[ei]|taglich\w*|tageslimit"
    r"|quotidien\w*|diari[oa])\b"
    r"|\b(?:per|a|an|each|every|this|in the last|al|nel|ogni|por|par|pro|the|/) ?"
    r"(?:day|week|month|giorno|settimana|mese|tag|jour|dia)\b"
    r"|\b(?:today|oggi|tomorrow|domani|midnight|mezzanotte|nella giornata|heute)\b",
    re.IGNORECASE,
)


def hinted(text: str) -> int | None:
    """The waiting time that a reply asks for, in microseconds: the longest that it names, at most `LONGEST_HINT`."""
    waits = list(_spans(text))
    return min(max(waits), LONGEST_HINT) if waits else None


def is_daily(text: str) -> bool | None:
    """Whether the period that a limit counts over is a day or more (True) or an hour or less; None: it names none."""
    longest = max(_spans(text), default=0)
    if longest >= 24 * HOUR or _LONG.search(text) is not None:
        return True
    if 0 < longest <= HOUR or _SHORT.search(text) is not None:
        return False
    return None


def _spans(text: str) -> list[int]:
    found = []
    for match in _HINT.finditer(text):
        number = match[1].lower()
        unit = SECOND if match[2] else MINUTE if match[3] else HOUR if match[4] else DAY
        if number.isdigit() or len(match[2] or match[3] or match[4] or match[5]) > 1:  # "an h" is no time
            found.append(round((int(number) if number.isdigit() else _NUMBERS[number]) * unit))
    return [span for span in found if span > 0]
