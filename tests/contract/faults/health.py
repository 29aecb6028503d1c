"""Stores that spare a mailbox that fails too little, or too much, or forget that it failed.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay.core.envelope import Kind, LoginFailure, Result
from relay.core.healing import NO_LIMITS, Pace
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.symptoms import Tally
from relay.core.words import MailboxId
from tests.contract.model import ModelStore
from tests.contract.model_data import Attempt, Delivery, Mail


class SecondRefusalSkipped(ModelStore):
    """One refusal is enough to tell the owner."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        is_refused = event is HealthEvent.LOGIN_REFUSED
        super().change_health(mailbox, HealthEvent.NEVER_WORKED if is_refused else event, *given)


class NeverDoubtedEnough(ModelStore):
    """A wrong password is tried every five minutes."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        super().change_health(mailbox, event, *given)
        known = self.disk.healths[mailbox]
        if known.cause is HealthEvent.LOGIN_REFUSED and known.state is HealthState.PAUSED:
            self.disk.healths[mailbox] = replace(known, probe_at=self.now() + 5 * 60 * 1_000_000)


class RefusedLoginsIgnored(ModelStore):
    """As many as the login limit lets through."""

    def is_refusal(self, failure: LoginFailure) -> bool:
        return False


class RefusedLoginsForgotten(ModelStore):
    """A restart begins to count anew."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        for login in self.disk.logins:
            login.is_refusal = False
        self.order.refresh(self.now())


class SecretIsNotNew(ModelStore):
    """A new secret waits for the budget that the old one spent."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        super().change_health(mailbox, event, *given)
        self.disk.healths[mailbox] = replace(self.disk.healths[mailbox], is_fresh=False)


class SlowForgotten(ModelStore):
    """A restart is at full pace again."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        for mailbox, known in self.disk.healths.items():
            self.disk.healths[mailbox] = replace(known, slow=1)
        self.order.refresh(self.now())


class NeverSlow(ModelStore):
    """Too fast is waited out, and goes on as fast."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        super().change_health(mailbox, event, *given)
        self.disk.healths[mailbox] = replace(self.disk.healths[mailbox], slow=1)


class NeverEased(ModelStore):
    """Once slow, slow for good."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        before = self.disk.healths.get(mailbox, Health()).slow
        super().change_health(mailbox, event, *given)
        known = self.disk.healths[mailbox]
        self.disk.healths[mailbox] = replace(known, slow=max(before, known.slow))


class LimitsUnread(ModelStore):
    """Waits as long whatever the limits say, midnight too."""

    def pace_of(self, mailbox: MailboxId) -> Pace:
        return NO_LIMITS


class QuotaForgotten(ModelStore):
    """A restart tries what has no quota left."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        for mailbox, known in list(self.disk.healths.items()):
            if known.cause is HealthEvent.QUOTA_EXCEEDED:
                self.disk.healths[mailbox] = Health(is_proven=True)
        self.order.refresh(self.now())


class BlipHidesTheQuota(ModelStore):
    """What was seen last is all that is remembered."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        if event is HealthEvent.UNREACHABLE:
            self.disk.healths[mailbox] = Health(is_proven=True)
        super().change_health(mailbox, event, *given)


class MailboxSpendsTries(ModelStore):
    """A message pays for its mailbox."""

    def is_paced_by_mailbox(self, event: HealthEvent | None) -> bool:
        return False


class AnybodyEndsTheWait(ModelStore):
    """What was under way before counts as the probe."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        known = self.disk.healths.get(mailbox, Health())
        if event is HealthEvent.DELIVERED:
            self.disk.healths[mailbox] = replace(known, probe_at=0)
        super().change_health(mailbox, event, *given)


class OpenSessionsStopToo(ModelStore):
    """Logins that have to wait keep back what needs none."""

    def change_health(self, mailbox: MailboxId, event: HealthEvent, *given: Any) -> None:
        super().change_health(mailbox, HealthEvent.BUSY if event is HealthEvent.LOGIN_BUSY else event, *given)


class SpamUncounted(ModelStore):
    """Each message that is taken for spam is the first."""

    def tally_of(self, attempt: Attempt, result: Result) -> Tally:
        return replace(super().tally_of(attempt, result), spam=1)


class ReportsTakenForSpam(ModelStore):
    """A report of the relay counts as a message of its doctor."""

    def taken_for_spam(self, mail: Mail, lately: list[Mail]) -> int:
        return len({each.new.id for each in lately})


class EachRecipientTakenForSpam(ModelStore):
    """One message counts for each recipient."""

    def taken_for_spam(self, mail: Mail, lately: list[Mail]) -> int:
        return len([each for each in lately if each.new.kind is Kind.MAIL])


class SpamNeverForgotten(ModelStore):
    """Each message that was ever taken for spam counts."""

    def tally_of(self, attempt: Attempt, result: Result) -> Tally:
        many = sum(each.reply_class == "spam-blocked" for each in self.disk.attempts)
        return replace(super().tally_of(attempt, result), spam=many)


class PolicyUncounted(ModelStore):
    """No number of domains means the sender."""

    def tally_of(self, attempt: Attempt, result: Result) -> Tally:
        return replace(super().tally_of(attempt, result), domains=1)


class OneMessageStopsAll(ModelStore):
    """A message that breaks the line stops its mailbox each time."""

    def event_of(self, attempt: Attempt, result: Result) -> HealthEvent | None:
        event = super().event_of(attempt, result)
        return HealthEvent.UNREACHABLE if event is None and result.reply_class == "network" else event


class LogsInWhereNotWanted(ModelStore):
    """Shows a password to a host that has blocked this machine."""

    def to_knock(self, opened: Mapping[MailboxId, int]) -> frozenset[MailboxId]:
        return frozenset()


class SentToTheOthers(ModelStore):
    """What was taken for spam goes to the next recipient all the same."""

    def siblings(self, delivery: Delivery, result: Result) -> list[Delivery]:
        return []
