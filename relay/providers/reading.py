"""A reply rule as written in a profile, made into the rule that is tried.

Law: a word that the rules do not know is an error, never ignored.
"""

import re
from collections.abc import Mapping
from typing import Any

from relay.core.limits import DAY, HOUR, MINUTE, SECOND
from relay.core.meaning import Action, ReplyClass, Scope
from relay.core.rules import Phrases, Rule, phrases
from relay.core.words import Stage

_DURATION = re.compile(r"(\d{1,6}) *(s|m|h|d)")
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_KEYS = frozenset(
    {
        "class", "stages", "codes", "enhanced", "text", "unless", "scope", "action", "retry_after", "by_period",
        "once_worked",
    }
)  # fmt: skip
_CODE = re.compile(r"[45]|[45]\d\d")
_ENHANCED = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")


def rule_of(data: Mapping[str, Any]) -> Rule:
    """A `[[rule]]` of a profile. ValueError: what in it is no rule."""
    unknown = data.keys() - _KEYS
    if unknown:
        raise ValueError(f"a rule has no key {min(unknown)!r}")
    if not {"codes", "enhanced", "text"} & data.keys():
        raise ValueError("a rule needs codes, enhanced or text: else it would take every reply for one reason")
    return Rule(
        ReplyClass(data["class"]),
        stages=frozenset(map(Stage, data.get("stages", ()))),
        codes=_tokens(data, "codes", _CODE),
        enhanced=_tokens(data, "enhanced", _ENHANCED),
        text=_phrases(data, "text"),
        unless=_phrases(data, "unless"),
        scope=Scope(data["scope"]) if "scope" in data else None,
        action=Action(data["action"]) if "action" in data else None,
        retry_after=duration(data["retry_after"]) if "retry_after" in data else None,
        is_by_period=bool(data.get("by_period", False)),
        once_worked=ReplyClass(data["once_worked"]) if "once_worked" in data else None,
    )


def duration(text: str) -> int:
    """Microseconds of `20m`. ValueError: it is no duration."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}; write 20m")
    return int(match[1]) * _UNITS[match[2]]


def _tokens(data: Mapping[str, Any], key: str, form: re.Pattern[str]) -> frozenset[str]:
    """Whole codes: an empty list would be no condition at all."""
    if key not in data:
        return frozenset()
    written = data[key]
    bad = [token for token in written if not isinstance(token, str) or not form.fullmatch(token)]
    if bad or not written or isinstance(written, str):
        raise ValueError(f"{key}: not a list of whole codes: {written!r}")
    return frozenset(written)


def _phrases(data: Mapping[str, Any], key: str) -> Phrases | None:
    if key not in data:
        return None
    written = data[key]
    if not written or isinstance(written, str):
        raise ValueError(f"{key}: not a list of phrases: {written!r}")
    return phrases(*written)
