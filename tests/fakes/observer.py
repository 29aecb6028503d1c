"""An observer that remembers what it was told."""

from relay.core.envelope import Claim, LoginFailure, Result
from relay.core.words import MailboxId


class FakeObserver:
    """Keeps everything, in order."""

    def __init__(self) -> None:
        self.attempts: list[tuple[Claim, Result, bool]] = []
        self.opened: list[MailboxId] = []
        self.closed: list[tuple[MailboxId, int]] = []
        self.failures: list[tuple[MailboxId, LoginFailure]] = []
        self.lost: list[Claim] = []
        self.store_failures: list[tuple[str, Exception]] = []
        self.breaks: list[tuple[str, Exception, Claim | None]] = []

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None:
        self.attempts.append((claim, result, is_recorded))

    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None:
        self.opened.append(mailbox)

    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None:
        self.closed.append((mailbox, messages))

    def login_failed(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        self.failures.append((mailbox, failure))

    def claim_lost(self, claim: Claim) -> None:
        self.lost.append(claim)

    def store_failed(self, operation: str, error: Exception) -> None:
        self.store_failures.append((operation, error))

    def broken(self, what: str, error: Exception, claim: Claim | None = None) -> None:
        self.breaks.append((what, error, claim))
