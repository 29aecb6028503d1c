"""The provider refuses a password and accepts it later: one login each, no mail lost, no try spent."""

import pytest

from tests.fakes.peer import Peer
from tests.misfortune.provider import SICK, misfortune


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [(b"535 5.7.8 authentication failed\r\n", "auth-rejected"), (b"454 4.7.0 temporary failure\r\n", "auth-temporary")],
)
async def test_a_refused_login_costs_no_mail(answer: bytes, meaning: str) -> None:
    async with misfortune(Peer({"AUTH": [answer]})) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.is_login_sent, failure.is_provider) == (meaning, True, False)
        await case.check_the_other()
        assert case.sick.verbs().count("AUTH") == 1, "nobody tries again unless the store says so"
        await case.recover()
        assert len(case.sick.messages) == 1
        assert len(case.store.failures(SICK)) == 1
