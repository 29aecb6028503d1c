"""What came of a mailbox that was tried by hand: one login, one MAIL, one RCPT.

Law: it names what was seen and by whom; the reply in it is masked, and no secret is part of it.
"""

from dataclasses import dataclass
from enum import StrEnum

from relay.core.reply import Reply
from relay.core.words import AccountId, MailboxId, Stage


class Finding(StrEnum):
    """What was found."""

    WORKS = "works"
    """The login works, and mail is taken from the address and for it."""
    LOGIN_WORKS = "login-works"
    """The login works; for the rest there was no room, or no answer."""
    LOGIN_FAILED = "login-failed"
    """No session came about: `reason` says why."""
    SENDER_REFUSED = "sender-refused"
    """The login works, and MAIL with this address was refused, for good or for now."""
    RECIPIENT_REFUSED = "recipient-refused"
    """Login and sender are taken; the address itself is refused as a recipient."""
    NOT_NOW = "not-now"
    """It was not tried: `reason` says why, `until` when it can be."""


@dataclass(frozen=True, slots=True)
class Tested:
    """How it went; `until` is wall time in microseconds."""

    account: AccountId
    mailbox: MailboxId
    finding: Finding
    reason: str | None = None
    """A reply class, a fault, or what kept it from being tried; None: nothing is wrong."""
    stage: Stage | None = None
    """Where it ended; None: it was not tried."""
    reply: Reply | None = None
    """What the provider said last."""
    until: int | None = None
    is_provider: bool = False
    """It is not about this mailbox, but about its provider's host."""

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, as far as was seen."""
        return self.finding is Finding.WORKS or (self.finding is Finding.LOGIN_WORKS and self.stage is None)
