"""What becomes of a bounce while its sender is being told: the report that is on its way, and what follows if it fails.

Law: an entry stays, with the body and the envelope that it needs, until a report of it was taken; the first that is
refused or expires is followed by one more, and when that fails too, somebody who can act knows of it.
"""

from relay.core.concerns import ConcernKind, Subject
from relay.core.lifecycle import State
from relay.core.telling import NoRoad
from relay.store.sqlite.concerns import open_concern
from relay.store.sqlite.context import Context
from relay.store.sqlite.entry import Entry
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("outbox")
_QUEUE = load_statements("queue")

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
