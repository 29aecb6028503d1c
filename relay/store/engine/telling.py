"""What the relay itself writes, on its way: reports of bounces and notices, and what follows if nobody takes them.

Law: an entry stays, with the body and the envelope that it needs, until a report of it was taken; the first that is
refused or expires is followed by one more, and when that fails too, somebody who can act knows of it. A word whose
notice was refused was not said.
"""

import json

from relay.core.concerns import ONCE, ConcernKind, Subject
from relay.core.envelope import Letter
from relay.core.lifecycle import State
from relay.core.returned import REMIND_AFTER, with_refusal
from relay.core.telling import NoRoad
from relay.store.engine.concerns import open_concern
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.statements import load_statements
from relay.store.ports.events import EventKind, StoreEvent

_SQL = load_statements("outbox")
_QUEUE = load_statements("queue")
_CONCERNS = load_statements("concerns")
_LETTERS = load_statements("letters")

AT_ONCE: int = 100
"""Entries that are forgotten in one go."""


def is_body_needed(context: Context, entry: Entry) -> bool:
    """Whether a pending delivery or an outbox entry still needs the message's body."""
    database, seq = context.database, entry.seq
    if database.read_one(_QUEUE["has_pending"], (seq, seq + entry.recipients)) is not None:
        return True
    return database.read_one(_SQL["has_outbox"], (seq,)) is not None


def drop(context: Context, number: int, delivery: int) -> None:
    """Nothing has to be done any more; the body goes if nothing else needs it."""
    found = context.entries.one(delivery)
    assert found is not None
    context.owed -= context.database.write(_SQL["drop_outbox"], (number,))
    if not is_body_needed(context, found[0]):
        context.bodies.let_go(found[0].seq, found[0].place)


def hand_over(context: Context, number: int, report: int) -> None:
    """A report is on its way: what it tells of is kept until it was taken."""
    context.database.write(_SQL["hand_over"], (report, number))


def note_letter(context: Context, letter: Letter, message: int) -> None:
    """A notice is on its way."""
    context.database.write(_LETTERS["add_letter"], (message, letter.concern, letter.word, letter.reader))


def letter_ended(context: Context, letter: Entry, state: State) -> None:
    """A notice was taken, or it never will be: then its word was not said."""
    row = context.database.read_one(_LETTERS["letter_of"], (letter.seq,))
    if row is None:
        return
    context.database.write(_LETTERS["drop_letter"], (letter.seq,))
    if state is State.BOUNCED:
        _unsay(context, *row)


def _unsay(context: Context, number: int, word: int, reader: str) -> None:
    """Whoever can act instead is told, and that somebody was not; of an end, and of that very trouble, nothing more."""
    row = context.database.read_one(_CONCERNS["told_of"], (number,))
    if row is None:
        return
    kind, closed_at, told_at, words, detail = row
    is_over = closed_at is not None and kind not in ONCE
    if is_over or kind == ConcernKind.UNSENDABLE:
        return
    wall = context.clock.wall()
    written = with_refusal(json.loads(detail), reader, context.clock.shown(wall))
    context.database.write(_CONCERNS["note_detail"], (json.dumps(written), number))
    if words == word + 1:
        words, told_at = word, told_at - REMIND_AFTER if word else None
    context.database.write(_CONCERNS["unsay"], (words, told_at, wall, number))
    context.journal.record(StoreEvent(EventKind.CONCERN, wall, reason=kind))


def report_ended(context: Context, report: Entry, state: State) -> None:
    """A report was taken, or it never will be."""
    row = context.database.read_one(_SQL["told_by"], (report.seq,))
    if row is None:
        return
    number, delivery, refused_by = row
    if state is not State.BOUNCED:
        drop(context, number, delivery)
        return
    account = context.routes.routing.accounts.get(report.sender)
    if refused_by is None and account is not None:
        values = (context.names.mailbox(account.mailbox), context.clock.wall(), number)
        context.database.write(_SQL["take_again"], values)
    else:
        give_up(context, number, delivery)


def give_up(context: Context, number: int, delivery: int) -> None:
    """Nobody can be told of a bounce: whoever runs the relay is."""
    found = context.entries.one(delivery)
    assert found is not None
    context.database.write(_SQL["give_up"], (context.clock.wall(), number))
    sender = found[0].sender
    account = context.routes.routing.accounts.get(sender)
    subject = Subject(account=sender) if account is None else Subject(mailbox=account.mailbox)
    open_concern(context, ConcernKind.UNSENDABLE, subject, reason=NoRoad.BOUNCE_UNTOLD)


def forget_old(context: Context) -> None:
    """What nobody could be told of is shown as long as held mail is kept."""
    before = context.clock.wall() - context.settings.hold_lifetime
    for (number,) in context.database.read(_SQL["old_lost"], (before, AT_ONCE)):
        row = context.database.read_one(_SQL["get_outbox"], (number,))
        assert row is not None
        drop(context, number, row[0])
