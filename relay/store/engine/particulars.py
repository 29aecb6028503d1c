"""What an account is beyond its health: its owner, its dates, who paused it, and what was said to it last.

Law: it only reads, and what it reads of history has an index and a bound.
"""

from dataclasses import replace

from relay.core.health import Health
from relay.core.words import AccountId, MailboxId
from relay.store.engine.context import Context
from relay.store.engine.obstacles import login_wait
from relay.store.engine.statements import load_statements
from relay.store.engine.values import read_reply
from relay.store.ports.reading import AccountView, Particulars, PausedView, SaidView

_SQL = load_statements("particulars")

LOOKED_AT: int = 50
"""Attempts among which the last answer of a provider is looked for: it answers nearly all of them."""


def with_particulars(context: Context, view: AccountView) -> AccountView:
    """The account with what the routing says of it, and who paused it."""
    account, paused = context.routes.routing.accounts.get(view.sender), context.routes.paused.get(view.sender)
    if account is None:
        return view
    known = Particulars(
        owner=account.owner,
        aliases=account.aliases,
        replaces=account.replaces,
        retires=account.retires,
        paid_until=account.paid_until,
        paused=None if paused is None else PausedView(context.clock.shown(paused.since), paused.why),
        stranded_at=_stranded_at(context, view.sender),
        tried_at=_tried_at(context, account.mailbox, context.remembrance.health(account.mailbox)),
        host_tried_at=_host_tried_at(context, account.mailbox),
    )
    return replace(view, particulars=known)


def _stranded_at(context: Context, sender: AccountId) -> int | None:
    stop = context.routes.stop_of(sender)
    return None if stop is None else context.clock.shown(stop.since)


def _host_tried_at(context: Context, mailbox: MailboxId) -> int | None:
    own = context.remembrance.health(mailbox)
    host = _tried_at(context, mailbox, context.remembrance.provider_health(mailbox.provider))
    if host is None or not own.is_stopped:
        return host
    tried_at = _tried_at(context, mailbox, own)
    return None if tried_at is None else max(tried_at, host)


def _tried_at(context: Context, mailbox: MailboxId, health: Health) -> int | None:
    clock = context.clock
    if not health.is_stopped or health.probe_at is None:
        return None
    at = context.schedule.look(mailbox).tries_at(health.probe_at, clock.now())
    return clock.shown(at + clock.wall() - clock.now())


def with_last_reply(context: Context, view: AccountView) -> AccountView:
    """The account with what its provider said last, and what keeps it from logging in."""
    if view.mailbox is None:
        return view
    said, wait = _last_said(context, view.mailbox), login_wait(context, view.mailbox)
    return replace(view, particulars=replace(view.particulars, last_reply=said, login_wait=wait))


def _last_said(context: Context, mailbox: MailboxId) -> SaidView | None:
    number = context.names.known_mailbox(mailbox)
    if number is None:
        return None
    clock = context.clock
    for ended, stage, reply_class, reply in context.database.read(_SQL["last_said"], (number, LOOKED_AT)):
        said = read_reply(reply)
        if said is not None:
            return SaidView(clock.shown(ended + clock.wall() - clock.now()), stage, reply_class, str(said))
    return None
