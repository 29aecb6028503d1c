"""What the model says to admins: every question answered from the lists, with the decision of core/standstill.

Law: it works reasons and times out by definition (the schedule asked again at every instant), not by the forecast.
"""

from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, TypeVar

from relay.core.envelope import Result, Verdict
from relay.core.health import Health
from relay.core.lifecycle import FINAL, SENDING, State
from relay.core.remedy import Needs, needs_of, needs_of_health
from relay.core.routing import Account
from relay.core.standstill import Barrier, Situation, Standstill, standstill
from relay.core.words import AccountId, Lane, MailboxId, Stage
from relay.store.ports import Delay
from relay.store.ports.history import AccountGauge, AccountGauges, LimitWait
from relay.store.ports.reading import (
    AccountQuery,
    AccountView,
    AttemptView,
    DeliveryView,
    LimitView,
    MessageQuery,
    MessageView,
    Page,
    ProviderView,
    WrongCursor,
)
from relay.store.ports.sessions import SessionEvent
from tests.contract.clock import LoopClock
from tests.contract.counting import Rule
from tests.contract.model_data import Delivery, Mail
from tests.contract.model_leases import Leasing

ORDER = ("sending", "waiting", "held", "bounced", "cancelled", "delivered")
DAY = 24 * 3600 * 1_000_000


AHEAD = 2_000
"""Steps run ahead: more than any check needs."""

T = TypeVar("T")
WORKED = Result(Verdict.DELIVERED, "delivered", Stage.EOD, None, is_mail_written=True, is_end_known=True)


class LaterClock(LoopClock):
    """A clock that is moved by whoever looks ahead."""

    def __init__(self, at: int) -> None:
        self.at = at

    def relay(self) -> int:
        return self.at

    def wall(self) -> int:
        return self.at


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine of the model returns, none of which waits for anything but `wait`."""
    try:
        work.send(None)
    except StopIteration as stopped:
        result: T = stopped.value
        return result
    raise AssertionError("it waits")


class Reading(Leasing):
    """Looks at the lists."""

    # messages

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        before = self.before(query.cursor)
        found = [
            (index, self.view(mail, has_attempts=False))
            for index, mail in reversed(list(enumerate(self.disk.mails)))
            if index < before and self.is_asked_for(mail, query)
        ]
        page = found[: query.limit]
        return Page(tuple(view for _, view in page), f"m{page[-1][0]}" if len(found) > query.limit else None)

    def before(self, cursor: str | None) -> int:
        if cursor is None:
            return len(self.disk.mails)
        if not cursor.startswith("m") or not cursor[1:].isdecimal():
            raise WrongCursor
        return int(cursor[1:])

    def is_asked_for(self, mail: Mail, query: MessageQuery) -> bool:
        if query.account is not None and mail.new.account != query.account:
            return False
        if query.message_id is not None and mail.new.header_message_id != query.message_id:
            return False
        return not query.states or any(self.state_of(each) in query.states for each in self.deliveries_of(mail))

    async def message(self, message: str) -> MessageView | None:
        return next((self.view(mail, has_attempts=True) for mail in self.disk.mails if mail.new.id == message), None)

    def deliveries_of(self, mail: Mail) -> list[Delivery]:
        return [delivery for delivery in self.disk.deliveries if delivery.mail is mail]

    def view(self, mail: Mail, *, has_attempts: bool) -> MessageView:
        deliveries = tuple(self.delivery_view(each, has_attempts=has_attempts) for each in self.deliveries_of(mail))
        state = min((each.state for each in deliveries), key=ORDER.index)
        new = mail.new
        return MessageView(
            new.id, new.account, new.client, state, self.on_the_wall(mail.accepted_at), len(new.content), deliveries,
            new.is_dated,
        )  # fmt: skip

    def delivery_view(self, delivery: Delivery, *, has_attempts: bool) -> DeliveryView:
        address, why = delivery.envelope.recipients[0].address, self.why(delivery)
        local, _, domain = address.rpartition("@")
        return DeliveryView(
            f"{local}@{domain.lower()}".encode().hex(), domain.lower(), self.state_of(delivery), delivery.mail.lane,
            why.reason, why.since, why.needs, why.eta,
            tuple(self.attempt_views(delivery)) if has_attempts else (), why.bounces_at,
        )  # fmt: skip

    def attempt_views(self, delivery: Delivery) -> Iterator[AttemptView]:
        for attempt in self.disk.attempts:
            if attempt.delivery is delivery:
                ended = attempt.ended + self.ahead() if attempt.is_over and attempt.ended is not None else None
                reply = None if attempt.reply is None else str(attempt.reply)
                yield AttemptView(attempt.started + self.ahead(), ended, attempt.stage, attempt.reply_class, reply)

    def state_of(self, delivery: Delivery) -> str:
        if delivery.state in SENDING:
            return "sending"
        if delivery.state is State.WAITING and self.trouble_of(delivery.account) is not None:
            return "held"
        return delivery.state.value

    def why(self, delivery: Delivery) -> Standstill:
        if delivery.state in SENDING:
            attempt = next(each for each in self.running() if each.delivery is delivery and not each.is_lost)
            return self.shown_why(Standstill(None, attempt.started))
        return self.shown_why(standstill(self.situation(delivery)))

    def shown_why(self, why: Standstill) -> Standstill:
        """As the clock on the wall says."""
        since, eta, end = (self.on_the_wall(at) for at in (why.since, why.eta, why.bounces_at))
        return replace(why, since=since, eta=eta, bounces_at=end)

    def on_the_wall(self, at: Any) -> Any:
        return None if at is None else at + self.ahead()

    def situation(self, delivery: Delivery, *, is_blind: bool = False) -> Situation:
        """`is_blind`: without looking ahead."""
        account, due = delivery.account, delivery.due if delivery.due > self.now() else 0
        since = delivery.since or delivery.mail.accepted_at
        mailbox = self.disk.applied.mailbox_of(account)
        about = (delivery.state, delivery.mail.accepted_at, since, delivery.reason, due)
        ends: dict[str, Any] = {"expires_at": self.ends_of(delivery), "is_dated": delivery.mail.new.is_dated}
        if mailbox is None:
            return Situation(*about, stranded=self.disk.applied.trouble_of(account), **ends)
        own = self.disk.healths.get(mailbox, Health())
        host = self.disk.provider_healths.get(mailbox.provider, Health())
        stops = (None, own, self.probe(own, mailbox), host, self.probe(host, mailbox))
        if due:
            return Situation(*about, *stops, now=self.now(), **ends)
        leaves_at = None if is_blind else self.leaves_at(delivery)
        return Situation(*about, *stops, self.barrier(mailbox, delivery), leaves_at, now=self.now(), **ends)

    def ends_of(self, delivery: Delivery) -> int:
        """When its lifetime ends, as things are."""
        is_kept_back = self.trouble_of(delivery.account) is not None and not delivery.mail.new.is_dated
        longest = delivery.mail.accepted_at + self.settings.hold_lifetime
        return max(delivery.expires_at, longest) if is_kept_back else delivery.expires_at

    def why_at_the_end(self, delivery: Delivery) -> Standstill:
        blind = replace(self.situation(delivery, is_blind=True), mailbox_probe_at=None, provider_probe_at=None)
        why = standstill(blind)
        if delivery.state is State.WAITING and why.reason == "queue":
            first = self.refused_since(delivery, delivery.reason)
            return replace(why, reason=delivery.reason or "expired", since=why.since if first is None else first)
        return why

    def delay_of(self, delivery: Delivery) -> tuple[str, Delay]:
        why = self.why(delivery)
        pending = [
            each for each in self.disk.deliveries if each.account == delivery.account and each.state not in FINAL
        ]
        return why.reason or "queue", Delay(
            why.since, why.eta, why.needs, self.on_the_wall(self.ends_of(delivery)), len(pending) - 1
        )

    def ahead(self) -> int:
        return self.clock.wall() - self.now()

    def probe(self, health: Health, by: MailboxId | None = None) -> int | None:
        """When it is tried next, `by` a mailbox that needs room in its limits, and may have to log in first."""
        if health.probe_at is None:
            return None
        at = max(health.probe_at, self.now())
        return at if by is None else max(at, self.could_begin_at(by), self.could_log_in_at(by))

    def could_begin_at(self, mailbox: MailboxId) -> int:
        """When its limits let something go that it has ready; now, where nobody can say."""
        now, ready, order = self.now(), self.facts.ready(mailbox, self.now()), self.order
        changes = {now}.union(*(rule.changes(order.own_runs(mailbox), now) for rule in order.own_rules(mailbox)))
        later = (at for at in sorted(changes) if at >= now)
        return next((at for at in later if any(order.lanes(mailbox, each, at) for each in ready)), now)

    def could_log_in_at(self, mailbox: MailboxId) -> int:
        """When it may log in, if it has to; now, where nobody can say."""
        now, terms, provider = self.now(), self.facts.terms(mailbox), mailbox.provider
        if self.facts.sessions(mailbox):
            return now
        changes = {now, self.facts.crowded_until(mailbox), self.facts.standing(mailbox).logs_in_at}
        changes |= Rule(terms.login_limit).changes(self.facts.logins(mailbox), now)
        changes |= Rule(terms.refused_logins).changes(self.facts.refusals(mailbox), now)
        later = (at for at in sorted(changes) if at >= now)
        at = next((at for at in later if self.order.may_log_in(mailbox, at)), now)
        return max(at, self.facts.crowded_until(provider))

    def place(self, delivery: Delivery) -> int:
        """The place of a delivery among those of its lane that may go."""
        ahead = [
            each
            for each in self.disk.deliveries
            if (each.account, each.mail.lane, each.state) == (delivery.account, delivery.mail.lane, State.WAITING)
            and each.due <= self.now()
            and each.id <= delivery.id
        ]
        return len(ahead)

    def barrier(self, mailbox: MailboxId, delivery: Delivery) -> Barrier:
        now, place = self.now(), self.place(delivery)
        has_session = mailbox in self.process.sessions
        if not has_session and self.lacks_login(mailbox, now):
            return Barrier.LOGIN
        room = self.order.own_room(mailbox, now, is_bulk=delivery.mail.lane is Lane.BULK)
        is_open = room and place <= self.order.own_room(mailbox, now) and self.order.total_room(mailbox, now)
        return Barrier.QUEUE if is_open else Barrier.LIMIT

    def leaves_at(self, delivery: Delivery) -> int | None:
        """When a node that waits for nothing else takes it, and every attempt and every probe works at once."""
        clock = LaterClock(self.now())
        disk, process = deepcopy((self.disk, self.process))
        for each in disk.deliveries:
            each.expires_at, each.is_seen = 1 << 62, True
        ahead: Any = type(self)(disk, process, clock, self.settings)
        for attempt in ahead.running():
            finished(ahead.settle(attempt.claim, WORKED))
        for _ in range(AHEAD):
            taken = finished(ahead.take("ahead", Counter(process.sessions), 1))
            for mailbox, many in taken.open.items():
                for _ in range(many):
                    finished(ahead.session(mailbox, SessionEvent.OPENED))
            for claim in taken.claims:
                if claim.delivery == delivery.id:
                    return clock.at
                finished(ahead.settle(claim, WORKED))
            if not taken.claims and not taken.open:
                if taken.wake_at is None:
                    return None
                clock.at = max(clock.at + 1, taken.wake_at)
        return None

    def lacks_login(self, mailbox: MailboxId, now: int) -> bool:
        """Whether it could use a session and may not log in."""
        terms, standing = self.facts.terms(mailbox), self.facts.standing(mailbox)
        allowed = 1 if standing.is_stopped or not standing.is_proven else terms.connections
        waiting = sum(map(sum, self.facts.ready(mailbox, now).values()))
        useful = self.order.in_flight(mailbox) + min(waiting, self.order.own_room(mailbox, now))
        has_login = Rule(terms.login_limit).room(self.facts.logins(mailbox), now) > 0
        return self.facts.sessions(mailbox) < min(allowed, useful) and not has_login

    # accounts

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        after = "" if query.cursor is None else self.after(query.cursor)
        left = {each.account for each in self.disk.deliveries if each.state not in FINAL}
        views = [self.account_view(sender) for sender in sorted({*self.disk.applied.routing.accounts, *left})]
        found = [view for view in views if view.sender > after and self.is_wanted(view, query)]
        page = found[: query.limit]
        return Page(tuple(page), f"a{page[-1].sender}" if len(found) > query.limit else None)

    def after(self, cursor: str) -> AccountId:
        if not cursor.startswith("a") or "@" not in cursor:
            raise WrongCursor
        return cursor[1:]

    def is_wanted(self, view: AccountView, query: AccountQuery) -> bool:
        is_right = query.health in (None, view.health) and query.plan in (None, view.plan)
        return is_right and (not query.has_queued or view.queued > 0)

    async def account(self, sender: AccountId) -> AccountView | None:
        view = self.account_view(sender)
        return view if view.plan is not None or view.queued else None

    def account_view(self, sender: AccountId) -> AccountView:
        pending = [each for each in self.disk.deliveries if each.account == sender and each.state not in FINAL]
        account = self.disk.applied.routing.accounts.get(sender)
        if account is None:
            return AccountView(
                sender, None, None, "paused", "no-account", None, None, needs_of("no-account"), len(pending)
            )  # fmt: skip
        health, reason, since, needs = self.why_account(sender, account.mailbox, pending)
        eta, needs = self.outlook(account, pending, needs) if pending else (None, needs)
        return AccountView(
            sender, account.plan, account.mailbox, health, reason, since, eta, needs, len(pending),
            tuple(self.limit_views(account.mailbox)),
        )  # fmt: skip

    def outlook(
        self, account: Account, pending: list[Delivery], needs: Needs | None
    ) -> tuple[int | None, Needs | None]:
        """Until when, and who has to act: the same as of its deliveries."""
        if needs is not None:
            is_any_waiting = any(each.state is not State.HELD for each in pending)
            return (self.probe_of(account) if is_any_waiting else None), needs
        eta = self.drained_at(pending)
        ready = [each for each in pending if each.state is State.WAITING and each.due <= self.now()]
        ends = [self.on_the_wall(self.ends_of(each)) for each in ready]
        return (eta, None) if not ends or eta < max(ends) else (None, Needs.ADMIN)

    def probe_of(self, account: Account) -> int | None:
        if self.disk.applied.trouble_of(account.sender) is not None:
            return None
        own = self.disk.healths.get(account.mailbox, Health())
        host = self.disk.provider_healths.get(account.mailbox.provider, Health())
        stops = [self.probe(each, account.mailbox) for each in (own, host) if each.is_stopped]
        known = [at for at in stops if at is not None]
        at: int | None = self.on_the_wall(max(known)) if known and len(known) == len(stops) else None
        return at

    def why_account(
        self, sender: AccountId, mailbox: MailboxId, pending: list[Delivery]
    ) -> tuple[str, str | None, int | None, Needs | None]:
        trouble = self.disk.applied.trouble_of(sender)
        if trouble is not None:
            return "paused", trouble, None, needs_of(trouble)
        own = self.disk.healths.get(mailbox, Health())
        host = self.disk.provider_healths.get(mailbox.provider, Health())
        stopped = next((each for each in (own, host) if each.is_stopped), None)
        if stopped is not None:
            reason, needs = stopped.reason, self.needs_of_stop(stopped)
        else:
            reason, needs = self.account_barrier(mailbox, pending) or own.reason, None
        since = self.on_the_wall((stopped or own).since)
        held = min((each for each in pending if each.state is State.HELD), key=lambda each: each.id, default=None)
        if held is not None and needs is None:
            reason = held.reason or "held"
            return own.state.value, reason, since, needs_of(reason) or Needs.ADMIN
        return own.state.value, reason, since, needs

    def needs_of_stop(self, stopped: Health) -> Needs | None:
        return needs_of_health(stopped, lasted=self.now() - (stopped.since or self.now()))

    def account_barrier(self, mailbox: MailboxId, pending: list[Delivery]) -> str | None:
        ready = [each for each in pending if each.state is State.WAITING and each.due <= self.now()]
        first = min(ready, key=lambda each: (each.mail.lane is Lane.BULK, each.id), default=None)
        found = None if first is None else self.barrier(mailbox, first)
        return None if found in (None, Barrier.QUEUE) else str(found)

    def drained_at(self, pending: list[Delivery]) -> int:
        """Not before this."""
        ready = [each for each in pending if each.state is State.WAITING and each.due <= self.now()]
        leaving = [at for at in map(self.leaves_at, ready) if at is not None]
        due = [min(each.due, each.expires_at) for each in pending if each.state is State.WAITING]
        return int(self.on_the_wall(max([self.now(), *leaving, *due])))

    def limit_views(self, mailbox: MailboxId) -> list[LimitView]:
        runs, now = self.order.own_runs(mailbox), self.now()
        return [LimitView(str(r.limit), r.used(runs, now), r.allowed()) for r in self.order.own_rules(mailbox)]

    async def providers(self) -> Sequence[ProviderView]:
        return [self.provider_view(name) for name in sorted(self.disk.applied.routing.providers)]

    def provider_view(self, name: str) -> ProviderView:
        health = self.disk.provider_healths.get(name, Health())
        runs, now = self.facts.runs(name), self.now()
        rules = self.order.total_rules(name)
        return ProviderView(
            name, health.state.value, health.reason, self.on_the_wall(health.since),
            self.on_the_wall(self.probe(health)) if health.is_stopped else None,
            self.needs_of_stop(health) if health.is_stopped else None,
            sum(mailbox.provider == name for mailbox in self.process.sessions),
            tuple(LimitView(str(rule.limit), rule.used(runs, now), rule.allowed()) for rule in rules),
            sum(each.mailbox.provider == name for each in self.disk.applied.routing.accounts.values()),
        )  # fmt: skip

    # figures

    async def limit_waits(self) -> Sequence[LimitWait]:
        found: dict[str, list[int]] = {}
        for mailbox in self.facts.mailboxes():
            ready = self.facts.ready(mailbox, self.now())
            if any(map(any, ready.values())):
                waits = found.setdefault(mailbox.provider, [])
                opens_at = None if self.facts.standing(mailbox).is_stopped else self.opens_at(mailbox)
                waits += [] if opens_at is None else [opens_at - self.now()]
        return [LimitWait(name, min(found[name], default=0) / 1_000_000) for name in sorted(found)]

    def opens_at(self, mailbox: MailboxId) -> int | None:
        """When its limits would let something go."""
        runs, now = self.facts.runs(mailbox.provider), self.now()
        changes = {now}
        for rule in [*self.order.own_rules(mailbox), *self.order.total_rules(mailbox.provider)]:
            changes |= rule.changes(runs, now)
        is_open = lambda at: self.order.may_send(mailbox, at) and self.is_total_open(mailbox, at)  # noqa: E731
        return next((at for at in sorted(changes) if at >= now and is_open(at)), None)

    def is_total_open(self, mailbox: MailboxId, at: int) -> bool:
        runs = self.facts.runs(mailbox.provider)
        return all(rule.room(runs, at) > 0 for rule in self.order.total_rules(mailbox.provider))

    async def account_gauges(self, most: int) -> AccountGauges:
        ranks: list[tuple[int, AccountId]] = []
        for sender, account in self.disk.applied.routing.accounts.items():
            view = self.account_view(sender)
            own = self.order.own_runs(account.mailbox)
            is_active = any(run.ended is None or run.ended >= self.now() - DAY for run in own)
            if view.health != "ok" or view.queued or is_active:
                ranks.append((0 if view.health != "ok" else 1 if view.queued else 2, sender))
        left = {each.account for each in self.disk.deliveries if each.state not in FINAL}
        ranks += [(0, sender) for sender in left if sender not in self.disk.applied.routing.accounts]
        shown = sorted(ranks)[:most]
        return AccountGauges(tuple(self.gauge(sender) for _, sender in shown), max(0, len(ranks) - most))

    def gauge(self, sender: AccountId) -> AccountGauge:
        view = self.account_view(sender)
        ratio = max((min(1.0, each.used / each.most) for each in view.limits), default=0.0)
        drain = (
            0.0
            if not view.queued
            else None
            if view.eta is None or view.needs
            else (view.eta - self.clock.wall()) / 1_000_000
        )
        return AccountGauge(sender, view.health, ratio, drain)
