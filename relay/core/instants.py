"""Instants as people read them: in the zone of their provider, which is named.

Law: there are two forms: one that is read in a mail, in its language, and one for answers of SMTP and for those who run
the relay, with the offset from UTC; no time is shown without saying by which clock.
"""

from datetime import datetime, timedelta

from relay.core.failuretext import Language

_ITALIAN_CLOCK = frozenset({"Europe/Rome", "Europe/San_Marino", "Europe/Vatican"})


def spoken(at: datetime, language: Language) -> str:
    """As whoever reads a mail would say it; `at` knows its zone."""
    if language is Language.ITALIAN:
        clock = "ora italiana" if getattr(at.tzinfo, "key", None) in _ITALIAN_CLOCK else _from_utc(at)
        return f"{at:%d/%m/%Y, ore %H:%M} ({clock})"
    name = at.tzname() or ""
    return f"{at:%Y-%m-%d %H:%M} {name if name.isalpha() else _from_utc(at)}"


def exact(at: datetime) -> str:
    """With the offset, in ASCII; `at` knows its zone."""
    return f"{at:%Y-%m-%d %H:%M} {_offset(at)}"


def _from_utc(at: datetime) -> str:
    return f"UTC{_offset(at)}" if at.utcoffset() else "UTC"


def _offset(at: datetime) -> str:
    offset = at.utcoffset() or timedelta()
    minutes = round(abs(offset) / timedelta(minutes=1))
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
