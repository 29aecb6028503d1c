"""What metrics ask: how much waits, is being sent and is held, and how healthy the accounts are.

Law: it only reads; what is ready comes from the counts in memory, so that asking costs the same at any depth.
"""

from collections import Counter

from relay.core.words import Plan
from relay.store.ports.history import HealthCount, QueueCount
from relay.store.sqlite.context import Context
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("history")

NOBODY = "none"
"""The provider under which accounts that are gone are counted."""


class Counts:
    """Answers questions about the whole."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def queue_counts(self) -> list[QueueCount]:
        """Per provider; what a stopped mailbox keeps back is held."""
        waiting: Counter[str] = Counter()
        held: Counter[str] = Counter()
        sending: Counter[str] = Counter()
        oldest: dict[str, int] = {}
        for account, state, many, first in self._context.database.read(_SQL["count_pending"]):
            provider, is_held = self._where(account)
            (held if state or is_held else waiting)[provider] += many
            oldest[provider] = min(first, oldest.get(provider, first))
        for running in self._context.claims:
            if not running.is_lost:
                sending[running.claim.mailbox.provider] += 1
                provider, is_held = self._where(running.entry.account)
                (held if is_held else waiting)[provider] -= 1
        wall = self._context.clock.wall()
        names = sorted({*waiting, *held, *sending})
        return [
            QueueCount(
                name, max(0, waiting[name]), sending[name], max(0, held[name]),
                max(0, wall - oldest[name]) / 1_000_000 if name in oldest else None,
            )
            for name in names
        ]  # fmt: skip

    def health_counts(self) -> list[HealthCount]:
        """Per plan and health."""
        context = self._context
        found: Counter[tuple[Plan, str]] = Counter()
        for account in context.routes.routing.accounts.values():
            trouble = context.routes.trouble_of(account.sender)
            state = "paused" if trouble else context.remembrance.health(account.mailbox).state.value
            found[account.plan, state] += 1
        return [HealthCount(plan, health, many) for (plan, health), many in sorted(found.items())]

    def _where(self, account: int) -> tuple[str, bool]:
        """The provider of an account, and whether its mail is held there."""
        context = self._context
        sender = context.names.sender(account)
        known = context.routes.routing.accounts.get(sender)
        if known is None:
            return NOBODY, True
        mailbox = context.routes.mailbox_of(sender)
        return known.mailbox.provider, mailbox is None or context.remembrance.health(mailbox).is_stopped
