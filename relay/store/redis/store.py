"""The store on Redis: every port as a coroutine around the core of this node, which one thread runs.

Law: a coroutine here decides nothing; what was not confirmed by the server, and by every replica that counts, was not
done as far as the caller knows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from relay.core.envelope import Claim, LoginFailure, NewMessage, Result, Taken, Verdict
from relay.core.health import Pause
from relay.core.limits import Instant
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId, MessageId
from relay.errors import RelayError, StoreUnavailable
from relay.store.engine.books import books_of
from relay.store.engine.context import Context
from relay.store.engine.reader import Reader
from relay.store.engine.reports import Owed, top_header
from relay.store.engine.sealing import sealed
from relay.store.engine.unheard import recall
from relay.store.ports.books import Books
from relay.store.ports.history import AccountGauges, HealthCount, LimitWait, QueueCount
from relay.store.ports.outbox import OutboxEntry
from relay.store.ports.reading import AccountQuery, AccountView, MessageQuery, MessageView, Page, ProviderView
from relay.store.ports.routing import AppliedRouting
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.bell import Rope
from relay.store.redis.core import Core, Ground
from relay.store.redis.hearing import Hearer
from relay.store.redis.hot import Hot
from relay.store.redis.nodes import RedisNodes
from relay.store.redis.operations import Stale

T = TypeVar("T")

TRIES: int = 5
"""So often an operation is run again that somebody else's came before; the pen makes that rare."""


class RedisStore:
    """A store on Redis as one node has it."""

    def __init__(self, ground: Ground, rope: Rope, heard_at: int | None) -> None:
        """Loads what the store says. `heard_at`: when this node's life before was heard of last.

        StoreUnavailable and below: why not.
        """
        self._ground = ground
        self._rope = rope
        self._hearers: dict[str, Hearer] = {}
        self._core: Core | None = Core(ground, self._hearers)
        self._context = self._core.context
        self._hot = Hot(ground)
        self._routing = self._context.routes.version
        """The version that this node works with; another one in force makes it stale."""
        self._reader = Reader(self._ask)
        self._is_closed = False
        self._judged(lambda core: recall(core.context, heard_at))
        self._books = self._opened_books()

    def _opened_books(self) -> Books:
        core = self._alive()
        books, kept = core.look(
            lambda: books_of(
                self._note, self._ask, lambda: self._context,
                database=core.context.database, seals=self._ground.seals, outside=self._ground.outside,
            )
        )  # fmt: skip
        self._hearers["secrets"] = lambda _, ledger, names: kept.secrets.hear(
            {
                name: None if row is None else (row[1], row[2])
                for name, row in zip(names, ledger.rows("secrets", names), strict=True)
            }
        )
        self._hearers["unheard"] = lambda context, _ledger, _keys: kept.unheard.hear(context.database)
        return books

    # the thread

    def _alive(self) -> Core:
        """The core, loaded again if an operation failed half-way."""
        if self._core is None:
            self._core = Core(self._ground, self._hearers)
            self._context = self._core.context
        return self._core

    async def _run(self, work: Callable[[], T]) -> T:
        """Runs in the one thread that has the link."""
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        try:
            return await self._ground.outside.commit(work)
        finally:
            if self._core is not None:
                self._rope.pull(self._core.changes)

    def _judged(self, work: Callable[[Core], T]) -> T:
        for _ in range(TRIES):
            core = self._alive()
            try:
                return core.judge(lambda core=core: work(core))  # type: ignore[misc]
            except Stale:
                self._core = None
            except RelayError:
                if core.is_spoilt:
                    self._core = None
                else:
                    core.give_up()
                raise
            except BaseException:
                self._core = None
                raise
        raise StoreUnavailable("other nodes were always first; it is tried again")

    async def _judge(self, work: Callable[[Core], T]) -> T:
        """An operation that decides."""
        return await self._run(lambda: self._judged(work))

    async def _look(self, work: Callable[[Core], T]) -> T:
        """An operation that only reads."""

        def looked() -> T:
            core = self._alive()
            return core.look(lambda: work(core))

        return await self._run(looked)

    # intake

    async def put(self, message: NewMessage) -> None:
        """Durable on return."""
        new = sealed(message, self._ground.seals)
        await self._run(lambda: self._hot.put(self._alive, new) or self._judged(lambda core: core.put(new)))

    def has_space(self) -> bool:
        """Whether mail may be accepted at all."""
        return not self._is_closed and not self._ground.link.is_away

    def pause_of(self, account: AccountId) -> Pause | None:
        """Why and since when it is paused."""
        return self._context.pause_of(account)

    def has_worked(self, mailbox: MailboxId) -> bool:
        """Whether a login with this credential has worked before."""
        return self._context.remembrance.health(mailbox).is_proven

    # queue

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """Claims, sessions to open, and when to ask again; never waits."""
        return await self._run(lambda: self._taken(node, idle, most))

    def _taken(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        for _ in range(TRIES):
            taken = self._hot.take(self._alive(), node, idle, most=most, version=self._routing)
            if taken is not None:
                return self._hot.finished(self._alive, self._judged, taken)
            self._judged(lambda core: core.tend(node))
        raise StoreUnavailable("what is due never ends; it is tried again")

    async def content(self, claim: Claim) -> bytes:
        """The message in wire form."""
        return await self._run(lambda: self._hot.content(self._alive(), claim))

    async def gate(self, claim: Claim) -> bool:
        """The last check before the final dot."""
        return await self._run(lambda: self._hot.gate(claim))

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Records how the attempt ended, and as what."""
        return await self._run(lambda: self._settled(claim, result))

    def _settled(self, claim: Claim, result: Result) -> Verdict | None:
        if self._hot.settle(self._alive(), claim, result):
            return result.verdict
        return self._judged(lambda core: core.settle(claim, result))

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        """Renews the node's lease."""
        return await self._judge(lambda core: core.heartbeat(node))

    async def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process."""
        return await self._judge(lambda core: core.recover(node))

    async def wait(self, mark: int, until: Instant | None) -> None:
        """Returns when anything changed since `mark`, or at `until`."""
        await self._rope.wait(mark, until, self.now)

    def now(self) -> Instant:
        """Relay time."""
        return self._ground.times.read()

    # sessions

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session was opened, declined or closed."""
        await self._judge(lambda core: core.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        await self._judge(lambda core: core.refused(mailbox, failure))

    # routing

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        """Puts a routing in force."""
        self._routing = await self._judge(lambda core: core.apply(core.edit(routing, fingerprints)))
        return self._routing

    async def applied(self) -> AppliedRouting | None:
        """The routing in force."""
        found = await self._look(lambda core: core.applied())
        self._routing = 0 if found is None else found.version
        return found

    # outbox

    def is_stopped(self, account: AccountId) -> bool:
        """Whether nothing leaves this account now."""
        return self._context.is_stopped(account)

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        """The oldest entries not done, after one."""
        owed = await self._look(lambda core: core.outbox(most, after))
        return [await self._with_headers(each) for each in owed]

    async def _with_headers(self, owed: Owed) -> OutboxEntry:
        content = owed.content
        if content is None:
            place, message = owed.place, owed.entry.message
            content = await self._run(lambda: self._hot.body_or_nothing(self._alive(), place.offset, message))
        return replace(owed.entry, headers=top_header(content))

    async def done(self, entry: int) -> None:
        """The entry was done."""
        await self._judge(lambda core: core.reports.done(entry))

    async def give_up(self, entry: int) -> None:
        """Nobody can be told."""
        await self._judge(lambda core: core.reports.give_up(entry))

    async def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return await self._look(lambda core: core.reports.lost())

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

    # the books

    @property
    def books(self) -> Books:
        """The ports beside the mail itself."""
        return self._books

    async def _note(self, work: Callable[[Context], T], /) -> T:
        return await self._judge(lambda core: work(core.context))

    async def _ask(self, work: Callable[[Context], T], /) -> T:
        return await self._look(lambda core: work(core.context))

    def nodes(self) -> RedisNodes:
        """The nodes of this store."""
        return RedisNodes(self._ground.link, self._ground.operations, self._ground.outside.commit)

    async def close(self) -> None:
        """Lets go of the link; harmless when called twice."""
        if not self._is_closed:
            self._is_closed = True
            await self._ground.outside.commit(self._ground.link.close)
            self._rope.close()
