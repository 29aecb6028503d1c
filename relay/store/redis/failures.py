"""What goes wrong on the way to Redis and in it, as errors of the relay: foreign exceptions stop here.

Law: a text names keys and places, never a value; what may have been done all the same says so (`is_unknown`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from redis import exceptions

from relay.errors import RelayError, StoreBroken, StoreFull, StoreSilent, StoreUnavailable

AWAY = {
    "BUSY": "is busy with a script that does not end",
    "CLUSTERDOWN": "is a node of a cluster that is down",
    "LOADING": "is loading its data",
    "MASTERDOWN": "is a replica that has lost its primary",
    "MISCONF": "takes no writes because it cannot save to its disk",
    "NOREPLICAS": "takes no writes because it has too few replicas (min-replicas-to-write)",
    "READONLY": "is a replica now, and takes no writes",
    "TRYAGAIN": "asks to try again",
    "UNBLOCKED": "became a replica meanwhile",
}
"""Codes with which Redis says that it cannot do this now, and what they mean."""

RIGHTS = "~relay:* resetchannels &relay:* +@all"
"""What the relay's user must be allowed: its keys, its channel (which nobody has by himself since Redis 7), and all
commands on them. `resetchannels`, because Redis 6.2 gives all channels and takes no other beside them."""

LOGIN = {
    "NOAUTH": "wants a login: in `store`, or in the file that it names, :PASSWORD@ (or USER:PASSWORD@) belongs before "
    "the host",
    "WRONGPASS": "refuses the login: user or password in `store`, or in the file that it names, is wrong, or the user "
    "is off",
    "NOPERM": f"does not let the relay's user do this: on every server, and in its file, ACL SETUSER NAME {RIGHTS}",
}

MOVED = frozenset({"READONLY", "MASTERDOWN", "LOADING", "UNBLOCKED", "CLUSTERDOWN"})
"""After these another server may be the primary: the connection is of no use."""

KEYS_NAMED = 3
"""So many keys of a script that failed are named: the first ones say what it was about."""

_CODE = re.compile(r"\b(" + "|".join([*AWAY, *LOGIN, "OOM", "WRONGTYPE", "NOSCRIPT"]) + r")\b")
_DENIED = re.compile(r"ACL failure in script|The user executing the script can't")
_LINE = re.compile(r"user_script:\s?(\d+)")
_KEY = re.compile(r"relay:\{[^}\s]{0,200}\}:[^\s,;'\"]{1,200}")


@dataclass(frozen=True, slots=True)
class Deed:
    """What was being done, as an error names it: a script or command, and its keys."""

    name: str
    keys: Sequence[str] = ()


def deed_of(command: Sequence[bytes | str | int]) -> Deed:
    """One command as it is named: with its key, where it has one of ours."""
    return Deed(str(command[0]), [each for each in map(str, command[1:2]) if _KEY.fullmatch(each)])


class NotAllowed(StoreUnavailable):
    """the store does not let this user do this"""


def code_of(error: exceptions.RedisError) -> str:
    """The word with which Redis begins an error, also where a script of 6.2 wraps it; empty: none that is known."""
    code = getattr(error, "status_code", None)
    if code and code != "ERR":
        return str(code)
    found = _CODE.search(str(error))
    return found.group() if found else ""


def is_answer(error: exceptions.RedisError) -> bool:
    """Whether Redis answered with it, and so did not do, or not do wholly, what it was asked."""
    silent = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.InvalidResponse)
    return not isinstance(error, silent) or code_of(error) in AWAY or code_of(error) in LOGIN


def translated(error: exceptions.RedisError, where: str, deed: Deed, *, is_sent: bool, cause: str = "") -> RelayError:
    """The relay's error for one of redis-py's.

    `is_sent`: the server may have read the command; `cause`: why it may have been silent, as a sentence.
    """
    code = code_of(error)
    if code == "OOM":
        return StoreFull(f"{where} has no memory left for mail (maxmemory)")
    if code in AWAY:
        return StoreUnavailable(f"{where} {AWAY[code]}")
    if code == "NOPERM":
        return NotAllowed(f"{where} {LOGIN[code]} ({deed.name})")
    if code in LOGIN:
        return StoreUnavailable(f"{where} {LOGIN[code]} ({deed.name})")
    if isinstance(error, exceptions.AuthenticationError):
        return StoreUnavailable(f"{where} {LOGIN['WRONGPASS']}")
    if _DENIED.search(str(error)):  # what it wrote before stays written
        return StoreBroken(f"{where} {LOGIN['NOPERM']} ({deed.name} did not come to its end)")
    if is_answer(error):
        return StoreBroken(_broken(str(error), code, where, deed))
    silent = StoreSilent if is_sent else StoreUnavailable
    cause = f"; {cause}" if cause else ""
    if isinstance(error, exceptions.TimeoutError):
        return silent(f"{where} did not answer in time{cause}")
    how = f"is not reached: {_flat(str(error))}" if not is_sent else "closed the connection"
    return silent(f"{where} {how}{cause}")


def _broken(text: str, code: str, where: str, deed: Deed) -> str:
    """What a person needs to find it, out of a text that may quote values."""
    if "DB index is out of range" in text:
        return (
            f"{where} has no database of the number at the end of `store`: its redis.conf says how many (`databases`)"
        )
    line = _LINE.search(text)
    keys = _KEY.findall(text) or deed.keys[:KEYS_NAMED]
    return "".join([
        f"{where}: {deed.name} failed: {code or 'an error in the script'}",
        f" at line {line.group(1)}" if line else "",
        f", at {' or '.join(keys)}" if keys else "",
    ])  # fmt: skip


def _flat(text: str) -> str:
    """On one line, without the end that every library puts there."""
    return " ".join(text.split()).rstrip(".")
