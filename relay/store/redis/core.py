"""The core of a store on Redis in one node: the engine, on the ledger of one operation at a time.

Law: synchronous, and run by one thread; what it keeps in memory is what the store said last, and whoever else decided
since is heard before this node decides.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from relay.errors import RelayError
from relay.store.engine.engine import Engine
from relay.store.engine.ring import follow_ring
from relay.store.engine.statements import load_statements
from relay.store.redis.answers import answer
from relay.store.redis.applying import RedisApplying
from relay.store.redis.asking import LinkAsking
from relay.store.redis.given import Given
from relay.store.redis.hearing import Hearer, hear, hear_besides
from relay.store.redis.judged import Judged
from relay.store.redis.leases import RedisLeases
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.opened import Opened
from relay.store.redis.operations import HELD, Changed, Look, Stale
from relay.store.redis.parts import Ground, load_parts, schedule_of

T = TypeVar("T")

_OUTBOX = load_statements("outbox")

NOTHING = object()
"""Nothing is in doubt."""


class Core:
    """One life of the memory of a node: from a load to an operation that failed half-way, or the end."""

    def __init__(self, ground: Ground, hearers: Mapping[str, Hearer], heard: int = 0) -> None:
        """`hearers`: of tables of which something is in memory beside the engine's own, and outlives a core: they have
        heard up to this revision.
        """
        self._ground = ground
        self._hearers = hearers
        self._opened = Opened(ground.times)
        self._asking = LinkAsking(ground.link)
        self.revision = 0
        self.changes = 0
        self.is_spoilt = False
        """Whether an operation failed that may have changed what is in memory."""
        self.in_doubt: object = NOTHING
        """What came of an operation of which only the store knows whether it is committed."""
        look = ground.operations.look(heard)
        ledger = RedisLedger(self._asking, answer)
        self._opened.open(ledger, None)
        try:
            self._load()
            if heard:
                hear_besides(self.context, ledger, look.changed, hearers)
        finally:
            self._opened.close()
        self.revision, self.changes = look.revision, look.changes

    def _load(self) -> None:
        ground, opened = self._ground, self._opened
        parts = load_parts(ground, opened, self._asking)
        self._names, self._memory = parts.names, parts.memory
        self.claims, self.ready, self.bodies, self.context = parts.claims, parts.ready, parts.bodies, parts.context
        self.engine = engine = Engine(parts.context)
        self.given = Given(parts, engine, opened, node=ground.node)
        self.leases = leases = RedisLeases(parts.context, opened, parts.claims, engine.settling, own=ground.node)
        self.judged = Judged(parts, engine, opened, leases=leases, given=self.given, asking=self._asking)
        self.applying = RedisApplying(
            parts.context, engine.applying, opened, operations=ground.operations, node=ground.node
        )

    # the frame of an operation

    def judge(self, work: Callable[[], T], *, held: int | None = None, is_fact: bool = False) -> T:
        """Runs work that decides, and commits what it wrote; `is_fact`: what is so whoever says it.

        Stale: somebody else did meanwhile. NodeOutlived: this process speaks no more for its node. Nothing is done.
        """
        operations, self.in_doubt = self._ground.operations, NOTHING  # nor of the one before, if this cannot even begin
        look = operations.begin(self.revision, held=HELD if held is None else held, is_fact=is_fact)
        if look.revision < self.revision:
            operations.let_go()
        self._refuse_the_past(look)
        self._hear(look.changed)
        self.revision, self.changes = look.revision, look.changes
        changes, self.is_spoilt = self.context.changes, True
        ledger = self._open()
        try:
            outcome = work()
        except RelayError:
            self.is_spoilt = ledger.intended.is_any
            raise
        self.context.journal.write()
        if not ledger.intended.is_any:
            operations.let_go()
        else:
            self.in_doubt = outcome
            done = operations.commit(ledger.intended, is_change=self.context.changes != changes, within=held)
            self.revision = done.revision
            self.hear_changes(done.changes)
            if ledger.intended.leaves_more:
                self.applying.do_what_is_left(self.revision)
        self._opened.close()
        self.is_spoilt = False
        self.context.journal.tell()
        return outcome

    def _refuse_the_past(self, look: Look) -> None:
        """Stale: a server took over without the last writes; memory, which holds more, has to be loaded again.

        Before that it is asked anew whose store it is: it may have been emptied under our hands.
        """
        if look.revision < self.revision:
            self._ground.link.close()
            raise Stale("what was written last is not there any more")

    def hear_changes(self, changes: int) -> None:
        """What was answered as durable: a store that has had fewer changes is another one from now on."""
        self.changes = changes
        self._ground.link.joining.confirmed(changes)

    def give_up(self) -> None:
        """An operation was refused before it wrote anything: the pen goes."""
        self._opened.close()
        self._ground.operations.let_go()

    def look(self, work: Callable[[], T]) -> T:
        """Runs work that only reads."""
        look = self._ground.operations.look(self.revision)
        self._refuse_the_past(look)
        self._hear(look.changed)
        self.revision, self.changes = look.revision, look.changes
        ledger = self._open()
        outcome = work()
        assert not ledger.intended.is_any
        self._opened.close()
        return outcome

    def _open(self) -> RedisLedger:
        ledger = RedisLedger(self._asking, answer)
        schedule = schedule_of(self._ground, self._opened, self._memory)
        self._opened.open(ledger, schedule)
        self.context.schedule = schedule
        self._names.begin()
        self.claims.forget()
        self.ready.forget()
        self.leases.forget()
        row = self._opened.read_one(_OUTBOX["count_outbox"])
        self.context.owed = 0 if row is None else int(row[0])
        return ledger

    def _hear(self, changed: Changed) -> None:
        """Takes over what other nodes wrote."""
        if not changed:
            return
        ledger = RedisLedger(self._asking, answer)
        self._opened.open(ledger, None)
        try:
            if "keys" in changed.get("meta", ()):
                follow_ring(self._opened, self._ground.seals.cipher, self._ground.outside.cipher_for)
            hear(self.context, ledger, changed, also=self._hearers)
        finally:
            self._opened.close()
