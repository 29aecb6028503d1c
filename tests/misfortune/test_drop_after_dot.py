"""The provider takes the final dot and hangs up without a word: nobody knows, and the relay says so."""

import pytest

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Act, Answer, Peer
from tests.misfortune.provider import misfortune


@pytest.mark.parametrize("answer", [Act.CLOSE, Act.RESET, (b"25", Act.CLOSE), (b"250-2.0.0 Ok\r\n", Act.CLOSE)])
async def test_a_drop_after_the_dot_is_in_doubt(answer: Answer | tuple[Answer, ...]) -> None:
    async with misfortune(Peer({"DOT": [answer]})) as case:
        result = await case.send()
        assert (result.verdict, result.stage) == (Verdict.IN_DOUBT, Stage.EOD)
        assert result.is_mail_written
        assert not result.is_end_known
        assert result.reply is None
        assert len(case.sick.messages) == 1
        assert (await case.send()).verdict is Verdict.DELIVERED


async def test_a_reply_that_came_before_the_drop_counts() -> None:
    async with misfortune(Peer({"DOT": [(b"250 2.0.0 Ok\r\n", Act.RESET)]})) as case:
        first = await case.send()
        assert first.verdict in (Verdict.DELIVERED, Verdict.IN_DOUBT), "a reset may overtake the reply"
        assert (await case.send()).verdict is Verdict.DELIVERED
