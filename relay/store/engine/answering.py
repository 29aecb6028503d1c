"""What a store on the engine tells without deciding anything: out of its memory at once, or by its reader.

Law: nothing is written here, and what answers is the context of the moment: a store may load its memory anew at any
time.
"""

from collections.abc import Sequence
from typing import Protocol

from relay.core.health import Pause
from relay.core.words import AccountId, MailboxId, MessageId
from relay.store.engine.context import Context
from relay.store.engine.reader import Reader
from relay.store.ports.books import Books
from relay.store.ports.history import AccountGauges, HealthCount, LimitWait, QueueCount
from relay.store.ports.reading import AccountQuery, AccountView, MessageQuery, MessageView, Page, ProviderView


class Answering(Protocol):
    """The ports `Pauses`, `History` and `Reading`: an adapter brings reader, books and what is in memory."""

    _reader: Reader
    _books: Books

    @property
    def _context(self) -> Context:
        """That of the moment."""

    @property
    def books(self) -> Books:
        """The ports beside the mail itself."""
        return self._books

    # of accounts

    def pause_of(self, account: AccountId) -> Pause | None:
        """Why and since when it is paused."""
        return self._context.pause_of(account)

    def is_stopped(self, account: AccountId) -> bool:
        """Whether nothing leaves this account now."""
        return self._context.is_stopped(account)

    def has_worked(self, mailbox: MailboxId) -> bool:
        """Whether a login with this credential has worked before."""
        return self._context.remembrance.health(mailbox).is_proven

    # history

    async def queue_counts(self) -> Sequence[QueueCount]:
        """How much waits where."""
        return await self._reader.queue_counts()

    async def health_counts(self) -> Sequence[HealthCount]:
        """How healthy accounts are."""
        return await self._reader.health_counts()

    async def limit_waits(self) -> Sequence[LimitWait]:
        """How long the limits alone keep back what waits."""
        return await self._reader.limit_waits()

    async def account_gauges(self, most: int) -> AccountGauges:
        """The accounts that somebody may want to look at by name."""
        return await self._reader.account_gauges(most)

    # reading

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        """A page of messages."""
        return await self._reader.messages(query)

    async def message(self, message: MessageId) -> MessageView | None:
        """One message with all attempts."""
        return await self._reader.message(message)

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        """A page of accounts."""
        return await self._reader.accounts(query)

    async def account(self, sender: AccountId) -> AccountView | None:
        """One account."""
        return await self._reader.account(sender)

    async def providers(self) -> Sequence[ProviderView]:
        """Every provider of the routing in force."""
        return await self._reader.providers()
