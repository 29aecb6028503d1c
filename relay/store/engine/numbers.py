"""Numbers for accounts and mailboxes, so that rows and indexes stay small.

Law: a number is given once and never to another name.
"""

from typing import Protocol

from relay.core.words import AccountId, MailboxId


class Numbers(Protocol):
    """Numbers for accounts and mailboxes; a number is given once and never to another name."""

    def account(self, sender: AccountId) -> int:
        """The number of an account, given now if it has none."""

    def known_account(self, sender: AccountId) -> int | None:
        """The number of an account, None if mail was never accepted for it."""

    def sender(self, number: int) -> AccountId:
        """The account with this number."""

    def mailbox(self, mailbox: MailboxId) -> int:
        """The number of a mailbox, given now if it has none."""

    def known_mailbox(self, mailbox: MailboxId) -> int | None:
        """The number of a mailbox, None if it was never used."""

    def mailbox_name(self, number: int) -> MailboxId:
        """The mailbox with this number."""
