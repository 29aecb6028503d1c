"""A store that is moved at every start keeps every word of the ports and of the books that a start has to keep."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.books import CHECKS as BOOK_CHECKS
from tests.contract.harness import run
from tests.contract.moving.harness import STARTS, MovingHarness
from tests.contract.scene import Scene
from tests.contract.suites import CHECKS, Check

pytestmark = pytest.mark.needs("redis-server")

HOLDS_ON = {
    "what_is_told_once_ever_is_not_told_again_however_much_later",
    "a_word_whose_mail_is_refused_was_not_said_and_is_due_once_more",
}
"""Checks that go on with a port of the process before: it is another store by then."""

WITH_A_START = [
    check
    for check in (*CHECKS, *BOOK_CHECKS)
    if "restart()" in inspect.getsource(check) and check.__name__ not in HOLDS_ON
]

BOTH_WAYS = {"limits"}
"""The suite that begins at either place; the others take turns, for a move takes its time."""


def begun() -> Iterator[Any]:
    """Each check with where it begins."""
    for number, check in enumerate(WITH_A_START):
        is_both = check.__module__.rpartition(".")[2] in BOTH_WAYS
        for begins in STARTS if is_both else [list(STARTS)[number % 2]]:
            yield pytest.param(begins, check, id=f"{begins}-{check.__name__}")


class MovingScene(Scene):
    """Whose store is elsewhere after each start."""

    async def restart(self) -> int:
        doubts = await super().restart()
        assert isinstance(self.harness, MovingHarness)
        await self.harness.move()
        return doubts


@pytest.mark.parametrize(("begins", "check"), list(begun()))
def test_store_moved_at_a_start_keeps_its_word(begins: str, check: Check) -> None:
    async def scenario() -> None:
        scene = MovingScene(STARTS[begins])
        await check(scene)
        await scene.harness.close()

    run(scenario)
