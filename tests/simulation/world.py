"""The simulated world: the shipped store, dispatcher and pump, on virtual time, over several lives, from one seed.

Law: the same seed gives the same trace; what the providers wrote down and what the clients were told is all that the
invariants look at, beside the final state of the store.
"""

import asyncio
import gc
import hashlib
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeVar

from relay.core.envelope import Claim, Envelope, LoginFailure, NewMessage, Recipient, Result, Taken
from relay.core.failuretext import Language
from relay.core.health import HealthSettings
from relay.core.limits import MINUTE, SECOND, Limit, parse_limit
from relay.core.relaytime import Reading
from relay.core.routing import Account, Provider, Routing, Timeouts
from relay.core.words import MailboxId, Plan
from relay.delivery.dispatcher import Dispatcher, DispatcherSettings
from relay.delivery.keeper import SessionTerms
from relay.errors import CorruptValue, RelayError, StoreError
from relay.notify.pump import OutboxPump
from relay.notify.report import ReportSettings, is_report
from relay.store.needs import Outside, StoreSettings
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.segments import Place
from relay.store.segments.memory import MemorySegments
from relay.store.sqlite import SqliteStore
from relay.vault import Vault
from tests.simulation.loop import VirtualLoop
from tests.simulation.provider import Faults, SimulatedProviders

T = TypeVar("T")

WALL = 1_800_000_000 * SECOND
NODE = "node-1"
LINGER = 20.0


class Crash(SystemExit):
    """The process dies here: passes through everything, as SIGKILL does."""


@dataclass(frozen=True)
class Scenario:
    """What a seed decides; everything else follows."""

    mailboxes: int
    limits: tuple[str, ...]
    totals: tuple[str, ...]
    connections: int
    total_connections: int
    messages: int
    span: float
    """Seconds in which clients submit and faults happen."""
    crashes: int
    latency: tuple[float, float]
    faults: Faults
    wall_steps: int
    reboots: bool
    fsync: float = 0.004
    """The longest commit, seconds."""
    recipients: int = 2


def scenario(seed: int) -> Scenario:
    """A small world; enough of them meet everything."""
    dice = random.Random(f"scenario/{seed}")
    return Scenario(
        mailboxes=dice.randint(1, 4),
        limits=tuple(dice.sample(["1/2s", "2/5s", "3/10s", "5/1s", "8/60s"], dice.randint(0, 2))),
        totals=tuple(dice.sample(["2/3s", "4/10s", "10/60s"], dice.randint(0, 1))),
        connections=dice.randint(1, 3),
        total_connections=dice.randint(1, 4),
        messages=dice.randint(5, 25),
        span=dice.choice([5.0, 60.0, 600.0]),
        crashes=dice.choice([0, 1, 2, 4]),
        latency=dice.choice([(0.0, 0.0), (0.001, 0.05), (0.1, 2.0), (0.5, 8.0)]),
        faults=Faults(
            connect=dice.choice([0, 0, 0.2]),
            mail_refused=dice.choice([0, 0, 0, 0.05]),
            rcpt_later=dice.choice([0, 0.1]),
            rcpt_refused=dice.choice([0, 0.1]),
            drop_before_dot=dice.choice([0, 0.1]),
            drop_after_dot=dice.choice([0, 0, 0.1, 0.6]),
            slow=dice.choice([0, 0.05]),
        ),
        wall_steps=dice.choice([0, 0, 2]),
        reboots=dice.random() < 0.3,
        fsync=dice.choice([0.0, 0.004, 0.5]),
    )


class Watcher:
    """The dispatcher's observer: remembers what nobody foresaw, forgets the rest."""

    def __init__(self) -> None:
        self.broken_by: list[str] = []
        self.is_dead = False

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None: ...
    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None: ...
    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None: ...
    def login_failed(self, mailbox: MailboxId, failure: LoginFailure) -> None: ...
    def claim_lost(self, claim: Claim) -> None: ...
    def store_failed(self, operation: str, error: Exception) -> None: ...

    def broken(self, what: str, error: Exception, claim: Claim | None = None) -> None:
        if not self.is_dead:
            self.broken_by.append(f"{what}: {error!r}")


@dataclass
class Vigil:
    """When the node looked at its queue, and when it had to at the latest: seconds."""

    looks: list[float] = field(default_factory=list)
    told_to_look: list[tuple[int, float]] = field(default_factory=list)
    """By the look of this number, at this time."""
    mail_came: list[float] = field(default_factory=list)


class WatchedStore:
    """The store as the dispatcher sees it, with a note of every look."""

    def __init__(self, store: SqliteStore, vigil: Vigil) -> None:
        self._store = store
        self._vigil = vigil

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        loop = asyncio.get_running_loop()
        self._vigil.looks.append(loop.time())
        number = len(self._vigil.looks)
        taken = await self._store.take(node, idle, most)
        if taken.wake_at is not None:
            at = loop.time() + max(0, taken.wake_at - self._store.now()) / SECOND
            self._vigil.told_to_look.append((number, at))
        return taken


class Silence:
    """A log that nobody reads."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@dataclass
class Told:
    """What the clients know: which messages were accepted, and what was submitted at all."""

    accepted: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    submitted: set[str] = field(default_factory=set)


class World:
    """One run of one seed."""

    def __init__(
        self, seed: int, plan: Scenario | None = None, *, store_class: type[SqliteStore] = SqliteStore
    ) -> None:
        self.seed = seed
        self.scenario = plan or scenario(seed)
        self.told = Told()
        self.events: list[StoreEvent] = []
        self.watcher = Watcher()
        self.vigils: list[tuple[Vigil, float]] = []
        self.fatal: list[RelayError] = []
        self.lives = 0
        self.true_now = 0.0
        self.store: SqliteStore
        self._store_class = store_class
        self._dice = random.Random(f"world/{seed}")
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._segments = MemorySegments(limit=20_000)
        self._wall_step = 0
        self._boot = (0, 0.0)
        self._crash_in: int | None = None
        self._random_count = 0
        self.routing = _routing(self.scenario)
        self.providers = SimulatedProviders(
            str(seed), linger=LINGER, latency=self.scenario.latency, faults=self.scenario.faults
        )
        self._submissions = self._plan_submissions()
        self._recipients = {name: to for _, name, _, to in self._submissions}
        self.dispatcher: Dispatcher

    # the machine

    def reading(self) -> Reading:
        return Reading(f"boot-{self._boot[0]}", self.boottime(), self.wall(), is_synchronised=True)

    def boottime(self) -> int:
        return round((self._loop.time() - self._boot[1]) * SECOND)

    def wall(self) -> int:
        return WALL + round(self._loop.time() * SECOND) + self._wall_step

    def random_bytes(self, many: int) -> bytes:
        self._random_count += 1
        return hashlib.blake2b(f"{self.seed}/{self._random_count}".encode(), digest_size=min(many, 64)).digest()

    async def commit(self, work: Callable[[], T]) -> T:
        """The disk: takes its time, and the process may die before, after, or inside."""
        await asyncio.sleep(self._dice.uniform(0, self.scenario.fsync))
        return work()

    async def read(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0.0001)
        return work()

    def crash_point(self, name: str) -> None:
        """Every durable step passes here; the seed says at which the process dies."""
        if self._crash_in is not None:
            self._crash_in -= 1
            if self._crash_in <= 0:
                self._crash_in = None
                raise Crash(name)

    # one life after another

    def run(self) -> "World":
        """Until everything is final or the world stands still."""
        with _unheard():
            while not self._live(may_crash=self.lives < self.scenario.crashes):
                self._die()
                gc.collect()
            gc.collect()
        return self

    def _live(self, *, may_crash: bool) -> bool:
        self.lives += 1
        self._crash_in = self._dice.randint(1, 120) if may_crash else None
        self._loop = VirtualLoop(self.true_now)
        try:
            self._loop.run_until_complete(self._life())
        except Crash:
            return False
        self.true_now = self._loop.time()
        self._loop.close()
        return True

    def _die(self) -> None:
        now = self._loop.time()
        self.watcher.is_dead = True
        self._loop.abandon()
        self.providers.crash(now)
        self._connection.rollback()
        self._segments.crash()
        self._loop.close()
        self.__dict__.pop("store", None)
        self.__dict__.pop("dispatcher", None)
        self.true_now = now + self._dice.choice([0.01, 1.0, 30.0])
        if self.scenario.reboots and self._dice.random() < 0.5:
            self._boot = (self._boot[0] + 1, self.true_now - 1)

    async def _life(self) -> None:
        self.watcher = Watcher()
        self.store = self._open_store()
        await self.store.recover(NODE)
        await self.store.apply(self.routing, dict.fromkeys(self.routing.mailboxes(), "proof"))
        self.vigil = Vigil()
        self.dispatcher = Dispatcher(
            WatchedStore(self.store, self.vigil),
            self.providers,
            node=NODE,
            observe=self.watcher,
            terms_of=lambda _: SessionTerms(messages=5, idle=4 * SECOND),
            settings=DispatcherSettings(),
        )
        pump = OutboxPump(
            self.store,
            self.store,
            ReportSettings(hostname="relay.test", language=Language.ENGLISH, zone=UTC),
            routing=lambda: self.routing,
            randomness=self.random_bytes,
            log=Silence(),  # type: ignore[arg-type]
        )
        self._wake = pump.wake
        tasks = [asyncio.create_task(self.dispatcher.run()), asyncio.create_task(pump.run())]
        tasks.append(asyncio.create_task(self._steps()))
        await self._submit_all()
        self._heal()
        await self._until_quiet(tasks)
        self.quiet_at = asyncio.get_running_loop().time()
        await self.dispatcher.stop()
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _open_store(self) -> SqliteStore:
        return self._store_class(
            self._connection,
            self._segments,
            StoreSettings(health=HealthSettings()),
            outside=Outside(
                clock=self,
                random=self.random_bytes,
                cipher_for=lambda _: Vault(b"k" * 32, self.random_bytes),
                commit=self.commit,
                read=self.read,
                fatal=self.fatal.append,
                free_bytes=lambda: 10**12,
                listener=self._listen,
                crash_point=self.crash_point,
            ),
        )

    def _listen(self, event: StoreEvent) -> None:
        self.events.append(event)
        if event.kind is EventKind.BOUNCED:
            self._wake()

    # the clients

    def _plan_submissions(self) -> list[tuple[float, str, str, tuple[str, ...]]]:
        plan = []
        senders = list(self.routing.accounts)
        for number in range(self.scenario.messages):
            at = self._dice.choice([0.0, self._dice.uniform(0, self.scenario.span)])
            to = tuple(f"p{number}.{i}@r.test" for i in range(self._dice.randint(1, self.scenario.recipients)))
            plan.append((at, f"m{number}", self._dice.choice(senders), to))
        return sorted(plan)

    async def _submit_all(self) -> None:
        loop = asyncio.get_running_loop()
        under_way: list[asyncio.Task[None]] = []
        while self._submissions:
            at, name, sender, to = self._submissions[0]
            if at > loop.time():
                await asyncio.sleep(at - loop.time())
            self._submissions.pop(0)
            under_way.append(asyncio.create_task(self._submit(name, sender, to)))
        if under_way:
            await asyncio.wait(under_way)

    async def _submit(self, name: str, sender: str, to: tuple[str, ...]) -> None:
        self.told.submitted.add(name)
        message = NewMessage(
            id=name,
            client="clinic",
            account=sender,
            envelope=Envelope(sender, tuple(map(Recipient, to))),
            content=f"X-Name: {name}\r\nFrom: {sender}\r\n\r\nbody of {name}\r\n".encode(),
            header_message_id=f"<{name}@clinic.test>",
            submitted_hash=hashlib.sha256(name.encode()).digest(),
        )
        try:
            await self.store.put(message)
        except StoreError:
            return
        self.told.accepted[name] = (sender, to)
        self.vigil.mail_came.append(asyncio.get_running_loop().time())

    # trouble, and its end

    async def _steps(self) -> None:
        for _ in range(self.scenario.wall_steps):
            await asyncio.sleep(self._dice.uniform(0, self.scenario.span))
            self._wall_step += self._dice.choice([-1, 1]) * self._dice.choice([60, 3600, 7200]) * SECOND

    def _heal(self) -> None:
        wrong = self.providers.faults.wrong_password
        self.providers.faults = Faults(wrong_password=wrong)

    async def _until_quiet(self, tasks: list["asyncio.Task[Any]"]) -> None:
        """Until every delivery is final or held; a world that takes a week for it is stuck."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 7 * 86400
        while self.unfinished():
            for task in tasks[:2]:
                if task.done():
                    task.result()
            if loop.time() > deadline:
                raise AssertionError(f"seed {self.seed}: stuck with {self.unfinished()} deliveries")
            await asyncio.sleep(5.0)

    # what is looked at

    def unfinished(self) -> int:
        """Deliveries that still move."""
        one = "SELECT (SELECT count(*) FROM deliveries WHERE state = 0) + (SELECT count(*) FROM outbox)"
        count: int = self._connection.execute(one).fetchone()[0]
        return count

    def states(self) -> dict[tuple[str, str], tuple[int, int, str | None]]:
        """Every delivery of a client's message: (message, recipient) -> state, doubts, reason."""
        found = {}
        rows = self._connection.execute(
            "SELECT m.id, d.id - m.seq, d.state, d.doubts, d.reason "
            "FROM deliveries d JOIN messages m ON m.seq = d.message"
        )
        for name, ordinal, state, doubts, reason in rows:
            if name in self.told.submitted:
                found[name, self._recipients[name][ordinal]] = (state, doubts, reason)
        return found

    def delivery_names(self) -> dict[int, tuple[str, str]]:
        """The number of every delivery of a client's message: (message, recipient)."""
        rows = self._connection.execute(
            "SELECT d.id, m.id, d.id - m.seq FROM deliveries d JOIN messages m ON m.seq = d.message"
        )
        return {
            number: (name, self._recipients[name][ordinal])
            for number, name, ordinal in rows
            if name in self._recipients
        }

    def doubts(self) -> Counter[tuple[str, str]]:
        """How often each delivery was reported as in doubt."""
        names = self.delivery_names()
        rows = self._connection.execute("SELECT delivery FROM events WHERE kind = ?", (EventKind.IN_DOUBT,))
        return Counter(names[number] for (number,) in rows if number in names)

    def reports(self) -> set[tuple[str, str]]:
        """The (message, recipient) that a report was made about, and reached the provider or waits for an admin."""
        names, found = self.delivery_names(), set()
        for (identifier,) in self._connection.execute("SELECT id FROM messages"):
            if is_report(identifier):
                found.add(names[int(identifier.rpartition("-")[2])])
        return found

    def readable_bodies(self) -> set[str]:
        """The messages whose body is still in its segment."""
        found = set()
        rows = self._connection.execute('SELECT id, segment, "offset", length FROM messages')
        for name, segment, offset, length in rows:
            try:
                record = self._segments.read(Place(segment, offset, length))
            except CorruptValue:
                continue
            if any(record):
                found.add(name)
        return found

    def trace_hash(self) -> str:
        """The same for the same seed."""
        seen = self.providers.seen
        text = repr((seen.counted, seen.taken, seen.logins, seen.sessions, [tuple(map(str, e)) for e in self.events]))
        return hashlib.sha256(text.encode()).hexdigest()


def _routing(plan: Scenario) -> Routing:
    provider = Provider(
        "p",
        "smtp.p.test",
        465,
        limits=tuple(map(parse_limit, plan.limits)),
        total_limits=tuple(map(parse_limit, plan.totals)),
        connections=plan.connections,
        total_connections=plan.total_connections,
        login_limit=Limit(10, 10 * MINUTE),
        linger=round(LINGER * SECOND),
        timeouts=Timeouts(final=MINUTE),
    )
    accounts = {}
    for number in range(plan.mailboxes):
        for half in "ab"[: 1 + (number == 0)]:
            sender = f"d{number}{half}@d.test"
            accounts[sender] = Account(sender, Plan.PERSONAL, MailboxId("p", f"box{number}"), weight=1 + number % 2)
    return Routing(providers={"p": provider}, accounts=accounts)


@contextmanager
def _unheard() -> Iterator[None]:
    """What dies in a crash says nothing."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = hook
