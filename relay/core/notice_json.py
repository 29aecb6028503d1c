"""A notice as JSON, to be kept until it is sent.

Law: what is read back is the same notice, and is checked like a new one.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from relay.core.notice import Circumstance, Notice, NoticeType
from relay.core.remedy import Needs


def write_notice(notice: Notice) -> str:
    """All of it."""
    values = {**asdict(notice), "paid_until": None if notice.paid_until is None else notice.paid_until.isoformat()}
    return json.dumps({name: value for name, value in values.items() if value is not None}, separators=(",", ":"))


def read_notice(text: str) -> Notice:
    """ValueError: it is none, or one of a newer relay."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("this is no notice")
    kinds: dict[str, Callable[[Any], Any]] = {
        "type": NoticeType,
        "circumstance": Circumstance,
        "needs": Needs,
        "paid_until": date.fromisoformat,
        "accounts": tuple,
    }
    try:
        return Notice(**{name: kinds[name](value) if name in kinds else value for name, value in values.items()})
    except TypeError:
        raise ValueError("this is no notice") from None
