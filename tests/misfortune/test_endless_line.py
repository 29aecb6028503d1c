"""The provider says a line that never ends, or a reply whose lines never end."""

import pytest

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Flood, Peer
from tests.misfortune.provider import misfortune


@pytest.mark.parametrize("data", [b"x" * 1000, b"250-" + b"x" * 1000, b"250-more\r\n"])
@pytest.mark.parametrize("verb", ["EHLO", "AUTH"])
async def test_an_endless_line_at_the_login_is_cut(verb: str, data: bytes) -> None:
    async with misfortune(Peer({verb: [Flood(data, 10_000_000)]})) as case:
        failure = await case.refusal()
        assert failure.reply_class == "protocol-error"
        assert failure.stage is Stage(verb.lower())
        await case.recover()


@pytest.mark.parametrize("data", [b"x" * 1000, b"250-" + b"x" * 1000, b"250-more\r\n"])
async def test_an_endless_line_after_the_dot_is_a_doubt(data: bytes) -> None:
    async with misfortune(Peer({"DOT": [Flood(data, 10_000_000)]})) as case:
        result = await case.send()
        assert (result.verdict, result.reply_class) == (Verdict.IN_DOUBT, "protocol-error")
        assert (await case.send()).verdict is Verdict.DELIVERED
