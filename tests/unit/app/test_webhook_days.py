"""A webhook of ops that is gone for days is seen within the hour, and no more once it takes notices again."""

import asyncio
from datetime import UTC, datetime

from relay.admin import Readiness
from relay.app.noticewatch import UNTOLD, NoticeWatch
from relay.core.concerns import ConcernKind, Subject
from relay.core.failuretext import Language
from relay.core.limits import HOUR, MINUTE
from relay.core.notice import Notice
from relay.core.notices import Sheet
from relay.core.webhooks import Answer, Outcome, next_try
from relay.notify.letter import LetterSettings
from relay.notify.noticedesk import NoticeDesk
from relay.notify.noticepump import NoticePump
from relay.observe import Log
from tests.unit.store.workbench import BIANCHI, ROSSI, Bench

STEP = 10 * MINUTE
TURNS = 200
"""Turns of the loop within which the pump has done what is due."""


class Hook:
    """The webhook, which answers with the status of the moment."""

    def __init__(self) -> None:
        self.status = 500
        self.taken: list[str] = []

    async def send(self, notice: Notice, tries: int) -> Outcome:
        if self.status == 200:
            self.taken.append(notice.id)
        return next_try(Answer(self.status), tries, 0.5)


class World:
    """A store, a pump that is woken every five minutes, and what readiness says."""

    def __init__(self) -> None:
        self.bench, self.hook = Bench(), Hook()
        self.readiness = Readiness(lambda: 0.0)
        self.watch = NoticeWatch(self.readiness, self.bench.clock.wall)
        desk = NoticeDesk(
            LetterSettings("relay.example.it"),
            routing=lambda: self.bench.routed,
            is_stopped=lambda _: False,
            sheet_of=lambda _, to: Sheet(to.reader, Language.ENGLISH, UTC, "P"),
            moment=lambda wall: datetime.fromtimestamp(wall / 1_000_000, UTC),
            show_untold=lambda _: None,
            show_backlog=self.watch.backlog,
            observe=lambda *_, **__: None,
        )
        log = Log(lambda _: None, lambda: 0.0)
        store = self.bench.store
        self.pump = NoticePump(store.books.notices, store, desk, sender=self.hook, log=log)

    async def raises(self, account: str) -> None:
        kind, about = ConcernKind.FOREIGN_TRAFFIC, Subject(account=account)
        await self.bench.store.books.notices.raise_concern(kind, about, reason="rate-limited")

    async def passes(self, duration: int) -> None:
        for _ in range(duration // STEP):
            self.bench.clock.advance(STEP)
            self.pump.wake()
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def problems(self) -> dict[str, str]:
        self.watch.look()
        return {each.what: each.text for each in self.readiness.problems}


async def test_it_is_listed_while_notices_wait_and_they_follow_the_first_that_is_taken() -> None:
    world = World()
    await world.bench.route()
    running = asyncio.create_task(world.pump.run())
    await world.raises(ROSSI)
    await world.passes(10 * MINUTE)
    assert world.problems() == {}
    await world.passes(20 * MINUTE)
    assert set(world.problems()) == {UNTOLD}
    await world.passes(30 * HOUR)
    assert world.problems()[UNTOLD].endswith("30 h: status-500")
    world.hook.status = 200
    await world.raises(BIANCHI)
    await world.passes(STEP)
    assert len(world.hook.taken) == 2, "what waited does not wait for its next try in a day"
    await world.passes(STEP)
    assert world.problems() == {}
    running.cancel()
    await asyncio.wait({running})
