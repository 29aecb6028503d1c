"""What metrics ask: how much waits, is being sent and is held.

Law: it only reads; what is ready comes from the counts in memory, so that asking costs the same at any depth.
"""

from collections import Counter

from relay.core.limits import SECOND
from relay.store.ports.history import QueueCount
from relay.store.sqlite.context import Context

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
        accounts: dict[str, list[int]] = {}
        for account, line in self._context.pending:
            provider, is_held = self._where(account)
            (held if is_held else waiting)[provider] += line.waiting
            held[provider] += line.held
            accounts.setdefault(provider, []).append(account)
        sending = self._sending(waiting, held)
        return [
            QueueCount(name, waiting[name], sending[name], held[name], self._age(accounts.get(name, [])))
            for name in sorted({*accounts, *sending})
        ]

    def _sending(self, waiting: Counter[str], held: Counter[str]) -> Counter[str]:
        """What is being sent counts where it is sent, and nowhere else."""
        sending: Counter[str] = Counter()
        for running in self._context.claims:
            if not running.is_lost:
                sending[running.claim.mailbox.provider] += 1
                provider, is_held = self._where(running.entry.account)
                (held if is_held else waiting)[provider] -= 1
        return sending

    def _age(self, accounts: list[int]) -> float | None:
        accepted = self._context.pending.accepted_at(accounts)
        return None if accepted is None else max(0, self._context.clock.wall() - accepted) / SECOND

    def _where(self, account: int) -> tuple[str, bool]:
        """The provider of an account, and whether its mail is held there."""
        context = self._context
        sender = context.names.sender(account)
        known = context.routes.routing.accounts.get(sender)
        if known is None:
            return NOBODY, True
        mailbox = context.routes.mailbox_of(sender)
        return known.mailbox.provider, mailbox is None or context.remembrance.health(mailbox).is_stopped
