"""Blocks of many mailboxes of a provider in the same words: one concern of whoever runs the relay, and no owner's.

Law: who is blocked stays stopped and who is not goes on; only the story that is told is another one.
"""

from collections.abc import Mapping

from relay.core.blocks import BLOCKED_WITHIN, Blocked, blocked_together
from relay.core.concerns import ConcernKind, Subject
from relay.core.health import HealthEvent
from relay.core.limits import Instant
from relay.core.meaning import ReplyClass
from relay.core.outages import WORKED_WITHIN
from relay.core.words import MailboxId
from relay.store.engine.concerns import close_concern, drop_concern, is_open, open_concern
from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements

_SQL = load_statements("about")


def is_of_block(context: Context, mailbox: MailboxId, detail: Mapping[str, str]) -> bool:
    """Whether a mailbox that is stopped as blocked is one of many; if so that is told, and of none by itself."""
    own, known = _blocked(context, mailbox), context.database.read_one(_SQL["block_words"], (mailbox.provider,))
    if own is None:  # stopped for longer: it goes on as the story that it was
        return known is not None and not is_open(context, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=mailbox))
    subject, words = Subject(provider=mailbox.provider), own.likeness.hex()
    if known is not None and known[0] == words:
        return True
    found = _together(context, own)
    if not found:
        return False
    told = {**detail, "likeness": words, "mailboxes": str(len(found))}
    open_concern(context, ConcernKind.BLOCK, subject, reason=ReplyClass.ACCOUNT_BLOCKED, detail=told)
    for each in found:
        drop_concern(context, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=each))
    return True


def end_block(context: Context, provider: str) -> None:
    """One of them works again; the block is over when it was the last."""
    if not context.remembrance.stopped_by(provider, frozenset({HealthEvent.BLOCKED})):
        close_concern(context, ConcernKind.BLOCK, Subject(provider=provider))


def _together(context: Context, own: Blocked) -> tuple[MailboxId, ...]:
    provider, now = own.mailbox.provider, context.clock.now()
    stopped = context.remembrance.stopped_by(provider, frozenset({HealthEvent.BLOCKED}))
    seen = [found for each in stopped if (found := _blocked(context, each)) is not None]
    active = context.database.read_one(_SQL["active"], (provider, now - WORKED_WITHIN))
    return blocked_together([own, *seen], own.likeness, active=0 if active is None else active[0], now=now)


def _blocked(context: Context, mailbox: MailboxId) -> Blocked | None:
    """In which words, and when, at whichever command it was said last."""
    number, since = context.names.mailbox(mailbox), context.clock.now() - BLOCKED_WITHIN
    said: list[tuple[Instant, bytes]] = []
    for statement in ("blocked_login", "blocked_attempt"):
        row = context.database.read_one(_SQL[statement], (number, since))
        if row is not None and row[1] is not None:
            said.append((row[0], row[1]))
    if not said:
        return None
    at, likeness = max(said)
    worked = context.database.read_one(_SQL["last_worked"], (number, at))
    is_active = worked is not None and worked[0] is not None and worked[0] >= at - WORKED_WITHIN
    return Blocked(mailbox, at, likeness, is_active)
