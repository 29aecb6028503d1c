"""The judge: what the providers saw, held against the promises. It shares nothing with the limiter.

Law: it believes the providers' side alone, never what the relay recorded.
"""

from collections import Counter
from collections.abc import Iterable, Sequence


def worst_closed_window(instants: Iterable[float], width: float) -> int:
    """The most counts in any closed window `[x, x + width]`, seconds."""
    ordered = sorted(instants)
    worst = first = 0
    for last, instant in enumerate(ordered):
        while ordered[first] < instant - width:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def copies(seen: Iterable[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """How often each (message, recipient) arrived."""
    return Counter(seen)


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """The most spans open at the same instant; one that ends where another begins does not overlap it."""
    events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans], key=lambda e: (e[0], e[1]))
    worst = now = 0
    for _, step in events:
        now += step
        worst = max(worst, now)
    return worst
