"""The world on the wire: the whole relay from the client's banner to the provider's 250, over lines without sockets.

Law: clients and providers live outside the relay's process; a crash ends its life and not theirs.
"""

import asyncio
import itertools
import ssl
from collections.abc import Sequence

from relay.core.envelope import NewMessage
from relay.core.limits import SECOND
from relay.core.routing import Provider
from relay.core.words import MailboxId
from relay.delivery.keeper import SessionTerms
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.upstream import Upstream
from relay.store.sqlite import SqliteStore
from relay.submission import ListenerSettings, SubmissionServer, SubmissionSettings
from tests.fakes.submission import PlainLogins
from tests.simulation.loop import VirtualLoop
from tests.simulation.scenario import LINGER
from tests.simulation.watching import Silence, Vigil
from tests.simulation.wire.bodies import body
from tests.simulation.wire.clinic import Mail, Visit, WireTold, habits
from tests.simulation.wire.faults import WireFaults
from tests.simulation.wire.network import Name, Network, WireLoop
from tests.simulation.wire.provider import Desk, WireProvider, WireSeen
from tests.simulation.wire.scenario import WireScenario, wire_routing, wire_scenario
from tests.simulation.world import Society

PASSWORD = "pw-"
"""A mailbox's password is this and its name."""


class WatchedIntake:
    """The store as submission sees it, with a note of what came in."""

    def __init__(self, store: SqliteStore, mail: dict[str, tuple[str, tuple[str, ...]]], vigil: Vigil) -> None:
        self._store = store
        self._mail = mail
        self._vigil = vigil

    async def put(self, message: NewMessage) -> None:
        name = name_of(message.content)
        self._mail[message.id] = (name, tuple(recipient.address for recipient in message.envelope.recipients))
        await self._store.put(message)
        self._vigil.mail_came.append(asyncio.get_running_loop().time())

    def has_space(self) -> bool:
        return self._store.has_space()


def name_of(content: bytes) -> str:
    """The name that the client gave this try."""
    return content.partition(b"X-Name: ")[2].partition(b"\r\n")[0].decode("ascii", "replace")


class WireWorld(Society):
    """One run of one seed."""

    level = "wire"

    def __init__(self, seed: int, plan: WireScenario | None = None) -> None:
        self.plan = plan or wire_scenario(seed)
        super().__init__(seed, self.plan, wire_routing(self.plan))
        self.terms = SessionTerms(messages=5, idle=round(self.plan.idle * SECOND))
        self.told: WireTold = WireTold()
        self.seen: WireSeen = WireSeen()
        self.network = Network(f"{seed}", self.plan.weather)
        self.providers = [self._provider(name) for name in self.routing.providers]
        self._ids = itertools.count(1)
        self._is_healed = False
        self._wrong = sorted(mailbox.username for mailbox in self.routing.mailboxes())[: self.plan.wrong]
        self.mails = self._plan_mails()

    def run(self) -> "WireWorld":
        """Until everything is final or the world stands still."""
        self.live_on()
        self.seen.note_sessions()
        return self

    def new_loop(self, start: float) -> VirtualLoop:
        """A loop with a network."""
        return WireLoop(start, self.network)

    def bury(self, now: float) -> None:
        """All connections break."""
        super().bury(now)
        self.network.crash(now, self.dice)
        self.seen.note_sessions()
        self.__dict__.pop("_mending", None)

    # the providers

    def _provider(self, name: str) -> WireProvider:
        boxes = [mailbox.username for mailbox in self.routing.mailboxes() if mailbox.provider == name]
        provider = WireProvider(
            name,
            self.plan.offer,
            {box: f"{PASSWORD}{box}" for box in boxes},
            self.plan.wire_faults,
            self.plan.latency,
            LINGER,
            self.network.dice,
            self.seen,
        )
        endpoint = self.routing.providers[name]
        self.network.hosts[endpoint.host, endpoint.port] = lambda network: Desk(provider, network.loop)
        return provider

    def upstream(self) -> Upstream:
        """Real SMTP."""
        return SmtpUpstream("relay.test", self._route, resolve=_no_names, trust=_no_trust)

    def _route(self, mailbox: MailboxId) -> Route | None:
        is_wrong = mailbox.username in self._wrong and not self._is_healed
        secret = "mistyped" if is_wrong else f"{PASSWORD}{mailbox.username}"
        return Route(self.routing.providers[mailbox.provider], secret)

    def heal(self) -> None:
        """Providers and network do what they should, and whoever had a wrong password has the right one."""
        if not self._is_healed:
            self._is_healed = True
            self.network.calm()
            for provider in self.providers:
                provider.faults = WireFaults()
            self.proofs |= {mailbox: "mended" for mailbox in self.proofs if mailbox.username in self._wrong}
            self._mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        await self.store.apply(self.routing, self.proofs)

    # the clients

    def _plan_mails(self) -> list[tuple[float, list[Mail]]]:
        """Visits: when, and what is handed in together."""
        plan: list[tuple[float, list[Mail]]] = []
        senders = list(self.routing.accounts)
        is_fast = self.plan.weather.window > 1000 and self.plan.weather.segment >= 1400
        for number in range(self.scenario.messages):
            to = tuple(f"p{number}.{i}@r.test" for i in range(self.dice.randint(1, self.scenario.recipients)))
            mail = Mail(f"m{number}", self.dice.choice(senders), to, body(self.dice, is_line_fast=is_fast))
            if plan and self.dice.random() < 0.3:
                plan[-1][1].append(mail)
            else:
                at = self.dice.choice([0.0, self.dice.uniform(0, self.scenario.span)])
                plan.append((at, [mail]))
        return plan

    async def submit_all(self) -> None:
        """Submission opens, and every client goes on until it was told."""
        settings = SubmissionSettings("relay.test", (ListenerSettings("smtp", has_plaintext_allowed=True),))
        server = SubmissionServer(
            WatchedIntake(self.store, self.mail, self.vigil),
            lambda: self.routing,
            settings=settings,
            authenticator=PlainLogins(lambda: self.routing),
            new_id=lambda: f"r-{next(self._ids)}",
            wall_clock=lambda: self.wall() / 1_000_000,
            observe=Silence(),
        )
        await server.start([Name("smtp")])  # type: ignore[list-item]
        visits = [self._until_told(at, mails) for at, mails in self.mails if not all(mail.is_told for mail in mails)]
        await asyncio.gather(*visits)
        await server.drain()

    async def _until_told(self, at: float, mails: Sequence[Mail]) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, at - loop.time()))
        visits, dice = 0, self.network.dice(f"clinic of {mails[0].name}")
        while not all(mail.is_told for mail in mails):
            if visits:
                await asyncio.sleep(5.0)
            visits += 1
            if visits > 50:
                raise AssertionError(f"{self.replay()}: {mails[0].name} was never told anything")
            chance = self.plan.client_faults if visits < 5 else 0.0
            visit = Visit(self.told, mails, habits(dice, chance), dice)
            await visit.run(self.network, mails[0].name)


async def _no_names(provider: str, host: str) -> Sequence[str]:
    raise OSError("hosts of this world are addresses")


def _no_trust(provider: Provider) -> ssl.SSLContext:
    raise OSError("this world has no TLS")
