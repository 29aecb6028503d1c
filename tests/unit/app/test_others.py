"""Nodes with files of their own and one store: an edit is a change of a file, and nobody undoes what another did."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from relay.admin import Readiness
from relay.app.nodestore import NodeStore
from relay.app.orphans import GONE_AFTER, Orphans
from relay.app.others import FILES, LEFT_MOST, SECRETS, Others
from relay.app.routing import EDIT, RoutingKeeper
from relay.app.routingdesk import Desk
from relay.config.problems import Loaded, Problem, Severity
from relay.config.references import References
from relay.core.envelope import LoginFailure, Taken
from relay.core.routing import Account, Provider, Routing, SecretKind, SecretReference
from relay.core.words import MailboxId, Plan
from relay.errors import StaleRouting, StoreUnavailable
from relay.observe import Log, Metrics
from relay.store.ports import AppliedRouting
from relay.store.ports.nodes import NodeState, NodeView, Role, SeenNode
from relay.store.ports.routing import NONE_APPLIED
from relay.store.ports.sessions import SessionEvent

T = TypeVar("T")

ANNA, BRUNO = "anna@d.test", "bruno@d.test"
BOX = MailboxId("lab", ANNA)


def routing(*senders: str, connections: int = 1) -> Routing:
    accounts = {
        each: Account(each, Plan.BUSINESS, MailboxId("lab", each), password=SecretReference(SecretKind.ENV, "PW"))
        for each in senders
    }
    return Routing({}, {"lab": Provider("lab", "smtp.lab.test", 465, connections=connections)}, accounts)


V1, V2, V3 = routing(ANNA), routing(ANNA, BRUNO), routing(BRUNO)
BAD: Loaded[Routing] = Loaded(None, (Problem("routing.yaml", 4, 2, Severity.ERROR, "unknown key"),))


class Shared:
    """What all nodes see: it knows who put a version in force, and takes nothing that builds on an old look."""

    def __init__(self) -> None:
        self.in_force: AppliedRouting | None = None
        self.versions: list[int] = []
        self.nodes: list[Node] = []

    def put(self, base: AppliedRouting, changed: AppliedRouting) -> int:
        now = self.in_force or NONE_APPLIED
        if (base.version, base.fingerprints) != (now.version, now.fingerprints):
            raise StaleRouting
        is_new = not now.version or now.routing != changed.routing
        by = changed.by if is_new else now.by
        self.in_force = AppliedRouting(now.version + is_new, changed.routing, dict(changed.fingerprints), by)
        if is_new:
            self.versions.append(self.in_force.version)
        for node in self.nodes:
            node.keeper.wake()
        return self.in_force.version


class Store:
    """The store as one node has it."""

    def __init__(self, shared: Shared, name: str) -> None:
        self.shared, self.name = shared, name
        self.version = 0
        self.left: Collection[MailboxId] = ()
        self.taken_under: list[int] = []
        self.wanted: dict[MailboxId, int] = {}
        self.is_away = False
        self.refused_as: list[MailboxId] = []

    async def apply(self, routing: Routing, prints: Mapping[MailboxId, str | None]) -> int:
        raise AssertionError("among others nothing is applied unseen")

    async def apply_on(self, base: AppliedRouting, routing: Routing, prints: Mapping[MailboxId, str | None]) -> int:
        await asyncio.sleep(0)
        self.version = self.shared.put(base, AppliedRouting(0, routing, prints, self.name))
        return self.version

    async def applied(self) -> AppliedRouting | None:
        await asyncio.sleep(0)
        found = self.shared.in_force
        self.version = 0 if found is None else found.version
        return found

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        self.left = tuple(mailboxes)

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        if self.shared.in_force is not None and self.version != self.shared.in_force.version:
            raise StaleRouting
        self.taken_under.append(self.version)
        opened = {box: many for box, many in self.wanted.items() if box not in self.left}
        self.wanted = {box: many for box, many in self.wanted.items() if box in self.left}
        return Taken((), opened, {}, None, 0, frozenset())

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        assert not failure.is_login_sent
        assert not failure.is_provider
        self.refused_as.append(mailbox)

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        if self.is_away:
            raise StoreUnavailable
        assert event is SessionEvent.DECLINED
        self.wanted[mailbox] = self.wanted.get(mailbox, 0) + 1


class Node:
    """One node; `begin` again with what it has in its folder is a restart."""

    def __init__(self, shared: Shared, path: Path, name: str, *, delivers: bool = True) -> None:
        self.shared, self.path, self.name, self.delivers = shared, path, name, delivers
        self.environ = {"PW": "parola"}
        self.files: asyncio.Queue[Loaded[Routing]] = asyncio.Queue()
        self.digest = ""
        self.lines: list[str] = []
        self.begin()

    def begin(self) -> None:
        self.readiness = Readiness(lambda: 0.0)
        log = Log(self.lines.append, lambda: 0.0)
        self.store = Store(self.shared, self.name)
        seen = self.path / f"{self.name}.seen"
        others = Others(seen, delivers=self.delivers, run=self.run, log=log, readiness=self.readiness)
        self.keeper = RoutingKeeper(
            Desk(
                watch=self,
                resolve=References(self.environ),
                store=self.store,
                key=b"k",
                run=self.run,
                log=log,
                metrics=Metrics("0"),
                readiness=self.readiness,
                wall_seconds=lambda: 0.0,
                others=others,
            )
        )
        self.delivery = NodeStore(cast(Any, self.store), lambda *_: None, lambda: 0.0)
        self.delivery.obey(self.keeper)
        self.shared.nodes = [*(each for each in self.shared.nodes if each.name != self.name), self]

    async def run(self, work: Callable[[], T], /) -> T:
        return work()

    async def changes(self) -> AsyncIterator[Loaded[Routing]]:
        while True:
            yield await self.files.get()

    async def start(self, files: Routing | None) -> None:
        """A start with these files; None: they are bad."""
        self.begin()
        await self.keeper.start(self._load(files))

    def _load(self, files: Routing | None) -> Loaded[Routing]:
        self.digest = repr(files)
        return BAD if files is None else Loaded(files, ())

    async def edit(self, files: Routing | None) -> None:
        self.files.put_nowait(self._load(files))
        await self.rest()

    async def rest(self) -> None:
        """Until all have done what they have to."""
        for _ in range(200):
            await asyncio.sleep(0)

    @property
    def problems(self) -> dict[str, str]:
        return {each.what: each.text for each in self.readiness.problems}

    def said(self, event: str) -> list[Any]:
        return [line for line in map(json.loads, self.lines) if line["event"] == event]


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for node in nodes for work in (node.keeper.follow(), node.keeper.keep_up())]
    try:
        yield
    finally:
        for task in tasks:
            assert not task.done(), task
            task.cancel()


@pytest.fixture
def shared() -> Shared:
    return Shared()


@pytest.fixture
def one(shared: Shared, tmp_path: Path) -> Node:
    return Node(shared, tmp_path, "one")


@pytest.fixture
def two(shared: Shared, tmp_path: Path) -> Node:
    return Node(shared, tmp_path, "two")


async def test_equal_files_make_one_version(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    assert shared.versions == [1]
    assert (one.problems, two.problems) == ({}, {})


async def test_an_edit_on_one_node_is_taken_over_by_the_other_and_is_no_trouble(
    shared: Shared, one: Node, two: Node
) -> None:
    await one.start(V1)
    await two.start(V1)
    async with running(one, two):
        await one.edit(V2)
        assert two.keeper.routing() == V2
        assert [line["version"] for line in two.said("routing_applied")] == [1, 2]
        assert two.said("routing_applied")[-1]["by"] == "one"
        assert two.said("trouble") == []
        assert "(version 2, by node one)" in two.problems[FILES]
        assert two.readiness.is_ready
        await two.edit(V2)
        assert two.problems == {}
        await two.edit(V3)
        assert one.keeper.routing() == V3
    assert shared.versions == [1, 2, 3]


async def test_a_restart_with_old_files_undoes_nothing_and_says_so(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    await one.start(V2)
    assert shared.versions == [1, 2], "files that changed while it was down are an edit"
    await two.start(V1)
    assert shared.versions == [1, 2]
    assert two.keeper.routing() == V2
    assert [line["what"] for line in two.said("trouble")] == [FILES]
    await two.start(V3)
    assert shared.versions == [1, 2, 3], "now they have changed"
    assert two.problems == {}


async def test_a_node_that_was_never_here_puts_nothing_in_force_over_the_others(
    shared: Shared, one: Node, two: Node
) -> None:
    await one.start(V1)
    await two.start(V2)
    assert shared.versions == [1]
    assert FILES in two.problems
    await two.start(V3)
    assert shared.versions == [1, 2], "what is changed after that is an edit"


async def test_two_first_nodes_at_once_make_one_version(shared: Shared, one: Node, two: Node) -> None:
    await asyncio.gather(one.start(V1), two.start(V2))
    assert shared.versions == [1]
    assert one.keeper.routing() == two.keeper.routing() == V1


async def test_a_secret_that_changes_brings_no_old_files_back(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    async with running(one, two):
        await one.edit(V2)
        await two.edit(V1)  # as the watch says when a file of a secret has changed: the same files as before
        await two.keeper.refresh()
        assert one.keeper.routing() == two.keeper.routing() == V2
    assert shared.versions == [1, 2]


async def test_bad_files_keep_nobody_from_following_the_others(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    await two.start(None)
    async with running(one, two):
        assert two.keeper.routing() == V1
        await one.edit(V2)
        assert two.keeper.routing() == V2
        assert EDIT in two.problems, "they are bad all the same"


async def test_nothing_is_taken_under_another_routing_than_the_one_in_force(
    shared: Shared, one: Node, two: Node
) -> None:
    await one.start(V1)
    await two.start(V1)
    await one.start(V2)
    taking = asyncio.create_task(two.delivery.take("two", {}, 1))
    await two.rest()
    assert two.store.taken_under == [], "it has not taken it over yet"
    async with running(one, two):
        await taking
    assert two.store.taken_under == [2]
    assert two.keeper.routing() == V2


async def test_a_node_that_cannot_take_it_over_says_so_and_can_be_stopped(
    two: Node, one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.app.abreast.PATIENCE", 0.01)
    await one.start(V1)
    await two.start(V1)
    await one.start(V2)
    with pytest.raises(StaleRouting):
        await two.delivery.take("two", {}, 1)


async def test_who_lacks_a_secret_leaves_its_mailbox_to_the_others_and_names_it(
    shared: Shared, one: Node, two: Node
) -> None:
    await one.start(V1)
    two.environ.clear()
    await two.start(V1)
    assert shared.in_force is not None
    assert shared.in_force.fingerprints[BOX] is not None
    assert two.store.left == (BOX,)
    assert f"{ANNA} at lab: env:PW is not set" in two.problems[SECRETS]
    assert "parola" not in "".join(two.lines)
    two.environ["PW"] = "parola"
    await two.start(V1)
    assert two.problems == {}
    assert not two.store.left


async def test_who_finds_what_nobody_had_gives_it_to_all(shared: Shared, one: Node, two: Node) -> None:
    two.environ.clear()
    await two.start(V1)
    assert shared.in_force is not None
    assert shared.in_force.fingerprints == {BOX: None}
    async with running(two):
        await one.start(V1)
        await two.rest()
        assert shared.in_force.fingerprints[BOX] is not None
        assert two.store.left == (BOX,)
        assert one.store.left == ()


async def test_the_newest_change_of_a_secret_counts_and_it_comes_to_rest(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    assert shared.in_force is not None
    before = shared.in_force.fingerprints
    two.environ["PW"] = "nuova"
    await two.start(V1)
    async with running(one, two):
        await one.rest()
        assert shared.in_force.fingerprints != before
        assert (one.store.left, two.store.left) == ((BOX,), ())
        assert "is another one than the one in force" in one.problems[SECRETS]
        newest = shared.in_force
        for _ in range(3):
            await one.keeper.refresh()
            await two.keeper.refresh()
        assert shared.in_force == newest, "nobody has anything new to say"
    one.environ["PW"] = "nuova"
    await one.start(V1)
    assert (one.problems, one.store.left) == ({}, ())


async def test_a_node_that_sends_nothing_lacks_nothing(shared: Shared, one: Node, tmp_path: Path) -> None:
    await one.start(V1)
    taking = Node(shared, tmp_path, "three", delivers=False)
    taking.environ.clear()
    await taking.start(V1)
    assert taking.problems == {}


async def test_a_node_that_sends_nothing_stops_no_mailbox_with_what_it_has(
    shared: Shared, one: Node, tmp_path: Path
) -> None:
    """A password that is edited where nobody logs in with it is tried by nobody, and stopped all the others."""
    await one.start(V1)
    taking = Node(shared, tmp_path, "three", delivers=False)
    await taking.start(V1)
    right = shared.in_force
    taking.environ["PW"] = "vecchia"
    await taking.start(V1)
    taking.environ.clear()
    await taking.start(V1)
    async with running(one, taking):
        one.keeper.wake()
        await one.rest()
    assert shared.in_force == right
    assert (one.problems, one.store.left, taking.problems) == ({}, (), {})


async def test_who_lacks_very_much_names_the_first_and_lets_the_rest_go_for_a_while(
    shared: Shared, one: Node, two: Node
) -> None:
    """However many lack: the others of the provider wait for none of them."""
    many = routing(*(f"{number}@d.test" for number in range(LEFT_MOST + 2)))
    await one.start(many)
    two.environ.clear()
    await two.start(many)
    assert len(two.store.left) == LEFT_MOST
    assert f"not what {LEFT_MOST + 2} mailboxes log in with" in two.problems[SECRETS]
    (rest,) = [box for box in many.mailboxes() if box not in two.store.left][1:]
    two.store.wanted = {rest: 1}
    assert (await two.delivery.take("two", {}, 1)).open == {}
    assert two.store.refused_as == [rest], "it backs off, and is not named again at once"
    one.store.wanted = {rest: 1}
    assert (await one.delivery.take("one", {}, 1)).open == {rest: 1}


async def test_a_memory_that_cannot_be_read_is_that_of_a_new_node(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    (two.path / "two.seen").write_text("[broken")
    await two.start(V2)
    assert shared.versions == [1]
    assert FILES in two.problems


async def test_nobody_logs_in_with_what_was_changed_on_another_node_a_moment_ago(
    shared: Shared, one: Node, two: Node
) -> None:
    await one.start(V1)
    await two.start(V1)
    one.environ["PW"] = "nuova"
    await one.start(V1)
    two.store.wanted = {BOX: 2}
    assert (await two.delivery.take("two", {}, 9)).open == {}
    assert two.store.wanted == {BOX: 2}, "it is given back"
    async with running(one, two):
        assert (await two.delivery.take("two", {}, 9)).open == {}
    assert two.store.left == (BOX,)
    one.store.wanted = {BOX: 1}
    assert (await one.delivery.take("one", {}, 9)).open == {BOX: 1}


async def test_a_session_that_cannot_be_given_back_is_opened(shared: Shared, one: Node, two: Node) -> None:
    await one.start(V1)
    await two.start(V1)
    one.environ["PW"] = "nuova"
    await one.start(V1)
    two.store.wanted, two.store.is_away = {BOX: 2}, True
    assert (await two.delivery.take("two", {}, 9)).open == {BOX: 2}


class Told:
    """What nodes say of themselves, and when."""

    def __init__(self, *nodes: Node) -> None:
        self.seen = {node.name: (node, 0, Role.ALL) for node in nodes}
        self.now = 0

    def heard(self, node: Node, role: Role = Role.ALL) -> None:
        self.seen[node.name] = node, self.now, role

    async def announce(self, node: NodeView) -> None:
        raise AssertionError("nobody announces here")

    async def nodes(self) -> list[SeenNode]:
        return [
            SeenNode(NodeView(name, name, role, "1", 0, lacks=tuple(node.keeper.lacks())), at, NodeState.RUNNING)
            for name, (node, at, role) in self.seen.items()
        ]

    async def looked(self, node: Node) -> None:
        """Twice, as it has to be: once might be before another node said what it has by now."""
        self.heard(node)
        orphans = Orphans(self, node.keeper, node=node.name)
        before = node.shared.in_force
        await orphans.look()
        assert node.shared.in_force == before
        await orphans.look()


async def test_a_secret_that_no_node_has_any_more_is_nobodys_until_one_has_it_again(
    shared: Shared, one: Node, two: Node
) -> None:
    """Its mailbox is without credentials then, of which its owner is told, instead of waiting unseen for somebody."""
    await one.start(V1)
    await two.start(V1)
    told = Told(one, two)
    first = shared.in_force
    two.environ.clear()
    await two.start(V1)
    await told.looked(two)
    assert shared.in_force == first, "the other one has it"
    one.environ.clear()
    await one.start(V1)
    async with running(one, two):
        assert two.keeper.lacks() == [BOX]
        await told.looked(one)
        await one.rest()
        assert shared.in_force is not None
        assert shared.in_force.fingerprints == {BOX: None}
        for node in (one, two):
            await told.looked(node)
            assert (list(node.keeper.lacks()), node.problems) == ([], {})
    two.environ["PW"] = "parola"
    await two.start(V1)
    assert first is not None
    assert shared.in_force.fingerprints == first.fingerprints, "whoever has it again gives it to all"
    async with running(one, two):
        one.keeper.wake()
        await one.rest()
    assert one.keeper.lacks() == [BOX], "and nobody takes it from him"
    told.heard(two)
    await told.looked(one)
    assert shared.in_force.fingerprints == first.fingerprints
    assert shared.versions == [1]


async def test_a_stale_secret_is_not_tried_when_the_right_one_is_gone_and_the_right_one_counts_when_it_is_back(
    shared: Shared, one: Node, two: Node
) -> None:
    await one.start(V1)
    await two.start(V1)
    one.environ["PW"] = "nuova"
    await one.start(V1)
    right = shared.in_force
    assert right is not None
    await two.start(V1)
    told = Told(two)
    await told.looked(two)
    assert shared.in_force is not None
    assert shared.in_force.fingerprints == {BOX: None}, "its owner is told"
    await two.start(V1)
    await told.looked(two)
    assert shared.in_force.fingerprints == {BOX: None}, "it is the same one, and nobody says that it is right"
    assert (two.store.left, list(two.keeper.lacks())) == ((BOX,), [BOX])
    assert "is another one than the one in force" in two.problems[SECRETS]
    await one.start(V1)
    assert shared.in_force.fingerprints == right.fingerprints
    assert (one.store.left, one.problems) == ((), {})
    one.environ.clear()
    await one.start(V1)
    await two.start(V1)
    await Told(one, two).looked(two)
    assert shared.in_force.fingerprints == {BOX: None}
    two.environ["PW"] = "nuovissima"
    await two.start(V1)
    assert shared.in_force.fingerprints[BOX] is not None, "a change counts, there too"
    assert (two.store.left, two.problems) == ((), {})


@pytest.mark.parametrize(
    ("after", "role", "is_kept"),
    [(GONE_AFTER - 1, Role.ALL, True), (GONE_AFTER, Role.ALL, False), (0, Role.SUBMISSION, False)],
)
async def test_a_node_that_was_heard_of_lately_and_delivers_may_have_it(
    shared: Shared, one: Node, two: Node, after: int, role: Role, is_kept: bool
) -> None:
    await one.start(V1)
    two.environ.clear()
    await two.start(V1)
    told = Told(two)
    told.heard(one, role)
    told.now = after
    await told.looked(two)
    assert shared.in_force is not None
    assert (shared.in_force.fingerprints[BOX] is not None) is is_kept
