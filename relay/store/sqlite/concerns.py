"""Concerns as they begin and end, written in the transaction of what they are about.

Law: one concern of a kind about one subject is open at a time; what follows for whom is told to is read from there.
"""

import json
from collections.abc import Mapping

from relay.core.concerns import ONCE, ConcernKind, Subject
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.sqlite.context import Context
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("concerns")


def open_concern(
    context: Context,
    kind: ConcernKind,
    subject: Subject,
    *,
    reason: str | None = None,
    detail: Mapping[str, str] | None = None,
) -> bool:
    """It begins, or goes on; True: it is new. `detail` is masked and names no recipient."""
    about, wall = str(subject), context.clock.wall()
    known = context.database.read_one(_SQL["open_concern"], (kind.value, about))
    written = json.dumps(dict(detail or {}))
    if known is not None:
        if known[1] != reason:
            context.database.write(_SQL["change_concern"], (reason, written, known[0]))
            _tell(context, kind, subject)
        return False
    mailbox = None if subject.mailbox is None else context.names.mailbox(subject.mailbox)
    account = None if subject.account is None else context.names.account(subject.account)
    closed_at = wall if kind in ONCE else None
    values = (kind.value, about, subject.provider, mailbox, account, reason, wall, closed_at, written)
    context.database.write(_SQL["add_concern"], values)
    _tell(context, kind, subject)
    return True


def close_concern(context: Context, kind: ConcernKind, subject: Subject) -> bool:
    """It is over; False: none was open."""
    is_over = context.database.write(_SQL["close_concern"], (context.clock.wall(), kind.value, str(subject))) > 0
    if is_over:
        _tell(context, kind, subject)
    return is_over


def _tell(context: Context, kind: ConcernKind, subject: Subject) -> None:
    context.journal.record(
        StoreEvent(
            EventKind.CONCERN, context.clock.wall(), account=subject.account, mailbox=subject.mailbox,
            reason=kind.value, provider=subject.provider,
        )
    )  # fmt: skip
