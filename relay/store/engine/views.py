"""Messages as admins see them: what the rows say, and why each delivery is not moving.

Law: no view names a recipient but by hash and domain; the reason is the decision of core/standstill.
"""

from collections.abc import Iterator
from dataclasses import replace

from relay.core.health import Health
from relay.core.lifecycle import State
from relay.core.limits import Instant
from relay.core.standstill import Situation, Standstill, barrier_of, standstill
from relay.core.words import AccountId, Lane, MailboxId
from relay.errors import CorruptValue
from relay.store.engine.context import Context
from relay.store.engine.ledger import Row
from relay.store.engine.outlooks import DETAIL_STEPS, LIST_STEPS, SPARE_STEPS, Outlooks
from relay.store.engine.statements import load_statements
from relay.store.engine.values import LANES, STATES, read_reply
from relay.store.ports.reading import AttemptView, DeliveryView, MessageView

_SQL = load_statements("reading")

ATTEMPTS: int = 100
"""Attempts shown of a delivery: a lifetime of three days has some twenty."""

SENDING_STATE = "sending"

ORDER = (SENDING_STATE, "waiting", "held", "bounced", "cancelled", "delivered")
"""A message is in the first of these states that one of its deliveries is in."""

NO_DOMAIN = "unknown.invalid"
"""Of a domain that does not open any more."""


class Views:
    """Makes views, for one answer."""

    def __init__(self, context: Context, *, is_list: bool) -> None:
        self._context = context
        self.outlooks = Outlooks(context, LIST_STEPS, spare=SPARE_STEPS) if is_list else Outlooks(context, DETAIL_STEPS)
        self._has_attempts = not is_list
        self._ahead = context.clock.wall() - context.clock.now()
        """Queue time minus relay time."""

    def message(self, seq: int) -> MessageView | None:
        """A message; None: it is not there any more."""
        row = self._context.database.read_one(_SQL["message_at"], (seq,))
        if row is None:
            return None
        message, client, account, accepted, size, recipients, _, is_dated = row
        sender = self._context.names.sender(account)
        rows = self._context.database.read(_SQL["deliveries_of"], (seq, seq + recipients))
        deliveries = tuple(self._delivery(each, message, seq, sender, (accepted, bool(is_dated))) for each in rows)
        states = {each.state for each in deliveries}
        state = next(state for state in ORDER if state in states)
        accepted_at = self._context.clock.shown(accepted)
        return MessageView(message, sender, client, state, accepted_at, size, deliveries, bool(is_dated))

    def standstill(self, row: Row, sender: AccountId, of: tuple[int, bool]) -> tuple[str, Standstill]:
        """The state of a delivery as admins see it, and why it is not moving; `row` begins as `deliveries_of`'s.

        `of` its message: when it was accepted, and whether it is dated.
        """
        accepted, is_dated = of
        number, lane, stored, due, reason, since, expires = row[:7]
        running = self._context.claims.holder_of(number)
        state = STATES[stored] if running is None else running.state
        if running is not None:
            return SENDING_STATE, self._shown(Standstill(None, running.started_at + self._ahead))
        situation = Situation(
            state, accepted, since, reason, due,
            expires_at=expires, is_dated=is_dated, now=self._context.clock.wall(),
        )  # fmt: skip
        if state is not State.WAITING:
            return state.value, self._shown(standstill(situation))
        is_kept_back = self._context.is_kept_back(sender)
        ends = self._context.ends_of(accepted, expires, is_kept_back=is_kept_back, is_dated=is_dated)
        situation = replace(situation, expires_at=ends)
        found = standstill(self._surrounded(situation, sender, LANES[lane], number))
        return State.HELD.value if is_kept_back else State.WAITING.value, self._shown(found)

    def _shown(self, found: Standstill) -> Standstill:
        """As the clock on the wall says."""
        shown = self._context.clock.shown
        eta, ends = (None if at is None else shown(at) for at in (found.eta, found.bounces_at))
        return replace(found, since=shown(found.since), eta=eta, bounces_at=ends)

    def _surrounded(self, situation: Situation, sender: AccountId, lane: Lane, delivery: int) -> Situation:
        """With what its account, its mailbox, its provider and its queue bring with them."""
        context, now = self._context, self._context.clock.now()
        mailbox = context.routes.mailbox_of(sender)
        if mailbox is None:
            return replace(situation, stranded=context.routes.trouble_of(sender))
        own, host = context.remembrance.health(mailbox), context.remembrance.provider_health(mailbox.provider)
        situation = replace(
            situation,
            mailbox=own,
            mailbox_probe_at=self._probe(own, mailbox),
            provider=host,
            provider_probe_at=self._probe(host, mailbox),
        )
        if situation.due:
            return situation
        position = self.outlooks.position(sender, lane, delivery)
        leaves_at = self.outlooks.leaves_at(mailbox, sender, lane, position)
        barrier = barrier_of(context.schedule.look(mailbox), lane, position, now)
        return replace(situation, barrier=barrier, leaves_at=None if leaves_at is None else leaves_at + self._ahead)

    def _probe(self, health: Health, mailbox: MailboxId) -> Instant | None:
        """When a probe by this mailbox goes, wall time; what is due is due now."""
        if health.probe_at is None:
            return None
        line = self._context.schedule.look(mailbox)
        return line.tries_at(health.probe_at, self._context.clock.now()) + self._ahead

    def _delivery(self, row: Row, message: str, seq: int, sender: AccountId, of: tuple[int, bool]) -> DeliveryView:
        number, lane, domain, key = row[0], row[1], row[7], row[8]
        state, why = self.standstill(row, sender, of)
        try:
            shown = self._context.seals.open_domain(domain, message, number - seq)
        except CorruptValue:
            shown = NO_DOMAIN
        attempts = tuple(self._attempts(number)) if self._has_attempts else ()
        return DeliveryView(
            key.hex(), shown, state, LANES[lane], why.reason, why.since, why.needs, why.eta, attempts,
            why.bounces_at,
        )  # fmt: skip

    def _shown_relay(self, at: Instant) -> int:
        return self._context.clock.shown(at + self._ahead)

    def _attempts(self, delivery: int) -> Iterator[AttemptView]:
        for started, ended, stage, reply_class, reply in self._context.database.read(
            _SQL["attempts_of"], (delivery, ATTEMPTS)
        ):
            said = read_reply(reply)
            yield AttemptView(
                self._shown_relay(started),
                self._shown_relay(ended),
                stage,
                reply_class,
                None if said is None else str(said),
            )
        running = self._context.claims.holder_of(delivery)
        if running is not None:
            yield AttemptView(self._shown_relay(running.started_at), None, None, None, None)
