"""A connection that is lost while refused calls are tried alone takes back nothing that was done beside them.

What was done is reported as done, and of what was refused it is said that it was not done: so nothing is stored twice,
and nothing that was handed out is forgotten.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from relay.core.envelope import Taken
from relay.errors import StoreSilent, StoreUnavailable
from relay.store.redis.link import Call, Link
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, A, Scene, account, box

pytestmark = pytest.mark.needs("redis-server")


class Cut(Link):
    """Its server goes away before refused calls are run apart."""

    is_armed = False

    def _sent(self, wire: Any, calls: Sequence[Call], until: int, **how: Any) -> Any:
        if Cut.is_armed and how.get("is_apart"):
            Cut.is_armed = False
            wire.close()
        return super()._sent(wire, calls, until, **how)


class CutHarness(RedisHarness):
    link_type = Cut


def test_what_was_handed_out_beside_mail_that_is_refused_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        scene = Scene(CutHarness)
        harness = scene.harness
        assert isinstance(harness, CutHarness)
        client = harness.beside()
        await scene.route(account(A))
        await scene.mail(A, 1, 2, 3)
        await scene.log_in()
        most = client.config_get("maxmemory")["maxmemory"] or "0"
        client.config_set("maxmemory", 1)
        try:
            monkeypatch.setattr(Cut, "is_armed", True)
            taken, *refused = await asyncio.gather(
                scene.store.take(NODE, {box(A): 3}, 3),
                *(scene.mail(A, number) for number in (20, 21, 22)),
                return_exceptions=True,
            )
        finally:
            client.config_set("maxmemory", most)
        assert isinstance(taken, Taken), "what the store handed out is known to its node"
        assert taken.claims
        for error in refused:
            assert isinstance(error, StoreUnavailable)
            assert not isinstance(error, StoreSilent), "it was not done, and that is known"
        await harness.close()

    run(scenario)
