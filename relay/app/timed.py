"""The store with a stopwatch: what each operation took, for the metric of the same name.

Law: it changes nothing: same arguments, same results, same errors; an operation that fails is timed like any other.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from relay.core.envelope import Claim, LoginFailure, NewMessage, Result, Taken, Verdict
from relay.core.health import Pause
from relay.core.limits import Instant
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId, MessageId
from relay.errors import StoreUnavailable
from relay.store.ports import AppliedRouting, OutboxEntry, QueueCount, Store
from relay.store.ports.history import AccountGauges, HealthCount, LimitWait
from relay.store.ports.reading import AccountQuery, AccountView, MessageQuery, MessageView, Page, ProviderView
from relay.store.ports.sessions import SessionEvent

T = TypeVar("T")

Took = Callable[[str, float], None]
"""Told the operation and the seconds that it took."""


class Hears(Protocol):
    """Who is told whether the store is there."""

    def missed(self, error: StoreUnavailable) -> None: ...
    def answered(self) -> None: ...


class Nobody:
    """Nobody is told."""

    def missed(self, error: StoreUnavailable) -> None:
        """Part of `Hears`."""

    def answered(self) -> None:
        """Part of `Hears`."""


class TimedStore:
    """A store in front of a store; `clock` gives seconds from some moment on."""

    def __init__(self, store: Store, took: Took, clock: Callable[[], float], *, presence: Hears | None = None) -> None:
        self._store = store
        self._took = took
        self._clock = clock
        self._presence: Hears = presence or Nobody()

    async def _timed(self, operation: str, work: Awaitable[T]) -> T:
        start = self._clock()
        try:
            done = await work
        except StoreUnavailable as error:
            self._presence.missed(error)
            raise
        finally:
            self._took(operation, self._clock() - start)
        self._presence.answered()
        return done

    # Intake

    async def put(self, message: NewMessage) -> None:
        await self._timed("put", self._store.put(message))

    def has_space(self) -> bool:
        return self._store.has_space()

    # Pauses

    def pause_of(self, account: AccountId) -> Pause | None:
        return self._store.pause_of(account)

    def has_worked(self, mailbox: MailboxId) -> bool:
        return self._store.has_worked(mailbox)

    # Queue

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        return await self._timed("take", self._store.take(node, idle, most))

    async def content(self, claim: Claim) -> bytes:
        return await self._timed("content", self._store.content(claim))

    async def gate(self, claim: Claim) -> bool:
        return await self._timed("gate", self._store.gate(claim))

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        return await self._timed("settle", self._store.settle(claim, result))

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        return await self._timed("heartbeat", self._store.heartbeat(node))

    async def recover(self, node: str) -> int:
        return await self._timed("recover", self._store.recover(node))

    async def wait(self, mark: int, until: Instant | None) -> None:
        await self._store.wait(mark, until)

    def now(self) -> Instant:
        return self._store.now()

    # Sessions

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        await self._timed("session", self._store.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        await self._timed("session", self._store.refused(mailbox, failure))

    # RoutingStore

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        return await self._timed("apply", self._store.apply(routing, fingerprints))

    async def apply_on(
        self, base: AppliedRouting, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        return await self._timed("apply", self._store.apply_on(base, routing, fingerprints))

    async def applied(self) -> AppliedRouting | None:
        return await self._store.applied()

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        self._store.leave(mailboxes)

    # Outbox

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        return await self._timed("outbox", self._store.outbox(most, after))

    def is_stopped(self, account: AccountId) -> bool:
        return self._store.is_stopped(account)

    async def done(self, entry: int) -> None:
        await self._timed("done", self._store.done(entry))

    async def give_up(self, entry: int) -> None:
        await self._timed("done", self._store.give_up(entry))

    async def lost(self) -> int:
        return await self._store.lost()

    # History

    async def queue_counts(self) -> Sequence[QueueCount]:
        return await self._timed("census", self._store.queue_counts())

    async def health_counts(self) -> Sequence[HealthCount]:
        return await self._timed("census", self._store.health_counts())

    async def limit_waits(self) -> Sequence[LimitWait]:
        return await self._timed("census", self._store.limit_waits())

    async def account_gauges(self, most: int) -> AccountGauges:
        return await self._timed("census", self._store.account_gauges(most))

    # Reading

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        return await self._timed("reading", self._store.messages(query))

    async def message(self, message: MessageId) -> MessageView | None:
        return await self._timed("reading", self._store.message(message))

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        return await self._timed("reading", self._store.accounts(query))

    async def account(self, sender: AccountId) -> AccountView | None:
        return await self._timed("reading", self._store.account(sender))

    async def providers(self) -> Sequence[ProviderView]:
        return await self._timed("reading", self._store.providers())

    async def close(self) -> None:
        await self._store.close()
