"""Suppressions in the database, and in memory who is in it at all, so that the many recipients of whom nothing is
remembered cost nothing.

Law: what memory says of nobody is true of nobody; what bounces and arrives is noted in the transaction that settles it.
"""

from collections.abc import Callable, Sequence

from relay.core.envelope import Kind, Result, Verdict
from relay.core.limits import HOUR
from relay.core.samemailbox import one_spelling
from relay.core.suppression import REMEMBERED, Suppression, SuppressionKind, after_unknown, opted_out
from relay.core.words import AccountId
from relay.errors import UnknownAccount
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.note import Note
from relay.store.engine.reader import Ask
from relay.store.engine.statements import load_statements
from relay.store.ports.suppressions import SuppressionView

_SQL = load_statements("suppressions")

UNKNOWN = "recipient-unknown"
"""The reply class that counts."""

TIDIED_EVERY: int = 24 * HOUR
"""Refusals that no second one followed are looked for: they harm nobody and are few."""


class LedgerSuppressions:
    """The port `Suppressions`."""

    def __init__(self, note: Note, ask: Ask, present: Callable[[], Context]) -> None:
        """`present` gives the context of the moment."""
        self._note = note
        self._ask = ask
        self._present = present

    def may_stand(self, account: AccountId, recipient: str) -> bool:
        """Whether something may stand against him."""
        context = self._present()
        if not context.watched.by_account:
            return False
        return context.watched.has(context.names.known_account(account), _hashed(context, recipient))

    async def standing(self, account: AccountId, recipient: str) -> SuppressionView | None:
        """What keeps an account from writing to him now."""
        return await self._ask(lambda context: _standing(context, account, recipient))

    async def opt_out(self, account: AccountId, recipient: str) -> bool:
        """The account does not write to him any more."""
        return await self._note(lambda context: _opt_out(context, account, recipient))

    async def lift(self, account: AccountId, recipient: str) -> Sequence[SuppressionKind]:
        """It may again."""
        return await self._note(lambda context: _lift(context, account, recipient))

    async def all_of(
        self, account: AccountId, *, most: int, after: tuple[str, str] = ("", "")
    ) -> Sequence[SuppressionView]:
        """What is in force."""
        return await self._ask(lambda context: _all_of(context, account, most, after))


def note_outcome(context: Context, entry: Entry, result: Result) -> None:
    """What the end of an attempt says about its recipient; the store calls it where it settles."""
    if result.verdict is Verdict.DELIVERED:
        if entry.account in context.watched.by_account:
            _note_delivered(context, entry)
    elif result.verdict is Verdict.BOUNCED and result.reply_class == UNKNOWN and entry.kind is Kind.MAIL:
        _note_unknown(context, entry)


def _note_delivered(context: Context, entry: Entry) -> None:
    hashed = _recipient_of(context, entry)
    if hashed is not None and context.watched.has(entry.account, hashed):
        _drop(context, entry.account, hashed, {SuppressionKind.UNKNOWN})


def _note_unknown(context: Context, entry: Entry) -> None:
    hashed = _recipient_of(context, entry)
    if hashed is None:
        return
    known = _remembered(context, entry.account, hashed).get(SuppressionKind.UNKNOWN)
    _set(context, entry.account, hashed, after_unknown(known, context.clock.wall()))
    _tidy(context)


def _tidy(context: Context) -> None:
    """Forgets what no second refusal followed; memory may go on watching it until the next start."""
    wall = context.clock.wall()
    if wall >= context.watched.tidied_at + TIDIED_EVERY:
        context.watched.tidied_at = wall
        context.database.write(_SQL["forget_unknown"], (wall - REMEMBERED,))


def _recipient_of(context: Context, entry: Entry) -> bytes | None:
    if entry.envelope is None or not entry.envelope.recipients:
        return None
    return _hashed(context, entry.envelope.recipients[0].address)


def _hashed(context: Context, recipient: str) -> bytes:
    """No provider tells two patients from each other by capitals or by the quotes around a name."""
    return context.seals.hash_recipient(one_spelling(recipient))


def _standing(context: Context, account: AccountId, recipient: str) -> SuppressionView | None:
    number = context.names.known_account(account)
    if number is None:
        return None
    hashed, wall = _hashed(context, recipient), context.clock.wall()
    remembered = _remembered(context, number, hashed).values()  # by kind: an opt-out comes first
    found = next((each for each in remembered if each.is_in_force(wall)), None)
    return None if found is None else _view(context, hashed.hex(), found)


def _opt_out(context: Context, account: AccountId, recipient: str) -> bool:
    number = context.names.account(_known(context, account))
    hashed = _hashed(context, recipient)
    if SuppressionKind.OPTOUT in _remembered(context, number, hashed):
        return False
    _set(context, number, hashed, opted_out(context.clock.wall()))
    return True


def _lift(context: Context, account: AccountId, recipient: str) -> tuple[SuppressionKind, ...]:
    number, hashed = context.names.known_account(_known(context, account)), _hashed(context, recipient)
    if number is None or not context.watched.has(number, hashed):
        return ()
    return _drop(context, number, hashed, set(SuppressionKind))


def _all_of(context: Context, account: AccountId, most: int, after: tuple[str, str]) -> list[SuppressionView]:
    number = context.names.known_account(_known(context, account))
    if number is None:
        return []
    values = (number, bytes.fromhex(after[0]), after[1], context.clock.wall(), most)
    rows = context.database.read(_SQL["list_suppressions"], values)
    return [_view(context, hashed, _suppression(row)) for hashed, *row in rows]


def _known(context: Context, account: AccountId) -> AccountId:
    """The account of an address that people give."""
    found = context.routes.routing.account_of(account)
    if found is None:
        raise UnknownAccount
    return found.sender


def _remembered(context: Context, account: int, hashed: bytes) -> dict[SuppressionKind, Suppression]:
    rows = context.database.read(_SQL["suppressions_of"], (account, hashed))
    return {found.kind: found for found in map(_suppression, rows)}


def _set(context: Context, account: int, hashed: bytes, new: Suppression) -> None:
    values = (account, hashed, new.kind.value, new.first_at, new.last_at, new.until, new.many)
    context.database.write(_SQL["set_suppression"], values)
    context.watched.add(account, hashed)


def _drop(context: Context, account: int, hashed: bytes, kinds: set[SuppressionKind]) -> tuple[SuppressionKind, ...]:
    remembered = _remembered(context, account, hashed)
    gone = tuple(kind for kind in remembered if kind in kinds)
    for kind in gone:
        context.database.write(_SQL["drop_suppression"], (account, hashed, kind.value))
    if len(gone) == len(remembered):
        context.watched.discard(account, hashed)
    return gone


def _suppression(row: Sequence[object]) -> Suppression:
    kind, first_at, last_at, until, many = row
    return Suppression(SuppressionKind(str(kind)), first_at, last_at, until, many)  # type: ignore[arg-type]


def _view(context: Context, hashed: str, found: Suppression) -> SuppressionView:
    clock = context.clock
    until = None if found.until is None else clock.shown(found.until)
    return SuppressionView(hashed, found.kind, clock.shown(found.first_at), until)
