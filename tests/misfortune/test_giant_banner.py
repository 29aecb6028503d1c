"""The provider greets with ten megabytes."""

import pytest

from relay.core.words import Stage
from tests.fakes.peer import Flood, Peer
from tests.misfortune.provider import misfortune


@pytest.mark.parametrize("data", [b"x" * 65536, b"220-" + b"w" * 500 + b"\r\n"])
async def test_a_giant_banner_is_cut_short(data: bytes) -> None:
    async with misfortune(Peer({"BANNER": [Flood(data, 10_000_000)]})) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.stage, failure.is_provider) == ("protocol-error", Stage.CONNECT, True)
        await case.check_the_other()
        await case.recover()
