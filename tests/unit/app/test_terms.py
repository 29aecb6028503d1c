"""Who pays for a mailbox hears 30, 7 and 1 days before its term ends, once each, and its mail goes on."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime

from relay.app import terms
from relay.app.terms import AT_ONCE, TermsWatch
from relay.core.concerns import ConcernKind, Subject
from relay.core.routing import Account, Provider, Routing
from relay.core.words import MailboxId, Plan
from relay.errors import StoreFull, StoreUnavailable
from relay.observe import Log

ROSSI, BIANCHI = "m.rossi@studio.it", "a.bianchi@studio.it"
ENDS = date(2027, 3, 1)
PATIENCE = 60.0
TURNS = 200
"""Turns of the loop after which what was waited for does not come."""


class Store:
    """Remembers what it was told, and knows what it was told before."""

    def __init__(self) -> None:
        self.raised: list[tuple[str | None, Mapping[str, str] | None]] = []
        self.subjects: list[Subject] = []
        self.asked = 0
        self.together = 0
        self.most_together = 0
        self.failures: list[Exception] = []
        self.has_raised = asyncio.Event()

    async def raise_concern(
        self,
        kind: ConcernKind,
        subject: Subject,
        *,
        reason: str | None = None,
        detail: Mapping[str, str] | None = None,
        again_after: int | None = None,
    ) -> bool:
        assert (kind, again_after) == (ConcernKind.PAID_UNTIL, None)
        self.asked += 1
        self.together += 1
        self.most_together = max(self.together, self.most_together)
        await asyncio.sleep(0)
        self.together -= 1
        if self.failures:
            raise self.failures.pop(0)
        is_new = (subject, reason) not in {(who, why) for who, (why, _) in zip(self.subjects, self.raised, strict=True)}
        if is_new:
            self.raised.append((reason, detail))
            self.subjects.append(subject)
            self.has_raised.set()
        return is_new


class World:
    """Accounts with paid terms, and a clock that is moved by hand."""

    def __init__(self, *accounts: Account, timezone: str = "Europe/Rome") -> None:
        self.routing = routing_of(*accounts, timezone=timezone)
        self.store = Store()
        self.lines: list[str] = []
        self.at(datetime(2027, 1, 1, 12, tzinfo=UTC))
        self.watch = self.started()

    def at(self, moment: datetime) -> "World":
        self.now = moment
        return self

    def started(self) -> TermsWatch:
        """A watch that remembers nothing, as after a restart."""
        log = Log(self.lines.append, lambda: 0.0)
        return TermsWatch(self.store, lambda: self.routing, wall=lambda: int(self.now.timestamp() * 1_000_000), log=log)

    @property
    def reasons(self) -> list[str | None]:
        return [reason for reason, _ in self.store.raised]


def routing_of(*accounts: Account, timezone: str = "Europe/Rome") -> Routing:
    return Routing(
        providers={"aruba": Provider("aruba", "smtps.aruba.it", 465, timezone=timezone)},
        accounts={each.sender: each for each in accounts},
    )


def paid(sender: str = ROSSI, until: date | None = ENDS) -> Account:
    return Account(sender, Plan.BUSINESS, MailboxId("aruba", sender), paid_until=until)


async def test_each_step_is_told_once_on_its_day() -> None:
    world = World(paid(), paid(BIANCHI, None))
    told: dict[date, list[str | None]] = {}
    for ordinal in range(date(2027, 1, 20).toordinal(), date(2027, 3, 10).toordinal()):
        day = date.fromordinal(ordinal)
        before = len(world.reasons)
        await world.at(datetime(day.year, day.month, day.day, 12, tzinfo=UTC)).watch.look()
        if world.reasons[before:]:
            told[day] = world.reasons[before:]
    assert told == {
        date(2027, 1, 30): ["30d-2027-03-01"],
        date(2027, 2, 22): ["7d-2027-03-01"],
        date(2027, 2, 28): ["1d-2027-03-01"],
    }
    assert world.store.raised[1] == ("7d-2027-03-01", {"count": "7", "paid_until": "2027-03-01"})
    assert world.store.subjects[1] == Subject("aruba", MailboxId("aruba", ROSSI), ROSSI)


async def test_of_steps_that_were_missed_only_the_last_is_told() -> None:
    world = World(paid()).at(datetime(2027, 2, 25, 12, tzinfo=UTC))
    await world.watch.look()
    assert world.store.raised == [("7d-2027-03-01", {"count": "4", "paid_until": "2027-03-01"})]


async def test_a_day_begins_at_the_provider_and_not_elsewhere() -> None:
    late = datetime(2027, 1, 29, 23, 30, tzinfo=UTC)  # the 30th in Rome
    rome, utc = World(paid()).at(late), World(paid(), timezone="UTC").at(late)
    await rome.watch.look()
    await utc.watch.look()
    assert (rome.reasons, utc.reasons) == (["30d-2027-03-01"], [])


async def test_a_look_asks_the_store_nothing_that_it_knows_and_a_restart_tells_nothing_twice() -> None:
    world = World(paid()).at(datetime(2027, 2, 27, 12, tzinfo=UTC))
    await world.watch.look()
    await world.watch.look()
    assert world.store.asked == 1
    await world.started().look()
    assert (world.store.asked, world.reasons) == (2, ["7d-2027-03-01"])


async def test_another_term_begins_anew() -> None:
    world = World(paid()).at(datetime(2027, 2, 27, 12, tzinfo=UTC))
    await world.watch.look()
    world.routing = routing_of(paid(until=date(2028, 3, 1)))
    await world.watch.look()
    await world.at(datetime(2028, 2, 1, 12, tzinfo=UTC)).watch.look()
    assert world.reasons == ["7d-2027-03-01", "30d-2028-03-01"]


async def test_the_loop_goes_on_while_a_hundred_thousand_accounts_are_looked_at() -> None:
    world = World(*(paid(f"d{number}@studio.it", ENDS if number % 100 == 0 else None) for number in range(100_000)))
    world.at(datetime(2027, 2, 27, 12, tzinfo=UTC))
    looking = asyncio.create_task(world.watch.look())
    turns = 0
    while not looking.done():
        turns += 1
        await asyncio.sleep(0)
    looking.result()
    assert turns > 100_000 // terms.LOOKED_AT, "it lets others have their turn"
    assert len(world.reasons) == 1000
    assert world.store.most_together == AT_ONCE


async def test_an_edit_is_looked_at_at_once_and_what_the_store_did_not_take_comes_later(monkeypatch) -> None:
    monkeypatch.setattr(terms, "PAUSE", 0.0)
    world = World(paid(until=None)).at(datetime(2027, 2, 27, 12, tzinfo=UTC))
    running = asyncio.create_task(world.watch.run())
    await turn()
    assert world.reasons == []
    world.store.failures = [StoreUnavailable(), StoreFull()]
    world.routing = routing_of(paid())
    world.watch.wake()
    await asyncio.wait_for(world.store.has_raised.wait(), PATIENCE)
    assert "paid terms" in world.lines[0]
    running.cancel()
    await asyncio.wait({running})


async def test_it_looks_again_when_another_day_may_have_begun() -> None:
    world = World(paid()).at(datetime(2027, 1, 29, 12, tzinfo=UTC))
    watch = TermsWatch(
        world.store,
        lambda: world.routing,
        wall=lambda: int(world.now.timestamp() * 1_000_000),
        log=Log(world.lines.append, lambda: 0.0),
        every=0.0,
    )
    running = asyncio.create_task(watch.run())
    await turn()
    assert world.reasons == []
    world.at(datetime(2027, 1, 30, 12, tzinfo=UTC))
    await asyncio.wait_for(world.store.has_raised.wait(), PATIENCE)
    running.cancel()
    await asyncio.wait({running})


async def turn() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
