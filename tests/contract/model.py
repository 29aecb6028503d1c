"""A store in plain lists, slow and short enough to be believed: what every adapter is held against.

Law: it uses the tables of the product (lifecycle, health, retry) and none of its limiter or schedule; each step is a
small method, so that a test can plant a fault in one of them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from relay.core.envelope import Claim, LoginFailure, NewMessage, Taken
from relay.core.health import Health, HealthEvent, Pause
from relay.core.lifecycle import FINAL, SENDING, Event, State
from relay.core.lifecycle import after as state_after
from relay.core.remedy import needs_of_health
from relay.core.routing import Routing
from relay.core.symptoms import event_of_failure, is_refused_login, pause_after_silence
from relay.core.words import AccountId, Lane, MailboxId, Plan
from relay.errors import CorruptValue, StaleRouting
from relay.store.needs import StoreSettings
from relay.store.ports import AppliedRouting, OutboxEntry, OutboxKind, QueueCount
from relay.store.ports.history import HealthCount
from relay.store.ports.sessions import SessionEvent
from tests.contract.clock import LoopClock
from tests.contract.model_data import Applied, Attempt, Delivery, Disk, Login, Mail, Process
from tests.contract.model_ending import CROWDED, MINUTE
from tests.contract.model_reading import Reading
from tests.contract.model_renaming import Renaming
from tests.contract.order import Choice


class Hints:
    """Which of several right choices to make: those of the adapter under test."""

    def __init__(self, taken: Taken | None = None) -> None:
        claims = () if taken is None else taken.claims
        self.claims = [(claim.mailbox, claim.account) for claim in claims]
        self.open: Mapping[MailboxId, int] | None = None if taken is None else taken.open


class ModelStore(Reading, Renaming):
    """One process of the model, on a disk that outlives it and beside peers that live as long."""

    def __init__(self, disk: Disk, process: Process, clock: LoopClock, settings: StoreSettings) -> None:
        super().__init__(disk, process, clock, settings)
        self.version = disk.applied.version
        self.hints = Hints()
        self.left: frozenset[MailboxId] = frozenset()

    async def close(self) -> None:
        return None

    # coming in

    def has_space(self) -> bool:
        return True

    def pause_of(self, account: AccountId) -> Pause | None:
        known = self.disk.applied.routing.accounts.get(account)
        if known is None:
            return None
        own = self.disk.healths.get(known.mailbox, Health()).pause
        host = self.disk.provider_healths.get(known.mailbox.provider, Health())
        since = self.disk.applied.without.get(known.mailbox)
        found = [own] if own is not None else []
        found += [] if since is None else [Pause("no-credentials", since)]
        if host.reason is not None and host.is_stopped and needs_of_health(host) is not None:
            found.append(Pause(host.reason, host.since or 0))
        first = min(found, key=lambda each: each.since, default=None)
        return None if first is None else Pause(first.reason, self.on_the_wall(first.since))

    def has_worked(self, mailbox: MailboxId) -> bool:
        return self.disk.healths.get(mailbox, Health()).is_proven

    async def put(self, message: NewMessage) -> None:
        if any(mail.new.id == message.id for mail in self.disk.mails):
            return
        if message.answers is not None and message.answers not in [entry.id for entry in self.open_entries()]:
            return
        mail = Mail(message, self.clock.relay(), self.now(), self.lane_of(message))
        if message.answers is not None:
            await self.answered(message.answers, mail)
        self.disk.mails.append(mail)
        for recipient in message.envelope.recipients:
            envelope = replace(message.envelope, recipients=(recipient,))
            expires = mail.accepted_at + self.lifetime_of(message)
            self.disk.deliveries.append(Delivery(self.disk.number(), mail, envelope, expires))
        self.changed()

    def lane_of(self, message: NewMessage) -> Lane:
        recent = [
            mail
            for mail in self.disk.mails
            if (mail.new.client, mail.new.account) == (message.client, message.account)
            and mail.accepted_relay >= self.now() - MINUTE
        ]
        return Lane.EXPRESS if message.wants_express or len(recent) < 3 else Lane.BULK

    def lifetime_of(self, message: NewMessage) -> int:
        account = self.disk.applied.routing.accounts.get(message.account)
        own = None if account is None else account.lifetime
        usual = self.settings.lifetime if own is None else own
        if message.lifetime is None:
            return usual
        return min(usual, message.lifetime) if message.is_dated else message.lifetime

    # taking

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        if self.version < self.disk.applied.version:
            raise StaleRouting
        self.order.left = self.left
        self.sweep()
        self.disk.leases[node] = self.now() + self.settings.lease
        self.ring_timers()
        now, left, claims = self.now(), dict(idle), list[Claim]()

        def claim(choice: Choice) -> None:
            left[choice.mailbox] -= 1
            claims.append(self.claim(choice, node))

        self.grant(now, idle, most, claim)
        opened = self.order.open(now, most - len(claims), reserve=self.reserve, hints=self.hints.open)
        wake_at = self.next_look(self.wake_at(node, now, left)) if len(claims) + sum(opened.values()) < most else now
        closed = self.close_for_others(now, left)
        return Taken(tuple(claims), opened, closed, wake_at, self.changes, self.to_knock(opened))

    def to_knock(self, opened: Mapping[MailboxId, int]) -> frozenset[MailboxId]:
        """As whom nobody is to log in."""
        return frozenset(m for m in opened if self.facts.provider_standing(m.provider).is_barred)

    def grant(self, now: int, idle: Mapping[MailboxId, int], most: int, claim: Callable[[Choice], None]) -> None:
        self.order.grant(now, idle, most, claim=claim, hints=self.hints.claims)

    def claim(self, choice: Choice, node: str) -> Claim:
        delivery = self.oldest(choice)
        delivery.state = state_after(delivery.state, Event.TAKE)
        new = delivery.mail.new
        claim = Claim(
            self.disk.number(), delivery.id, new.id, choice.mailbox, choice.account, delivery.mail.lane, node,
            delivery.envelope, len(new.content), delivery.tries, delivery.doubts, choice.is_probe,
        )  # fmt: skip
        self.disk.attempts.append(Attempt(choice.mailbox, self.now(), None, delivery, claim))
        return claim

    def oldest(self, choice: Choice) -> Delivery:
        return self.turn_of(choice)

    def ready_of(self, choice: Choice) -> list[Delivery]:
        return [
            delivery
            for delivery in self.disk.deliveries
            if (delivery.account, delivery.mail.lane, delivery.state) == (choice.account, choice.lane, State.WAITING)
            and delivery.due <= self.clock.relay()
        ]

    def reserve(self, mailbox: MailboxId) -> None:
        login = Login(mailbox, self.now())
        self.disk.logins.append(login)
        self.process.openings.append(login)

    def close_for_others(self, now: int, left: Mapping[MailboxId, int]) -> dict[MailboxId, int]:
        """Idle sessions of mailboxes that cannot send, where another finds no place under the ceiling."""
        closed: dict[MailboxId, int] = {}
        for mailbox in sorted(mailbox for mailbox in left if left[mailbox] > 0):
            provider = mailbox.provider
            mine = [m for m in self.facts.mailboxes() if m.provider == provider and self.order.may_begin(m)]
            needy = [m for m in mine if self.order.needs_session(m, now)]
            if needy and not self.order.may_connect(provider, now) and not self.order.may_send(mailbox, now):
                closed[mailbox] = 1
        return closed

    def wake_at(self, node: str, now: int, left: Mapping[MailboxId, int]) -> int | None:
        """When a take would give more, or a claim of another node runs out; our own lease is renewed in time."""
        others = [one for one in self.running() if one.claim.node != node or one.lapsed_at is not None]
        instants = [self.order.wake_at(now, left), *(ends for ends in map(self.runs_out, others) if ends > now)]
        return min((instant for instant in instants if instant is not None), default=None)

    def next_look(self, wake_at: int | None) -> int | None:
        """Or when the next delivery is late."""
        after = self.settings.delay_notice
        late = [
            each.mail.accepted_at + after
            for each in self.disk.deliveries
            if after and not each.is_seen and each.state not in FINAL
        ]
        return min([*late, *([] if wake_at is None else [wake_at])], default=None)

    async def content(self, claim: Claim) -> bytes:
        attempt = self.attempt_of(claim)
        if attempt is None or attempt.is_over:
            raise CorruptValue
        return attempt.delivery.mail.new.content

    async def wait(self, mark: int, until: int | None) -> None:
        while self.changes == mark and (until is None or self.now() < until):
            try:
                async with asyncio.timeout(None if until is None else (until - self.now()) / 1_000_000):
                    await self.bell.wait()
            except TimeoutError:
                return

    # sessions

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        if event in (SessionEvent.CLOSED, SessionEvent.LOST):
            self.process.sessions.remove(mailbox)
            if event is SessionEvent.LOST:
                self.suspect_line(mailbox)
        elif event in (SessionEvent.DECLINED, SessionEvent.KNOCKED):
            self.disk.logins.remove(self.reported(mailbox))
            if event is SessionEvent.KNOCKED:
                self.let_in(mailbox.provider)
        else:
            self.reported(mailbox).ended = self.now()
            self.process.sessions.append(mailbox)
            self.process.order += 1
            self.process.let_in[mailbox.provider] = self.process.order
            if self.host(mailbox.provider).cause is not HealthEvent.BROKEN:
                self.process.accused.pop(mailbox, None)
            self.change_health(mailbox, HealthEvent.LOGIN_WORKED)
            self.forgive(mailbox)
            self.let_in(mailbox.provider)
        self.changed()

    def let_in(self, provider: str) -> None:
        """Its host answers; nothing is shown by it of lines that break later, nor of logins too early."""
        host = self.host(provider)
        told = [self.process.told[each] for each in self.process.told if each.provider == provider]
        is_after_login = host.cause is HealthEvent.IP_BLOCKED and not all(is_at_login for _, is_at_login in told)
        is_of_logins = host.cause is HealthEvent.LOGINS_OUT or is_after_login
        is_early = is_of_logins and self.now() < (host.probe_at or 0)
        if host.is_stopped and host.cause is not HealthEvent.BROKEN and not is_early:
            self.change_provider(provider, HealthEvent.LET_IN)

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        login = self.reported(mailbox)
        if failure.is_login_sent:
            login.is_refusal, login.reply_class = self.is_refusal(failure), failure.reply_class
            login.ended = self.now() + (0 if failure.is_answered else self.linger_of(mailbox))
        else:
            self.disk.logins.remove(login)
        if failure.reply_class == CROWDED:
            failure = self.as_own(mailbox, failure)
            self.crowd(mailbox, is_provider=failure.is_provider)
            self.judge_crowd(mailbox, failure)
        elif not failure.is_outdated:
            self.judge_failure(mailbox, self.suspect_login(mailbox, failure))
        self.changed()

    def as_own(self, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
        """Who hears it again while others are let in is alone with it."""
        last = self.process.let_in.get(mailbox.provider, 0)
        is_alone = self.process.accused.get(mailbox, last) < last
        return replace(failure, is_provider=False) if failure.is_provider and is_alone else failure

    def is_refusal(self, failure: LoginFailure) -> bool:
        """Whether it counts among the refused ones."""
        return is_refused_login(failure)

    def judge_crowd(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """Where no session is left, nothing goes."""
        name = mailbox.provider
        if failure.is_provider and not failure.is_outdated:
            self.accuse([mailbox])
        if failure.is_outdated or any(
            each == mailbox or (failure.is_provider and each.provider == name) for each in self.process.sessions
        ):
            return
        if failure.is_provider:
            self.change_provider(name, HealthEvent.CROWDED, failure.reason)
        else:
            self.change_health(mailbox, HealthEvent.CROWDED, failure.reason)

    def judge_failure(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        event = event_of_failure(failure)
        if failure.is_provider:
            self.accuse([mailbox])
            self.change_provider(mailbox.provider, event, failure.reason)
        else:
            health = self.disk.healths.get(mailbox, Health())
            pause = pause_after_silence(failure, health, self.settings.health)
            self.change_health(mailbox, event, failure.reason, pause)
            mailbox = self.name_in_force(mailbox)
            fingerprint = self.disk.applied.fingerprints.get(mailbox)
            if is_refused_login(failure) and fingerprint is not None:
                self.disk.healths[mailbox] = self.disk.healths[mailbox].refusing(fingerprint, self.now())

    def reported(self, mailbox: MailboxId) -> Login:
        login = next((login for login in self.process.openings if login.mailbox == mailbox), None)
        assert login is not None, "a session was reported on that was not to be opened"
        self.process.openings.remove(login)
        return login

    # routing

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        old = self.disk.applied
        is_new = not old.version or routing != old.routing
        if is_new or dict(fingerprints) != dict(old.fingerprints):
            lost = [mailbox for mailbox, value in fingerprints.items() if value is None]
            without = {mailbox: old.without.get(mailbox, self.clock.relay()) for mailbox in lost}
            self.disk.applied = Applied(old.version + is_new, routing, dict(fingerprints), without)
            self.join_kin(old.routing, routing)
            self.begin_anew(old.routing, routing)
            self.renew_hosts(old.routing, routing)
            self.follow(old, routing)
            origins = self.rename(old.routing, routing)
            self.renew(self.known_before(old.fingerprints, origins), fingerprints)
            self.changed()
        self.version = self.disk.applied.version
        return self.version

    def begin_anew(self, old: Routing, new: Routing) -> None:
        """Mailboxes whose account or provider is edited go to the tail of the rotation."""
        providers = {n for n in [*old.providers, *new.providers] if old.providers.get(n) != new.providers.get(n)}
        edited = {a for a in [*old.accounts, *new.accounts] if old.accounts.get(a) != new.accounts.get(a)}
        for mailbox in self.facts.mailboxes():
            owners = [*old.by_mailbox.get(mailbox, ()), *new.by_mailbox.get(mailbox, ())]
            if mailbox.provider in providers or any(owner.sender in edited for owner in owners):
                self.order.send_to_tail(mailbox)

    def follow(self, old: Applied, routing: Routing) -> None:
        """What the guard of another mailbox held goes on with its account."""
        for sender in [*old.routing.accounts, *routing.accounts]:
            if old.mailbox_of(sender) != self.disk.applied.mailbox_of(sender):
                self.release_guarded(sender)

    def renew(self, before: Mapping[MailboxId, str | None], now: Mapping[MailboxId, str | None]) -> None:
        for mailbox, fingerprint in now.items():
            is_known = mailbox in self.disk.healths or any(self.facts.logins(mailbox))
            health = self.disk.healths.get(mailbox, Health())
            if fingerprint is None or before.get(mailbox) == fingerprint:
                continue
            if not health.was_refused(fingerprint, self.now()):
                if is_known:
                    self.change_health(mailbox, HealthEvent.CHANGED)
            elif not health.is_stopped:
                self.change_health(mailbox, HealthEvent.LOGIN_REFUSED, "auth-rejected")

    async def apply_on(
        self, base: AppliedRouting, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        applied = self.disk.applied
        if (base.version, dict(base.fingerprints)) != (applied.version, dict(applied.fingerprints)):
            raise StaleRouting
        return await self.apply(routing, fingerprints)

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        self.left = frozenset(mailboxes)

    async def applied(self) -> AppliedRouting | None:
        applied = self.disk.applied
        self.version = applied.version
        return AppliedRouting(applied.version, applied.routing, applied.fingerprints) if applied.version else None

    # outbox and history

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        return [self.shown(entry) for entry in self.open_entries() if entry.id > after][:most]

    def shown(self, entry: OutboxEntry) -> OutboxEntry:
        """With what is known at this moment."""
        is_stopped = self.is_stopped(entry.account)
        headers = b"" if is_stopped else entry.headers
        entry = replace(entry, is_mailbox_stopped=is_stopped, now=self.clock.wall(), headers=headers)
        if entry.kind is not OutboxKind.DELAYED:
            return entry
        delivery = next(each for each in self.disk.deliveries if each.id == entry.delivery)
        reason, delay = self.delay_of(delivery)
        return replace(entry, reason=reason, reply=delivery.reply, delay=delay)

    async def queue_counts(self) -> Sequence[QueueCount]:
        counts: Counter[tuple[str, str]] = Counter()
        oldest: dict[str, int] = {}
        for delivery in self.disk.deliveries:
            if delivery.state in FINAL:
                continue
            provider, column = self.where(delivery)
            counts[provider, column] += 1
            oldest[provider] = min(delivery.mail.accepted_at, oldest.get(provider, delivery.mail.accepted_at))
        return [
            QueueCount(
                name, counts[name, "waiting"], counts[name, "sending"], counts[name, "held"],
                (self.clock.relay() - oldest[name]) / 1_000_000,
            )
            for name in sorted(oldest)
        ]  # fmt: skip

    def where(self, delivery: Delivery) -> tuple[str, str]:
        account = self.disk.applied.routing.accounts.get(delivery.account)
        if delivery.state in SENDING:
            attempt = next(a for a in self.running() if a.delivery is delivery and not a.is_lost)
            return attempt.mailbox.provider, "sending"
        is_held = delivery.state is State.HELD or self.trouble_of(delivery.account) is not None
        return ("none" if account is None else account.mailbox.provider), "held" if is_held else "waiting"

    async def health_counts(self) -> Sequence[HealthCount]:
        found: Counter[tuple[Plan, str]] = Counter()
        for account in self.disk.applied.routing.accounts.values():
            trouble = self.disk.applied.trouble_of(account.sender)
            state = self.disk.healths.get(account.mailbox, Health()).state.value
            found[account.plan, "paused" if trouble else state] += 1
        return [HealthCount(plan, health, many) for (plan, health), many in sorted(found.items())]
