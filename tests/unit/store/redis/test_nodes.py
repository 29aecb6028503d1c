"""What nodes of another version say of themselves is read as far as it is known here, and ends nobody."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from relay.core.words import MailboxId
from relay.store.ports.nodes import NodeState, NodeView, Role, SeenNode
from relay.store.redis.nodes import RedisNodes

NOW = 1_000_000_000
SAID = {"node": "n1", "name": "posta-1", "role": "all", "version": "9", "started_at": 5}


class Server:
    """Says what nodes said; it is the link and the operations too."""

    def __init__(self, *said: bytes | None) -> None:
        self.said = said

    def prelude(self) -> tuple[str, str, str]:
        return "", "n1", "0"

    def run(self, script: object, keys: object, args: object) -> list[Any]:
        return [str(NOW).encode(), *([each, str(NOW).encode()] for each in self.said)]


async def run(work: Callable[[], Any], /) -> Any:
    return work()


async def seen(*said: bytes | None) -> list[SeenNode]:
    server = cast(Any, Server(*said))
    return list(await RedisNodes(server, server, run).nodes())


def text(**more: Any) -> bytes:
    return json.dumps(SAID | more).encode()


async def test_what_a_newer_node_says_besides_is_no_matter_and_what_an_older_one_does_not_say_is_as_nothing() -> None:
    expected = SeenNode(NodeView("n1", "posta-1", Role.ALL, "9", 5), NOW, NodeState.RUNNING)
    assert await seen(text(moon="full")) == [expected]
    assert await seen(text()) == [expected]
    (one,) = await seen(text(lacks=[["lab", "anna@d.test"]], listeners=["smtp 127.0.0.1:25"], is_stopped=True))
    assert (one.view.lacks, one.view.listeners) == ((MailboxId("lab", "anna@d.test"),), ("smtp 127.0.0.1:25",))
    assert one.state is NodeState.STOPPED


@pytest.mark.parametrize(
    "broken",
    [
        None, b"", b"{", b"\xff", b"[]", b"5", b"null",
        json.dumps({name: value for name, value in SAID.items() if name != "name"}).encode(),
        text(role="oracle"), text(role=[]), text(name=5), text(name=None), text(started_at="noon"),
        text(sessions="many"), text(listeners=5), text(listeners=[5]), text(lacks=5),
        text(lacks=[["lab"]]), text(lacks=[["lab", ["anna"]]]),
    ],
)  # fmt: skip
async def test_a_word_that_cannot_be_read_is_left_out_and_the_others_are_heard(broken: bytes | None) -> None:
    found = await seen(text(name="posta-2"), broken, text())
    assert [each.view.name for each in found] == ["posta-1", "posta-2"]
