"""The routing in force: where each account's mail goes now, or why it goes nowhere.

Law: what waits belongs to an account; the mailbox is looked up when it moves, so an edit moves what waits, in order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.core.health import Pause
from relay.core.limits import MINUTE
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId

Fingerprints = Mapping[MailboxId, str | None]
"""Keyed hash of each mailbox's credential and route; None: it has no credentials."""

DEFAULT_LINGER: int = 2 * MINUTE
"""For a provider that is not in the routing any more."""

DEFAULT_FINAL: int = 10 * MINUTE
"""As long as a provider that is not in the routing any more may take for its last reply."""

NO_ACCOUNT = "no-account"
NO_CREDENTIALS = "no-credentials"
PAUSED_BY_ADMIN = "paused-by-admin"


@dataclass(frozen=True, slots=True)
class PausedAccount:
    """That a person keeps an account's mail back: since when (wall time, microseconds), and why, in his words."""

    since: int
    why: str


@dataclass(frozen=True, slots=True)
class Routes:
    """The routing in force and the fingerprints of its mailboxes."""

    version: int = 0
    """0: none was ever applied."""
    routing: Routing = field(default_factory=Routing)
    fingerprints: Fingerprints = field(default_factory=dict)
    without: Mapping[MailboxId, int] = field(default_factory=dict)
    """Mailboxes that have no credentials: since when (queue time)."""
    paused: Mapping[AccountId, PausedAccount] = field(default_factory=dict)
    """Accounts that a person has paused: their mail goes nowhere until he lets it."""
    is_damaged: bool = False
    """One was applied, and what the store has of it cannot be read."""

    def mailbox_of(self, account: AccountId) -> MailboxId | None:
        """Where an account's mail goes; None: nowhere (see `trouble_of`)."""
        known = self.routing.accounts.get(account)
        if known is None or account in self.paused or self.fingerprints.get(known.mailbox, "") is None:
            return None
        return known.mailbox

    def trouble_of(self, account: AccountId) -> str | None:
        """Why an account's mail goes nowhere."""
        known = self.routing.accounts.get(account)
        if known is None:
            return NO_ACCOUNT
        if account in self.paused:
            return PAUSED_BY_ADMIN
        return NO_CREDENTIALS if self.fingerprints.get(known.mailbox, "") is None else None

    def stop_of(self, account: AccountId) -> Pause | None:
        """Why the mail of an account of the routing goes nowhere, and since when; None: it goes, or there is none."""
        paused, known = self.paused.get(account), self.routing.accounts.get(account)
        if known is None:
            return None
        if paused is not None:
            return Pause(PAUSED_BY_ADMIN, paused.since)
        since = self.without.get(known.mailbox)
        return None if since is None else Pause(NO_CREDENTIALS, since)

    def linger_of(self, mailbox: MailboxId) -> int:
        """How long after a lost connection the provider may still count, microseconds."""
        provider = self.routing.providers.get(mailbox.provider)
        return DEFAULT_LINGER if provider is None else provider.linger

    def final_of(self, mailbox: MailboxId) -> int:
        """How long the reply to the final dot may take, microseconds."""
        provider = self.routing.providers.get(mailbox.provider)
        return DEFAULT_FINAL if provider is None else provider.timeouts.final

    def longest_linger(self) -> int:
        """The longest linger of any provider."""
        return max((provider.linger for provider in self.routing.providers.values()), default=DEFAULT_LINGER)
