"""The provider hangs up before it has said who it is."""

import pytest

from relay.core.words import Stage
from tests.fakes.peer import Act, Answer, Peer
from tests.misfortune.provider import misfortune


@pytest.mark.parametrize("answer", [Act.CLOSE, Act.RESET, (b"220-mail.te", Act.CLOSE), (b"220-a\r\n", Act.CLOSE)])
async def test_a_drop_in_the_banner_is_the_providers_failure(answer: Answer | tuple[Answer, ...]) -> None:
    async with misfortune(Peer({"BANNER": [answer]})) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.stage) == ("network", Stage.CONNECT)
        assert failure.is_provider
        assert not failure.is_login_sent
        await case.check_the_other()
        await case.recover()
