"""Numbers for accounts and mailboxes, so that rows and indexes stay small.

Law: a number is given once and never to another name.
"""

from relay.core.words import AccountId, MailboxId
from relay.store.engine.ledger import Ledger
from relay.store.engine.statements import load_statements

_SQL = load_statements("store")


class Names:
    """The numbers of one store, as far as they were needed since its start."""

    def __init__(self, database: Ledger) -> None:
        self._database = database
        self._accounts: dict[AccountId, int] = {}
        self._senders: dict[int, AccountId] = {}
        self._mailboxes: dict[MailboxId, int] = {}
        self._mailbox_names: dict[int, MailboxId] = {}

    def account(self, sender: AccountId) -> int:
        """The number of an account, given now if it has none."""
        number = self._accounts.get(sender)
        if number is not None:
            return number
        row = self._database.read_one(_SQL["find_account"], (sender,))
        if row is None:
            self._database.write(_SQL["add_account"], (sender,))
            row = self._database.read_one(_SQL["find_account"], (sender,))
        assert row is not None
        self._accounts[sender], self._senders[row[0]] = row[0], sender
        return int(row[0])

    def known_account(self, sender: AccountId) -> int | None:
        """The number of an account, None if mail was never accepted for it."""
        if sender in self._accounts:
            return self._accounts[sender]
        row = self._database.read_one(_SQL["find_account"], (sender,))
        return None if row is None else int(row[0])

    def sender(self, number: int) -> AccountId:
        """The account with this number."""
        sender = self._senders.get(number)
        if sender is None:
            row = self._database.read_one(_SQL["sender_of"], (number,))
            assert row is not None
            sender = self._senders[number] = row[0]
            self._accounts[sender] = number
        return sender

    def mailbox(self, mailbox: MailboxId) -> int:
        """The number of a mailbox, given now if it has none."""
        number = self._mailboxes.get(mailbox)
        if number is not None:
            return number
        row = self._database.read_one(_SQL["find_mailbox"], mailbox)
        if row is None:
            self._database.write(_SQL["add_mailbox"], mailbox)
            row = self._database.read_one(_SQL["find_mailbox"], mailbox)
        assert row is not None
        self._mailboxes[mailbox], self._mailbox_names[row[0]] = row[0], mailbox
        return int(row[0])

    def known_mailbox(self, mailbox: MailboxId) -> int | None:
        """The number of a mailbox, None if it was never used."""
        number = self._mailboxes.get(mailbox)
        if number is not None:
            return number
        row = self._database.read_one(_SQL["find_mailbox"], mailbox)
        return None if row is None else int(row[0])

    def mailbox_name(self, number: int) -> MailboxId:
        """The mailbox with this number."""
        mailbox = self._mailbox_names.get(number)
        if mailbox is None:
            row = self._database.read_one(_SQL["mailbox_of"], (number,))
            assert row is not None
            mailbox = self._mailbox_names[number] = MailboxId(row[0], row[1])
            self._mailboxes[mailbox] = number
        return mailbox
