"""The store on Redis: every port as a coroutine around the core of this node, which one thread runs.

Law: a coroutine here decides nothing; what was not confirmed by the server, and by every replica that counts, was not
done as far as the caller knows.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from relay.core.envelope import Claim, LoginFailure, NewMessage, Result, Taken, Verdict
from relay.core.limits import SECOND, Instant
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.errors import NodeOutlived, StoreError, TemporaryError
from relay.store.engine.answering import Answering
from relay.store.engine.books import books_of
from relay.store.engine.context import Context
from relay.store.engine.errands import Errands
from relay.store.engine.inforce import InForce
from relay.store.engine.reader import Reader
from relay.store.engine.reports import Owed, top_header
from relay.store.engine.returning import give_back
from relay.store.engine.sealing import sealed
from relay.store.engine.unheard import recall
from relay.store.ports.books import Books
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.outbox import OutboxEntry
from relay.store.ports.routing import AppliedRouting
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.bell import Rope
from relay.store.redis.contents import SMALL, Reading, body_or_nothing, content_of
from relay.store.redis.core import Core
from relay.store.redis.easing import Easing
from relay.store.redis.hearing import Hearer, hearers_of
from relay.store.redis.hot import Gating, Putting, Settling, Taking
from relay.store.redis.lives import Lives
from relay.store.redis.nodes import RedisNodes
from relay.store.redis.parts import Ground
from relay.store.redis.starting import patiently
from relay.store.redis.turns import Turns
from relay.store.redis.worker import Worker

T = TypeVar("T")


WHOLE_ROUTING: int = 30 * SECOND
"""How long a routing may take to be put in force: the first one of 100,000 accounts takes some seconds."""


ATTENDED: float = 0.25
"""Seconds between two looks at what others wrote, where they write all the time: within a second is promised."""


class RedisStore(Answering, InForce):
    """A store on Redis as one node has it."""

    def __init__(self, ground: Ground, rope: Rope, heard_at: int | None, *, lives: Lives) -> None:
        """Loads what the store says. `heard_at`: when this node's life before was heard of last.

        StoreUnavailable and below: why not.
        """
        self._ground = ground
        self._rope = rope
        self._lives = lives
        self._errands = Errands(ground.outside.fatal)
        self._easing = Easing(lambda: self._judge(lambda core: core.judged.ease()), self._errands)
        self._hearers: dict[str, Hearer] = {}
        self._worker = Worker(ground, self._hearers, self._load)
        self._turns = Turns(self._worker, self._run, ground.outside.fatal)
        self._loaded = self._worker.alive().context
        self._routing = self._context.routes.version
        """The version that this node works with; another one in force makes it stale."""
        self._left: frozenset[MailboxId] = frozenset()
        self._reader = Reader(self._ask)
        self._is_closed = False
        patiently(lambda: self._worker.alive().judge(lambda: recall(self._context, heard_at)))
        self._books = self._opened_books()

    def _load(self, core: Core) -> None:
        self._loaded = core.context

    @property
    def _context(self) -> Context:
        """As it was loaded last: what is told out of memory does not wait for the link."""
        return self._loaded

    def _opened_books(self) -> Books:
        core = self._worker.alive()
        books, kept = core.look(
            lambda: books_of(
                self._note, self._ask, lambda: self._context,
                database=core.context.database, seals=self._ground.seals, outside=self._ground.outside,
            )
        )  # fmt: skip
        self._hearers |= hearers_of(kept, self._tell_of_routing)
        return books

    def _tell_of_routing(self) -> None:
        """Another node put a routing in force, or changed what belongs to it."""
        if self._ground.outside.listener is not None:
            self._ground.outside.listener(StoreEvent(EventKind.ROUTING, self._ground.times.wall()))

    # the thread

    async def attend(self) -> None:
        """Hears in a moment what other nodes changed, though this one asks for nothing; runs until it is cancelled."""
        mark = self._worker.changes
        while True:
            await self._rope.wait(mark, None, self.now)
            try:
                await self._look(lambda _: self._ground.operations.refuse_outlived())
                mark = self._worker.changes
            except TemporaryError:
                continue  # that it is away is said by whoever asks it for something
            except NodeOutlived:
                return  # this process ends
            finally:
                await asyncio.sleep(ATTENDED)

    async def _run(self, work: Callable[[], T], /) -> T:
        """Runs in the one thread that has the link, and rings for what was heard there."""
        try:
            return await self._ground.outside.commit(work)
        finally:
            self._rope.pull(self._worker.changes)

    def _judge(self, work: Callable[[Core], T]) -> "asyncio.Future[T]":
        """An operation that decides."""
        return self._turns.submit(judge=work)

    def _look(self, work: Callable[[Core], T]) -> "asyncio.Future[T]":
        """An operation that only reads."""
        return self._turns.submit(look=work)

    # intake

    async def put(self, message: NewMessage) -> None:
        """Durable on return."""
        await self._turns.submit(hot=Putting(self._ground, sealed(message, self._ground.seals)))

    def has_space(self) -> bool:
        """Whether mail may be accepted at all."""
        return not self._is_closed and not self._ground.link.is_away

    # queue

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """Claims, sessions to open, and when to ask again; never waits."""
        taking = Taking(self._ground, node, idle, most=most, version=self._routing, left=self._left)
        taken: Taken = await self._turns.submit(hot=taking, undo=self._return)
        if taken.open:
            await self._hear_first(taken)
        return taken

    async def _hear_first(self, taken: Taken) -> None:
        """Whoever is to log in knows what others wrote before: the password that another node was given just now."""
        try:
            await self._look(lambda core: core.revision)
        except BaseException:
            self._return(taken)
            raise

    async def content(self, claim: Claim) -> bytes:
        """The message in wire form."""
        if claim.size <= SMALL:
            content: bytes = await self._turns.submit(hot=Reading(self._ground, claim))
            return content
        return await self._look(lambda core: content_of(core, self._ground, claim))

    async def gate(self, claim: Claim) -> bool:
        """The last check before the final dot."""
        is_held: bool = await self._turns.submit(hot=Gating(self._ground, claim))
        return is_held

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Records how the attempt ended, and as what."""
        verdict: Verdict | None = await self._turns.submit(hot=Settling(self._ground, claim, result))
        return verdict

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        """Renews the node's lease, and looks whether the server is still as it has to be."""
        lost, is_pressed = await self._judge(lambda core: (core.judged.heartbeat(node), core.judged.is_pressed))
        if is_pressed:
            self._easing.begin()
        await self._run(self._ground.link.tend)
        return lost

    async def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process; of its own node this one speaks from now on.

        NodeInUse: another process does, and lives.
        """
        if node != self._ground.node:
            return await self._judge(lambda core: core.judged.recover(node))
        operations, lives = self._ground.operations, self._lives
        doubts, since = await self._judge(lambda core: core.judged.speak(node, operations.token, lives))
        operations.speak(since)
        return doubts

    async def wait(self, mark: int, until: Instant | None) -> None:
        """Returns when anything changed since `mark`, or at `until`."""
        await self._rope.wait(mark, until, self.now)

    def now(self) -> Instant:
        """Relay time."""
        return self._ground.times.read()

    # sessions

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session was opened, declined or closed."""
        await self._judge(lambda core: core.judged.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        await self._judge(lambda core: core.judged.refused(mailbox, failure))

    # routing

    async def _put_in_force(
        self, base: AppliedRouting | None, routing: Routing, fingerprints: Mapping[MailboxId, str | None]
    ) -> int:
        edit = await self._look(lambda core: core.applying.edit(routing, fingerprints))
        version: int = await self._turns.submit(
            judge=lambda core: core.applying.apply(edit, base, revision=core.revision), held=WHOLE_ROUTING
        )
        self._routing = version
        return version

    async def applied(self) -> AppliedRouting | None:
        """The routing in force."""
        found = await self._look(lambda core: core.applying.applied())
        self._routing = 0 if found is None else found.version
        return found

    # outbox

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        """The oldest entries not done, after one."""
        owed = await self._look(lambda core: core.engine.reports.outbox(most, after))
        return [await self._with_headers(each) for each in owed]

    async def _with_headers(self, owed: Owed) -> OutboxEntry:
        content = owed.content
        if content is None:
            place, message = owed.place, owed.entry.message
            content = await self._look(lambda core: body_or_nothing(core, self._ground, place.offset, message))
        return replace(owed.entry, headers=top_header(content))

    async def done(self, entry: int) -> None:
        """The entry was done."""
        await self._judge(lambda core: core.engine.reports.done(entry))

    async def give_up(self, entry: int) -> None:
        """Nobody can be told."""
        await self._judge(lambda core: core.engine.reports.give_up(entry))

    async def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return await self._look(lambda core: core.engine.reports.lost())

    # the books

    async def _note(self, work: Callable[[Context], T], /) -> T:
        return await self._judge(lambda core: work(core.context))

    async def _ask(self, work: Callable[[Context], T], /) -> T:
        return await self._look(lambda core: work(core.context))

    def nodes(self) -> RedisNodes:
        """The nodes of this store."""
        return RedisNodes(self._ground.link, self._ground.operations, self._ground.outside.commit)

    async def close(self) -> None:
        """Lets go of the link; harmless when called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        self._easing.stop()
        await self._errands.finish()
        await self._turns.close()
        await self._ground.outside.commit(self._ground.link.joining.leave)
        await self._ground.outside.commit(self._ground.link.close)
        self._rope.close()

    # what nobody waits for

    def _return(self, taken: Taken) -> None:
        """Who took was cancelled meanwhile: everything goes back to where it was."""
        self._errands.start(self._give_back(taken))

    async def _give_back(self, taken: Taken) -> None:
        try:
            await give_back(self, taken)
        except StoreError:
            return  # the lease ends, or the next life of this node finds it
