"""The provider stops answering (time flies here while the relay waits)."""

import pytest

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Act, Peer
from tests.misfortune.provider import SICK, misfortune


@pytest.mark.parametrize("verb", ["BANNER", "EHLO", "AUTH"])
async def test_a_login_that_hangs_is_given_up(verb: str) -> None:
    async with misfortune(Peer({verb: [Act.HANG]}), is_hastened=True) as case:
        failure = await case.refusal()
        assert failure.reply_class == "network"
        assert failure.is_login_sent is (verb == "AUTH")
        assert failure.is_provider is (verb != "AUTH")
        await case.recover()


@pytest.mark.parametrize(
    ("verb", "stage"), [("MAIL", Stage.MAIL), ("RCPT", Stage.RCPT), ("DATA", Stage.DATA), ("DOT", Stage.EOD)]
)
async def test_a_transaction_that_hangs_is_given_up(verb: str, stage: Stage) -> None:
    async with misfortune(Peer({verb: [Act.HANG]}), is_hastened=True) as case:
        result = await case.send()
        assert (result.reply_class, result.stage) == ("network", stage)
        assert result.verdict is (Verdict.IN_DOUBT if stage is Stage.EOD else Verdict.DEFERRED)
        assert not result.is_end_known
        assert (await case.send()).verdict is Verdict.DELIVERED


async def test_a_login_that_hangs_holds_up_nobody_else() -> None:
    async with misfortune(Peer({"BANNER": [Act.HANG]})) as case:
        case.store.put(SICK, "waits")
        for _ in range(3):
            await case.check_the_other()
        assert case.store.failures(SICK) == [], "its login is still under way"
        case.sick.dialogues[0].break_off()
        await case.store.until(lambda: bool(case.store.failures(SICK)))
