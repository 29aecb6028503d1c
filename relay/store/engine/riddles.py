"""Riddles in the database.

Law: a wording is written in the transaction of the attempt or the login that met it; a new one is a concern, once.
"""

from collections.abc import Iterator, Sequence

from relay.core.concerns import ConcernKind, Subject
from relay.core.limits import HOUR
from relay.core.normal import normalised
from relay.core.reply import Reply
from relay.core.words import MessageId, Stage
from relay.errors import CorruptValue
from relay.store.engine.concerns import open_concern
from relay.store.engine.context import Context
from relay.store.engine.reader import Ask
from relay.store.engine.statements import load_statements
from relay.store.ports.riddles import RIDDLES_PER_PROVIDER, Riddle, SaidVerbatim

_SQL = load_statements("healths")

ALL_MOST: int = 10_000
"""Asked for more, so many are given."""


class LedgerRiddles:
    """The port `Riddles`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def all(self, *, provider: str | None = None, most: int = 1_000) -> Sequence[Riddle]:
        """Those that came last first."""
        return await self._ask(lambda context: _all(context, provider, min(most, ALL_MOST)))

    async def said(self, message: MessageId) -> Sequence[SaidVerbatim]:
        """What providers said in their own words."""
        return await self._ask(lambda context: list(_said(context, message)))


def _said(context: Context, message: MessageId) -> Iterator[SaidVerbatim]:
    clock, seals = context.clock, context.seals
    for attempt, sealed, ended, stage, reply_class, domain, ordinal in context.database.read(
        _SQL["said_of"], (message,)
    ):
        try:
            text, there = seals.open_said(sealed, attempt), seals.open_domain(domain, message, ordinal)
        except CorruptValue:
            continue
        yield SaidVerbatim(clock.shown(ended + clock.wall() - clock.now()), there, Stage(stage), reply_class, text)


def note_riddle(context: Context, provider: str, stage: Stage, reply: Reply | None, *, reason: str) -> None:
    """A reply came that no rule understands, or by which the provider says that it did not understand (`reason`)."""
    if reply is None:
        return
    database, wall = context.database, context.clock.wall()
    text = normalised(" ".join(filter(None, (reply.enhanced, reply.text))))
    key = (provider, stage.value, reply.code, text)
    if database.write(_SQL["meet_riddle"], (wall, *key)):
        return
    known = (database.read_one(_SQL["count_riddles"], (provider,)) or (0,))[0]
    if known >= RIDDLES_PER_PROVIDER:
        database.write(_SQL["drop_oldest_riddle"], (provider,))
    database.write(_SQL["add_riddle"], (*key, wall, wall))
    detail = {"stage": stage.value, "reply": f"{reply.code} {text}"}
    open_concern(
        context,
        ConcernKind.UNKNOWN_REPLY,
        Subject(provider=provider),
        reason=reason,
        detail=detail,
        again_after=HOUR,
    )


def _all(context: Context, provider: str | None, most: int) -> list[Riddle]:
    shown = context.clock.shown
    return [
        Riddle(name, Stage(stage), code, text, many, shown(first), shown(last))
        for name, stage, code, text, many, first, last in context.database.read(_SQL["all_riddles"], (provider, most))
    ]
