"""Stops that somebody was told of and whose end he has not heard of yet, whatever kinds and reasons follow each other.

Law: whoever was told of a stop hears of one end, when it works again, whatever took its place in between; what was told
before is handed on to what is told after it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from relay.core.concerns import ConcernKind, Subject, story_of
from relay.core.words import AccountId
from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements
from relay.store.ports.notices import Heard

_SQL = load_statements("concerns")

BEFORE = "before"
"""Of the detail: the stops of which this one will say the end, as JSON of reason, account and beginning."""

MOST: int = 20
"""Stops that are handed on: one that has seen more reasons in a row is told to those of the last ones."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One that was told."""

    reason: str | None
    account: AccountId | None
    """None: all of its mailbox, or of its provider."""
    since: int
    """Queue time."""


@dataclass(frozen=True, slots=True)
class End:
    """A concern that is over and whose end was not said."""

    id: int
    stops: tuple[Stop, ...]


def ends_of(context: Context, kind: ConcernKind, subject: Subject) -> list[End]:
    """Those of the same story; an account's alone, where it is about an account."""
    return [end for each in story_of(kind) for end in _ends(context, each, subject)]


def all_ends_of(context: Context, kind: ConcernKind, subject: Subject) -> list[End]:
    """Those, and of a mailbox that works what its accounts were stranded by: it is the same good news."""
    found = ends_of(context, kind, subject)
    if subject.account is None and subject.mailbox is not None:
        for account in context.routes.routing.by_mailbox.get(subject.mailbox, ()):
            found += _ends(context, ConcernKind.ACCOUNT_STRANDED, Subject(account=account.sender))
    return found


def _ends(context: Context, kind: ConcernKind, subject: Subject) -> Iterator[End]:
    for number, reason, since, detail in context.database.read(_SQL["unheard_ends"], (kind.value, str(subject))):
        yield End(number, (*before(json.loads(detail)), Stop(reason, subject.account, since)))


def before(detail: Mapping[str, str]) -> tuple[Stop, ...]:
    """What was told before, of which a concern with this detail says the end."""
    return tuple(Stop(*each) for each in json.loads(detail.get(BEFORE, "[]")))


def handed_on(detail: Mapping[str, str], ends: Sequence[End]) -> dict[str, str]:
    """The detail of a concern that was told, and stands for these from now on."""
    stops = dict.fromkeys((*before(detail), *(stop for end in ends for stop in end.stops)))
    written = json.dumps([[each.reason, each.account, each.since] for each in stops][-MOST:])
    return {**detail, BEFORE: written}


def take_over(context: Context, concern: int, ends: Sequence[End]) -> None:
    """It was told, so that it says the end of these too."""
    if not ends:
        return
    row = context.database.read_one(_SQL["detail_of"], (concern,))
    detail = {} if row is None else json.loads(row[0])
    context.database.write(_SQL["note_detail"], (json.dumps(handed_on(detail, ends)), concern))
    drop(context, ends)


def drop(context: Context, ends: Sequence[End]) -> None:
    """Nobody hears of these any more: another one has said it, or will."""
    for each in ends:
        context.database.write(_SQL["drop_end"], (each.id,))


def heard(context: Context, own: Mapping[str, str], ends: Sequence[End], subject: Subject) -> tuple[Heard, ...]:
    """Of which stops an end that is said now has to be told: those before it, by its detail, and the others."""
    stops = dict.fromkeys((*before(own), *(stop for end in ends for stop in end.stops)))
    return tuple(
        Heard(each.reason, _senders(context, each, subject), context.clock.shown(each.since)) for each in stops
    )


def _senders(context: Context, stop: Stop, subject: Subject) -> tuple[AccountId, ...]:
    routing = context.routes.routing
    if stop.account is not None:
        return (stop.account,) if stop.account in routing.accounts else ()
    return () if subject.mailbox is None else tuple(each.sender for each in routing.by_mailbox.get(subject.mailbox, ()))
