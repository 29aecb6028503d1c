"""A mailbox is tried by hand on the node that has its sessions, and on no other beside it."""

from typing import Any

import pytest

from relay.core.limits import parse_limit
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.trials import NotNow, Trial
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import AUTH_REFUSED, NODE, OTHER, A, Scene, account, box, provider

pytestmark = pytest.mark.needs("redis-server")


async def two_nodes(**terms: Any) -> tuple[Scene, Any]:
    scene = Scene(RedisHarness)
    await scene.route(account(A), providers=[provider("p", **terms)])
    other = scene.harness.peer()
    assert other is not None
    await other.applied()
    return scene, other


def test_while_another_node_has_its_sessions_a_mailbox_is_not_tried_here() -> None:
    """Though there is room for one more: its provider would see two addresses, and nobody would end what was begun."""

    async def scenario() -> None:
        scene, other = await two_nodes(connections=2)
        await scene.mail(A, 1)
        assert (await other.take(OTHER, {}, 1)).open == {box(A): 1}
        await other.session(box(A), SessionEvent.OPENED)
        assert await scene.books.trials.begin(A, node=NODE) == NotNow("other-node")
        trial = await other.books.trials.begin(A, node=OTHER)
        assert isinstance(trial, Trial), "there it may be"
        await other.session(box(A), SessionEvent.OPENED)
        for _ in range(2):
            await other.session(box(A), SessionEvent.CLOSED)
        assert isinstance(await scene.books.trials.begin(A, node=NODE), Trial), "it has moved"
        await scene.harness.close()

    run(scenario)


def test_what_a_trial_used_counts_for_the_other_nodes() -> None:
    async def scenario() -> None:
        scene, other = await two_nodes(connections=1, login_limit=parse_limit("2/10m"))
        assert isinstance(await scene.books.trials.begin(A, node=NODE), Trial)
        await scene.mail(A, 1)
        assert not (await other.take(OTHER, {}, 1)).open, "its one session is being opened"
        await scene.store.session(box(A), SessionEvent.OPENED)
        await scene.store.session(box(A), SessionEvent.CLOSED)
        assert (await other.take(OTHER, {}, 1)).open == {box(A): 1}, "it was given back"
        await other.session(box(A), SessionEvent.OPENED)
        await other.session(box(A), SessionEvent.CLOSED)
        refused = await scene.books.trials.begin(A, node=NODE)
        assert isinstance(refused, NotNow)
        assert refused.reason == "login", "both logins are counted, whoever made them"
        await scene.harness.close()

    run(scenario)


def test_a_password_that_a_trial_showed_to_be_wrong_is_known_on_every_node() -> None:
    async def scenario() -> None:
        scene, other = await two_nodes()
        assert isinstance(await scene.books.trials.begin(A, node=NODE), Trial)
        await scene.store.refused(box(A), AUTH_REFUSED)
        refused = await other.books.trials.begin(A, node=OTHER)
        assert isinstance(refused, NotNow)
        assert refused.reason == "refused-logins"
        await scene.harness.close()

    run(scenario)
