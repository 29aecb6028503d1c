"""The provider answers with bytes that are no reply."""

import pytest

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Peer
from tests.misfortune.provider import misfortune

GARBAGE = [b"\x16\x03\x01\x02\x00\x01\x00\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff" * 100 + b"\n", b"+OK ready\r\n"]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("verb", ["BANNER", "EHLO", "AUTH"])
async def test_garbage_at_the_login_opens_no_session(verb: str, garbage: bytes) -> None:
    async with misfortune(Peer({verb: [garbage]})) as case:
        failure = await case.refusal()
        assert failure.reply_class == "protocol-error"
        assert failure.stage is (Stage.CONNECT if verb == "BANNER" else Stage(verb.lower()))
        await case.recover()


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize(
    ("verb", "stage"), [("MAIL", Stage.MAIL), ("RCPT", Stage.RCPT), ("DATA", Stage.DATA), ("DOT", Stage.EOD)]
)
async def test_garbage_in_a_transaction_ends_the_session(verb: str, stage: Stage, garbage: bytes) -> None:
    async with misfortune(Peer({verb: [garbage]})) as case:
        result = await case.send()
        assert (result.reply_class, result.stage) == ("protocol-error", stage)
        assert result.verdict is (Verdict.IN_DOUBT if stage is Stage.EOD else Verdict.DEFERRED)
        assert (await case.send()).verdict is Verdict.DELIVERED
        assert len(case.sick.dialogues) == 2


async def test_garbage_on_an_idle_session_costs_no_mail() -> None:
    async with misfortune(Peer()) as case:
        assert (await case.send()).verdict is Verdict.DELIVERED
        case.sick.dialogues[0].say(b"are you still there?\r\n")
        await case.sick.dialogues[0].lost
        assert (await case.send()).verdict is Verdict.DELIVERED
        assert len(case.sick.dialogues) == 2
