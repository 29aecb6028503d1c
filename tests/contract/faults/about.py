"""Stores that blame the wrong one."""

from collections.abc import Iterable
from dataclasses import replace

from relay.core.envelope import Kind, LoginFailure, Result, Verdict
from relay.core.guard import READ_LEAST
from relay.core.health import Health, HealthEvent
from relay.core.lifecycle import State
from relay.core.outages import AUTH_OUTAGE, Sighting
from relay.core.words import AccountId, MailboxId
from tests.contract.model import ModelStore
from tests.contract.model_about import BREAKING, REFUSING
from tests.contract.model_data import Attempt, Delivery


class EverybodyForHimself(ModelStore):
    def as_of_outage(self, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
        return failure


class TwoAreAnOutage(ModelStore):
    def refused_together(self, mailbox: MailboxId) -> tuple[MailboxId, ...]:
        others = [each for each in self.stopped_by(mailbox.provider, REFUSING) if self.worked(each)]
        return tuple({mailbox, *others}) if others else ()


class NewcomersAreWitnesses(ModelStore):
    def worked(self, mailbox: MailboxId) -> list[int]:
        return super().worked(mailbox) or [self.now()]


class OldPausesUndone(ModelStore):
    def health(self, mailbox: MailboxId) -> Health:
        return replace(super().health(mailbox), step=0)


class PausesStay(ModelStore):
    def acquit(self, mailbox: MailboxId) -> None:
        before = self.health(mailbox)
        super().acquit(mailbox)
        if before.is_stopped:
            self.disk.healths[mailbox] = before


class ProbesCount(ModelStore):
    def acquit(self, mailbox: MailboxId) -> None:
        super().acquit(mailbox)
        for login in self.disk.logins:
            if login.mailbox == mailbox and login.reply_class == AUTH_OUTAGE:
                login.is_refusal = True


class AlwaysTheSameProbes(ModelStore):
    def acquit(self, mailbox: MailboxId) -> None:
        turns = {name: [set(group) for group in queue.groups] for name, queue in self.order.turns.items()}
        super().acquit(mailbox)
        for name, groups in turns.items():
            self.order.turns[name].groups = groups

    def accuse(self, mailboxes: Iterable[MailboxId]) -> None:
        pass


class NobodyIsAccused(ModelStore):
    """The oldest mail probes, whoever stopped the provider."""

    def accuse(self, mailboxes: Iterable[MailboxId]) -> None:
        pass


class DropsAreAlwaysTheProviders(ModelStore):
    """Who drops again while others are served stops them again."""

    def drops_alone(self, mailbox: MailboxId) -> bool:
        return False


class OnlyNowCounts(ModelStore):
    """Who broke before while others sent is forgotten."""

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        return False


class AloneForEver(ModelStore):
    """Who broke once is never a witness again."""

    def went_through(self, attempt: Attempt) -> None:
        known = self.process.broken.get(attempt.mailbox)
        super().went_through(attempt)
        if known is not None:
            self.process.broken[attempt.mailbox] = known


class OnceIllAlwaysIll(ModelStore):
    """What broke days ago counts as if it had just been."""

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        if mailbox in self.process.broken:
            self.process.broken[mailbox] = (self.process.broken[mailbox][0], self.now())
        return super().breaks_alone(mailbox)


class TheIllProbeFirst(ModelStore):
    """They are accused of nothing."""

    def accuse(self, mailboxes: Iterable[MailboxId]) -> None:
        super().accuse(mailboxes)
        self.process.alone.clear()


class ServedIsNoEvidence(ModelStore):
    """Three are enough, whoever else is served."""

    def served_beside(self, seen: list[Sighting], found: tuple[MailboxId, ...]) -> set[MailboxId]:
        return set()


class OneSpeaksForAll(ModelStore):
    """What one mailbox is told in the name of all stops all."""

    def is_told_by_all(self, mailbox: MailboxId, began: int, *, is_at_login: bool) -> bool:
        return True


class NobodyIsEverBlocked(ModelStore):
    """However many are told so."""

    def is_told_by_all(self, mailbox: MailboxId, began: int, *, is_at_login: bool) -> bool:
        return False


class AnyLoginEndsABlock(ModelStore):
    """That somebody is let in shows how his mail will fare."""

    def let_in(self, provider: str) -> None:
        if self.host(provider).cause is HealthEvent.IP_BLOCKED:
            self.change_provider(provider, HealthEvent.LET_IN)
        super().let_in(provider)


class ToldIsToldForEver(ModelStore):
    """That others are served is no evidence."""

    def is_served_since_told(self, mailbox: MailboxId) -> bool:
        return False


class AnOutageFeedsItself(ModelStore):
    """Who was refused in one is news after it."""

    def is_left_over(self, mailbox: MailboxId, at: int) -> bool:
        return False


class AnyLoginEndsIt(ModelStore):
    def let_in(self, provider: str) -> None:
        if self.host(provider).is_stopped:
            self.change_provider(provider, HealthEvent.LET_IN)


class EveryLineItsOwn(ModelStore):
    def is_of_provider(self, mailbox: MailboxId) -> bool:
        return False


class TwoLinesAreAllOfThem(ModelStore):
    def is_of_provider(self, mailbox: MailboxId) -> bool:
        return super().is_of_provider(mailbox) or bool(self.stopped_by(mailbox.provider, BREAKING))


class MailboxesStayStopped(ModelStore):
    def is_of_provider(self, mailbox: MailboxId) -> bool:
        before = dict(self.disk.healths)
        is_theirs = super().is_of_provider(mailbox)
        self.disk.healths = before
        return is_theirs


class DeathAccuses(ModelStore):
    def abandon(self, attempt: Attempt, at: int) -> None:
        super().abandon(attempt, at)
        if attempt.gated_at is not None:
            attempt.reply_class = "network"


class DropsForgiven(ModelStore):
    def ended_of(self, provider: str) -> list[Attempt]:
        return [each for each in super().ended_of(provider) if each.reply is not None]


class AnyMessageToBlame(ModelStore):
    def is_only_this_message(self, attempt: Attempt) -> bool:
        broken = [each for each in self.ended_of(attempt.mailbox.provider) if each.reply_class == "network"]
        return sum(each.delivery is attempt.delivery for each in broken) > 1


class EveryBounceBelieved(ModelStore):
    def as_of_guard(self, attempt: Attempt, result: Result) -> Result:
        return result


class NoTextBelieved(ModelStore):
    def as_of_guard(self, attempt: Attempt, result: Result) -> Result:
        return super().as_of_guard(attempt, replace(result, is_read=False))


class ReportsGoOutAllTheSame(ModelStore):
    def take_back(self, attempt: Attempt, likeness: bytes) -> Delivery | None:
        return None


class ReportsOnTheirWayTell(ModelStore):
    """What was handed over counts as told."""

    def take_back(self, attempt: Attempt, likeness: bytes) -> Delivery | None:
        for entry in list(self.disk.handed):
            self.disk.outbox = [kept for kept in self.disk.outbox if kept.id != entry]
        return super().take_back(attempt, likeness)


class ReportsOfNothing(ModelStore):
    """The bounce is taken back, and its report arrives all the same."""

    def report_of(self, entry: int) -> Delivery | None:
        return None


class ToldBouncesTakenBack(ModelStore):
    def take_back(self, attempt: Attempt, likeness: bytes) -> Delivery | None:
        own = super().take_back(attempt, likeness)
        for each in self.alike(likeness):
            if each.delivery.state is State.BOUNCED and each.delivery.mail.new.kind is Kind.MAIL:
                self.recall(each.delivery)
        return own


class TextsAlwaysBelieved(ModelStore):
    """However many are said to be unknown, and nothing goes through."""

    def least_of(self, result: Result) -> int | None:
        least = super().least_of(result)
        return None if least == READ_LEAST else least


class TenAreNeverPatients(ModelStore):
    """Ten wrong addresses stop a mailbox that delivers to others."""

    def delivered_since(self, mailbox: MailboxId, since: int) -> bool:
        return False


class OneRecipientIsMany(ModelStore):
    def is_last_straw(self, attempt: Attempt, likeness: bytes, least: int) -> bool:
        return super().is_last_straw(attempt, likeness, least) or len(self.alike(likeness)) > 2


class NobodyLeftToProbe(ModelStore):
    def as_of_guard(self, attempt: Attempt, result: Result) -> Result:
        judged = super().as_of_guard(attempt, result)
        return replace(judged, verdict=Verdict.ASIDE) if judged.verdict is Verdict.HELD else judged


class HeldForEver(ModelStore):
    def release_guarded(self, account: AccountId) -> None:
        return


class GuardForgotten(ModelStore):
    def guard_since(self, mailbox: MailboxId) -> int:
        self.disk.guarded.pop(mailbox, None)
        return super().guard_since(mailbox)
