"""MAIL and RCPT with the own address, and RSET: nothing is ever sent, and each refusal has its stage."""

import pytest

from relay.core.envelope import Result, Verdict
from relay.core.words import Stage
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.fakes.peer import Act, Script
from tests.unit.delivery.wired import Wired, log_in

pytestmark = pytest.mark.timeout(120)

OWN = "dottore@example.it"


def rehearsed(script: Script | None = None, address: str = OWN) -> tuple[Wired, Result]:
    async def main(loop: NetworkLoop) -> tuple[Wired, Result]:
        wired = await log_in(loop, script)
        result = await wired.session.rehearse(address)
        await wired.session.close()
        return wired, result

    return on_virtual_time(main)


def test_the_own_address_is_said_twice_and_taken_back() -> None:
    wired, result = rehearsed()
    assert (result.verdict, result.stage) == (Verdict.DELIVERED, Stage.RCPT)
    assert (result.is_mail_written, result.is_end_known) == (True, True)
    assert wired.peer.commands == [b"MAIL FROM:<dottore@example.it>", b"RCPT TO:<dottore@example.it>", b"RSET", b"QUIT"]
    assert wired.peer.messages == []


def test_a_sender_who_is_refused_is_refused_at_mail() -> None:
    wired, result = rehearsed({"MAIL": [b"553 5.7.1 sender address rejected: not owned by user\r\n"]})
    assert (result.verdict, result.reply_class, result.stage) == (Verdict.HELD, "sender-refused", Stage.MAIL)
    assert result.is_mail_written
    assert "RCPT" not in wired.peer.verbs()


def test_an_address_that_takes_no_mail_is_refused_at_rcpt_and_taken_back() -> None:
    wired, result = rehearsed({"RCPT": [b"550 5.1.1 no such user here\r\n"]})
    assert (result.reply_class, result.stage, result.is_end_known) == ("recipient-unknown", Stage.RCPT, True)
    assert wired.peer.verbs()[-2:] == ["RSET", "QUIT"]


@pytest.mark.parametrize("silent", ["MAIL", "RCPT", "RSET"])
def test_whoever_falls_silent_may_count_it_a_while_later(silent: str) -> None:
    _, result = rehearsed({silent: [Act.HANG]})
    assert result.is_mail_written
    assert not result.is_end_known


def test_a_session_that_was_hung_up_on_says_no_mail() -> None:
    async def main(loop: NetworkLoop) -> Result:
        wired = await log_in(loop)
        wired.wire.reset()
        return await wired.session.rehearse(OWN)

    assert not on_virtual_time(main).is_mail_written


def test_an_address_that_the_provider_cannot_read_is_not_said() -> None:
    wired, result = rehearsed(address="dottóre@example.it")
    assert not result.is_mail_written
    assert "MAIL" not in wired.peer.verbs()


def test_nothing_is_learned_from_it_for_the_mail() -> None:
    async def main(loop: NetworkLoop) -> bool:
        wired = await log_in(loop, {"MAIL": [b"501 5.5.4 what?\r\n"]})
        wired.habits.refuses_parameters = True
        result = await wired.session.rehearse(OWN)
        assert (result.reply_class, result.stage) == ("protocol-error", Stage.MAIL)
        return wired.habits.refuses_parameters

    assert on_virtual_time(main)
