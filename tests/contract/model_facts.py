"""The model store as the definition of the schedule sees it: every question is answered from the lists, each time anew.

Law: what may be sent at a later instant is what would be ready then if nothing else happened.
"""

from zoneinfo import ZoneInfo

from relay.core.health import Health
from relay.core.healthsettings import HealthSettings
from relay.core.lifecycle import State
from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.words import Lane, MailboxId
from tests.contract.clock import LoopClock
from tests.contract.counting import Run
from tests.contract.model_data import Disk, Process
from tests.contract.order import Ready


class ModelFacts:
    """Reads the disk and the process."""

    def __init__(self, disk: Disk, process: Process, clock: LoopClock, settings: HealthSettings) -> None:
        self.disk, self.process, self.clock, self.settings = disk, process, clock, settings

    def mailboxes(self) -> list[MailboxId]:
        routed = {account.mailbox for account in self.disk.applied.routing.accounts.values()}
        return sorted(routed | {run.mailbox for run in [*self.disk.attempts, *self.disk.logins]})

    def ready(self, mailbox: MailboxId, at: int) -> Ready:
        found = Ready()
        for delivery in self.disk.deliveries:
            if delivery.state is not State.WAITING or delivery.due > at:
                continue
            if self.disk.applied.mailbox_of(delivery.account) == mailbox:
                express, bulk = found.get(delivery.account, (0, 0))
                is_express = delivery.mail.lane is Lane.EXPRESS
                found[delivery.account] = (express + is_express, bulk + (not is_express))
        return found

    def timers(self) -> set[int]:
        return {delivery.due for delivery in self.disk.deliveries if delivery.state is State.WAITING}

    def terms(self, mailbox: MailboxId) -> MailboxTerms:
        routing = self.disk.applied.routing
        provider = routing.providers.get(mailbox.provider)
        if provider is None:
            return MailboxTerms(refused_logins=self.settings.refused_logins)
        limits, weight = routing.limits_of(mailbox), routing.weight_of(mailbox)
        return MailboxTerms(
            limits, weight, provider.connections, provider.login_limit, provider.express_share,
            self.settings.refused_logins,
        )  # fmt: skip

    def provider_terms(self, provider: str) -> ProviderTerms:
        known = self.disk.applied.routing.providers.get(provider)
        if known is None:
            return ProviderTerms()
        return ProviderTerms(known.total_limits, known.total_connections, ZoneInfo(known.timezone))

    def standing(self, mailbox: MailboxId) -> Standing:
        return self.disk.healths.get(mailbox, Health()).standing

    def provider_standing(self, provider: str) -> Standing:
        return self.disk.provider_healths.get(provider, Health()).standing

    def runs(self, provider: str) -> list[Run]:
        names = {each.provider for each in self.disk.kin(MailboxId(provider, ""))}
        counted = {provider} | (names - set(self.disk.applied.routing.providers))
        return [a for a in self.disk.attempts if a.is_counted and a.mailbox.provider in counted]

    def own_runs(self, mailbox: MailboxId) -> list[Run]:
        names = self.disk.kin(mailbox)
        return [a for a in self.disk.attempts if a.is_counted and a.mailbox in names]

    def logins(self, mailbox: MailboxId) -> list[Run]:
        names = self.disk.kin(mailbox)
        return [login for login in self.disk.logins if login.mailbox in names]

    def refusals(self, mailbox: MailboxId) -> list[Run]:
        return [
            login
            for login in self.disk.logins
            if login.mailbox in self.disk.kin(mailbox) and (login.ended is None or login.is_refusal)
        ]

    def opening(self, mailbox: MailboxId) -> int:
        return sum(login.mailbox == mailbox for login in self.process.openings)

    def sessions(self, mailbox: MailboxId) -> int:
        return self.process.sessions.count(mailbox) + self.opening(mailbox)

    def crowded_until(self, whom: MailboxId | str) -> int:
        return self.process.crowded.get(whom, 0)

    def accused_at(self, mailbox: MailboxId) -> int:
        return self.process.accused.get(mailbox, 0)

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        return mailbox in self.process.alone

    def offset(self) -> int:
        return 0
