"""The provider offers in its answer to EHLO what it does not keep."""

from relay.core.envelope import Verdict
from relay.core.words import Stage
from tests.fakes.peer import Act, Peer, ehlo
from tests.misfortune.provider import misfortune


async def test_a_login_that_is_offered_and_then_unknown_is_not_tried_another_way() -> None:
    async with misfortune(Peer({"AUTH": [b"504 5.5.4 unrecognized authentication type\r\n"]})) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.stage) == ("auth-method", Stage.AUTH)
        assert case.sick.verbs().count("AUTH") == 1
        await case.recover()


async def test_a_parameter_that_is_offered_and_then_refused_is_left_out_at_the_next_try() -> None:
    async with misfortune(Peer({"MAIL": [b"555 5.5.4 SIZE not recognized\r\n"]})) as case:
        result = await case.send()
        assert (result.verdict, result.reply_class, result.stage) == (Verdict.DEFERRED, "protocol-error", Stage.MAIL)
        assert (await case.send()).verdict is Verdict.DELIVERED
        mails = [line for line in case.sick.commands if line.startswith(b"MAIL")]
        assert [b"SIZE=" in line for line in mails] == [True, False]


async def test_pipelining_that_is_offered_and_not_done_is_learned() -> None:
    deaf_after_one = {"MAIL": [(b"250 ok\r\n", Act.HANG)]}
    async with misfortune(Peer(deaf_after_one), is_hastened=True) as case:
        assert (await case.send()).verdict is Verdict.DEFERRED
        assert (await case.send()).verdict is Verdict.DELIVERED


async def test_a_size_that_is_no_number_stops_nothing() -> None:
    async with misfortune(Peer({"EHLO": [ehlo("SIZE plenty", "AUTH PLAIN", "PIPELINING yes", "DSN", "")]})) as case:
        assert (await case.send()).verdict is Verdict.DELIVERED


async def test_no_offer_at_all_means_no_login_and_no_mail() -> None:
    async with misfortune(Peer({"EHLO": [b"250 mail.test\r\n"]})) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.is_login_sent) == ("auth-method", False)
        assert case.sick.verbs()[:1] == ["EHLO"]
        assert "MAIL" not in case.sick.verbs()
        await case.recover()
