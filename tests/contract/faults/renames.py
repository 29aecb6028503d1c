"""Stores that forget a mailbox when it is called by another name.

Law: each differs from the model in one step, as an adapter would that forgot one sentence of the ports.
"""

from collections.abc import Mapping
from typing import Any

from relay.core.health import Health
from relay.core.routing import Routing
from relay.core.words import MailboxId
from tests.contract.counting import Run
from tests.contract.model import ModelStore
from tests.contract.model_facts import ModelFacts


class _AsNamed(ModelFacts):
    """Counts by names."""

    def own_runs(self, mailbox: MailboxId) -> list[Run]:
        return [run for run in super().own_runs(mailbox) if run.mailbox == mailbox]


class _TotalsAsNamed(ModelFacts):
    """Counts totals by names."""

    def runs(self, provider: str) -> list[Run]:
        return [run for run in super().runs(provider) if run.mailbox.provider == provider]


class _LoginsAsNamed(ModelFacts):
    """Counts logins by names."""

    def logins(self, mailbox: MailboxId) -> list[Run]:
        return [run for run in super().logins(mailbox) if run.mailbox == mailbox]


class _RefusalsAsNamed(ModelFacts):
    """Counts refused logins by names."""

    def refusals(self, mailbox: MailboxId) -> list[Run]:
        return [run for run in super().refusals(mailbox) if run.mailbox == mailbox]


class CountsNames(ModelStore):
    """A limit counts what was sent under one name."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.facts.__class__ = _AsNamed


class TotalsCountNames(ModelStore):
    """A total counts what was sent under one name."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.facts.__class__ = _TotalsAsNamed


class LoginsCountNames(ModelStore):
    """The budget of logins is another one under another name."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.facts.__class__ = _LoginsAsNamed


class RefusalsCountNames(ModelStore):
    """The budget of refused logins is another one under another name."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.facts.__class__ = _RefusalsAsNamed


class HealthStaysBehind(ModelStore):
    """Another name is well."""

    def rename(self, old: Routing, new: Routing) -> dict[MailboxId, MailboxId]:
        return {}


class EveryNameIsNew(ModelStore):
    """What was refused is tried anew under another name."""

    def known_before(
        self, before: Mapping[MailboxId, str | None], origins: Mapping[MailboxId, MailboxId]
    ) -> dict[MailboxId, str | None]:
        return dict(before)


class RefusedIsForgotten(ModelStore):
    """What was refused under another name may be tried."""

    def rename(self, old: Routing, new: Routing) -> dict[MailboxId, MailboxId]:
        origins = super().rename(old, new)
        for mailbox in origins:
            self.disk.healths[mailbox] = Health()
        return origins


class UnderWayIsNobodys(ModelStore):
    """What an edit left under way bears on a name that nobody uses."""

    def name_in_force(self, mailbox: MailboxId) -> MailboxId:
        return mailbox


class HostsAreNames(ModelStore):
    """A host that has another name is tried at once."""

    def renew_hosts(self, old: Routing, new: Routing) -> None:
        return None
