"""What a seed decides about a simulated world; everything else follows from it.

Law: the same seed gives the same scenario; each scenario is small, enough of them meet everything.
"""

import random
from dataclasses import dataclass

from relay.core.limits import MINUTE, SECOND, Limit, parse_limit
from relay.core.routing import Account, Provider, Routing, Timeouts
from relay.core.words import MailboxId, Plan
from tests.simulation.provider import Faults

LINGER = 20.0


@dataclass(frozen=True)
class Scenario:
    """One small world."""

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
    """The world of this seed."""
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


def routing_of(plan: Scenario) -> Routing:
    """One provider, and accounts of which the first two share a mailbox."""
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
