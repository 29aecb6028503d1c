"""Accounts whose mail goes nowhere (no account, no credentials, paused by a person), and who has to know of them.

Law: what strands many at once, such as a file of secrets that is gone, is one story; an account that never had a way
and has no mail is nobody's concern.
"""

import json
from collections.abc import Mapping, Sequence

from relay.core.concerns import ConcernKind, Subject
from relay.core.words import AccountId, MailboxId
from relay.store.engine.concerns import close_concern, drop_concern, open_concern
from relay.store.engine.context import Context
from relay.store.engine.routes import NO_ACCOUNT
from relay.store.engine.statements import load_statements

_SQL = load_statements("concerns")

SINGLY: int = 20
"""So many stranded accounts are told of one by one; more than a call centre would telephone are one notice to ops."""

_ONE, _MANY = ConcernKind.ACCOUNT_STRANDED, ConcernKind.ACCOUNTS_STRANDED
_ALL = Subject()


def tell_of_moved(context: Context, moved: Mapping[AccountId, MailboxId | None]) -> None:
    """After an edit: `moved` are accounts whose way may be another one, with where each went before."""
    known = _open_ones(context)
    for account in moved:
        if account in known:
            _update(context, account)
    lost = [
        account
        for account, origin in moved.items()
        if origin is not None and account not in known and _is_stranded(context, account)
    ]
    if lost and len(known) + len(lost) > SINGLY:
        _open_many(context, lost[0], len(known) + len(lost))
        return
    for account in lost:
        _open(context, account)
    _look_at_many(context)


def tell_of_account(context: Context, account: AccountId) -> None:
    """A person has paused it or let it go, or mail came for it although it goes nowhere."""
    known = _open_ones(context)
    if account in known:
        _update(context, account)
    elif _is_stranded(context, account) and _many(context) is None:
        if len(known) >= SINGLY:
            _open_many(context, account, len(known) + 1)
        else:
            _open(context, account)
    elif context.routes.mailbox_of(account) is not None:
        _look_at_many(context)


def _open_ones(context: Context) -> set[str]:
    return {about for (about,) in context.database.read(_SQL["open_of_kind"], (_ONE.value,))}


def _is_stranded(context: Context, account: AccountId) -> bool:
    """Whether it goes nowhere and somebody misses that: an account that is gone must have left mail behind."""
    trouble = context.routes.trouble_of(account)
    if trouble != NO_ACCOUNT:
        return trouble is not None
    number = context.names.known_account(account)
    line = None if number is None else context.pending.line(number)
    return line is not None and line.waiting + line.held > 0


def _update(context: Context, account: AccountId) -> None:
    if context.routes.trouble_of(account) is None:
        close_concern(context, _ONE, Subject(account=account))
    elif _is_stranded(context, account):
        _open(context, account)  # for another reason it is another story
    else:
        drop_concern(context, _ONE, Subject(account=account))


def _open(context: Context, account: AccountId) -> None:
    known = context.routes.routing.accounts.get(account)
    subject = Subject(account=account)
    if known is not None:
        subject = Subject(known.mailbox.provider, known.mailbox, account)
    open_concern(context, _ONE, subject, reason=context.routes.trouble_of(account))


# many at once


def _open_many(context: Context, account: AccountId, many: int) -> None:
    """`account`, one of them, says for what reason. Whoever had no way before is not waited for."""
    before = max(0, len(_without_way(context)) - many)
    detail = {"count": str(many), "before": str(before)}
    open_concern(context, _MANY, _ALL, reason=context.routes.trouble_of(account), detail=detail)


def _many(context: Context) -> int | None:
    """How many had no way before many lost theirs; None: many have not."""
    row = context.database.read_one(_SQL["open_detail"], (_MANY.value, str(_ALL)))
    return None if row is None else int(json.loads(row[0]).get("before", "0"))


def _look_at_many(context: Context) -> None:
    """Few are left: they are told of one by one, and the story of many is over."""
    before = _many(context)
    if before is None or len(left := _without_way(context)) - before > SINGLY:
        return
    close_concern(context, _MANY, _ALL)
    for account in [each for each in left if context.names.known_account(each) is not None][:SINGLY]:
        _open(context, account)


def _without_way(context: Context) -> Sequence[AccountId]:
    """All of the routing; some 50 ms for a hundred thousand, so it is asked while many are stranded only."""
    routes = context.routes
    return [account for account in routes.routing.accounts if routes.mailbox_of(account) is None]
