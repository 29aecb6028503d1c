"""The routing in force: a good edit is taken, a bad one refused while the running one stays."""

import asyncio
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay.admin import Readiness
from relay.app import routing as routing_module
from relay.app.routing import EDIT, NoRouting, RoutingKeeper
from relay.app.routingdesk import Desk
from relay.config.problems import Loaded, Problem, Severity
from relay.config.references import References
from relay.core.routing import Account, Provider, Routing, SecretKind, SecretReference
from relay.core.words import MailboxId, Plan
from relay.errors import StoreFull, StoreUnavailable
from relay.observe import Census, Log, Metrics, NodeState
from relay.store.ports import AppliedRouting

DOCTOR = "m.rossi@studiorossi.it"
MAILBOX = MailboxId("aruba", DOCTOR)


def routing_with(password, kind=SecretKind.ENV):
    account = Account(DOCTOR, Plan.BUSINESS, MAILBOX, password=SecretReference(kind, password))
    return Routing(providers={"aruba": Provider("aruba", "smtps.aruba.it", 465)}, accounts={DOCTOR: account})


GOOD = Loaded(routing_with("ROSSI"), ())
OTHER = Loaded(routing_with("OTHER"), ())
BAD: Loaded[Routing] = Loaded(
    None,
    (
        Problem("routing.yaml", 3, 1, Severity.WARNING, "careful"),
        Problem("routing.yaml", 4, 2, Severity.ERROR, "unknown key"),
        Problem("routing.yaml", 5, 2, Severity.ERROR, "another"),
    ),
)


class Watch:
    """Files that say what they are told to."""

    def __init__(self, now, *later):
        self.now = now
        self.later = list(later)
        self.digest = ""

    async def changes(self):
        for each in self.later:
            yield each


class Store:
    """Remembers what was applied; the same content makes no new version."""

    def __init__(self, applied=None):
        self.version = 0 if applied is None else applied.version
        self.in_force = applied
        self.failures = []
        self.prints = []

    async def apply(self, routing, prints):
        if self.failures:
            raise self.failures.pop(0)
        self.prints.append(prints[MAILBOX])
        if self.in_force is None or self.in_force.routing != routing:
            self.version += 1
            self.in_force = AppliedRouting(self.version, routing)
        return self.version

    async def apply_on(self, base, routing, prints):
        return await self.apply(routing, prints)

    def leave(self, mailboxes):
        raise AssertionError("one node alone has nobody to leave them to")

    async def applied(self):
        return self.in_force


class World:
    def __init__(self, watch, store=None, environ=None):
        self.environ = {"ROSSI": "pw", "OTHER": "pw2"} if environ is None else environ
        self.store = store or Store()
        self.lines: list[str] = []
        self.metrics = Metrics("0")
        self.readiness = Readiness(lambda: 0.0)
        self.now = watch.now
        self.heard = 0
        desk = Desk(
            watch=watch,
            resolve=References(self.environ),
            store=self.store,
            key=b"k",
            run=self.run,
            log=Log(self.lines.append, lambda: 0.0),
            metrics=self.metrics,
            readiness=self.readiness,
            wall_seconds=lambda: 7.0,
        )
        self.keeper = RoutingKeeper(desk)
        self.keeper.on_change(self.hear)

    async def start(self):
        await self.keeper.start(self.now)

    def hear(self):
        self.heard += 1

    async def run(self, work):
        return work()

    @property
    def events(self):
        return [json.loads(line)["event"] for line in self.lines]

    def gauge(self, name):
        families = text_string_to_metric_families(self.metrics.render(Census(), NodeState()).decode())
        return next(sample.value for family in families for sample in family.samples if sample.name == name)


async def test_a_start_applies_what_the_files_say():
    world = World(Watch(GOOD))
    await world.start()
    assert world.keeper.routing() is GOOD.value
    assert world.keeper.secrets.of(MAILBOX) == "pw"
    assert world.events == ["routing_applied"]
    assert world.gauge("relay_config_reload_success") == 1
    assert world.gauge("relay_config_reload_timestamp_seconds") == 7
    assert world.readiness.problems == []


async def test_files_that_are_refused_start_the_relay_on_the_routing_applied_last_and_loudly():
    world = World(Watch(BAD), Store(AppliedRouting(4, routing_with("ROSSI"))))
    await world.start()
    assert DOCTOR in world.keeper.routing().accounts
    assert world.events == ["routing_applied", "routing_refused", "routing_refused"]
    assert world.gauge("relay_config_reload_success") == 0
    assert [each.what for each in world.readiness.problems] == [EDIT]
    assert "routing.yaml:4:2: error: unknown key (and 1 more)" in world.readiness.problems[0].text
    assert world.readiness.is_ready


async def test_without_any_routing_there_is_no_start():
    with pytest.raises(NoRouting):
        await World(Watch(BAD)).start()


async def test_a_good_edit_is_taken_and_everybody_hears_of_it():
    world = World(Watch(GOOD, OTHER))
    await world.start()
    await world.keeper.follow()
    assert world.keeper.routing() is OTHER.value
    assert world.keeper.secrets.of(MAILBOX) == "pw2"
    assert world.heard == 2
    assert world.events == ["routing_applied", "routing_applied"]


async def test_a_bad_edit_is_refused_and_the_running_one_stays_until_the_next_good_one():
    world = World(Watch(GOOD, BAD))
    await world.start()
    await world.keeper.follow()
    assert world.keeper.routing() is GOOD.value
    assert world.heard == 1
    assert world.gauge("relay_config_reload_success") == 0
    assert world.readiness.problems[0].what == EDIT
    world = World(Watch(GOOD, BAD, GOOD))
    await world.start()
    await world.keeper.follow()
    assert world.gauge("relay_config_reload_success") == 1
    assert world.readiness.problems == []


async def test_a_password_that_changed_behind_its_reference_is_told_to_the_store_without_a_new_version(tmp_path):
    file = tmp_path / "rossi"
    file.write_text("pw")
    world = World(Watch(*(Loaded(routing_with(str(file), SecretKind.FILE), ()) for _ in range(2))))
    await world.start()
    file.write_text("new")
    await world.keeper.follow()
    assert world.store.version == 1
    assert len(set(world.store.prints)) == 2
    assert world.keeper.secrets.of(MAILBOX) == "new"
    assert world.heard == 2, "remembered logins must go"


async def test_an_account_without_a_password_has_none():
    world = World(Watch(GOOD), environ={})
    await world.start()
    assert world.keeper.secrets.of(MAILBOX) is None
    assert world.keeper.secrets.of(MailboxId("aruba", "nobody")) is None
    assert world.store.prints == [None]


async def test_a_store_that_is_away_takes_the_edit_when_it_is_back(monkeypatch):
    monkeypatch.setattr(routing_module, "PAUSE", 0.0)
    monkeypatch.setattr(routing_module, "PAUSE_AWAY", 0.0)
    world = World(Watch(GOOD, OTHER))
    await world.start()
    world.store.failures = [StoreUnavailable(), StoreFull(), StoreUnavailable()]
    await asyncio.wait_for(world.keeper.follow(), 60)
    assert world.keeper.routing() is OTHER.value
    assert world.events == ["routing_applied", "trouble", "routing_applied"], "that it is away is said once for all"


async def test_no_password_reaches_the_log():
    world = World(Watch(GOOD, BAD))
    await world.start()
    await world.keeper.follow()
    assert "pw" not in "".join(world.lines)
