"""The provider hangs up in the middle of the message."""

import pytest

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Act, Peer
from tests.misfortune.provider import misfortune


@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET])
async def test_a_drop_in_data_is_tried_again_and_is_no_doubt(act: Act) -> None:
    async with misfortune(Peer({"BODY": [act]})) as case:
        case.store.content_of = lambda claim: b"x" * 998 + b"\r\n" * 5000
        result = await case.send()
        assert result.verdict in (Verdict.DEFERRED, Verdict.IN_DOUBT)
        if result.verdict is Verdict.IN_DOUBT:
            assert result.stage is Stage.EOD, "only a dot that was written leaves a doubt"
        assert result.reply_class == "network"
        assert not result.is_end_known
        assert case.sick.messages == []
        assert (await case.send()).verdict is Verdict.DELIVERED


@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET])
async def test_a_drop_instead_of_354_is_tried_again(act: Act) -> None:
    async with misfortune(Peer({"DATA": [act]})) as case:
        result = await case.send()
        assert (result.verdict, result.stage) == (Verdict.DEFERRED, Stage.DATA)
        assert result.is_mail_written
        assert (await case.send()).verdict is Verdict.DELIVERED
