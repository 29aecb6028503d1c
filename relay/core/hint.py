"""The times that a reply names: how long to wait, and over which period a limit counts.

Law: a wait is never longer than `LONGEST_HINT`; the one behind "again" or "retry" is meant before others, and of two
alike the longer one. Linear time.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from relay.core.limits import HOUR, MINUTE, SECOND

_DAY: int = 24 * HOUR
"""What is meant by a day; a limiter's is an hour longer, lest it sends too early."""

LONGEST_HINT: int = _DAY
"""A reply that asks for more is a slip or a lie; a mailbox is probed daily anyway."""

_LEAD: int = 32
"""Characters before a time in which a word may ask for another try after it."""

_NUMBERS: Mapping[str, float] = MappingProxyType(
    {
        "a": 1, "an": 1, "one": 1, "un": 1, "una": 1, "un'": 1, "uno": 1, "two": 2, "due": 2, "three": 3, "tre": 3,
        "four": 4, "quattro": 4, "five": 5, "cinque": 5, "six": 6, "sei": 6, "ten": 10, "dieci": 10, "twelve": 12,
        "dodici": 12, "fifteen": 15, "quindici": 15, "twenty": 20, "venti": 20, "thirty": 30, "trenta": 30,
        "sixty": 60, "sessanta": 60, "half an": 0.5, "half a": 0.5, "mezz'": 0.5, "mezza": 0.5,
    }
)  # fmt: skip
_HINT = re.compile(
    r"(?:(?<![\w.:])|(?<=\d[hHmM]))"
    r"(\d{1,5}|half an?|an?|one|una?|un'|uno|mezz[a']|two|due|three|tre|four|quattro|five|cinque|six|sei|ten|"
    r"dieci|twelve|dodici|fifteen|quindici|twenty|venti|thirty|trenta|sixty|sessanta)"
    r"[ -]?(?:(s|secs?|seconds?|secondi|secondo|sekunden?|secondes?|segundos?)"
    r"|(m|mins?|minutes?|minuti|minuto|minuten?|minutos?)"
    r"|(h|hrs?|hours?|ore|ora|stunden?|heures?|horas?)"
    r"|(d|days?|giorni|giorno|tage?|jours?|dias?))"
    r"(?![^\W\d]|\d(?!\d?(?:m|mins?|s|secs?)\b))( e mezz[ao]\b| and a half\b)?",
    re.IGNORECASE,
)
_AND = re.compile(r" ?(?:,|e|and|und|et|y)? ?", re.IGNORECASE)
"""Between the parts of one time: 1h30m, 1 hour and 30 minutes."""

_ASKED = re.compile(
    r"\b(?:again|re-?try\w*|resend|come back|wait|riprov\w+|ritent\w+|attend\w+|tra|fra)\b[^.;!]*$", re.IGNORECASE
)
_BARE = re.compile(
    r"\b(?:again|re-?try|riprov\w{1,4}|ritent\w{1,4})(?:[ -](?:in|after|tra|fra|dopo))?[ :=]{1,2}(\d{1,5})"
    r"(?=\s*(?:$|[,;!)\]]|\.(?!\d)))",
    re.IGNORECASE,
)
"""A number without a unit counts seconds, as in HTTP's Retry-After; "retry after 3 attempts" is none."""

_CLOCK = re.compile(
    r"(?:(?<!\w)(?:in|tra|fra|wait|for|per|attendere|retry-after):? |(?<![\d:.T-])(?<!\d )(?=00:)(?<!at )(?<!alle )"
    r"(?<!until )(?<!till )(?<!dalle )(?<!after )(?<!dopo ))(\d\d):([0-5]\d):([0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
"""Hours, minutes and seconds: with no hours, or behind a word that a time of day is not said with."""

_SHORT = re.compile(
    r"\b(?:hourly|orari[oae]?|minutely|stundlich|horaire)\b"
    r"|\b(?:per|an|each|every|this|in the last|all'|ogni|por|par|pro|/) ?"
    r"(?:second|minute|hour|ora|minuto|secondo|stunde|heure)\b|\d ?/ ?(?:h|min|ora)\b"
    r"|\b(?:last|past|ultima) (?:hour|minute|ora)\b"
    r"|\b(?:hour|minute) (?:limit|quota|cap|allowance)\b",
    re.IGNORECASE,
)
_LONG = re.compile(
    r"\b(?:daily|giornalier[oaei]|quotidian[oaei]|weekly|monthly|settimanal[ei]|mensil[ei]|taglich\w*|tageslimit"
    r"|quotidien\w*|diari[oa])\b"
    r"|\b(?:per|a|an|each|every|this|in the last|al|nel|ogni|por|par|pro|the|/) ?"
    r"(?:day|week|month|giorno|settimana|mese|tag|jour|dia)\b"
    r"|\b(?:day|week|month) (?:limit|quota|cap|allowance)\b"
    r"|\b(?:today|oggi|tomorrow|domani|midnight|mezzanotte|nella giornata|heute)\b",
    re.IGNORECASE,
)


def hinted(text: str) -> int | None:
    """The waiting time that a reply asks for, in microseconds: the longest that it names, at most `LONGEST_HINT`."""
    spans = list(_spans(text))
    waits = [span for span, is_asked in spans if is_asked] or [span for span, _ in spans]
    return min(max(waits), LONGEST_HINT) if waits else None


def is_daily(text: str) -> bool | None:
    """Whether the period that a limit counts over is a day or more (True) or an hour or less; None: it names none."""
    spans = list(_spans(text))
    is_daily = _over_a_day(max((span for span, is_asked in spans if not is_asked), default=0), text)
    return _over_a_day(max((span for span, _ in spans), default=0), "") if is_daily is None else is_daily


def _over_a_day(longest: int, text: str) -> bool | None:
    if longest >= _DAY or _LONG.search(text) is not None:
        return True
    if 0 < longest <= HOUR or _SHORT.search(text) is not None:
        return False
    return None


def _spans(text: str) -> Iterator[tuple[int, bool]]:
    """The times that are named, and whether another try is asked for after them; parts of one are added up."""
    end, last, whole, is_asked = 0, 0, 0, False
    for match in _HINT.finditer(text):
        span = _span(match)
        if not span:
            continue
        if not (span < last and _AND.fullmatch(text, end, match.start())):
            if whole:
                yield whole, is_asked
            whole, is_asked = 0, _is_asked(text, match.start())
        whole, last, end = whole + span, _unit(match), match.end()
    if whole:
        yield whole, is_asked
    for match in _BARE.finditer(text):
        if match[1].strip("0"):
            yield int(match[1]) * SECOND, True
    for match in _CLOCK.finditer(text):
        span = int(match[1]) * HOUR + int(match[2]) * MINUTE + int(match[3]) * SECOND
        if span:
            yield span, _is_asked(text, match.start(1))


def _span(match: re.Match[str]) -> int:
    number = match[1].lower()
    if not number.isdigit() and len(match[2] or match[3] or match[4] or match[5]) == 1:  # "an h" is no time
        return 0
    return round(((int(number) if number.isdigit() else _NUMBERS[number]) + (0.5 if match[6] else 0)) * _unit(match))


def _unit(match: re.Match[str]) -> int:
    return SECOND if match[2] else MINUTE if match[3] else HOUR if match[4] else _DAY


def _is_asked(text: str, start: int) -> bool:
    return _ASKED.search(text, max(0, start - _LEAD), start) is not None
