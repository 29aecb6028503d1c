"""Whose trouble it is, as the model finds out: it asks the deciders of the product about plain lists.

Law: the numbers are those of relay/core; what is gathered for them, and what follows, is written down here once more.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.guard import BOUNCE_GUARD, READ_LEAST, Bounced, is_about_mailbox, least_of
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.lifecycle import SENDING, Event, State
from relay.core.lifecycle import after as state_after
from relay.core.likeness import likeness_of
from relay.core.outages import (
    AUTH_OUTAGE,
    BROKEN_WITHIN,
    OUTAGE_PROBES,
    REFUSED_CLASSES,
    REFUSED_WITHIN,
    REMEMBERED,
    TOLD_CLASSES,
    WORKED_WITHIN,
    Past,
    Refusal,
    Sent,
    Sighting,
    broken_together,
    dropped_last,
    is_dropping,
    is_left_over,
    is_of_message,
    is_refused_login,
    is_told_by_all,
    refused_together,
)
from relay.core.words import AccountId, MailboxId
from relay.store.ports import OutboxKind
from tests.contract.model_data import Attempt, Delivery, Login
from tests.contract.model_ending import MINUTE, Ending

BROKEN = ("network", "outage")
REFUSING = (HealthEvent.LOGIN_REFUSED, HealthEvent.NEVER_WORKED, HealthEvent.UNKNOWN, HealthEvent.REFUSED)
BREAKING = (HealthEvent.UNREACHABLE, HealthEvent.CUT_OFF)


class About(Ending):
    """Looks beside."""

    def health(self, mailbox: MailboxId) -> Health:
        return self.disk.healths.get(mailbox, Health())

    def host(self, provider: str) -> Health:
        return self.disk.provider_healths.get(provider, Health())

    def stopped_by(self, provider: str, causes: Collection[HealthEvent | None]) -> list[MailboxId]:
        return [
            each
            for each, health in self.disk.healths.items()
            if each.provider == provider and health.is_stopped and health.cause in causes
        ]

    def accuse(self, mailboxes: Iterable[MailboxId]) -> None:
        """They met what stops their provider."""
        self.process.order += 1
        self.process.accused.update(dict.fromkeys(mailboxes, self.process.order))

    # sessions

    def suspect_login(self, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
        if failure.is_provider:
            is_told = failure.is_login_sent and failure.reply is not None and failure.reply_class in TOLD_CLASSES
            mine = [each for each in self.disk.logins if each.mailbox == mailbox and each.ended == self.now()]
            is_own = is_told and not self.is_told_by_all(mailbox, max(each.started for each in mine), is_at_login=True)
            return replace(failure, is_provider=False) if is_own else failure
        if failure.reply_class in BROKEN:
            return replace(failure, is_provider=True) if self.is_of_provider(mailbox) else failure
        return self.as_of_outage(mailbox, failure) if is_refused_login(failure) else failure

    def suspect_line(self, mailbox: MailboxId) -> None:
        """A session was hung up on before it had served."""
        if self.is_of_provider(mailbox):
            self.accuse([mailbox])
            self.change_provider(mailbox.provider, HealthEvent.BROKEN, "network")
        else:
            self.change_health(mailbox, HealthEvent.CUT_OFF, "network")

    def as_of_outage(self, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
        host, is_paused = self.host(mailbox.provider), self.health(mailbox).state is HealthState.PAUSED
        if is_paused:
            return failure
        if host.is_stopped and host.cause is HealthEvent.LOGINS_OUT:
            if host.step >= OUTAGE_PROBES and self.past(mailbox).is_out:
                self.change_provider(mailbox.provider, HealthEvent.ACQUITTED)
                return failure
            self.acquit(mailbox)
            self.accuse([mailbox])
            return replace(failure, reply_class=AUTH_OUTAGE, fault=None, is_provider=True)
        found = self.refused_together(mailbox)
        if mailbox not in found:
            return failure
        for each in found:
            self.acquit(each)
        self.accuse(found)
        return replace(failure, reply_class=AUTH_OUTAGE, fault=None, is_provider=True)

    def refused_together(self, mailbox: MailboxId) -> tuple[MailboxId, ...]:
        now = self.now()
        if self.is_left_over(mailbox, now):
            return ()
        fresh = [each for each in self.stopped_by(mailbox.provider, REFUSING) if self.health(each).step <= 1]
        refusals = [
            Refusal(each, at, max((own for own in self.worked(each) if own <= at), default=None))
            for each in {mailbox, *fresh}
            for at in self.refusals_since(each, now - REFUSED_WITHIN)[-1:]
            if not self.is_left_over(each, at)
        ]
        active = {
            login.mailbox
            for login in self.disk.logins
            if login.mailbox.provider == mailbox.provider
            and any(at >= now - WORKED_WITHIN for at in self.worked(login.mailbox))
        }
        return refused_together(refusals, active=len(active), now=now)

    def past(self, mailbox: MailboxId) -> Past:
        mine = [login for login in self.disk.logins if login.mailbox == mailbox]
        out = [each.ended for each in mine if each.ended is not None and each.reply_class == AUTH_OUTAGE]
        return Past(max(out, default=None), max(self.worked(mailbox), default=None))

    def is_left_over(self, mailbox: MailboxId, at: int) -> bool:
        return is_left_over(self.past(mailbox), at=at, over_at=self.host(mailbox.provider).logins_back_at)

    def worked(self, mailbox: MailboxId) -> list[int]:
        return [
            login.ended
            for login in self.disk.logins
            if login.mailbox == mailbox and login.ended is not None and login.reply_class is None
        ]

    def refusals_since(self, mailbox: MailboxId, since: int) -> list[int]:
        return sorted(
            login.ended
            for login in self.disk.logins
            if login.mailbox == mailbox and login.ended is not None and login.ended >= since
            and login.is_refusal and login.reply_class in REFUSED_CLASSES
        )  # fmt: skip

    def acquit(self, mailbox: MailboxId) -> None:
        for login in self.disk.logins:
            is_late = login.ended is not None and login.ended >= self.now() - REFUSED_WITHIN
            if login.mailbox == mailbox and is_late and login.is_refusal:
                login.is_refusal, login.reply_class = False, AUTH_OUTAGE
        if self.health(mailbox).cause in REFUSING:
            self.change_health(mailbox, HealthEvent.ACQUITTED)
        self.forgive(mailbox)
        self.order.send_to_tail(mailbox)

    def forgive(self, mailbox: MailboxId) -> None:
        """What it logs in with is not at fault."""
        mailbox = self.name_in_force(mailbox)
        if mailbox in self.disk.healths:
            health = self.disk.healths[mailbox]
            self.disk.healths[mailbox] = health.forgiving(self.disk.applied.fingerprints.get(mailbox))

    # lines

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        """A line of it broke now: whether one did before mails of others went through, and none of its own since."""
        first, last = self.process.broken.get(mailbox, (self.process.order, self.now()))
        if last < self.now() - REMEMBERED:
            first = self.process.order
        self.process.broken[mailbox] = (first, self.now())
        self.process.alone.discard(mailbox)
        if first < self.process.delivered.get(mailbox.provider, 0):
            self.process.alone.add(mailbox)
        return mailbox in self.process.alone

    def is_of_provider(self, mailbox: MailboxId) -> bool:
        host, now = self.host(mailbox.provider), self.now()
        if self.breaks_alone(mailbox):
            return False
        if host.is_stopped and host.cause is HealthEvent.BROKEN:
            found: tuple[MailboxId, ...] = (mailbox,)
        else:
            before = [
                Sighting(each, self.stopped_at(self.health(each)))
                for each in self.stopped_by(mailbox.provider, BREAKING)
                if each not in self.process.alone
            ]
            seen = [Sighting(mailbox, now), *before]
            found = broken_together(seen, now=now)
            if found and len(self.served_beside(seen, found)) >= len(found):
                found = ()
        for each in found:
            if self.health(each).cause in BREAKING:
                self.change_health(each, HealthEvent.ACQUITTED)
        if found:
            self.accuse(found)
        return bool(found)

    def served_beside(self, seen: list[Sighting], found: tuple[MailboxId, ...]) -> set[MailboxId]:
        """Who else was let in, or whose mail went through, since the first of those that broke had begun."""
        began = [self.broken_from(each) for each in seen if each.mailbox in found]
        since = max(min(began), self.now() - BROKEN_WITHIN)
        provider = found[0].provider
        let_in = {login.mailbox for login in self.disk.logins if max(self.worked(login.mailbox), default=-1) >= since}
        return {each for each in let_in | self.delivered_mailboxes(since) if each.provider == provider} - {*found}

    def delivered_mailboxes(self, since: int) -> set[MailboxId]:
        return {
            each.mailbox
            for each in self.disk.attempts
            if each.is_over and each.is_counted and each.reply_class == "delivered"
            and each.ended is not None and each.ended >= since
        }  # fmt: skip

    def broken_from(self, seen: Sighting) -> int:
        attempts = [each for each in self.disk.attempts if each.is_over and each.is_counted]
        tried: list[Login | Attempt] = [*self.disk.logins, *attempts]
        began = [
            each.started
            for each in tried
            if each.mailbox == seen.mailbox and each.reply_class in BROKEN
            and each.ended is not None and each.ended >= seen.at - BROKEN_WITHIN
        ]  # fmt: skip
        return min(seen.at, max(began, default=seen.at))

    def stopped_at(self, health: Health) -> int:
        assert health.cause is not None
        assert health.probe_at is not None
        return min(self.now(), health.probe_at - self.settings.health.interval(health.cause, health.step))

    def ended_of(self, provider: str) -> list[Attempt]:
        """The attempts of a provider that it ended itself, or kept silent on, in the order of their starts."""
        ended = [each for each in self.disk.attempts if each.mailbox.provider == provider and each.is_over]
        told = [each for each in ended if each.is_counted and each.reply_class not in ("in-doubt", "lost")]
        return sorted(told, key=lambda each: each.claim.attempt)

    def is_only_this_message(self, attempt: Attempt) -> bool:
        since = self.now() - REMEMBERED
        broken = [
            each.delivery.mail.new.id
            for each in self.ended_of(attempt.mailbox.provider)
            if each.mailbox == attempt.mailbox and each.reply_class in BROKEN
            and each.ended is not None and each.ended >= since
        ]  # fmt: skip
        return is_of_message(broken)

    # what is said in the name of all

    def is_told_by_all(self, mailbox: MailboxId, began: int, *, is_at_login: bool) -> bool:
        known = self.process.told.get(mailbox)
        if known is None or known[1] != is_at_login:
            self.process.told[mailbox] = (began, is_at_login)
        if self.is_served_since_told(mailbox):
            return False
        here = [each for each in self.process.told if each.provider == mailbox.provider]
        found = [each for each in here if not self.is_served_since_told(each)]
        routed = [each for each in self.disk.applied.routing.by_mailbox if each.provider == mailbox.provider]
        if not is_told_by_all(len(found), len(routed)):
            return False
        for each in found:
            if self.health(each).is_stopped and self.health(each).reason in TOLD_CLASSES:
                self.change_health(each, HealthEvent.ACQUITTED)
                self.forgive(each)
        self.accuse(found)
        return True

    def is_served_since_told(self, mailbox: MailboxId) -> bool:
        """Whether others were: let in, or, where it was told so after its login, a mail of theirs went through."""
        began, is_at_login = self.process.told[mailbox]
        let_in = {each.mailbox for each in self.disk.logins if max(self.worked(each.mailbox), default=-1) >= began}
        served = self.delivered_mailboxes(began) | (let_in if is_at_login else set())
        return any(each.provider == mailbox.provider and each != mailbox for each in served)

    # attempts

    def suspect_result(self, attempt: Attempt, result: Result) -> Result:
        if result.is_provider:
            is_told = result.reply is not None and result.reply_class in TOLD_CLASSES
            is_own = is_told and not self.is_told_by_all(attempt.mailbox, attempt.started, is_at_login=False)
            return replace(result, is_provider=False) if is_own else result
        if result.verdict is Verdict.IN_DOUBT or result.reply_class in BROKEN:
            return self.as_of_broken_line(attempt, result)
        return self.as_of_guard(attempt, result)

    def as_of_broken_line(self, attempt: Attempt, result: Result) -> Result:
        if result.verdict is Verdict.DEFERRED and self.is_only_this_message(attempt):
            return result
        is_lost = result.verdict is Verdict.IN_DOUBT and result.reply_class == "network"
        is_theirs = self.is_of_provider(attempt.mailbox)
        if not is_theirs and is_lost:
            sent = [Sent(each.mailbox, self.is_dropped(each)) for each in self.ended_of(attempt.mailbox.provider)]
            is_theirs = is_dropping(sent)
            if is_theirs:
                self.accuse(dropped_last(sent))
                self.process.droppers.update(dict.fromkeys(dropped_last(sent), self.process.order))
        return replace(result, is_provider=True) if is_theirs else result

    def is_dropped(self, attempt: Attempt) -> bool:
        """After the dot, and others do not fare better."""
        is_it = (attempt.stage, attempt.reply_class, attempt.reply) == ("eod", "network", None)
        return is_it and attempt.gated_at is not None and not self.loses_alone(attempt.mailbox)

    def loses_alone(self, mailbox: MailboxId) -> bool:
        return self.drops_alone(mailbox) or mailbox in self.process.alone

    def drops_alone(self, mailbox: MailboxId) -> bool:
        last = self.process.delivered.get(mailbox.provider, 0)
        return self.process.droppers.get(mailbox, last) < last

    def went_through(self, attempt: Attempt) -> None:
        self.process.order += 1
        self.process.delivered[attempt.mailbox.provider] = self.process.order
        self.process.droppers.pop(attempt.mailbox, None)
        name = attempt.mailbox.provider
        is_told = any(each.provider == name and not told[1] for each, told in self.process.told.items())
        if self.host(name).is_stopped and self.host(name).cause is HealthEvent.IP_BLOCKED and is_told:
            self.change_provider(name, HealthEvent.LET_IN)
        self.process.told.pop(attempt.mailbox, None)
        self.process.broken.pop(attempt.mailbox, None)
        self.process.alone.discard(attempt.mailbox)
        self.process.accused.pop(attempt.mailbox, None)
        host = self.host(attempt.mailbox.provider)
        is_due = host.probe_at is not None and attempt.started >= host.probe_at
        if host.is_stopped and host.cause is HealthEvent.BROKEN and is_due:
            self.change_provider(attempt.mailbox.provider, HealthEvent.LET_IN)

    # the guard

    def as_of_guard(self, attempt: Attempt, result: Result) -> Result:
        reply = result.reply
        least = self.least_of(result)
        if reply is None or least is None:
            return result
        likeness = likeness_of(reply)
        if not (self.is_kept(attempt, likeness, least) or self.is_last_straw(attempt, likeness, least)):
            return result
        bounce = self.take_back(attempt, likeness)
        has_others = self.has_client_mail(attempt.mailbox)
        if bounce is not None:
            if not has_others:
                self.release(bounce)
            return replace(result, verdict=Verdict.BOUNCED, reply_class=BOUNCE_GUARD)
        verdict = Verdict.ASIDE if has_others else Verdict.HELD
        return replace(result, verdict=verdict, reply_class=BOUNCE_GUARD)

    def alike(self, likeness: bytes) -> list[Attempt]:
        return [
            each
            for each in self.disk.attempts
            if each.is_over and each.reply is not None and each.is_refused and likeness_of(each.reply) == likeness
        ]

    def least_of(self, result: Result) -> int | None:
        return least_of(result.stage, result.reply, result.reply_class, is_read=result.is_read)

    def met_words(self, mailbox: MailboxId, likeness: bytes, since: int) -> list[Bounced]:
        """Whom it could not reach since then, in these words."""
        return [
            Bounced(each.delivery.envelope.recipients[0].address.lower().encode(), min(each.ended, self.now()), b"")
            for each in self.alike(likeness)
            if each.mailbox == mailbox and each.is_counted and each.ended is not None and each.ended >= since
        ]

    def is_kept(self, attempt: Attempt, likeness: bytes, least: int) -> bool:
        """Whether the guard is on, and keeps back what is refused in these words."""
        health = self.health(attempt.mailbox)
        if not (health.is_stopped and health.cause is HealthEvent.GUARDED):
            return False
        since = self.disk.guarded_from.get(attempt.mailbox, self.now()) - 15 * MINUTE
        return (
            least < READ_LEAST
            or len({each.recipient for each in self.met_words(attempt.mailbox, likeness, since)}) >= least
        )

    def is_last_straw(self, attempt: Attempt, likeness: bytes, least: int) -> bool:
        alike = self.alike(likeness)
        if any(each.delivery is attempt.delivery and each is not attempt for each in alike):
            return False
        met = self.met_words(attempt.mailbox, likeness, self.guard_since(attempt.mailbox))
        if not is_about_mailbox(met, b"", self.now(), least=least):
            return False
        return least < READ_LEAST or not self.delivered_since(attempt.mailbox, min(each.at for each in met))

    def delivered_since(self, mailbox: MailboxId, since: int) -> bool:
        """Whether anything went through."""
        return any(
            each.mailbox == mailbox and each.reply_class == "delivered" and (each.ended or 0) >= since
            for each in self.disk.attempts
            if each.is_over and each.is_counted
        )

    def guard_since(self, mailbox: MailboxId) -> int:
        since = self.now() - 15 * MINUTE
        ended = self.disk.guarded.get(mailbox)
        return since if ended is None else max(since, ended + 1)

    def take_back(self, attempt: Attempt, likeness: bytes) -> Delivery | None:
        """Bounces of which nobody was told yet; that of which the report ends now, if it is one."""
        since, mailbox, own = self.guard_since(attempt.mailbox), attempt.mailbox, None
        for each in self.alike(likeness):
            delivery = each.delivery
            is_late = each.mailbox == mailbox and each.is_counted and each.ended is not None and each.ended >= since
            owed = [one.id for one in self.disk.outbox if (one.delivery, one.kind) == (delivery.id, OutboxKind.BOUNCE)]
            if not is_late or not owed or delivery.state is not State.BOUNCED:
                continue
            report = self.report_of(owed[0])
            if report is not None and report.state in SENDING and report is not attempt.delivery:
                continue
            self.strike_out(delivery)
            self.recall(delivery)
            if report is attempt.delivery:
                own = delivery
            elif report is not None:
                report.state, report.reason = state_after(report.state, Event.CANCEL), BOUNCE_GUARD
                report.since = self.now()
        return own

    def report_of(self, entry: int) -> Delivery | None:
        """What is on its way to tell of it."""
        mail = self.disk.handed.get(entry)
        return next((each for each in self.disk.deliveries if mail is not None and each.mail is mail), None)

    def recall(self, delivery: Delivery) -> None:
        delivery.state = state_after(delivery.state, Event.RECALL)
        delivery.reason, delivery.since, delivery.due = BOUNCE_GUARD, self.now(), 0
        if not delivery.mail.new.is_dated:
            ends = delivery.mail.accepted_at + self.settings.hold_lifetime
            delivery.expires_at = max(delivery.expires_at, ends)

    def leaves(self, mailbox: MailboxId, before: Health, now: Health) -> None:
        if now.cause is HealthEvent.GUARDED and before.cause is not HealthEvent.GUARDED:
            self.disk.guarded_from[mailbox] = self.now()
        if before.cause is HealthEvent.GUARDED and now.cause is not HealthEvent.GUARDED:
            self.disk.guarded[mailbox] = self.now()
        if before.is_stopped and not now.is_stopped:
            for account in self.disk.applied.routing.by_mailbox.get(mailbox, ()):
                self.release_guarded(account.sender)

    def release_guarded(self, account: AccountId) -> None:
        for delivery in self.disk.deliveries:
            is_held = delivery.state is State.HELD and delivery.reason == BOUNCE_GUARD
            if is_held and delivery.account == account:
                self.release(delivery)

    def release(self, delivery: Delivery) -> None:
        delivery.state, delivery.due = state_after(delivery.state, Event.RELEASE), 0
        delivery.since = self.now()
