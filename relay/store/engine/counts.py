"""What metrics ask of the queue: how much waits, is being sent and is held at each provider, gathered in small steps.

Law: it only reads; what is ready comes from the counts in memory, so that asking costs the same at any depth. What
moves between two steps may be counted where it was or where it is, and never below nought.
"""

from collections import Counter
from dataclasses import dataclass, field

from relay.core.limits import SECOND
from relay.store.engine.context import Context
from relay.store.ports.history import QueueCount

NOBODY = "none"
"""The provider under which accounts that are gone are counted."""


@dataclass(slots=True)
class Tally:
    """Per provider; what a stopped mailbox or provider keeps back is held."""

    waiting: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    accounts: dict[str, list[int]] = field(default_factory=dict)

    def look(self, context: Context, accounts: list[int]) -> None:
        """Looks at the queues of some accounts."""
        context.pending.look(accounts)
        for account in accounts:
            line = context.pending.line(account)
            if line is None:
                continue
            provider, is_held = _where(context, account)
            (self.held if is_held else self.waiting)[provider] += line.waiting
            self.held[provider] += line.held
            self.accounts.setdefault(provider, []).append(account)

    def finish(self, context: Context) -> list[QueueCount]:
        """With what is being sent, and how old the oldest is."""
        sending = self._sending(context)
        return [
            QueueCount(
                name, max(0, self.waiting[name]), sending[name], max(0, self.held[name]), self._age(context, name)
            )
            for name in sorted({*self.accounts, *sending})
        ]

    def _sending(self, context: Context) -> Counter[str]:
        """What is being sent counts where it is sent, and nowhere else."""
        sending: Counter[str] = Counter()
        for running in context.claims:
            if not running.is_lost:
                sending[running.claim.mailbox.provider] += 1
                provider, is_held = _where(context, running.entry.account)
                (self.held if is_held else self.waiting)[provider] -= 1
        return sending

    def _age(self, context: Context, provider: str) -> float | None:
        accounts = self.accounts.get(provider, [])
        context.pending.look(accounts)
        left = [account for account in accounts if context.pending.line(account) is not None]
        accepted = context.pending.accepted_at(left)
        return None if accepted is None else max(0, context.clock.wall() - accepted) / SECOND


def _where(context: Context, account: int) -> tuple[str, bool]:
    """The provider of an account, and whether its mail is held there."""
    sender = context.names.sender(account)
    known = context.routes.routing.accounts.get(sender)
    if known is None:
        return NOBODY, True
    return known.mailbox.provider, context.is_kept_back(sender)
