"""Trials by hand between mail, lost answers and kills: no closed window of what the provider counts is ever over.

The provider counts at any moment between the start of an attempt and its end, or linger later where nobody read its
answer or the process died; the windows are counted here by code that shares nothing with the limiter.
"""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.core.envelope import Result, Verdict
from relay.core.words import MailboxId, Stage
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.trials import Trial
from tests.unit.store.workbench import (
    DELIVERED,
    MINUTE,
    NODE,
    ROSSI,
    SECOND,
    Bench,
    account,
    message,
    provider,
    result,
)

N, WINDOW, LINGER = 3, 10 * MINUTE, 2 * MINUTE
BOX = MailboxId("aruba", ROSSI)
TAKEN = result(Verdict.DELIVERED, stage=Stage.RCPT)
UNANSWERED = result(Verdict.DEFERRED, "greylisted", stage=Stage.RCPT, reply=None, is_end_known=False)
STEPS = st.lists(st.sampled_from(["mail", "trial", "silent trial", "killed trial", "wait", "long wait"]), max_size=40)


class World:
    """One store, and what the provider counted."""

    def __init__(self, seed: int) -> None:
        self.bench, self.chance = Bench(), Random(seed)
        self.counted: list[int] = []
        self.mails = 0

    async def run(self, steps: list[str]) -> None:
        limits = provider("aruba", f"{N}/10m", linger=LINGER)
        await self.bench.route(account(ROSSI), providers=(limits,))
        for step in steps:
            await {
                "mail": self.mail, "trial": self.trial, "silent trial": self.silent, "killed trial": self.killed,
                "wait": self.wait, "long wait": self.long_wait,
            }[step]()  # fmt: skip

    def now(self) -> int:
        return self.bench.store.now()

    async def wait(self) -> None:
        self.bench.clock.advance(self.chance.randrange(0, 90 * SECOND))

    async def long_wait(self) -> None:
        self.bench.clock.advance(WINDOW // 2 + self.chance.choice([-1, 0, 1]))

    def count(self, start: int, latest: int) -> None:
        self.counted.append(self.chance.choice([start, latest, self.chance.randint(start, latest)]))

    async def mail(self) -> None:
        self.mails += 1
        await self.bench.store.put(message(self.mails))
        await self.bench.log_in()
        for claim in await self.bench.take(1):
            start = self.now()
            await self.wait()
            self.count(start, self.now())
            await self.bench.send(claim, DELIVERED)
        await self.close_all()

    async def close_all(self) -> None:
        line = self.bench.store._core.context.schedule.look(BOX)
        for _ in range(line.sessions):
            await self.bench.store.session(BOX, SessionEvent.CLOSED)

    async def _at_mail(self) -> int | None:
        trial = await self.bench.store.books.trials.begin(ROSSI, node=NODE)
        if not isinstance(trial, Trial):
            return None
        await self.bench.store.session(BOX, SessionEvent.OPENED)
        attempt = await self.bench.store.books.trials.claim(trial)
        if isinstance(attempt, int):
            return attempt
        await self.close_all()
        return None

    async def _end(self, outcome: Result, linger: int) -> None:
        attempt = await self._at_mail()
        if attempt is not None:
            start = self.now()
            await self.wait()
            self.count(start, self.now() + linger)
            await self.bench.store.books.trials.end(attempt, outcome)
            await self.close_all()

    async def trial(self) -> None:
        await self._end(TAKEN, 0)

    async def silent(self) -> None:
        await self._end(UNANSWERED, LINGER)

    async def killed(self) -> None:
        if await self._at_mail() is not None:
            start = self.now()
            await self.wait()
            self.count(start, self.now() + LINGER)
            self.bench.crash()
            await self.bench.store.recover(NODE)


def worst(moments: list[int]) -> int:
    """The most that any closed window holds."""
    return max((sum(begin <= each <= begin + WINDOW for each in moments) for begin in moments), default=0)


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32), steps=STEPS)
def test_no_window_is_ever_over_its_limit(seed: int, steps: list[str]) -> None:
    world = World(seed)
    asyncio.run(world.run(steps))
    assert worst(world.counted) <= N


@pytest.mark.parametrize("seed", range(3))
def test_the_limit_is_used_and_not_merely_kept(seed: int) -> None:
    world = World(seed)
    asyncio.run(world.run(["trial", "mail", "silent trial", "killed trial", "long wait", "long wait", "long wait"] * 3))
    assert worst(world.counted) == N
