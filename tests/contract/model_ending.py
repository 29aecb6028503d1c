"""How an attempt of the model ends: its slots, its delivery, its mailbox's health, and what follows.

Law: only who holds a delivery decides about it; a late `delivered` is a fact all the same.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from relay.core.envelope import Claim, Kind, Result, Verdict
from relay.core.healing import Pace, pace_of
from relay.core.healing import after as health_after
from relay.core.health import Health, HealthEvent, Moment
from relay.core.lifecycle import Event, State
from relay.core.lifecycle import after as state_after
from relay.core.reply import Reply
from relay.core.retry import delay_after, steps_for
from relay.core.routing import InDoubt
from relay.core.symptoms import Tally, event_of_result, stays_in_place
from relay.core.words import MailboxId
from relay.store.needs import StoreSettings
from relay.store.ports import OutboxEntry, OutboxKind
from tests.contract.clock import LoopClock
from tests.contract.model_data import Attempt, Delivery, Disk, Mail, Process
from tests.contract.model_facts import ModelFacts
from tests.contract.model_probing import Probing
from tests.contract.order import Order

MINUTE = timedelta(minutes=1) // timedelta(microseconds=1)
CROWDED = "too-many-connections"
CROWD_PAUSE = 45 * MINUTE // 60


class Ending(Probing):
    """What a process of the model stands on, and how its attempts end."""

    def __init__(self, disk: Disk, process: Process, clock: LoopClock, settings: StoreSettings) -> None:
        self.disk, self.process, self.clock, self.settings = disk, process, clock, settings
        self.facts = ModelFacts(disk, process, clock, settings.health)
        self.order = Order(self.facts)
        self.changes = 0
        self.met: HealthEvent | None = None
        """How the attempt that ends just now bears on health."""
        self.bell = asyncio.Event()
        self.order.refresh(self.now())

    def now(self) -> int:
        return self.clock.relay()

    def changed(self) -> None:
        """Something happened that may let more be granted."""
        self.order.refresh(self.now())
        self.tell()

    def tell(self) -> None:
        """Whoever waits is woken."""
        self.changes += 1
        self.bell.set()
        self.bell = asyncio.Event()

    def sweep(self) -> None:
        """Ends what has run out."""

    def attempt_of(self, claim: Claim) -> Attempt | None:
        return next((attempt for attempt in self.disk.attempts if attempt.claim.attempt == claim.attempt), None)

    def running(self) -> list[Attempt]:
        return [attempt for attempt in self.disk.attempts if not attempt.is_over]

    def linger_of(self, mailbox: MailboxId) -> int:
        provider = self.disk.applied.routing.providers.get(mailbox.provider)
        return 2 * MINUTE if provider is None else provider.linger

    async def gate(self, claim: Claim) -> bool:
        self.sweep()
        attempt = self.attempt_of(claim)
        if attempt is None or attempt.is_over or attempt.is_lost or attempt.lapsed_at is not None:
            return False
        if attempt.gated_at is None:
            attempt.gated_at = self.now()
            attempt.delivery.state = state_after(attempt.delivery.state, Event.GATE)
        return True

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        self.sweep()
        attempt = self.attempt_of(claim)
        is_fact = result.verdict is Verdict.DELIVERED
        self.disk.lost = [lost for lost in self.disk.lost if lost is not attempt]
        if attempt is None or attempt.is_over:
            return result.verdict if is_fact and attempt is not None and self.deliver_late(attempt, result) else None
        if attempt.lapsed_at is not None and not attempt.is_lost and not is_fact:
            return None
        self.end(attempt, result)
        if attempt.is_lost:
            return result.verdict if is_fact and self.deliver_late(attempt, result) else None
        if not is_fact:
            result = self.suspect_result(attempt, result)
        self.met = self.event_of(attempt, result)
        if self.is_recipients(attempt, result, self.met):
            result, self.met = replace(result, verdict=Verdict.DEFERRED), None
        self.move(attempt, result)
        self.judge(attempt.mailbox, result)
        if is_fact:
            self.went_through(attempt)
        self.changed()
        return result.verdict

    def suspect_result(self, attempt: Attempt, result: Result) -> Result:
        """As it has to be judged beside what others met."""
        raise NotImplementedError

    def accuse(self, mailboxes: Iterable[MailboxId]) -> None:
        """They met what stops their provider."""
        raise NotImplementedError

    def went_through(self, attempt: Attempt) -> None:
        """It was delivered."""
        raise NotImplementedError

    def is_only_this_message(self, attempt: Attempt) -> bool:
        """Whether the line breaks for one message alone."""
        raise NotImplementedError

    def leaves(self, mailbox: MailboxId, before: Health, now: Health) -> None:
        """Its health is another one."""
        raise NotImplementedError

    def end(self, attempt: Attempt, result: Result) -> None:
        attempt.is_over = True
        attempt.stage, attempt.reply_class, attempt.reply = result.stage, result.reply_class, result.reply
        attempt.is_refused = result.verdict is not Verdict.DELIVERED
        if not result.is_mail_written:
            self.give_back(attempt)
        else:
            attempt.ended = self.now() + (0 if result.is_end_known else self.linger_of(attempt.mailbox))
        if result.verdict is Verdict.DROPPED and not result.is_mail_written:
            self.disk.attempts.remove(attempt)

    def give_back(self, attempt: Attempt) -> None:
        """It is on record, and no limit ever counted it."""
        attempt.ended, attempt.is_counted = self.now(), False

    def move(self, attempt: Attempt, result: Result) -> None:
        delivery, verdict = attempt.delivery, result.verdict
        if verdict is Verdict.DEFERRED and self.is_paced_by_mailbox(self.met):
            self.wait_until(delivery, Event.DEFER, 0, result.reply_class)
            return
        is_crowded = result.reply_class == CROWDED
        is_tried = verdict in (Verdict.DELIVERED, Verdict.BOUNCED, Verdict.DEFERRED, Verdict.ASIDE)
        delivery.tries += is_tried and not is_crowded
        if verdict is Verdict.DELIVERED:
            self.finish(delivery, Event.DELIVER, result.reply_class, result.reply)
            self.confirm(delivery, result)
        elif verdict is Verdict.BOUNCED:
            self.finish(delivery, Event.BOUNCE, result.reply_class, result.reply)
            for sibling in self.siblings(delivery, result):
                self.finish(sibling, Event.BOUNCE, result.reply_class, result.reply)
        elif verdict is Verdict.DEFERRED:
            delay = max(CROWD_PAUSE, result.retry_after or 0) if is_crowded else self.delay(delivery, result)
            self.wait_until(delivery, Event.DEFER, self.clock.relay() + delay, result.reply_class)
        elif verdict is Verdict.ASIDE:
            self.hold(delivery, result.reply_class)
        elif verdict is Verdict.IN_DOUBT and attempt.gated_at is not None:
            self.doubt(delivery, self.linger_of(attempt.mailbox))
        else:
            self.wait_until(delivery, Event.RETURN, delivery.due, delivery.reason)

    def siblings(self, delivery: Delivery, result: Result) -> list[Delivery]:
        """What waits of the same message, if it was taken for spam: it is not sent in the same bytes again."""
        if result.reply_class != "spam-blocked":
            return []
        same = [each for each in self.disk.deliveries if each.mail is delivery.mail and each is not delivery]
        return [each for each in same if each.state is State.WAITING]

    def is_paced_by_mailbox(self, event: HealthEvent | None) -> bool:
        """It keeps its place and its tries."""
        return stays_in_place(event)

    def delay(self, delivery: Delivery, result: Result) -> int:
        steps = steps_for(result.reply_class, self.settings.retry)
        return delay_after(delivery.tries, steps, at_least=result.retry_after)

    def wait_until(self, delivery: Delivery, event: Event, due: int, reason: str | None) -> None:
        delivery.state, delivery.due, delivery.reason = state_after(delivery.state, event), due, reason
        if event is Event.RETURN:
            return
        first = self.refused_since(delivery, reason) if event is Event.DEFER else None
        delivery.since = self.now() if first is None else first

    def refused_since(self, delivery: Delivery, reason: str | None) -> int | None:
        """Since when it is refused for this reason and no other."""
        first = None
        for attempt in self.disk.attempts:
            if attempt.delivery is delivery and attempt.is_over:
                is_same = attempt.reply_class == reason
                first = (attempt.ended if first is None else first) if is_same else None
        return None if first is None else min(self.now(), first)

    def doubt(self, delivery: Delivery, pause: int) -> None:
        delivery.tries += 1
        delivery.doubts += 1
        account = self.disk.applied.routing.accounts.get(delivery.account)
        own = account.in_doubt if account is not None else None
        if delivery.doubts > 1 or (own or self.settings.in_doubt) is InDoubt.HOLD:
            self.hold(delivery, "in-doubt")
            return
        self.wait_until(delivery, Event.DOUBT, self.clock.relay() + pause, "in-doubt")

    def hold(self, delivery: Delivery, reason: str) -> None:
        delivery.state, delivery.reason = state_after(delivery.state, Event.HOLD), reason
        delivery.since = self.now()
        if not delivery.mail.new.is_dated:
            delivery.expires_at = max(delivery.expires_at, delivery.mail.accepted_at + self.settings.hold_lifetime)

    def finish(
        self, delivery: Delivery, event: Event, reason: str, reply: Reply | None, *, held_since: int | None = None
    ) -> None:
        delivery.state = state_after(delivery.state, event)
        delivery.reason, delivery.since = reason, self.now()
        self.strike_delay(delivery)
        if event is Event.BOUNCE and delivery.mail.new.kind is Kind.MAIL:
            self.owe(OutboxKind.BOUNCE, delivery, reason, reply, held_since)
        if delivery.mail.new.kind is Kind.REPORT:
            self.report_ended(delivery.mail, event)

    def strike_delay(self, delivery: Delivery) -> None:
        """What is final is not late."""
        struck = (delivery.id, OutboxKind.DELAYED)
        self.disk.outbox = [entry for entry in self.disk.outbox if (entry.delivery, entry.kind) != struck]

    def confirm(self, delivery: Delivery, result: Result) -> None:
        """Who asks for success is told of it, unless the provider does that."""
        wants = "SUCCESS" in delivery.envelope.recipients[0].notify and delivery.envelope.sender
        if wants and not result.is_dsn_passed_on and delivery.mail.new.kind is Kind.MAIL:
            self.owe(OutboxKind.RELAYED, delivery, result.reply_class, result.reply, None)

    def owe(self, kind: OutboxKind, delivery: Delivery, reason: str, reply: Reply | None, since: int | None) -> None:
        new = delivery.mail.new
        head, blank, _ = new.content.partition(b"\r\n\r\n")
        self.disk.outbox.append(
            OutboxEntry(
                self.disk.number(), kind, new.id, delivery.id, delivery.account, delivery.envelope, reason, reply,
                delivery.mail.accepted_at, self.clock.wall(), self.clock.wall(), is_mailbox_stopped=False,
                headers=head + b"\r\n" if blank else head, since=since,
                deadline=delivery.expires_at if since is not None and new.is_dated else None,
            )
        )  # fmt: skip

    def deliver_late(self, attempt: Attempt, result: Result) -> bool:
        """The provider took it, whatever was decided meanwhile."""
        delivery = attempt.delivery
        attempt.stage, attempt.reply_class, attempt.reply = result.stage, result.reply_class, result.reply
        if delivery.state is not State.DELIVERED:
            for other in self.running():
                other.is_lost |= other.delivery is delivery
            self.strike_out(delivery)
            delivery.state = state_after(delivery.state, Event.DELIVER)
            delivery.reason, delivery.since = result.reply_class, self.now()
            self.confirm(delivery, result)
        self.changed()
        return True

    def strike_out(self, delivery: Delivery) -> None:
        """Nothing has to be told of it any more; what is on its way goes on."""
        gone = {entry.id for entry in self.disk.outbox if entry.delivery == delivery.id}
        self.disk.outbox = [entry for entry in self.disk.outbox if entry.id not in gone]
        self.disk.untold -= gone
        self.disk.handed = {entry: mail for entry, mail in self.disk.handed.items() if entry not in gone}

    def event_of(self, attempt: Attempt, result: Result) -> HealthEvent | None:
        """How it bears on health; a line that breaks for one message alone, again and again, is that message's."""
        event = event_of_result(result, self.tally_of(attempt, result))
        if event is HealthEvent.DELIVERED and not self.is_evidence(attempt):
            return None
        if event is HealthEvent.UNREACHABLE and result.verdict is Verdict.DEFERRED:
            return None if self.is_only_this_message(attempt) else event
        return event

    def tally_of(self, attempt: Attempt, result: Result) -> Tally:
        """What its mailbox met within the hour."""
        since = self.now() - 60 * MINUTE
        lately = [
            each
            for each in self.disk.attempts
            if each.mailbox == attempt.mailbox and each.is_over and each.is_counted and each.ended is not None
            and each.ended >= since and each.reply_class == result.reply_class
        ]  # fmt: skip
        domains = {each.delivery.envelope.recipients[0].address.rpartition("@")[2].lower() for each in lately}
        return Tally(self.taken_for_spam(attempt.delivery.mail, [each.delivery.mail for each in lately]), len(domains))

    def taken_for_spam(self, mail: Mail, lately: list[Mail]) -> int:
        """Clients' messages, each once; what says nothing new is as if alone."""
        if mail.new.kind is Kind.REPORT or sum(each is mail for each in lately) > 1:
            return 1
        return len({each.new.id for each in lately if each.new.kind is Kind.MAIL})

    def judge(self, mailbox: MailboxId, result: Result) -> None:
        if result.reply_class == CROWDED:
            self.crowd(mailbox, is_provider=result.is_provider)
            return
        event = self.met
        if event is not None:
            reason = "network" if result.verdict is Verdict.IN_DOUBT else result.reply_class
            if result.is_provider:
                self.accuse([mailbox])
                self.change_provider(mailbox.provider, event, reason)
            else:
                self.change_health(mailbox, event, reason, result.retry_after)

    def crowd(self, mailbox: MailboxId, *, is_provider: bool) -> None:
        """It works, and gets no other session for a while."""
        self.process.crowded[mailbox.provider if is_provider else mailbox] = self.now() + CROWD_PAUSE

    def change_health(
        self, mailbox: MailboxId, event: HealthEvent, reason: str | None = None, retry_after: int | None = None
    ) -> None:
        mailbox = self.name_in_force(mailbox)
        known = self.disk.healths.get(mailbox, Health())
        pace = self.pace_of(mailbox)
        self.disk.healths[mailbox] = health_after(
            known, event, moment=Moment(self.now(), self.clock.relay()), settings=self.settings.health,
            reason=reason, retry_after=retry_after, pace=pace,
        )  # fmt: skip
        self.leaves(mailbox, known, self.disk.healths[mailbox])

    def name_in_force(self, mailbox: MailboxId) -> MailboxId:
        """What an edit left under way bears on the mailbox as it is called now, if its secret is the same."""
        routed = self.disk.applied.routing.by_mailbox
        names = [each for each in self.disk.kin(mailbox) if each in routed]
        if mailbox in routed or not names or self.disk.healths.get(names[0], Health()).is_fresh:
            return mailbox
        return names[0]

    def pace_of(self, mailbox: MailboxId) -> Pace:
        zone = self.facts.provider_terms(mailbox.provider).zone
        return pace_of(self.facts.terms(mailbox).limits, zone, self.now(), self.clock.wall() - self.now())

    def change_provider(self, provider: str, event: HealthEvent, reason: str | None = None) -> None:
        known = self.disk.provider_healths.get(provider, Health())
        self.disk.provider_healths[provider] = health_after(
            known, event, moment=Moment(self.now(), self.clock.relay()), settings=self.settings.health, reason=reason
        )
