"""What a seed decides about a world on the wire.

Law: the same seed gives the same scenario.
"""

import random
from dataclasses import dataclass
from ipaddress import ip_network

from relay.core.limits import MINUTE, SECOND, Limit, parse_limit
from relay.core.routing import Account, Client, Provider, Routing, SecretKind, SecretReference, Timeouts, Tls
from relay.core.words import MailboxId, Plan
from tests.simulation.provider import Faults
from tests.simulation.scenario import LINGER, Scenario
from tests.simulation.wire.faults import COMMON, Fault, WireFaults
from tests.simulation.wire.lines import Weather

_LOOPBACK = ip_network("127.0.0.0/8")
TIMEOUTS = Timeouts(connect=10 * SECOND, command=20 * SECOND, data=30 * SECOND, final=MINUTE)
STAGES = ("BANNER", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "CLOG", "DOT", "RSET")
OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 30000000", "SIZE 70000")


@dataclass(frozen=True)
class WireScenario(Scenario):
    """One small world of octets."""

    weather: Weather = Weather()
    wire_faults: WireFaults = WireFaults()
    offer: tuple[str, ...] = ("PIPELINING", "AUTH PLAIN LOGIN")
    wrong: int = 0
    """How many mailboxes have a wrong password until the world heals."""
    client_faults: float = 0.0
    providers: int = 1
    idle: float = 4.0
    """Seconds that a session upstream may be idle."""


def wire_scenario(seed: int) -> WireScenario:
    """The world of this seed."""
    dice = random.Random(f"wire-scenario/{seed}")
    stages = dice.choice([STAGES, ("DOT",), tuple(dice.sample(STAGES, 2)), ("DATA", "DOT"), ()])
    kinds = dice.choice([COMMON, COMMON, tuple(dice.sample(COMMON, 2)), (Fault.SLOW,)])
    offer = tuple(dice.sample(OFFERS[:4], dice.randint(0, 4))) + tuple(dice.sample(OFFERS[4:], dice.randint(0, 1)))
    return WireScenario(
        mailboxes=dice.randint(1, 3),
        limits=tuple(dice.sample(["1/2s", "3/10s", "8/60s"], dice.randint(0, 1))),
        totals=tuple(dice.sample(["2/3s", "10/60s"], dice.randint(0, 1))),
        connections=dice.randint(1, 2),
        total_connections=dice.randint(1, 4),
        messages=dice.randint(3, 12),
        span=dice.choice([2.0, 30.0, 300.0]),
        crashes=dice.choice([0, 1, 2, 3]),
        latency=dice.choice([(0.0, 0.001), (0.001, 0.05), (0.1, 1.0)]),
        faults=Faults(),
        wall_steps=dice.choice([0, 0, 1]),
        reboots=dice.random() < 0.2,
        fsync=dice.choice([0.0, 0.004, 0.1]),
        weather=Weather(
            latency=dice.choice([(0.0, 0.0), (0.001, 0.02), (0.05, 0.5)]),
            segment=dice.choice([3, 40, 1400, 1400, 100_000]),
            window=dice.choice([100, 4000, 65_536]),
            cut=dice.choice([0, 0, 0.1, 0.3]),
            mute=dice.choice([0, 0, 0.1]),
        ),
        wire_faults=WireFaults(dice.choice([0, 0.05, 0.15, 0.3]), stages, kinds),
        offer=(*offer, dice.choice(["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH PLAIN"])),
        wrong=dice.choice([0, 0, 0, 1]),
        client_faults=dice.choice([0, 0.1, 0.4]),
        providers=dice.choice([1, 1, 2]),
        idle=dice.choice([4.0, 30.0]),
    )


def wire_routing(plan: WireScenario) -> Routing:
    """Every mailbox at the provider of its number; the first one serves two accounts."""
    providers = {
        f"p{number}": Provider(
            f"p{number}",
            f"127.0.0.{number + 2}",
            2526,
            tls=Tls.NONE,
            limits=tuple(map(parse_limit, plan.limits)),
            total_limits=tuple(map(parse_limit, plan.totals)),
            connections=plan.connections,
            total_connections=plan.total_connections,
            login_limit=Limit(10, 10 * MINUTE),
            linger=round(LINGER * SECOND),
            timeouts=TIMEOUTS,
        )
        for number in range(plan.providers)
    }
    accounts = {}
    for number in range(plan.mailboxes):
        mailbox = MailboxId(f"p{number % plan.providers}", f"box{number}")
        for half in "ab"[: 1 + (number == 0)]:
            sender = f"d{number}{half}@d.test"
            accounts[sender] = Account(sender, Plan.PERSONAL, mailbox, weight=1 + number % 2)
    secret = SecretReference(SecretKind.LITERAL, "secret")
    clients = {
        "clinic": Client("clinic", ("*@d.test",), secret),
        "server-room": Client("server-room", ("*@d.test",), networks=(_LOOPBACK,)),
    }
    return Routing(clients, providers, accounts)
