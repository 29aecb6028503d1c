"""What Redis did not answer is done or not, and nobody is told that it is done who was not even heard.

An operation asks first, and commits then; of one whose question had no answer nothing can have been done.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from relay.core.envelope import Verdict
from relay.errors import StoreSilent, StoreUnavailable
from relay.store.redis.link import Call, Link
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import Scene, account, result

ANNA = "anna@d.test"


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


def test_an_outcome_whose_operation_could_not_begin_is_not_taken_for_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        scene = Scene(MuteHarness)
        await scene.route(account(ANNA))
        await scene.mail(ANNA, 1, 2)
        first, second = await scene.work()
        dropped = result(Verdict.DROPPED, is_mail_written=True, is_end_known=False)
        assert await scene.end(first, dropped)
        monkeypatch.setattr(Mute, "is_asked", True)
        with pytest.raises(StoreUnavailable):
            await scene.end(second, dropped)
        assert await scene.end(second, dropped), "it is still to be said how it ended"
        assert [count.sending for count in await scene.store.queue_counts()] == [0]
        await scene.harness.close()

    run(scenario)
