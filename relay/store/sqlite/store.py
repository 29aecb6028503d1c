"""The store on SQLite: every port as a coroutine around the synchronous core.

Law: a coroutine here decides nothing; it hands its operation to the batches and waits until that is durable.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from relay.core.envelope import Claim, LoginFailure, NewMessage, Result, Taken, Verdict
from relay.core.limits import Instant
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.errors import CorruptValue, StoreError, StoreFull
from relay.store.engine.answering import Answering
from relay.store.engine.batches import Batches, Step
from relay.store.engine.books import books_of
from relay.store.engine.context import Context
from relay.store.engine.errands import Errands
from relay.store.engine.inforce import InForce
from relay.store.engine.reader import Reader
from relay.store.engine.reports import Owed, top_header
from relay.store.engine.returning import give_back
from relay.store.engine.sealing import sealed
from relay.store.needs import Outside, StoreSettings
from relay.store.ports.outbox import OutboxEntry
from relay.store.ports.routing import AppliedRouting
from relay.store.ports.sessions import SessionEvent
from relay.store.segments import Segments
from relay.store.sqlite.core import Core
from relay.store.sqlite.database import Database
from relay.store.sqlite.life import Life
from relay.store.sqlite.parts import Ground
from relay.store.sqlite.readings import Readings
from relay.store.sqlite.schema import open_seals
from relay.store.sqlite.sessionbook import SessionBook

T = TypeVar("T")


class SqliteStore(Answering, InForce):
    """A store on one connection, which nobody else uses."""

    def __init__(
        self, connection: sqlite3.Connection, segments: Segments, settings: StoreSettings, *, outside: Outside
    ) -> None:
        """Opens the store, or makes it, and puts right what a crash left. StoreKeyError, StoreTooNew, StoreFull."""
        database = Database(connection)
        database.prepare()
        seals = open_seals(database, outside, has_segments=any(True for _ in segments.numbers()))
        self._errands = Errands(outside.fatal)
        self._ground = Ground(database, segments, seals, settings, outside, SessionBook())
        self._life = Life(self._ground, self._later)
        self._batches = Batches(self._life, outside)
        self._outside = outside
        self._readings = Readings(outside.read)
        self._reader = Reader(self._ask)
        self._books, _ = books_of(
            self._note, self._ask, lambda: self._context, database=database, seals=seals, outside=outside
        )
        self._left: frozenset[MailboxId] = frozenset()
        self._is_closed = False
        self._is_easing = False

    @property
    def _core(self) -> Core:
        """The core of the moment: an operation looks it up when it runs."""
        return self._life.core

    @property
    def _context(self) -> Context:
        return self._core.context

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

    # queue

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """Claims, sessions to open, and when to ask again; never waits."""
        taken = await self._batches.submit(
            Step.TAKE, lambda: self._core.taking.take(node, idle, most, self._left), self._return
        )
        if taken.claims:
            self._readings.begin(self._core.parts.bodies, self._core.lacking(taken.claims))
        return taken

    async def content(self, claim: Claim) -> bytes:
        """The message in wire form."""
        running = self._context.claims.get(claim.attempt)
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
            self._errands.start(self._ease())
        return lost

    async def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process."""
        return await self._batches.submit(Step.RECOVER, lambda: self._core.leases.recover(node))

    async def wait(self, mark: int, until: Instant | None) -> None:
        """Returns when anything changed since `mark`, or at `until`."""
        await self._life.bell.wait(mark, until, self.now)

    def now(self) -> Instant:
        """Relay time."""
        return self._core.parts.clock.read()

    # sessions

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session was opened, declined or closed."""
        await self._batches.submit(Step.SESSION, lambda: self._core.engine.logins.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        await self._batches.submit(Step.SESSION, lambda: self._core.engine.logins.refused(mailbox, failure))

    # routing

    async def _put_in_force(
        self, base: AppliedRouting | None, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        applying = self._core.engine.applying
        edit = await self._outside.read(lambda: applying.edit(routing, fingerprints))
        return await self._batches.submit(Step.APPLY, lambda: self._core.engine.applying.apply(edit, base))

    async def applied(self) -> AppliedRouting | None:
        """The routing in force."""
        return await self._batches.submit(Step.NOTHING, self._applied)

    # outbox

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        """The oldest entries not done, after one."""
        owed = await self._batches.submit(Step.NOTHING, lambda: self._core.engine.reports.outbox(most, after))
        return [await self._with_headers(each) for each in owed]

    async def done(self, entry: int) -> None:
        """The entry was done."""
        await self._batches.submit(Step.DONE, lambda: self._core.engine.reports.done(entry))

    async def give_up(self, entry: int) -> None:
        """Nobody can be told."""
        await self._batches.submit(Step.DONE, lambda: self._core.engine.reports.give_up(entry))

    async def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return await self._batches.submit(Step.NOTHING, lambda: self._core.engine.reports.lost())  # noqa: PLW0108  another core may live by then

    # the books

    async def _note(self, work: Callable[[Context], T], /) -> T:
        """Runs as part of the next transaction, on the core of that moment."""
        return await self._batches.submit(Step.NOTE, lambda: work(self._context))

    async def _ask(self, work: Callable[[Context], T], /) -> T:
        """Runs between two transactions, on the core of that moment."""
        return await self._batches.submit(Step.NOTHING, lambda: work(self._context))

    async def close(self) -> None:
        """Finishes what was begun and lets go of the files."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._errands.finish()
        await self._batches.close()
        self._ground.segments.close()
        self._ground.database.close()

    # looked up when they run, for the core may be another one by then

    def _eased(self) -> bool:
        return self._core.ease()

    def _applied(self) -> AppliedRouting | None:
        return self._core.engine.applying.applied()

    # what nobody waits for

    def _return(self, taken: Taken) -> None:
        """Who took was cancelled meanwhile: everything goes back to where it was."""
        self._errands.start(give_back(self, taken))

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
        self._errands.start(self._run_later(work))

    async def _run_later(self, work: Callable[[], None]) -> None:
        await self._outside.read(work)

    async def _with_headers(self, owed: Owed) -> OutboxEntry:
        content = owed.content
        if content is None:
            bodies = self._core.parts.bodies
            content = await self._outside.read(lambda: bodies.read_or_nothing(owed.entry.message, owed.place))
        return replace(owed.entry, headers=top_header(content))
