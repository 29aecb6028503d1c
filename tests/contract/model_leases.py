"""Leases, recovery and timers of the model: what ends because time has passed or a process died.

Law: a claim that did not pass the gate waits again; one that did is in doubt, and never handed out too early.
"""

from collections.abc import Sequence

from relay.core.envelope import Claim, Kind
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.lifecycle import FINAL, SENDING, Event, State
from relay.core.remedy import needs_of
from relay.core.standstill import Standstill
from relay.core.words import AccountId, MailboxId
from relay.store.ports import OutboxKind
from tests.contract.model_about import About
from tests.contract.model_data import Attempt, Delivery
from tests.contract.model_ending import MINUTE


class Leasing(About):
    """Ends what nobody ends."""

    def runs_out(self, attempt: Attempt) -> int:
        """When a claim is over if nobody says anything: its lease first; past the gate, the time for a reply."""
        if attempt.lapsed_at is None or attempt.gated_at is None:
            return self.disk.leases.get(attempt.claim.node, 0)
        provider = self.disk.applied.routing.providers.get(attempt.mailbox.provider)
        final = 10 * MINUTE if provider is None else provider.timeouts.final
        return max(attempt.lapsed_at, attempt.gated_at + final + self.linger_of(attempt.mailbox))

    def sweep(self) -> None:
        """Ends what has run out, at the instant at which it did."""
        for attempt in self.running():
            if attempt.lapsed_at is None and self.runs_out(attempt) <= self.now():
                attempt.lapsed_at = self.runs_out(attempt)
                self.disk.lost.append(attempt)
                if attempt.gated_at is None:
                    self.abandon(attempt, attempt.lapsed_at + self.linger_of(attempt.mailbox))
            if not attempt.is_over and attempt.lapsed_at is not None and self.runs_out(attempt) <= self.now():
                self.abandon(attempt, self.runs_out(attempt))

    def abandon(self, attempt: Attempt, at: int) -> None:
        """Nobody will say any more how it ended."""
        attempt.is_over, attempt.ended = True, at
        is_gated = attempt.gated_at is not None
        attempt.stage, attempt.reply_class = ("eod", "in-doubt") if is_gated else ("data", "lost")
        if attempt.is_lost:
            return
        if attempt.gated_at is not None:
            self.doubt(attempt.delivery, max(0, at - self.now()))
        else:
            self.wait_until(attempt.delivery, Event.RETURN, attempt.delivery.due, attempt.delivery.reason)
        self.tell()

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        self.sweep()
        self.disk.leases[node] = self.now() + self.settings.lease
        self.ring_timers()
        return [attempt.claim for attempt in self.disk.lost if attempt.claim.node == node]

    async def recover(self, node: str) -> int:
        mine = [attempt for attempt in self.running() if attempt.claim.node == node]
        doubts = sum(attempt.gated_at is not None and not attempt.is_lost for attempt in mine)
        for attempt in mine:
            self.abandon(attempt, self.now() + self.linger_of(attempt.mailbox))
        self.disk.lost = [attempt for attempt in self.disk.lost if attempt.claim.node != node]
        self.process.sessions.clear()
        self.process.openings.clear()
        asked: list[MailboxId] = []
        for login in self.disk.logins:
            if login.ended is None:
                health = self.disk.healths.get(login.mailbox, Health())
                login.ended, login.reply_class = self.now() + self.linger_of(login.mailbox), "lost"
                login.is_refusal = not health.is_proven or health.state in (HealthState.DOUBTED, HealthState.PAUSED)
                if login.is_refusal and login.mailbox not in asked:
                    asked.append(login.mailbox)
        for mailbox in asked:
            pause = self.settings.health.second_refusal
            self.change_health(mailbox, HealthEvent.LOGIN_BUSY, "auth-temporary", pause)
        self.order.forget()
        self.changed()
        return doubts

    # timers

    def ring_timers(self) -> None:
        for delivery in self.disk.deliveries:
            if delivery.state in FINAL | SENDING:
                continue
            if delivery.expires_at <= self.clock.relay():
                self.expire(delivery)
        self.tell_of_delays()
        self.order.let_go(self.now())

    def expire(self, delivery: Delivery) -> None:
        trouble = self.trouble_of(delivery.account)
        ends = delivery.mail.accepted_at + self.settings.hold_lifetime
        is_longer = trouble is not None and not delivery.mail.new.is_dated
        if delivery.state is State.WAITING and is_longer and self.clock.relay() < ends:
            delivery.expires_at = ends
            return
        why = self.why_at_the_end(delivery)
        self.finish(delivery, Event.BOUNCE, why.reason or "expired", delivery.reply, held_since=why.since)

    def why_at_the_end(self, delivery: Delivery) -> Standstill:
        """What held it to the end."""
        raise NotImplementedError

    def tell_of_delays(self) -> None:
        """Each delivery is looked at once, when it is late."""
        after = self.settings.delay_notice
        for delivery in self.disk.deliveries:
            is_late = after and not delivery.is_seen and delivery.mail.accepted_at + after <= self.now()
            if is_late:
                delivery.is_seen = True
                if delivery.state not in FINAL and self.wants_notice(delivery) and self.may_tell(delivery.account):
                    self.owe(OutboxKind.DELAYED, delivery, "delayed", None, None)

    def wants_notice(self, delivery: Delivery) -> bool:
        notify = delivery.envelope.recipients[0].notify
        return (
            delivery.mail.new.kind is Kind.MAIL and bool(delivery.envelope.sender) and (not notify or "DELAY" in notify)
        )

    def may_tell(self, account: AccountId) -> bool:
        """Three an hour."""
        begun, many = self.disk.noticed.get(account, (0, 0))
        if self.now() - begun >= 60 * MINUTE:
            begun, many = self.now(), 0
        self.disk.noticed[account] = (begun, min(many + 1, 3))
        return many < 3

    def trouble_of(self, account: AccountId) -> str | None:
        mailbox = self.disk.applied.mailbox_of(account)
        if mailbox is None:
            return self.disk.applied.trouble_of(account)
        health = self.disk.healths.get(mailbox, Health())
        if health.is_stopped:
            return health.reason
        host = self.disk.provider_healths.get(mailbox.provider, Health())
        needs_somebody = host.is_stopped and needs_of(host.reason) is not None
        return host.reason if needs_somebody else None

    def is_stopped(self, account: AccountId) -> bool:
        """Whether nothing leaves this account now."""
        mailbox = self.disk.applied.mailbox_of(account)
        if mailbox is None or self.disk.healths.get(mailbox, Health()).is_stopped:
            return True
        host = self.disk.provider_healths.get(mailbox.provider, Health())
        return host.is_stopped
