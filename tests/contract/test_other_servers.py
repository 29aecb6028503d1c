"""The oldest Redis and Valkey keep the words of the ports too: of the suites in which scripts decide, and of two books.

The system's Redis keeps all of them (test_conformance.py, test_books.py).
"""

from collections.abc import Sequence
from typing import Any

import pytest

from relay.store.redis.link import Call, Link
from tests.contract.books import notices, secrets
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness, shared_server
from tests.contract.scene import Scene
from tests.contract.suites import Check, checks_of, leases, limits, queue, recovery, sessions, settling

SUITES = (queue, limits, sessions, leases, settling, recovery, notices, secrets)
CHECKS = [check for suite in SUITES for check in checks_of(suite)]


class OnOldest(RedisHarness):
    program = "redis-6.2"


class OnValkey(RedisHarness):
    program = "valkey"


HARNESSES = (OnOldest, OnValkey)


def play(check: Check, harness: type[RedisHarness]) -> None:
    async def scenario() -> None:
        scene = Scene(harness)
        await check(scene)
        await scene.harness.close()

    run(scenario)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("harness", HARNESSES, ids=lambda harness: harness.program)
def test_it_keeps_its_word(harness: type[RedisHarness], check: Check) -> None:
    play(check, harness)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__.rpartition(".")[2])
def test_scripts_that_the_server_forgot_are_sent_again(suite: Any) -> None:
    forgotten = 0

    class Forgotten(Link):
        def run_many(self, calls: Sequence[Call], **options: Any) -> list[Any]:
            nonlocal forgotten
            forgotten += 1
            if forgotten % 3 == 0:
                with shared_server().client() as client:
                    client.script_flush()
            return super().run_many(calls, **options)

    class Harness(RedisHarness):
        link_type = Forgotten

    for check in list(checks_of(suite))[::5]:
        play(check, Harness)
    assert forgotten > 3
