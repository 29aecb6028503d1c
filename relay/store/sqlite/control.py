"""What people say about accounts, done to the routes and to what waits.

Law: a paused account's mail is counted aside like that of an account that goes nowhere, and moves back as it was.
"""

from dataclasses import replace

from relay.core.words import AccountId
from relay.errors import UnknownAccount
from relay.store.sqlite.applying import move_account
from relay.store.sqlite.context import Context
from relay.store.sqlite.note import Note
from relay.store.sqlite.routes import PausedAccount
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("control")


class SqliteControl:
    """The port `Control`."""

    def __init__(self, note: Note) -> None:
        self._note = note

    async def pause(self, account: AccountId, *, why: str) -> bool:
        """Keeps an account's mail back."""
        return await self._note(lambda context: _pause(context, account, why))

    async def resume(self, account: AccountId) -> bool:
        """Lets it go again."""
        return await self._note(lambda context: _resume(context, account))


def _pause(context: Context, account: AccountId, why: str) -> bool:
    _check(context, account)
    routes, number = context.routes, context.names.account(account)
    known = routes.paused.get(account)
    since = context.clock.wall() if known is None else known.since
    context.database.write(_SQL["pause_account"], (number, since, why))
    _turn(context, account, {**routes.paused, account: PausedAccount(since, why)})
    return known is None


def _resume(context: Context, account: AccountId) -> bool:
    _check(context, account)
    paused = dict(context.routes.paused)
    if paused.pop(account, None) is None:
        return False
    context.database.write(_SQL["resume_account"], (context.names.account(account),))
    _turn(context, account, paused)
    return True


def _turn(context: Context, account: AccountId, paused: dict[AccountId, PausedAccount]) -> None:
    origin = context.routes.mailbox_of(account)
    context.replace_routes(replace(context.routes, paused=paused))
    move_account(context, account, origin)
    context.changed()


def _check(context: Context, account: AccountId) -> None:
    if account not in context.routes.routing.accounts:
        raise UnknownAccount
