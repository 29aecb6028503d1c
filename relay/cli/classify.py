"""`relay classify`: says what a provider's reply means, one JSON object a reply.

Law: whatever is handed in, each reply has one answer in the closed vocabulary; nothing is looked up, asked or kept.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from relay.core.classify import Context, classify
from relay.core.limits import SECOND
from relay.core.meaning import Failure, Judgement
from relay.core.reply import REPLY_BYTES, Reply, read_reply
from relay.core.words import Stage
from relay.providers import Profile, load_profiles

LINE_BYTES: int = 64 * 1024
"""Of one reply: far more than a provider may say; the rest of a longer line is not kept."""

GENERIC: str = "generic"
"""A provider of which nothing is known."""

_LINE = re.compile(r"([2-5]\d\d)(?:[ -](.*))?", re.DOTALL)
_ASKS = {Stage.DATA: 354, Stage.AUTH: 334}


def classify_reply(
    provider: Annotated[str, typer.Option("--provider", help="A profile, or generic; any other name is generic.")],
    stage: Annotated[Stage, typer.Option("--stage", help="Where the reply was seen; eod is after the final dot.")],
    text: Annotated[
        str | None, typer.Argument(help=r"The reply; \n separates its lines. Without it, one reply a line from stdin.")
    ] = None,
) -> None:
    """Say what a provider's reply means."""
    profile = _profile_of(provider, load_profiles())
    if profile is None and provider.strip().lower() != GENERIC:
        print(f"There is no profile {provider!r}: judged as {GENERIC}.", file=sys.stderr)
    context = Context(provider, rules=() if profile is None else profile.rules)
    if text is not None:
        _say(text, stage, context)
        return
    while line := sys.stdin.buffer.readline(LINE_BYTES):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = sys.stdin.buffer.readline(LINE_BYTES)
        _say(line.decode("utf-8", "replace").rstrip("\r\n"), stage, context)


def read_text(text: str) -> Reply | None:
    r"""The reply in a text whose lines are separated by newlines or by `\n`; None: its last line has no code."""
    lines = [line.strip("\r") for line in text.replace("\\n", "\n").split("\n")]
    lines = [line for line in lines if line.strip()]
    found = [_LINE.fullmatch(line.strip()) for line in lines]
    if not found or (last := found[-1]) is None:
        return None
    said = [match[2] or "" if match else line for match, line in zip(found, lines, strict=True)]
    return read_reply(int(last[1]), "\n".join(said)[: 4 * REPLY_BYTES])


def _profile_of(provider: str, profiles: Mapping[str, Profile]) -> Profile | None:
    name = provider.strip().lower()
    named = {other: profile for profile in profiles.values() for other in profile.also}
    return profiles.get(name) or named.get(name)


def _say(text: str, stage: Stage, context: Context) -> None:
    judgement = _judged(read_text(text), stage, context)
    wait = judgement.retry_after
    shown = {
        "class": judgement.reply_class,
        "scope": judgement.scope,
        "action": judgement.action,
        "retry_after": None if wait is None else -(-wait // SECOND),
    }
    print(json.dumps(shown), flush=True)


def _judged(reply: Reply | None, stage: Stage, context: Context) -> Judgement:
    """A command that was taken is the ordinary way, at whichever stage."""
    if reply is None:
        return classify(stage, Failure.NONSENSE, context)
    if 200 <= reply.code < 300 or reply.code == _ASKS.get(stage):
        return classify(Stage.EOD, Reply(250, None, ""), context)
    return classify(stage, reply, context)
