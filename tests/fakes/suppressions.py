"""Suppressions that a test puts there, and that remember what was asked."""

from collections.abc import Sequence

from relay.core.suppression import SuppressionKind
from relay.core.words import AccountId
from relay.errors import UnknownAccount
from relay.store.ports.suppressions import SuppressionView

NOON = 1_793_613_600_000_000
"""2026-11-02T10:00:00Z."""

DAY = 86_400_000_000


class RememberedSuppressions:
    """The port in memory; `trouble` is raised by whatever waits for the store."""

    def __init__(self) -> None:
        self.standing_against: dict[tuple[AccountId, str], dict[SuppressionKind, SuppressionView]] = {}
        self.asked: list[str] = []
        self.strangers: set[AccountId] = set()
        self.trouble: Exception | None = None

    def put(self, account: AccountId, recipient: str, kind: SuppressionKind) -> None:
        """Something stands against somebody."""
        until = None if kind is SuppressionKind.OPTOUT else NOON + 14 * DAY
        known = self.standing_against.setdefault((account, recipient.lower()), {})
        known[kind] = SuppressionView(f"{len(self.standing_against):064x}", kind, NOON, until)

    def may_stand(self, account: AccountId, recipient: str) -> bool:
        return (account, recipient.lower()) in self.standing_against

    async def standing(self, account: AccountId, recipient: str) -> SuppressionView | None:
        self._ask("standing")
        known = self.standing_against.get((account, recipient.lower()), {})
        return known.get(SuppressionKind.OPTOUT) or known.get(SuppressionKind.UNKNOWN)

    async def opt_out(self, account: AccountId, recipient: str) -> bool:
        self._ask("opt_out", account)
        is_new = SuppressionKind.OPTOUT not in self.standing_against.get((account, recipient.lower()), {})
        if is_new:
            self.put(account, recipient, SuppressionKind.OPTOUT)
        return is_new

    async def lift(self, account: AccountId, recipient: str) -> Sequence[SuppressionKind]:
        self._ask("lift", account)
        return tuple(sorted(self.standing_against.pop((account, recipient.lower()), {})))

    async def all_of(
        self, account: AccountId, *, most: int, after: tuple[str, str] = ("", "")
    ) -> Sequence[SuppressionView]:
        self._ask("all_of", account)
        views = [view for (of, _), known in self.standing_against.items() if of == account for view in known.values()]
        views.sort(key=lambda view: (view.recipient_hash, view.kind))
        return [view for view in views if (view.recipient_hash, view.kind) > after][:most]

    def _ask(self, what: str, account: AccountId | None = None) -> None:
        self.asked.append(what)
        if self.trouble is not None:
            raise self.trouble
        if account in self.strangers:
            raise UnknownAccount
