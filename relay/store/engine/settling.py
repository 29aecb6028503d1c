"""How an attempt ends: its slots, its delivery, its mailbox's health, and what follows, in one transaction.

Law: only who holds a delivery decides about it; a late `delivered` is a fact all the same.
"""

from dataclasses import replace

from relay.core.dsn import is_wanted
from relay.core.envelope import Claim, Result, Verdict
from relay.core.failuretext import Action
from relay.core.health import HealthEvent, HealthState
from relay.core.lifecycle import Event, State, can
from relay.core.likeness import likeness_of
from relay.core.limits import Instant
from relay.core.meaning import ReplyClass
from relay.core.retry import delay_after, steps_for
from relay.core.rotation import CROWDED
from relay.core.routing import InDoubt
from relay.core.symptoms import event_of_result, reason_of_result, stays_in_place
from relay.core.words import Stage
from relay.errors import CorruptValue
from relay.store.engine.about import suspect_result, went_through
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.healths import Symptom, change_mailbox, change_provider
from relay.store.engine.moves import CORRUPT, Moves
from relay.store.engine.outages import is_only_this_message
from relay.store.engine.probing import is_evidence, is_recipients
from relay.store.engine.riddles import note_riddle
from relay.store.engine.running import Running
from relay.store.engine.signs import tally_of
from relay.store.engine.spam import bounce_siblings, cited, note_spam
from relay.store.engine.statements import load_statements
from relay.store.engine.suppressions import note_outcome
from relay.store.engine.values import STATES, write_reply
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.outbox import OutboxKind

_SQL = load_statements("queue")
_OUTBOX = load_statements("outbox")

IN_DOUBT = "in-doubt"
"""The class of an attempt that passed the gate and whose reply nobody recorded."""

LOST = "lost"
"""The class of an attempt that nobody reported on, before the gate."""


class Settling:
    """Ends attempts."""

    def __init__(self, context: Context, moves: Moves) -> None:
        self._context = context
        self._moves = moves

    def gate(self, claim: Claim) -> bool:
        """Whether the claim still holds its delivery; from here its outcome may be unknown."""
        running = self._context.claims.get(claim.attempt)
        if running is None or running.is_lost or running.lapsed_at is not None:
            return False
        if running.gated_at is None:
            self._context.claims.gate(running, self._context.clock.now())
        return True

    def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Records how the attempt ended, as what; None: too late, and nothing of it counts."""
        context = self._context
        running = context.claims.get(claim.attempt)
        is_fact = result.verdict is Verdict.DELIVERED
        if running is None:
            return result.verdict if is_fact and self._deliver_late(claim, result) else None
        if running.lapsed_at is not None and not running.is_lost and not is_fact:
            return None
        now = context.clock.now()
        self._end(running, result, _end_of(result, now, context.routes.linger_of(claim.mailbox)), now)
        if running.is_lost:
            return result.verdict if is_fact and self._deliver_late(claim, result) else None
        if not is_fact:
            result = suspect_result(context, running, result)
        event = self._event(running, result)
        if is_recipients(context, running, result, event):
            result, event = replace(result, verdict=Verdict.DEFERRED), None
        self._move(running, result, event)
        self._judge(running, result, event)
        if is_fact:
            went_through(context, running)
        context.changed()
        return result.verdict

    def _end(self, running: Running, result: Result, at: Instant | None, now: Instant) -> None:
        """The attempt gives its slots back (`at` None), or they count from `at` on."""
        context, claim = self._context, running.claim
        context.claims.end(running, at, now)
        if not result.is_attempt:
            return
        values = (
            claim.attempt, claim.delivery, running.mailbox, claim.node, running.started_at, running.gated_at,
            now if at is None else at, at is not None, result.stage.value, result.reply_class,
            write_reply(result.reply), _likeness(result), self._said(claim.attempt, result),
        )  # fmt: skip
        context.database.write(_SQL["add_attempt"], values)
        context.remembrance.warmups.used(claim.mailbox, context.routes.routing)

    def _said(self, attempt: int, result: Result) -> bytes | None:
        """In the provider's own words, for the one role that may read them."""
        return None if result.said is None else self._context.seals.seal_said(result.said, attempt)

    def _move(self, running: Running, result: Result, event: HealthEvent | None) -> None:
        entry, state, moves = running.entry, running.state, self._moves
        note_outcome(self._context, entry, result)
        reason, reply = result.reply_class, write_reply(result.reply)
        verdict = result.verdict
        if verdict is Verdict.DELIVERED:
            entry.tries += 1
            moves.finish(entry, state, Event.DELIVER, reason=reason, reply=reply, owes=_confirmation(entry, result))
        elif verdict is Verdict.BOUNCED:
            entry.tries += 1
            moves.finish(entry, state, Event.BOUNCE, reason=reason, reply=reply, owes=OutboxKind.BOUNCE)
            if reason == ReplyClass.SPAM_BLOCKED and entry.recipients > 1:
                bounce_siblings(self._context, moves, entry, reason=reason, reply=reply)
        elif verdict is Verdict.DEFERRED and stays_in_place(event):
            moves.keep_place(entry, state, reason=reason, reply=reply)
        elif verdict is Verdict.DEFERRED:
            due = self._context.clock.wall() + self._delay(entry, result)
            moves.wait(entry, state, Event.DEFER, due=due, reason=reason, reply=reply)
        elif verdict is Verdict.CORRUPT:
            moves.hold(entry, state, reason=CORRUPT, reply=None)
        elif verdict is Verdict.ASIDE:
            entry.tries += 1
            moves.hold(entry, state, reason=reason, reply=reply)
        elif verdict is Verdict.IN_DOUBT and can(state, Event.DOUBT):
            self._doubt(running, reply, self._context.routes.linger_of(running.claim.mailbox))
        else:
            moves.give_back(entry, state, reason=reason)

    def _delay(self, entry: Entry, result: Result) -> int:
        """Until the next try; that there were too many sessions is no failure of this one."""
        if result.reply_class == ReplyClass.TOO_MANY_CONNECTIONS:
            return max(CROWDED, result.retry_after or 0)
        entry.tries += 1
        steps = steps_for(result.reply_class, self._context.settings.retry)
        return delay_after(entry.tries, steps, at_least=result.retry_after)

    def _doubt(self, running: Running, reply: str | None, pause: int) -> None:
        """The gate was passed and no final reply came: sent once more after a pause, or held."""
        context, entry = self._context, running.entry
        entry.tries += 1
        entry.doubts += 1
        context.journal.record(
            StoreEvent(
                EventKind.IN_DOUBT, context.clock.wall(), entry.message, entry.delivery, entry.sender,
                running.claim.mailbox, entry.lane, IN_DOUBT, entry.accepted_at,
            ),
            entry.seq,
        )  # fmt: skip
        if entry.doubts > 1 or context.in_doubt_of(entry.sender) is InDoubt.HOLD:
            self._moves.hold(entry, running.state, reason=IN_DOUBT, reply=reply)
            return
        due = context.clock.wall() + pause
        self._moves.wait(entry, running.state, Event.DOUBT, due=due, reason=IN_DOUBT, reply=reply)

    def abandon(self, running: Running, *, at: Instant) -> None:
        """Nobody will say any more how this attempt ended: it ends at `at`; past the gate it is in doubt until then."""
        context, now, claim = self._context, self._context.clock.now(), running.claim
        context.claims.end(running, at, now)
        is_gated = running.gated_at is not None
        stage, reason = (Stage.EOD, IN_DOUBT) if is_gated else (Stage.DATA, LOST)
        values = (
            claim.attempt, claim.delivery, running.mailbox, claim.node, running.started_at, running.gated_at, at, True,
            stage.value, reason, None, None, None,
        )  # fmt: skip
        context.database.write(_SQL["add_attempt"], values)
        context.remembrance.warmups.used(claim.mailbox, context.routes.routing)
        if running.is_lost:
            return
        if running.state is State.GATED:
            self._doubt(running, None, max(0, at - now))
        else:
            self._moves.give_back(running.entry, running.state, reason=reason)
        context.changed()

    # what comes late

    def _deliver_late(self, claim: Claim, result: Result) -> bool:
        """The provider took it, whatever was decided meanwhile."""
        context, reply = self._context, write_reply(result.reply)
        row = context.database.read_one(_SQL["delivery_of_attempt"], (claim.attempt,))
        found = None if row is None or row[0] != claim.delivery else context.entries.one(row[0])
        if found is None:
            return False
        context.database.write(_SQL["amend_attempt"], (result.stage.value, result.reply_class, reply, claim.attempt))
        entry, state, due = found[0], STATES[found[1]], found[2]
        if state is not State.DELIVERED:
            has_body = self._moves.is_body_needed(entry)
            self._take_out(entry, state, due)
            owes = self._late_confirmation(entry, result) if has_body else None
            self._moves.finish(
                entry, state, Event.DELIVER, reason=result.reply_class, reply=reply, has_body=has_body, owes=owes
            )
        context.changed()
        return True

    def _late_confirmation(self, entry: Entry, result: Result) -> OutboxKind | None:
        """As for one in time, while its envelope is still there."""
        if entry.sealed is None:
            return None
        try:
            entry.envelope = self._context.seals.open_envelope(entry.sealed, entry.message, entry.ordinal)
        except CorruptValue:
            return None
        return _confirmation(entry, result)

    def _take_out(self, entry: Entry, state: State, due: int) -> None:
        """It is in nobody's queue, hand or outbox any more."""
        context = self._context
        holder = context.claims.holder_of(entry.delivery)
        if holder is not None:
            context.claims.lose(holder)
        elif state is State.WAITING and due == 0:
            context.ready.remove(entry)
        if state is State.BOUNCED:
            context.owed -= context.database.write(_OUTBOX["drop_outbox_of"], (entry.seq, entry.delivery))

    # what it says about the mailbox

    def _event(self, running: Running, result: Result) -> HealthEvent | None:
        """How it bears on health; a line that breaks for one message alone, again and again, is that message's, and a
        report that arrives is no proof where patients were refused.
        """
        context = self._context
        event = event_of_result(result, tally_of(context, running, result))
        if event is HealthEvent.DELIVERED and not is_evidence(context, running):
            return None
        if event is HealthEvent.UNREACHABLE and result.verdict is Verdict.DEFERRED:
            return None if is_only_this_message(context, running) else event
        return event

    def _judge(self, running: Running, result: Result, event: HealthEvent | None) -> None:
        context, mailbox = self._context, running.claim.mailbox
        if result.reply_class == ReplyClass.TOO_MANY_CONNECTIONS:
            now = context.clock.now()
            context.schedule.crowded(mailbox, now + CROWDED, now, is_provider=result.is_provider)
            return
        is_not_understood = result.reply_class == ReplyClass.PROTOCOL_ERROR and result.verdict is Verdict.ASIDE
        if is_not_understood or result.reply_class == ReplyClass.UNKNOWN:
            note_riddle(context, mailbox.provider, result.stage, result.reply, reason=result.reply_class)
        note_spam(context, running, result)
        health = context.remembrance.health(mailbox)
        if event is None or (event is HealthEvent.DELIVERED and health.state is HealthState.OK and health.is_proven):
            return
        about = cited(running, result)
        symptom = Symptom(event, reason_of_result(result), result.retry_after, result.reply, cited=about)
        if result.is_provider:
            context.schedule.accuse(mailbox.provider, [mailbox])
            change_provider(context, mailbox.provider, symptom)
        else:
            change_mailbox(context, mailbox, symptom)


def _likeness(result: Result) -> bytes | None:
    """Of what was refused; what was taken is all alike."""
    is_refusal = result.verdict is not Verdict.DELIVERED and result.reply is not None
    return likeness_of(result.reply) if is_refusal and result.reply is not None else None


def _confirmation(entry: Entry, result: Result) -> OutboxKind | None:
    """Whoever wants to hear of success hears it from us where the provider was not told so (RFC 3461, 5.2.2)."""
    envelope = entry.envelope
    if envelope is None or result.is_dsn_passed_on or not is_wanted(envelope, Action.RELAYED):
        return None
    return OutboxKind.RELAYED


def _end_of(result: Result, now: Instant, linger: int) -> Instant | None:
    """When the provider can have counted it last; None: it never heard of it."""
    if not result.is_mail_written:
        return None
    return now if result.is_end_known else now + linger
