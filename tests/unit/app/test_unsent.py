"""What no node sends is said as what somebody has to mend, and never as what goes by itself."""

import json
from dataclasses import replace

import pytest

from relay.admin import Readiness
from relay.app.unsent import ReadingAmongNodes, Senders, Unsent, unsent
from relay.core.remedy import Needs
from relay.core.routing import Account, Provider, Routing
from relay.core.words import MailboxId, Plan
from relay.observe import Log
from relay.store.ports.nodes import NodeState, Role, SeenNode
from relay.store.ports.reading import AccountQuery, MessageQuery
from tests.fakes.nodes import FakeNodes, node
from tests.fakes.reading import NOON, FakeReading, account, delivery, message

ANNA = "anna@d.test"
BOX, OTHER = MailboxId("aruba", ANNA), MailboxId("aruba", "bruno@d.test")


def lacking(seen: SeenNode, *mailboxes: MailboxId) -> SeenNode:
    return replace(seen, view=replace(seen.view, lacks=mailboxes))


def test_a_mailbox_is_unsent_if_all_that_run_and_deliver_lack_it() -> None:
    one, two = lacking(node("n1"), BOX, OTHER), lacking(node("n2"), BOX)
    assert unsent([one, two]) == Unsent(mailboxes=frozenset({BOX}))
    for other in (NodeState.STOPPED, NodeState.SILENT, NodeState.DRAINING):
        assert unsent([one, replace(two, state=other)]).mailboxes == {BOX, OTHER}, "only who runs will send"
    assert unsent([one, node("n3", role=Role.SUBMISSION)]).mailboxes == {BOX, OTHER}
    assert unsent([one, node("n3", role=Role.DELIVERY)]) == Unsent()


def test_everything_is_unsent_where_no_node_delivers() -> None:
    taking = node("n1", role=Role.SUBMISSION)
    assert unsent([taking]).is_all
    assert unsent([taking, node("n2", state=NodeState.SILENT)]).is_all
    assert not unsent([taking, node("n2")]).is_all
    assert unsent([]) == Unsent(), "who has not heard of itself knows nothing yet"


async def test_that_no_node_delivers_is_said_once_and_taken_back_when_one_does() -> None:
    nodes, lines = FakeNodes(), list[str]()
    readiness = Readiness(lambda: 0.0)
    senders = Senders(nodes, readiness, Log(lines.append, lambda: 0.0))
    nodes.here = [node("n1", role=Role.SUBMISSION), node("n2", role=Role.DELIVERY, state=NodeState.SILENT)]
    for _ in range(3):
        await senders.look()
    (problem,) = readiness.problems
    assert problem.what == "delivery"
    assert "no node delivers: mail is taken" in problem.text
    assert problem.text.endswith("posta-2 (delivery) is silent")
    assert readiness.is_ready, "to take mail is right: it is safe"
    nodes.here[1] = node("n2")
    await senders.look()
    await senders.look()
    assert readiness.problems == []
    assert [json.loads(line)["event"] for line in lines] == ["trouble", "trouble_over"]


async def test_nodes_that_have_not_spoken_again_after_an_outage_are_no_trouble() -> None:
    nodes, lines = FakeNodes(), list[str]()
    readiness = Readiness(lambda: 0.0)
    senders = Senders(nodes, readiness, Log(lines.append, lambda: 0.0))
    taking = node("n1", role=Role.SUBMISSION)
    for _ in range(2):
        for state in (NodeState.SILENT, NodeState.RUNNING):
            nodes.here = [taking, node("n2", state=state)]
            await senders.look()
            assert readiness.problems == []
    assert lines == []


def among(*seen: SeenNode) -> ReadingAmongNodes:
    reading, nodes = FakeReading(), FakeNodes()
    nodes.here = list(seen)
    waits = delivery(state="waiting", reason="queue", needs=None, eta=NOON)
    stopped = delivery(state="waiting", reason="auth-rejected", needs=Needs.OWNER, eta=NOON)
    held = delivery(state="held", reason="auth-rejected", needs=Needs.OWNER, eta=NOON)
    probed = delivery(state="held", reason="unreachable", needs=None, eta=NOON)
    gone = delivery(state="delivered", reason=None, needs=None, eta=None)
    reading.of_messages = [message("m1", account=ANNA, deliveries=(waits, stopped, held, probed, gone))]
    reading.of_accounts = [account(ANNA, mailbox=BOX, eta=NOON)]
    routing = Routing(
        providers={"aruba": Provider("aruba", "smtp.aruba.test", 465)},
        accounts={ANNA: Account(ANNA, Plan.BUSINESS, BOX)},
    )
    return ReadingAmongNodes(reading, nodes, lambda: routing)


@pytest.mark.parametrize(
    ("seen", "reason", "needs"),
    [
        ((node("n1", role=Role.SUBMISSION),), "no-node", Needs.OPS),
        ((lacking(node("n1"), BOX),), "no-node-logs-in", Needs.OPS),
    ],
)
async def test_what_nobody_sends_leaves_at_no_time_and_names_who_has_to_act(
    seen: tuple[SeenNode, ...], reason: str, needs: Needs
) -> None:
    reading = among(*seen)
    one = await reading.message("m1")
    assert one is not None
    assert one == (await reading.messages(MessageQuery())).items[0]
    assert [(each.reason, each.needs, each.eta) for each in one.deliveries] == [
        (reason, needs, None),
        ("auth-rejected", Needs.OWNER, None),
        ("auth-rejected", Needs.OWNER, None),
        (reason, needs, None),
        (None, None, None),
    ]
    shown = await reading.account(ANNA)
    assert shown is not None
    assert shown == (await reading.accounts(AccountQuery())).items[0]
    assert (shown.reason, shown.needs, shown.eta) == (reason, needs, None)


async def test_what_somebody_sends_is_shown_as_the_store_tells_it() -> None:
    reading = among(lacking(node("n1"), BOX), node("n2"))
    one, shown = await reading.message("m1"), await reading.account(ANNA)
    assert one is not None
    assert shown is not None
    assert (one.deliveries[0].reason, one.deliveries[0].eta, shown.eta) == ("queue", NOON, NOON)
