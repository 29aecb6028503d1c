"""The provider ends a session that nothing is asked of: politely, without a word, or by saying what nobody asked."""

import asyncio

import pytest

from relay.core.envelope import Verdict
from tests.fakes.peer import Peer
from tests.misfortune.provider import SICK, misfortune


@pytest.mark.parametrize(
    "said",
    [b"421 4.4.2 idle for too long\r\n", b"250 2.0.0 surprise\r\n", b"\x00\xff", b"221 2.0.0 bye\r\n", None],
    ids=["421", "a reply to nothing", "garbage", "bye", "hangs up"],
)
async def test_the_next_mail_goes_over_a_new_session(said: bytes | None) -> None:
    async with misfortune(Peer()) as case:
        assert (await case.send()).verdict is Verdict.DELIVERED
        (dialogue,) = case.sick.dialogues
        if said is None:
            dialogue.break_off()
        else:
            dialogue.say(said)
        await asyncio.wait_for(asyncio.shield(dialogue.lost), 60)
        assert (await case.send()).verdict is Verdict.DELIVERED
        assert len(case.sick.dialogues) == 2
        assert case.store.failures(SICK) == []
        assert case.sick.verbs().count("QUIT") == 0, "nothing more was said over the one that ended"


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_421_in_the_middle_ends_the_session_and_not_the_mailbox(verb: str) -> None:
    async with misfortune(Peer({verb: [b"421 4.3.2 closing\r\n"]})) as case:
        result = await case.send()
        assert (result.verdict, result.reply_class) == (Verdict.DEFERRED, "outage")
        await asyncio.wait_for(asyncio.shield(case.sick.dialogues[0].lost), 60)
        assert (await case.send()).verdict is Verdict.DELIVERED
        assert len(case.sick.dialogues) == 2
