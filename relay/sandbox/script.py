"""Scripted replies: what the next commands of a stage are answered, whatever would be true.

Law: replies of one stage are used in the order in which they were given, each as often as it says, the last one
without a count for ever; what is meant for one user comes first, and nobody else ever hears it.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from relay.core.words import Stage
from relay.errors import ConfigError

FALLBACK_CODE = "550"
"""A reply is scripted to refuse; a text that brings no code of its own gets this one."""

_REPLY = re.compile(r"([a-z]+)(?:@([^:\s]+))?:(.*?)(?:\*(\d+))?", re.DOTALL)
_CODE = re.compile(r"\d{3}(?:[ -]|$)", re.ASCII)


class Act(StrEnum):
    """What is done instead of the usual reply; all but ANSWER leave the command without effect."""

    ANSWER = ""
    RAW = "!raw"
    DROP = "!drop"
    HANG = "!hang"
    FLOOD = "!flood"


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """`text` for `count` commands of `stage`, of `user` alone or of all; None is for ever, and for all."""

    stage: Stage
    act: Act
    text: str
    count: int | None
    user: str | None = None


def parse_reply(text: str) -> ScriptedReply:
    r"""Reads `STAGE[@USER]:TEXT[*COUNT]`; in TEXT `\n` separates lines, a line without a code gets the reply's."""
    match = _REPLY.fullmatch(text)
    if match is None or match[1] not in set(Stage) or not match[3] or match[4] == "0":
        raise ConfigError(
            f"not a scripted reply: {text!r}; write STAGE[@USER]:TEXT[*COUNT], STAGE one of {', '.join(Stage)}"
        )
    act, words = _act_of(match[3].replace("\\n", "\n"))
    lines = words if act is not Act.ANSWER else _with_codes(words)
    return ScriptedReply(Stage(match[1]), act, lines, int(match[4]) if match[4] else None, match[2])


def _act_of(text: str) -> tuple[Act, str]:
    first, _, rest = text.partition(" ")
    if not first.startswith("!"):
        return Act.ANSWER, text
    try:
        return Act(first), rest
    except ValueError:
        known = ", ".join(act for act in Act if act)
        raise ConfigError(f"not a way to misbehave: {first!r}; known are {known}") from None


def _with_codes(text: str) -> str:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    code = next((line[:3] for line in lines if _CODE.match(line)), FALLBACK_CODE)
    last = len(lines) - 1
    return "\n".join(
        line if _CODE.match(line) else f"{code}{' ' if at == last else '-'}{line}" for at, line in enumerate(lines)
    )


class Script:
    """The scripted replies that are still to be given."""

    def __init__(self, replies: Iterable[ScriptedReply] = ()) -> None:
        self._queues: dict[tuple[Stage, str | None], deque[ScriptedReply]] = {}
        self._given: dict[tuple[Stage, str | None], int] = {}
        for reply in replies:
            self.add(reply)

    def add(self, reply: ScriptedReply) -> None:
        """Puts a reply behind those of its stage and user."""
        self._queues.setdefault((reply.stage, reply.user), deque()).append(reply)

    def clear(self) -> None:
        """Forgets all of them: the usual replies from now on."""
        self._queues.clear()
        self._given.clear()

    def take(self, stage: Stage, user: str | None = None) -> ScriptedReply | None:
        """The reply for this command of this user, used up by one; None: the usual reply."""
        key = (stage, user) if self._queues.get((stage, user)) else (stage, None)
        queue = self._queues.get(key)
        if not queue:
            return None
        reply = queue[0]
        given = self._given.get(key, 0) + 1
        is_used_up = reply.count is not None and given >= reply.count
        self._given[key] = 0 if is_used_up else given
        if is_used_up:
            queue.popleft()
        return reply
