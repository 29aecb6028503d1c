"""The provider says "go ahead" and "taken" in one breath, before it has seen the message."""

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Peer
from tests.misfortune.provider import misfortune


async def test_nothing_counts_as_delivered_that_was_not_sent() -> None:
    async with misfortune(Peer({"DATA": [b"354 go ahead\r\n250 2.0.0 Ok: queued as 1\r\n"]})) as case:
        result = await case.send()
        assert (result.verdict, result.reply_class, result.stage) == (Verdict.DEFERRED, "protocol-error", Stage.DATA)
        assert not result.is_end_known
        assert case.store.gated == []
        assert case.sick.messages == []
        assert (await case.send()).verdict is Verdict.DELIVERED
        assert len(case.sick.dialogues) == 2, "the session was not used again"
