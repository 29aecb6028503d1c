"""The simulated world: the shipped store, dispatcher and pump, on virtual time, over several lives, from one seed.

Law: the same seed gives the same trace; what the providers wrote down and what the clients were told is all that the
invariants look at, beside the final state of the store.
"""

import asyncio
import hashlib
from datetime import UTC
from typing import Any

from relay.core.envelope import Envelope, NewMessage, Recipient
from relay.core.failuretext import Language
from relay.core.healthsettings import HealthSettings
from relay.core.limits import SECOND
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.keeper import SessionTerms
from relay.delivery.settings import DispatcherSettings
from relay.delivery.upstream import Upstream
from relay.errors import RelayError, StoreError
from relay.notify.pump import OutboxPump
from relay.notify.report import ReportSettings
from relay.store.needs import Outside, StoreSettings
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.sqlite import SqliteStore
from relay.vault import Vault
from tests.simulation.books import Books
from tests.simulation.machine import Machine
from tests.simulation.provider import Faults, Seen, SimulatedProviders
from tests.simulation.scenario import LINGER, Scenario, routing_of, scenario
from tests.simulation.watching import Admin, Silence, Told, Vigil, WatchedStore, Watcher

NODE = "node-1"


class Society(Machine):
    """What every world has: a relay that delivers, over several lives. Clients and providers are the levels' own."""

    terms = SessionTerms(messages=5, idle=4 * SECOND)
    level = ""
    """How a replay names this kind of world."""

    def __init__(self, seed: int, plan: Scenario, routing: Routing) -> None:
        super().__init__(seed, plan)
        self.told = Told()
        self.events: list[StoreEvent] = []
        self.watcher = Watcher()
        self.admin = Admin()
        self.fatal: list[RelayError] = []
        self.routing = routing
        self.proofs: dict[MailboxId, str | None] = dict.fromkeys(routing.mailboxes(), "proof")
        self.mail: dict[str, tuple[str, tuple[str, ...]]] = {}
        """Message id -> the client's name for it, and its recipients."""
        self.books = Books(self.connection, self.segments, self.mail)
        self.seen: Seen
        self.store: SqliteStore
        self.dispatcher: Dispatcher
        self.vigil: Vigil
        self.healed_at = self.forecast_at = self.quiet_at = 0.0

    def replay(self) -> str:
        """How to see this world again."""
        return f"seed {self.seed} (replay: make simulate LEVEL={self.level} SEED={self.seed})"

    def bury(self, now: float) -> None:
        """Nothing of the process is left."""
        self.watcher.is_dead = True
        self.__dict__.pop("store", None)
        self.__dict__.pop("dispatcher", None)

    # the levels' own

    def upstream(self) -> Upstream:
        """The way to the providers."""
        raise NotImplementedError

    async def submit_all(self) -> None:
        """The clients' part of a life."""
        raise NotImplementedError

    def heal(self) -> None:
        """The providers do what they should from now on."""
        raise NotImplementedError

    # a life

    async def life(self) -> None:
        """Start, trouble, healing, quiet."""
        self.watcher = Watcher()
        self.store = self._open_store()
        pump = self._pump()
        self._wake, self._look_again = pump.wake, pump.look_again
        await self.store.recover(NODE)
        await self.store.apply(self.routing, self.proofs)
        self.vigil = Vigil()
        self.dispatcher = Dispatcher(
            WatchedStore(self.store, self.vigil),
            self.upstream(),
            node=NODE,
            observe=self.watcher,
            terms_of=lambda _: self.terms,
            fence=Fence(self.boottime, lease=StoreSettings().lease),
            settings=DispatcherSettings(),
        )
        tasks = [asyncio.create_task(self.dispatcher.run()), asyncio.create_task(pump.run())]
        tasks.append(asyncio.create_task(self._steps()))
        tasks.append(asyncio.create_task(self.admin.watch(self.store)))
        await self.submit_all()
        self.heal()
        await self._last_faults()
        self.healed_at = asyncio.get_running_loop().time()
        eta = await self.admin.look(self.store)
        self.forecast_at = self.healed_at if eta is None else self.healed_at + (eta - self.wall()) / SECOND
        await self._until_quiet(tasks)
        self.quiet_at = asyncio.get_running_loop().time()
        await self.admin.look(self.store)
        await self.dispatcher.stop()
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _open_store(self) -> SqliteStore:
        return SqliteStore(
            self.connection,
            self.segments,
            StoreSettings(health=HealthSettings()),
            outside=Outside(
                clock=self,
                random=self.random_bytes,
                cipher_for=lambda *_: Vault(b"k" * 32, self.random_bytes),
                commit=self.commit,
                read=self.read,
                fatal=self.fatal.append,
                free_bytes=lambda: 10**12,
                listener=self._listen,
                crash_point=self.crash_point,
            ),
        )

    def _pump(self) -> OutboxPump:
        return OutboxPump(
            self.store,
            self.store,
            ReportSettings(hostname="relay.test", language=Language.ENGLISH, zone=UTC),
            routing=lambda: self.routing,
            randomness=self.random_bytes,
            log=Silence(),  # type: ignore[arg-type]
        )

    def _listen(self, event: StoreEvent) -> None:
        self.events.append(event)
        if event.kind is EventKind.BOUNCED:
            self._wake()
        elif event.kind is EventKind.HEALTH:
            self._look_again()

    async def _steps(self) -> None:
        """Somebody sets the clock."""
        for _ in range(self.scenario.wall_steps):
            await asyncio.sleep(self.dice.uniform(0, self.scenario.span))
            self.wall_step += self.dice.choice([-1, 1]) * self.dice.choice([60, 3600, 7200]) * SECOND

    async def _last_faults(self) -> None:
        """Until what was under way when all healed has its answer, which may still be a refusal."""
        begun = under_way = await self.admin.under_way(self.store)
        while begun & under_way:
            await asyncio.sleep(1.0)
            under_way = await self.admin.under_way(self.store)

    async def _until_quiet(self, tasks: list["asyncio.Task[Any]"]) -> None:
        """Until every delivery is final or held; a world that takes a week for it is stuck."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 7 * 86400
        while many := self.books.unfinished():
            for task in tasks[:2]:
                if task.done():
                    task.result()
            if loop.time() > deadline:
                raise AssertionError(f"{self.replay()}: stuck with {many} deliveries")
            await asyncio.sleep(5.0)

    def trace_hash(self) -> str:
        """The same for the same seed."""
        seen = self.seen
        text = repr((seen.counted, seen.taken, seen.logins, seen.sessions, [tuple(map(str, e)) for e in self.events]))
        return hashlib.sha256(text.encode()).hexdigest()


class World(Society):
    """One run of one seed with the upstream port faked: law, health and schedule."""

    level = "port"

    def __init__(self, seed: int, plan: Scenario | None = None) -> None:
        plan = plan or scenario(seed)
        super().__init__(seed, plan, routing_of(plan))
        self.providers = SimulatedProviders(str(seed), linger=LINGER, latency=plan.latency, faults=plan.faults)
        self.seen = self.providers.seen
        self._submissions = self._plan_submissions()
        self.mail.update((name, (name, to)) for _, name, _, to in self._submissions)

    def run(self) -> "World":
        """Until everything is final or the world stands still."""
        self.live_on()
        return self

    def upstream(self) -> Upstream:
        """Providers without a network."""
        return self.providers

    def bury(self, now: float) -> None:
        """The providers see all connections break."""
        super().bury(now)
        self.providers.crash(now)

    def heal(self) -> None:
        """All but wrong passwords: those are the doctors'."""
        self.providers.faults = Faults(wrong_password=self.providers.faults.wrong_password)

    # the clients

    def _plan_submissions(self) -> list[tuple[float, str, str, tuple[str, ...]]]:
        plan = []
        senders = list(self.routing.accounts)
        for number in range(self.scenario.messages):
            at = self.dice.choice([0.0, self.dice.uniform(0, self.scenario.span)])
            to = tuple(f"p{number}.{i}@r.test" for i in range(self.dice.randint(1, self.scenario.recipients)))
            plan.append((at, f"m{number}", self.dice.choice(senders), to))
        return sorted(plan)

    async def submit_all(self) -> None:
        """Each message at its time."""
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
