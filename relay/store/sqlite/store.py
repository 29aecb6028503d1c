"""The store on SQLite: every port as a coroutine around the synchronous core.

Law: a coroutine here decides nothing; it hands its operation to the batches and waits until that is durable.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from relay.core.envelope import Claim, LoginFailure, NewMessage, Result, Taken, Verdict
from relay.core.health import Pause
from relay.core.limits import Instant
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId, MessageId, Stage
from relay.errors import CorruptValue, RelayError, StoreBroken, StoreError, StoreFull
from relay.store.engine.batches import Batches, Step
from relay.store.engine.books import books_of
from relay.store.engine.context import Context
from relay.store.engine.reader import Reader
from relay.store.engine.reports import Owed, top_header
from relay.store.engine.sealing import sealed
from relay.store.needs import Outside, StoreSettings
from relay.store.ports.books import Books
from relay.store.ports.history import AccountGauges, HealthCount, LimitWait, QueueCount
from relay.store.ports.outbox import OutboxEntry
from relay.store.ports.reading import AccountQuery, AccountView, MessageQuery, MessageView, Page, ProviderView
from relay.store.ports.routing import AppliedRouting
from relay.store.ports.sessions import SessionEvent
from relay.store.segments import Segments
from relay.store.sqlite.core import Core, Ground
from relay.store.sqlite.database import Database
from relay.store.sqlite.life import Life
from relay.store.sqlite.readings import Readings
from relay.store.sqlite.schema import open_seals
from relay.store.sqlite.sessionbook import SessionBook

T = TypeVar("T")

NOT_BEGUN = Result(Verdict.DROPPED, "cancelled", Stage.CONNECT, None, is_mail_written=False, is_end_known=True)
"""How an attempt ends that nobody made."""


class SqliteStore:
    """A store on one connection, which nobody else uses."""

    def __init__(
        self, connection: sqlite3.Connection, segments: Segments, settings: StoreSettings, *, outside: Outside
    ) -> None:
        """Opens the store, or makes it, and puts right what a crash left. StoreKeyError, StoreTooNew, StoreFull."""
        database = Database(connection)
        database.prepare()
        seals = open_seals(database, outside, has_segments=any(True for _ in segments.numbers()))
        self._ground = Ground(database, segments, seals, settings, outside, SessionBook())
        self._life = Life(self._ground, self._later)
        self._batches = Batches(self._life, outside)
        self._outside = outside
        self._readings = Readings(outside.read)
        self._reader = Reader(self._ask)
        self._books, _ = books_of(
            self._note, self._ask, lambda: self._core.context, database=database, seals=seals, outside=outside
        )
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._left: frozenset[MailboxId] = frozenset()
        self._is_closed = False
        self._is_easing = False

    @property
    def _core(self) -> Core:
        """The core of the moment: an operation looks it up when it runs."""
        return self._life.core

    # intake

    async def put(self, message: NewMessage) -> None:
        """Durable on return."""
        if not self._life.has_reserve:
            raise StoreFull
        new = sealed(message, self._ground.seals)
        await self._batches.submit(Step.PUT, lambda: self._core.put(new))

    def has_space(self) -> bool:
        """Whether mail may be accepted at all."""
        is_there = self._life.has_reserve and not self._batches.is_broken and not self._is_closed
        return is_there and self._outside.free_bytes() >= self._ground.settings.least_free_bytes

    def pause_of(self, account: AccountId) -> Pause | None:
        """Why and since when it is paused."""
        return self._core.context.pause_of(account)

    def has_worked(self, mailbox: MailboxId) -> bool:
        """Whether a login with this credential has worked before."""
        return self._core.context.remembrance.health(mailbox).is_proven

    # queue

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """Claims, sessions to open, and when to ask again; never waits."""
        taken = await self._batches.submit(
            Step.TAKE, lambda: self._core.take(node, idle, most, self._left), self._return
        )
        if taken.claims:
            self._readings.begin(self._core.parts.bodies, self._core.lacking(taken.claims))
        return taken

    async def content(self, claim: Claim) -> bytes:
        """The message in wire form."""
        running = self._core.context.claims.get(claim.attempt)
        if running is None:
            raise CorruptValue("this claim is over, and its message may be gone")
        entry, bodies = running.entry, self._core.parts.bodies
        content = bodies.at_hand(entry.seq)
        if content is not None:
            return content
        content = await self._readings.take(claim.attempt)
        if content is not None:
            return content
        return await self._outside.read(lambda: bodies.read(entry.message, entry.place))

    async def gate(self, claim: Claim) -> bool:
        """The last check before the final dot."""
        return await self._batches.submit(Step.GATE, lambda: self._core.gate(claim))

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Records how the attempt ended, and as what."""
        self._readings.forget(claim.attempt)
        return await self._batches.submit(Step.SETTLE, lambda: self._core.settle(claim, result))

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        """Renews the node's lease."""
        lost = await self._batches.submit(Step.HEARTBEAT, lambda: self._core.heartbeat(node))
        if not self._life.has_reserve:
            self._later(self._life.keep_reserve)
        if self._life.is_tight and not self._is_easing:
            self._start(self._ease())
        return lost

    async def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process."""
        return await self._batches.submit(Step.RECOVER, lambda: self._core.recover(node))

    async def wait(self, mark: int, until: Instant | None) -> None:
        """Returns when anything changed since `mark`, or at `until`."""
        await self._life.bell.wait(mark, until, self.now)

    def now(self) -> Instant:
        """Relay time."""
        return self._core.parts.clock.read()

    # sessions

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session was opened, declined or closed."""
        await self._batches.submit(Step.SESSION, lambda: self._core.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        await self._batches.submit(Step.SESSION, lambda: self._core.refused(mailbox, failure))

    # routing

    async def apply(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> int:
        """Puts a routing in force."""
        core = self._core
        edit = await self._outside.read(lambda: core.edit(routing, fingerprints))
        return await self._batches.submit(Step.APPLY, lambda: self._core.apply(edit))

    async def apply_on(
        self, base: AppliedRouting, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        """Puts a routing in force, if what is in force is still `base`."""
        core = self._core
        edit = await self._outside.read(lambda: core.edit(routing, fingerprints))
        return await self._batches.submit(Step.APPLY, lambda: self._core.apply(edit, base))

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        """This node logs in as none of these."""
        self._left = frozenset(mailboxes)

    async def applied(self) -> AppliedRouting | None:
        """The routing in force."""
        return await self._batches.submit(Step.NOTHING, self._applied)

    # outbox

    def is_stopped(self, account: AccountId) -> bool:
        """Whether nothing leaves this account now."""
        return self._core.context.is_stopped(account)

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        """The oldest entries not done, after one."""
        owed = await self._batches.submit(Step.NOTHING, lambda: self._core.outbox(most, after))
        return [await self._with_headers(each) for each in owed]

    async def done(self, entry: int) -> None:
        """The entry was done."""
        await self._batches.submit(Step.DONE, lambda: self._core.done(entry))

    async def give_up(self, entry: int) -> None:
        """Nobody can be told."""
        await self._batches.submit(Step.DONE, lambda: self._core.give_up(entry))

    async def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return await self._batches.submit(Step.NOTHING, lambda: self._core.lost())  # noqa: PLW0108  another core may live by then

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
        """Runs as part of the next transaction, on the core of that moment."""
        return await self._batches.submit(Step.NOTE, lambda: work(self._core.context))

    async def _ask(self, work: Callable[[Context], T], /) -> T:
        """Runs between two transactions, on the core of that moment."""
        return await self._batches.submit(Step.NOTHING, lambda: work(self._core.context))

    async def close(self) -> None:
        """Finishes what was begun and lets go of the files."""
        if self._is_closed:
            return
        self._is_closed = True
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
        await self._batches.close()
        self._ground.segments.close()
        self._ground.database.close()

    # looked up when they run, for the core may be another one by then

    def _eased(self) -> bool:
        return self._core.ease()

    def _applied(self) -> AppliedRouting | None:
        return self._core.applied()

    # what nobody waits for

    def _return(self, taken: Taken) -> None:
        """Who took was cancelled meanwhile: everything goes back to where it was."""
        self._start(self._give_back(taken))

    async def _give_back(self, taken: Taken) -> None:
        for claim in taken.claims:
            await self.settle(claim, NOT_BEGUN)
        for mailbox, many in taken.open.items():
            for _ in range(many):
                await self.session(mailbox, SessionEvent.DECLINED)

    async def _ease(self) -> None:
        """History goes until there is space again, or all of it that may; a disk too full even for that gets room."""
        self._is_easing = True
        try:
            while self._life.is_tight and not self._is_closed:
                if not await self._batches.submit(Step.HEARTBEAT, self._eased):
                    return
        except StoreError:
            return  # whoever put mail in is told of it, and the next heartbeat begins again
        finally:
            self._is_easing = False

    def _later(self, work: Callable[[], None]) -> None:
        self._start(self._run_later(work))

    async def _run_later(self, work: Callable[[], None]) -> None:
        await self._outside.read(work)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[id(task)] = task
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        del self._tasks[id(task)]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outside.fatal(error if isinstance(error, RelayError) else StoreBroken(f"the store failed: {error!r}"))

    async def _with_headers(self, owed: Owed) -> OutboxEntry:
        content = owed.content
        if content is None:
            bodies = self._core.parts.bodies
            content = await self._outside.read(lambda: bodies.read_or_nothing(owed.entry.message, owed.place))
        return replace(owed.entry, headers=top_header(content))
