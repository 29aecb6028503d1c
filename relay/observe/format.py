"""How a log event becomes a line: JSON for machines, text for a terminal.

Law: one event is one line, whatever its values contain; a terminal never receives a control character from a peer.
"""

import json
from collections.abc import Callable, Mapping

Fields = Mapping[str, object]
Format = Callable[[Fields], str]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=str).encode

_LINE_BREAKS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})
"""What JSON leaves as it is and readers of lines may take for an end."""


def as_json(fields: Fields) -> str:
    """One JSON object on one line, keys in the order given."""
    line = _encode(fields)
    return f"{line if line.isascii() else line.translate(_LINE_BREAKS)}\n"


def as_text(fields: Fields) -> str:
    """`time event id key=value ...`; what is empty is left out."""
    values = dict(fields)
    time, event, ident = str(values.pop("time", "")), values.pop("event", ""), values.pop("id", None)
    clock = time[11:19] or time
    parts = [f"{clock} {event}"] + ([_word(ident)] if ident is not None else [])
    parts += [f"{key}={_word(value)}" for key, value in values.items() if value is not None]
    return " ".join(parts) + "\n"


def _word(value: object) -> str:
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in str(value))
    return f'"{text}"' if " " in text or not text else text
