"""What Redis did not answer is done or not, and nobody is told that it is done who was not even heard.

An operation asks first, and commits then; of one whose question had no answer nothing can have been done.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from relay.core.envelope import Verdict
from relay.core.limits import SECOND
from relay.errors import StoreSilent, StoreUnavailable
from relay.store.redis.contents import SMALL
from relay.store.redis.link import Call, Link
from relay.store.redis.store import RedisStore
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, Scene, account, result

ANNA = "anna@d.test"
DROPPED = result(Verdict.DROPPED, is_mail_written=True, is_end_known=False)


class Mute(Link):
    """A link that is cut when it has asked once whether it may decide."""

    is_asked = False

    def run_many(self, calls: Sequence[Call], **options: Any) -> Any:
        if Mute.is_asked and any(call.script.name == "begin" for call in calls):
            Mute.is_asked = False
            self.close()
            raise StoreSilent
        return super().run_many(calls, **options)


class MuteHarness(RedisHarness):
    link_type = Mute


class Deaf(Link):
    """A link that is cut when it has committed, before it hears so."""

    is_deaf = False

    def run_many(self, calls: Sequence[Call], **options: Any) -> Any:
        replies = super().run_many(calls, **options)
        if Deaf.is_deaf and any(call.script.name == "act" for call in calls):
            Deaf.is_deaf = False
            self.close()
            raise StoreSilent
        return replies


class DeafHarness(RedisHarness):
    link_type = Deaf


def test_an_outcome_whose_operation_could_not_begin_is_not_taken_for_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        scene = Scene(MuteHarness)
        await scene.route(account(ANNA))
        await scene.mail(ANNA, 1, 2)
        first, second = await scene.work()
        assert await scene.end(first, DROPPED)
        monkeypatch.setattr(Mute, "is_asked", True)
        with pytest.raises(StoreUnavailable):
            await scene.end(second, DROPPED)
        assert await scene.end(second, DROPPED), "it is still to be said how it ended"
        assert [count.sending for count in await scene.store.queue_counts()] == [0]
        await scene.harness.close()

    run(scenario)


def test_nothing_is_decided_before_it_is_known_what_became_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        scene = Scene(DeafHarness)
        await scene.route(account(ANNA))
        await scene.mail(ANNA, 1)
        (claim,) = await scene.work()
        store = scene.store
        assert isinstance(store, RedisStore)
        monkeypatch.setattr(Deaf, "is_deaf", True)
        ending = store._turns.submit(judge=lambda core: core.judged.settle(claim, DROPPED))
        beating = store._turns.submit(judge=lambda core: core.judged.heartbeat(NODE), held=SECOND)
        with pytest.raises(StoreUnavailable):
            await beating
        assert await ending is Verdict.DROPPED, "it was committed, and its node hears so"
        await scene.harness.close()

    run(scenario)


@pytest.mark.parametrize("size", [20, 2 * SMALL])
def test_a_mail_under_way_is_read_though_the_memory_of_its_node_was_lost_meanwhile(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    async def scenario() -> None:
        scene = Scene(MuteHarness)
        await scene.route(account(ANNA))
        content = b"Subject: 1\r\n\r\n" + b"." * size + b"\r\n"
        await scene.mail(ANNA, 1, content=content)
        (claim,) = await scene.work()
        monkeypatch.setattr(Mute, "is_asked", True)
        with pytest.raises(StoreUnavailable):
            await scene.store.heartbeat(NODE)
        assert await scene.store.content(claim) == content
        assert await scene.end(claim)
        await scene.harness.close()

    run(scenario)
