"""What people say about accounts, done to the routes and to what waits.

Law: a paused account's mail is counted aside like that of an account that goes nowhere, and moves back as it was.
"""

from dataclasses import replace

from relay.core.words import AccountId
from relay.errors import UnknownAccount
from relay.store.engine.applying import move_account
from relay.store.engine.context import Context
from relay.store.engine.mending import mend
from relay.store.engine.note import Note
from relay.store.engine.routes import PausedAccount
from relay.store.engine.statements import load_statements
from relay.store.engine.stranding import tell_of_account
from relay.store.ports.control import ADMIN
from relay.store.ports.events import EventKind, StoreEvent

_SQL = load_statements("control")


class LedgerControl:
    """The port `Control`."""

    def __init__(self, note: Note) -> None:
        self._note = note

    async def pause(self, account: AccountId, *, why: str, by: str = ADMIN) -> bool:
        """Keeps an account's mail back."""
        return await self._note(lambda context: _pause(context, account, why, by))

    async def resume(self, account: AccountId, *, by: str = ADMIN) -> bool:
        """Lets it go again."""
        return await self._note(lambda context: _resume(context, account, by))

    async def fixed(self, account: AccountId, *, by: str = ADMIN) -> bool:
        """Its mailbox is mended, he says."""
        return await self._note(lambda context: _fixed(context, account, by))

    async def note(self, account: AccountId, what: str, *, by: str = ADMIN) -> None:
        """Puts down what a person did elsewhere."""
        await self._note(lambda context: _note(context, account, what, by))


def _pause(context: Context, account: AccountId, why: str, by: str) -> bool:
    _note(context, account, "paused", by)
    routes, number = context.routes, context.names.account(account)
    known = routes.paused.get(account)
    since = context.clock.wall() if known is None else known.since
    why = why or ("" if known is None else known.why)
    context.database.write(_SQL["pause_account"], (number, since, why))
    _turn(context, account, {**routes.paused, account: PausedAccount(since, why)})
    return known is None


def _resume(context: Context, account: AccountId, by: str) -> bool:
    _check(context, account)
    paused = dict(context.routes.paused)
    if paused.pop(account, None) is None:
        return False
    _note(context, account, "resumed", by)
    context.database.write(_SQL["resume_account"], (context.names.account(account),))
    _turn(context, account, paused)
    return True


def _fixed(context: Context, account: AccountId, by: str) -> bool:
    _note(context, account, "fixed", by)
    return mend(context, account, by)


def _turn(context: Context, account: AccountId, paused: dict[AccountId, PausedAccount]) -> None:
    origin = context.routes.mailbox_of(account)
    context.replace_routes(replace(context.routes, paused=paused))
    move_account(context, account, origin)
    tell_of_account(context, account)
    context.changed()


def _note(context: Context, account: AccountId, what: str, by: str) -> None:
    _check(context, account)
    wall = context.clock.wall()
    context.journal.record(StoreEvent(EventKind.SAID, wall, account=account, reason=f"{what} by {by}"))


def _check(context: Context, account: AccountId) -> None:
    if account not in context.routes.routing.accounts:
        raise UnknownAccount
