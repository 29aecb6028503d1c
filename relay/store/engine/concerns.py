"""Concerns as they begin and end, written in the transaction of what they are about.

Law: one concern of a kind about one subject is open at a time; one that comes back before anybody heard of its end goes
on, and of one that another reason or kind replaces the end is said with the end of that one.
"""

import json
from collections.abc import Mapping

from relay.core.concerns import ONCE, ConcernKind, Subject
from relay.core.limits import HOUR
from relay.core.reminding import STEADY
from relay.store.engine.context import Context
from relay.store.engine.ends import BEFORE, all_ends_of
from relay.store.engine.statements import load_statements
from relay.store.ports.events import EventKind, StoreEvent

_SQL = load_statements("concerns")

ONCE_A_DAY: int = 23 * HOUR
"""What is told once is told once a day: an hour less, so that what happens each morning is told each morning."""


def open_concern(
    context: Context,
    kind: ConcernKind,
    subject: Subject,
    *,
    reason: str | None = None,
    detail: Mapping[str, str] | None = None,
    again_after: int | None = ONCE_A_DAY,
    look_after: int = 0,
) -> bool:
    """It begins, or goes on; True: it is new. `detail` is masked and names no recipient.

    What is told once is not told again of the same subject and reason within `again_after` microseconds; None: ever.
    Nobody hears of it before `look_after`.
    """
    about, wall, written = str(subject), context.clock.wall(), json.dumps(dict(detail or {}))
    known = context.database.read_one(_SQL["open_concern"], (kind.value, about))
    if known is not None:
        if known[1] == reason:
            return False
        context.database.write(_SQL["replace_concern"], (wall, wall + STEADY, known[0]))
    last = context.database.read_one(_SQL["last_concern"], (kind.value, about, reason))
    if last is not None:
        number, opened_at, closed_at, told_at, look_at, last_detail = last
        if kind in ONCE and (again_after is None or wall - opened_at < again_after):
            return False
        if kind not in ONCE and told_at is not None and look_at is not None and closed_at is not None:
            kept = {key: text for key, text in json.loads(last_detail).items() if key == BEFORE}
            context.database.write(_SQL["reopen_concern"], (wall, json.dumps({**kept, **dict(detail or {})}), number))
            return False
    mailbox = None if subject.mailbox is None else context.names.mailbox(subject.mailbox)
    account = None if subject.account is None else context.names.account(subject.account)
    closed_at = wall if kind in ONCE else None
    values = (
        kind.value,
        about,
        subject.provider,
        mailbox,
        account,
        reason,
        wall,
        closed_at,
        wall + look_after,
        written,
    )
    context.database.write(_SQL["add_concern"], values)
    _tell(context, kind, subject)
    return True


def close_concern(context: Context, kind: ConcernKind, subject: Subject) -> bool:
    """It is over; False: none was open. Nobody hears of the end of what he was not told of."""
    is_over = context.database.write(_SQL["close_concern"], (context.clock.wall(), kind.value, str(subject))) > 0
    if is_over:
        renew_end(context, kind, subject)
        _tell(context, kind, subject)
    return is_over


def renew_end(context: Context, kind: ConcernKind, subject: Subject) -> None:
    """It works again after whatever stopped it last: the end that nobody heard of yet is this one."""
    for each in all_ends_of(context, kind, subject):
        context.database.write(_SQL["renew_end"], (context.clock.wall(), each.id))


def is_open(context: Context, kind: ConcernKind, subject: Subject) -> bool:
    """Whether one is open."""
    return context.database.read_one(_SQL["open_concern"], (kind.value, str(subject))) is not None


def drop_concern(context: Context, kind: ConcernKind, subject: Subject) -> bool:
    """Another story took its place; False: none was open. Whoever was told hears when that is over too."""
    known = context.database.read_one(_SQL["open_concern"], (kind.value, str(subject)))
    if known is not None:
        wall = context.clock.wall()
        context.database.write(_SQL["replace_concern"], (wall, wall + STEADY, known[0]))
        _tell(context, kind, subject)
    return known is not None


def _tell(context: Context, kind: ConcernKind, subject: Subject) -> None:
    context.journal.record(
        StoreEvent(
            EventKind.CONCERN, context.clock.wall(), account=subject.account, mailbox=subject.mailbox,
            reason=kind.value, provider=subject.provider,
        )
    )  # fmt: skip
