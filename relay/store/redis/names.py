"""Numbers for accounts and mailboxes on Redis, given at once and to all nodes the same; the port `Numbers`.

Law: a number is given once and never to another name; one that replicas have not confirmed is not used.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgpack

from relay.core.words import AccountId, MailboxId
from relay.store.redis.book import Raw
from relay.store.redis.rowkeys import group_key, table_key
from relay.store.redis.scripts import Script, load_script
from relay.store.redis.tables import TABLES, key_of

ACCOUNTS, MAILBOXES = "accounts", "mailboxes"

MISSES: int = 64
"""Accounts without a number that an operation asks for one by one; a first routing asks for 100,000."""


class Running(Protocol):
    """What runs a script; its errors are those of relay/store/redis/link.py."""

    def run(
        self,
        script: Script,
        keys: Sequence[str] = (),
        args: Sequence[bytes | str | int] = (),
        *,
        is_durable: bool = False,
    ) -> Any: ...


class Looking(Protocol):
    """What looks a name or a row up, or all names."""

    def hget(self, key: str, name: str, /) -> Raw: ...
    def hscan(self, key: str, /) -> Iterable[tuple[bytes, bytes]]: ...


class RedisNames:
    """The numbers of one store, as far as this node needed them since it was connected."""

    def __init__(self, link: Running, asking: Looking) -> None:
        self._link = link
        self._asking = asking
        self._script = load_script("name")
        self.forget()

    def forget(self) -> None:
        """The server may be another one: a number that the last one gave and told no replica is given again there."""
        self._accounts: dict[AccountId, int] = {}
        self._senders: dict[int, AccountId] = {}
        self._mailboxes: dict[MailboxId, int] = {}
        self._mailbox_names: dict[int, MailboxId] = {}
        self._misses: int | None = None
        self._has_all = False

    def begin(self) -> None:
        """An operation begins: if it asks for very many, who has no number by then has none while it lasts."""
        self._misses, self._has_all = 0, False

    def account(self, sender: AccountId) -> int:
        """The number of an account, given now if it has none."""
        number = self._accounts.get(sender)
        return self._keep_account(self._give(ACCOUNTS, sender, sender), sender) if number is None else number

    def known_account(self, sender: AccountId) -> int | None:
        """The number of an account, None if mail was never accepted for it."""
        if sender in self._accounts or self._has_all:
            return self._accounts.get(sender)
        found = self._asking.hget(group_key(ACCOUNTS, "names"), sender)
        if found is not None:
            return self._keep_account(int(found), sender)
        self._missed()
        return None

    def sender(self, number: int) -> AccountId:
        """The account with this number."""
        if number not in self._senders:
            _, sender = self._row(ACCOUNTS, number)
            self._keep_account(number, sender)
        return self._senders[number]

    def mailbox(self, mailbox: MailboxId) -> int:
        """The number of a mailbox, given now if it has none."""
        number = self._mailboxes.get(mailbox)
        if number is not None:
            return number
        return self._keep_mailbox(self._give(MAILBOXES, key_of(*mailbox), *mailbox, None), mailbox)

    def known_mailbox(self, mailbox: MailboxId) -> int | None:
        """The number of a mailbox, None if it was never used."""
        if mailbox in self._mailboxes:
            return self._mailboxes[mailbox]
        found = self._asking.hget(group_key(MAILBOXES, "names"), key_of(*mailbox))
        return None if found is None else self._keep_mailbox(int(found), mailbox)

    def mailbox_name(self, number: int) -> MailboxId:
        """The mailbox with this number."""
        if number not in self._mailbox_names:
            _, provider, username, _ = self._row(MAILBOXES, number)
            self._keep_mailbox(number, MailboxId(provider, username))
        return self._mailbox_names[number]

    def _missed(self) -> None:
        """One more account has no number; after so many within one operation all names are read at once."""
        if self._misses is None:
            return
        self._misses += 1
        if self._misses == MISSES:
            for name, number in self._asking.hscan(group_key(ACCOUNTS, "names")):
                self._keep_account(int(number), AccountId(name.decode()))
            self._has_all = True

    def _give(self, table: str, name: str, *cells: str | None) -> int:
        row = msgpack.packb([False if each is None else each for each in cells], use_bin_type=False)
        return int(self._link.run(self._script, (), (table, name, row), is_durable=True))

    def _row(self, table: str, number: int) -> list[Any]:
        packed = self._asking.hget(table_key(table), str(number))
        assert packed is not None
        return TABLES[table].unpack(packed)

    def _keep_account(self, number: int, sender: AccountId) -> int:
        self._accounts[sender], self._senders[number] = number, sender
        return number

    def _keep_mailbox(self, number: int, mailbox: MailboxId) -> int:
        self._mailboxes[mailbox], self._mailbox_names[number] = number, mailbox
        return number
