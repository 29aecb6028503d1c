"""The bounce guard in the store: what bounces in the same words for several recipients is held, and why is told.

Law: the mailbox is paused, the bounces held and their reports struck out, or taken out of the queue, in the transaction
of the third refusal; what is held goes on in that of the guard's end.
"""

from dataclasses import replace

from relay.core.envelope import Result, Verdict
from relay.core.guard import BOUNCE_GUARD, SAME_LEAST, SAME_WITHIN, Bounced, is_about_mailbox, least_of
from relay.core.health import HealthEvent
from relay.core.lifecycle import Event, State
from relay.core.likeness import likeness_of
from relay.core.limits import Instant
from relay.core.words import AccountId, DeliveryId, MailboxId
from relay.store.engine.context import Context
from relay.store.engine.moves import Moves
from relay.store.engine.running import Running
from relay.store.engine.statements import load_statements
from relay.store.engine.values import STATES

_SQL = load_statements("guard")
_OUTBOX = load_statements("outbox")


def as_of_guard(context: Context, running: Running, result: Result) -> Result:
    """A final refusal, or, where it is the mailbox that is refused, a result that holds the delivery."""
    reply = result.reply
    least = least_of(result.stage, reply, result.reply_class, is_read=result.is_read)
    if reply is None or least is None:
        return result
    likeness = likeness_of(reply)
    if not (_is_kept(context, running, likeness, least) or _is_last_straw(context, running, likeness, least)):
        return result
    bounce = _take_back(context, running, likeness)
    if bounce is not None:
        if not _has_others(context, running):
            _let_probe(context, bounce)
        return replace(result, verdict=Verdict.BOUNCED, reply_class=BOUNCE_GUARD)
    verdict = Verdict.ASIDE if _has_others(context, running) else Verdict.HELD
    return replace(result, verdict=verdict, reply_class=BOUNCE_GUARD)


def _has_others(context: Context, running: Running) -> bool:
    """Whether another client's mail can be the probe; if not, this one stays in its place and is."""
    numbers = (
        context.names.known_account(a.sender) for a in context.routes.routing.by_mailbox.get(running.claim.mailbox, ())
    )
    rows = (
        context.database.read_one(_SQL["other_mail"], (each, running.entry.delivery))
        for each in numbers
        if each is not None
    )
    return any(row is not None for row in rows)


def _is_kept(context: Context, running: Running, likeness: bytes, least: int) -> bool:
    """Whether the guard is on, and keeps back what is refused in these words."""
    health, clock = context.remembrance.health(running.claim.mailbox), context.clock
    if not (health.is_stopped and health.cause is HealthEvent.GUARDED):
        return False
    row = context.database.read_one(_SQL["guarded_since"], (running.mailbox,))
    if least == SAME_LEAST or row is None:
        return least == SAME_LEAST
    since = int(row[0]) - clock.wall() + clock.now() - SAME_WITHIN
    rows = context.database.read(_SQL["refusals_like"], (running.mailbox, since, likeness))
    return len({who for who, _ in rows}) >= least


def _is_last_straw(context: Context, running: Running, likeness: bytes, least: int) -> bool:
    """Who met these words before was asked for again, and is answered: only another one makes them suspect."""
    database, claim, now = context.database, running.claim, context.clock.now()
    if database.read_one(_SQL["has_met"], (claim.delivery, likeness, claim.attempt)) is not None:
        return False
    rows = database.read(_SQL["refusals_like"], (running.mailbox, _since(context, running.mailbox), likeness))
    met = [Bounced(who, min(at, now), likeness) for who, at in rows]
    if not is_about_mailbox(met, likeness, now, least=least):
        return False
    first = min(each.at for each in met)
    return least == SAME_LEAST or database.read_one(_SQL["delivered_since"], (running.mailbox, first)) is None


def _since(context: Context, mailbox: int) -> Instant:
    """What was seen before the guard ended last was found to be no matter of the mailbox."""
    clock, row = context.clock, context.database.read_one(_SQL["last_guarded"], (mailbox,))
    since = clock.now() - SAME_WITHIN
    if row is None or row[0] is None:
        return since
    return max(since, int(row[0]) - clock.wall() + clock.now() + 1)


def _take_back(context: Context, running: Running, likeness: bytes) -> DeliveryId | None:
    """Bounces of which nobody was told yet become holds, and their reports are taken out of the queue.

    A report that is under way itself tells its sender, or is refused. What the attempt that ends now tells of, if it is
    such a report.
    """
    moves, mailbox, own = Moves(context), running.mailbox, None
    rows = context.database.read(_SQL["untold_bounces"], (mailbox, _since(context, mailbox), likeness))
    for number, delivery, sealed, report in rows:
        found = context.entries.one(delivery)
        assert found is not None
        if report is not None and report != running.entry.seq and context.claims.holder_of(report) is not None:
            continue
        context.owed -= context.database.write(_OUTBOX["drop_outbox"], (number,))
        moves.recall(found[0], sealed, reason=BOUNCE_GUARD)
        if report == running.entry.seq:
            own = delivery
        elif report is not None:
            _withdraw(context, moves, report)
    return own


def _let_probe(context: Context, bounce: DeliveryId) -> None:
    """Nothing else is left that can show whether the mailbox works: this one stays in its place."""
    found = context.entries.one(bounce)
    assert found is not None
    Moves(context).release(found[0], reason=BOUNCE_GUARD, reply=None)


def _withdraw(context: Context, moves: Moves, report: int) -> None:
    """Nobody hears of what did not happen: a report that waits is not sent."""
    found = context.entries.one(report)
    assert found is not None
    entry, state, due = found
    if STATES[state] is State.WAITING and not due:
        context.ready.remove(entry)
    moves.finish(entry, STATES[state], Event.CANCEL, reason=BOUNCE_GUARD, reply=None)


def release_guarded_of(context: Context, mailbox: MailboxId) -> None:
    """The mailbox works: what the guard held of it goes on."""
    for account in context.routes.routing.by_mailbox.get(mailbox, ()):
        release_guarded(context, account.sender)


def release_guarded(context: Context, account: AccountId) -> None:
    """What the guard held of an account is ready again, at its old place."""
    number = context.names.known_account(account)
    if number is None:
        return
    for delivery, reply in context.database.read(_SQL["guarded_of"], (number, BOUNCE_GUARD)):
        found = context.entries.one(delivery)
        assert found is not None
        Moves(context).release(found[0], reason=BOUNCE_GUARD, reply=reply)
