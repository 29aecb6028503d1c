"""The core of a store on Redis in one node: the engine, on the ledger of one operation at a time.

Law: synchronous, and run by one thread; what it keeps in memory is what the store said last, and whoever else decided
since is heard before this node decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import msgpack

from relay.core.envelope import Claim, LoginFailure, Result, Verdict
from relay.core.limits import DAY, SECOND, Instant
from relay.core.routing import Routing
from relay.core.words import DeliveryId, MailboxId, Stage
from relay.errors import RelayError
from relay.store.engine.applying import Applying
from relay.store.engine.edits import Edit, load_routes_or_none
from relay.store.engine.entry import Entry
from relay.store.engine.logins import Logins
from relay.store.engine.moves import Moves
from relay.store.engine.recipients import sweep as sweep_recipients
from relay.store.engine.reports import Owed, Reports
from relay.store.engine.ring import follow_ring
from relay.store.engine.running import claim_of
from relay.store.engine.sealing import Sealed
from relay.store.engine.settling import Settling
from relay.store.engine.statements import load_statements
from relay.store.engine.telling import forget_old, note_letter
from relay.store.engine.timers import Timers
from relay.store.engine.traffic import Traffic
from relay.store.ports.routing import AppliedRouting
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.answers import answer
from relay.store.redis.asking import LinkAsking
from relay.store.redis.editing import MANY, Staging
from relay.store.redis.hearing import OF_ROUTES, Hearer, hear, hear_besides
from relay.store.redis.intake import RedisIntake
from relay.store.redis.leases import RedisLeases
from relay.store.redis.ledger import EVERY, RedisLedger
from relay.store.redis.opened import Opened
from relay.store.redis.operations import Changed, Look, Stale
from relay.store.redis.parts import Ground, load_parts, schedule_of
from relay.store.redis.pruning import RedisPruning
from relay.store.redis.rowkeys import STATE, taken_key

T = TypeVar("T")

_OUTBOX = load_statements("outbox")


LONG_HELD: int = 30 * SECOND
"""How long an edit of many keeps the pen from part to part at most: a part is milliseconds, a node may be slow."""

NOT_BEGUN = Result(Verdict.DROPPED, "cancelled", Stage.CONNECT, None, is_mail_written=False, is_end_known=True)
"""How an attempt ends that nobody made."""

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
        self._calendars_at: Instant = 0
        self._entries: dict[DeliveryId, Entry] = {}
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
        parts = load_parts(self._ground, self._opened, self._asking)
        self._names, self._memory = parts.names, parts.memory
        self.claims, self.ready, self.bodies, self.context = parts.claims, parts.ready, parts.bodies, parts.context
        context = self.context
        self.moves = Moves(context)
        self.settling = Settling(context, self.moves)
        self.leases = RedisLeases(context, self._opened, self.claims, self.settling, own=self._ground.node)
        self.timers = Timers(context, self.moves)
        self.logins = Logins(context)
        self.applying = Applying(context)
        self.reports = Reports(context, self.moves)
        self.traffic = Traffic(context)
        self.pruning = RedisPruning(context, self._opened)
        self.intake = RedisIntake(context, self._opened, self.bodies)

    # the frame of an operation

    def judge(self, work: Callable[[], T], *, held: int | None = None) -> T:
        """Runs work that decides, and commits what it wrote. Stale: somebody else did meanwhile; nothing is done."""
        operations, self.in_doubt = self._ground.operations, NOTHING  # nor of the one before, if this cannot even begin
        look = operations.begin(self.revision) if held is None else operations.begin(self.revision, held=held)
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
            self.is_spoilt = ledger.has_written
            raise
        self.context.journal.write()
        if not ledger.has_written:
            operations.let_go()
        else:
            self.in_doubt = outcome
            done = operations.commit(ledger, is_change=self.context.changes != changes, within=held)
            self.revision, self.changes = done.revision, done.changes
            if ledger.leaves_more:
                self._do_what_is_left()
        self._opened.close()
        self.is_spoilt = False
        self.context.journal.tell()
        return outcome

    def _prepare(self) -> None:
        """An edit of many: what it writes is laid beside what is in force, and what it leaves for afterwards too."""
        operations, opened = self._ground.operations, self._opened
        staging = Staging(operations, self.revision, LONG_HELD)
        staging.tables(opened.ledger)
        opened.ledger.swaps += staging.deeds(opened.schedule.left())

    def _do_what_is_left(self) -> None:
        """What an edit of many left is done at once; where that fails, by whoever takes the pen next."""
        try:
            self._ground.operations.begin(self.revision, held=LONG_HELD)
            self._ground.operations.let_go()
        except RelayError:
            return

    def _refuse_the_past(self, look: Look) -> None:
        """Stale: a server took over without the last writes; memory, which holds more, has to be loaded again."""
        if look.revision < self.revision:
            raise Stale("what was written last is not there any more")

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
        assert not ledger.has_written
        self._opened.close()
        return outcome

    def _open(self) -> RedisLedger:
        ledger = RedisLedger(self._asking, answer)
        schedule = schedule_of(self._ground, self._opened, self._memory)
        schedule._round.kinship = self._memory.kinship
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
            hear(self.context, ledger, self._but_whole(changed), also=self._hearers)
        finally:
            self._opened.close()

    def _but_whole(self, changed: Changed) -> Changed:
        """What is left to be heard row by row: an edit of many is heard whole."""
        if not any(EVERY in keys for keys in changed.values()):
            return changed
        self.context.replace_routes(load_routes_or_none(self.context.database, self.context.seals))
        return {table: keys for table, keys in changed.items() if table not in OF_ROUTES}

    # what is known of claims that this node was given

    def remember_entry(self, entry: Entry) -> None:
        """A delivery of which this node holds a claim."""
        self._entries[entry.delivery] = entry

    def known_entry(self, delivery: DeliveryId) -> Entry | None:
        """As it was handed out; None: this life did not."""
        return self._entries.get(delivery)

    def forget_entry(self, delivery: DeliveryId) -> None:
        """The claim is settled."""
        self._entries.pop(delivery, None)

    def claim_of(self, entry: Entry, attempt: int, mailbox: MailboxId, node: str, *, is_probe: bool) -> Claim:
        """What a node is told. CorruptValue: the envelope does not open."""
        return claim_of(entry, self._ground.seals, attempt, mailbox, node, is_probe=is_probe)

    def exchange(self, attempt: int, delivery: DeliveryId) -> None:
        """An attempt sends another delivery of its account."""
        self._opened.ledger.change("claims", attempt, delivery=delivery)
        self.claims.forget()

    def timers_at(self) -> Instant | None:
        """When something is late that nobody was told of, as far as this node has looked."""
        return self.timers.late_at()

    def take_back(self, number: int) -> None:
        """What a take gave that nobody heard of: attempts that nobody makes, sessions that nobody opens."""
        packed = self._asking.hget(taken_key(self._ground.node), str(number))
        if packed is None:
            return
        attempts, opened = msgpack.unpackb(packed, raw=True)
        for attempt in attempts:
            running = self.claims.get(attempt)
            if running is not None:
                self.settling.settle(running.claim, NOT_BEGUN)
        for provider, username, many, *_ in opened:
            for _ in range(many):
                self.logins.session(MailboxId(provider.decode(), username.decode()), SessionEvent.DECLINED)
        self._opened.ledger.act("attempts.known", taken_key(self._ground.node), number)

    def hold_corrupt(self, attempt: int, reason: str) -> None:
        """An envelope that does not open: the delivery is held, its slots are given back."""
        running = self.claims.get(attempt)
        if running is not None:
            self.claims.end(running, None, self.context.clock.now())
            self.moves.hold(running.entry, running.state, reason=reason, reply=None)

    # the ports' operations that are judged

    def put(self, new: Sealed) -> None:
        """A message that a script alone cannot take in: of an account that goes nowhere, a report, a notice."""
        entry = new.message.answers
        if entry is not None and not self.reports.is_open(entry):
            return
        seq = self.intake.put(new)
        if entry is not None and seq is not None:
            self.reports.answered(entry, seq)
        if new.message.tells is not None and seq is not None:
            note_letter(self.context, new.message.tells, seq)

    def tend(self, node: str) -> None:
        """What has to be done before anything is handed out: what ran out, what is due."""
        self.leases.sweep()
        self.leases.extend(node)
        self.timers.hear()
        self.timers.ring()

    def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Ends an attempt."""
        self.leases.sweep()
        self.leases.settled(claim)
        verdict = self.settling.settle(claim, result)
        if self.claims.holder_of(claim.delivery) is None:  # else it is handed out again
            self.forget_entry(claim.delivery)
        return verdict

    def heartbeat(self, node: str) -> list[Claim]:
        """Renews a lease, and does what has to be done now and then."""
        self.tend(node)
        self._keep_house()
        return self.leases.lost(node)

    def _keep_house(self) -> None:
        context, now = self.context, self.context.clock.now()
        used, most = self._asking.memory()
        self.pruning.prune(used=used, most=most)
        self._hand_in_calendars(now)
        self.logins.prune(now)
        self.timers.write()
        self.traffic.sweep()
        sweep_recipients(context)
        if context.owed:
            forget_old(context)
        for mailbox in context.remembrance.warmups.advance(context.routes.routing):
            context.schedule.reload(mailbox, now)
            context.changed()

    def _hand_in_calendars(self, now: Instant) -> None:
        """The server knows no time zones: at a start and once a day it is given the midnights to come."""
        if now < self._calendars_at:
            return
        self._calendars_at = now + DAY
        for name in self.context.routes.routing.providers:
            self._opened.schedule.hand_in_calendar(name, now)

    def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process."""
        return self.leases.recover(node)

    def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session came or went; one that others have counted as gone, because this node was silent, is gone."""
        if self.leases.is_own(mailbox):
            self.logins.session(mailbox, event)

    def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        if self.leases.is_own(mailbox):
            self.logins.refused(mailbox, failure)

    def edit(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> Edit:
        """What a routing would change."""
        return self.applying.edit(routing, fingerprints)

    def apply(self, edit: Edit, base: AppliedRouting | None = None) -> int:
        """Puts a routing in force. StaleRouting: what is in force is not `base`."""
        if edit.base is not self.context.routes:
            edit = self.edit(edit.routes.routing, edit.routes.fingerprints)
        schedule = self._opened.schedule
        is_large = max(map(len, (edit.moved, edit.mailboxes, edit.fingerprints))) > MANY
        schedule.look_ahead(edit.fingerprints)
        if is_large:
            schedule.leave()
        before, version = self.context.routes.version, self.applying.apply(edit, base)
        if is_large:
            self._prepare()
        if version != before:
            self._opened.ledger.act("routing.version", version, self._ground.node)
        return version

    def applied(self) -> AppliedRouting | None:
        """The routing in force, and who put it there."""
        found, by = self.applying.applied(), self._asking.hget(STATE, "routing_by")
        return None if found is None else replace(found, by=None if by is None else by.decode())

    def outbox(self, most: int, after: int) -> list[Owed]:
        """The oldest outbox entries after one."""
        return self.reports.outbox(most, after)
