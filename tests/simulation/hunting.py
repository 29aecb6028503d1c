"""The hunt for a planted bug, seed by seed.

Law: a broken promise, a world that stands still or spins, an error that nobody foresaw: all are noticed.
"""

from collections.abc import Callable

MOST_SEEDS = 300


def is_found_by(findings: Callable[[int], list[str]], *, first: int) -> bool:
    """Whether any seed finds it; the one that did so of late is tried first."""
    return any(_is_found(findings, seed) for seed in (first, *range(MOST_SEEDS)))


def _is_found(findings: Callable[[int], list[str]], seed: int) -> bool:
    try:
        return bool(findings(seed))
    except Exception:  # noqa: BLE001 - a bug may break anything
        return True
