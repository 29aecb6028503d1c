"""The provider answers, but so slowly that a session would last for ever (time flies here)."""

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Peer, Trickle
from tests.misfortune.provider import misfortune

SLOW = 60.0


async def test_a_banner_byte_by_byte_is_not_waited_for() -> None:
    async with misfortune(Peer({"BANNER": [Trickle(b"220 mail.test ready\r\n", SLOW)]}), is_hastened=True) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.stage, failure.is_provider) == ("network", Stage.CONNECT, True)
        await case.recover()


async def test_the_final_reply_byte_by_byte_is_a_doubt() -> None:
    async with misfortune(Peer({"DOT": [Trickle(b"250 2.0.0 Ok: queued\r\n", SLOW)]}), is_hastened=True) as case:
        result = await case.send()
        assert (result.verdict, result.stage) == (Verdict.IN_DOUBT, Stage.EOD)
        assert (await case.send()).verdict is Verdict.DELIVERED


async def test_slow_but_in_time_is_fine() -> None:
    async with misfortune(Peer({"DOT": [Trickle(b"250 Ok\r\n", 0.001)]})) as case:
        assert (await case.send()).verdict is Verdict.DELIVERED
