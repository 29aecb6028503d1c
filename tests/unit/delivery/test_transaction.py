"""One message over one session: the gate before the dot, and the stage with every refusal."""

import asyncio

import pytest

from relay.core.envelope import Verdict
from relay.core.words import Stage
from relay.delivery.commands import Offer
from relay.errors import StoreUnavailable
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.fakes.peer import Act
from tests.unit.delivery.wired import BOTH, CONTENT, ONE_BY_ONE, TOGETHER, log_in, sent

pytestmark = pytest.mark.timeout(120)


# a healthy provider


@BOTH
def test_a_message_is_delivered_as_it_was_accepted(offer: Offer) -> None:
    wired, result = sent(offer=offer)
    assert result.verdict is Verdict.DELIVERED
    assert (result.reply_class, result.stage) == ("delivered", Stage.EOD)
    assert result.reply is not None
    assert str(result.reply) == "250 2.0.0 Ok: queued as 1"
    assert result.is_mail_written
    assert result.is_end_known
    assert wired.peer.verbs() == ["MAIL", "RCPT", "DATA"]
    assert [message.replace(b"\r\n..", b"\r\n.") for message in wired.peer.messages] == [CONTENT]
    assert wired.session.is_usable
    assert not wired.was_reset


@BOTH
def test_all_but_the_final_dot_is_written_before_the_gate_is_asked(offer: Offer) -> None:
    wired, _ = sent(offer=offer)
    (before,) = wired.gate.asked
    assert before.endswith(b"\r\n..\r\nfine\r\n")
    assert b"".join(wired.pipe.written) == before + b".\r\n"


def test_a_session_is_used_again() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        for _ in range(3):
            assert (await wired.send()).verdict is Verdict.DELIVERED
            assert wired.session.is_usable
        await wired.session.close()
        assert wired.peer.verbs() == ["MAIL", "RCPT", "DATA"] * 3 + ["QUIT"]
        assert not wired.session.is_usable

    on_virtual_time(main)


def test_what_a_refusal_says_is_handed_on_in_its_own_words_beside_the_masked_ones() -> None:
    _, refused = sent({"RCPT": [b"550 5.1.1 no paziente@example.org here\r\n"]})
    assert refused.said == "550 5.1.1 no paziente@example.org here"
    assert refused.reply is not None
    assert "paziente" not in refused.reply.text
    assert "paziente" not in repr(refused)
    _, taken = sent()
    assert taken.said is None


def test_what_the_mail_says_of_its_patient_is_not_shown_when_the_provider_repeats_it() -> None:
    _, refused = sent({"DOT": [b"554 5.7.1 the message 'Ricetta' of PAZIENTE looks like spam\r\n"]})
    assert str(refused.reply) == "554 5.7.1 the message '<withheld>' of <address> looks like spam"
    assert "ricetta" not in repr(refused).lower()
    assert refused.reply_class == "spam-blocked"


def test_commands_go_in_one_packet_only_where_that_was_offered() -> None:
    together, _ = sent(offer=TOGETHER)
    assert together.pipe.written[0].count(b"\r\n") == 3
    single, _ = sent(offer=ONE_BY_ONE)
    assert [chunk.count(b"\r\n") for chunk in single.pipe.written[:3]] == [1, 1, 1]


def test_a_session_is_not_usable_in_the_middle_of_a_message() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)

        async def look() -> None:
            assert not wired.session.is_usable

        wired.gate.before = look
        assert (await wired.send()).verdict is Verdict.DELIVERED

    on_virtual_time(main)


# the gate


def test_a_gate_that_refuses_resets_the_connection_and_no_dot_follows() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        wired.gate.opens = False
        result = await wired.send()
        assert result.verdict is Verdict.DROPPED
        assert result.is_mail_written
        assert not result.is_end_known
        assert wired.was_reset
        assert not wired.session.is_usable
        await wired.peer.dialogues[0].lost
        assert wired.peer.messages == []
        assert not b"".join(wired.pipe.written).endswith(b"\r\n.\r\n")

    on_virtual_time(main)


def test_a_gate_that_fails_resets_the_connection_and_says_so() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)

        async def fail() -> None:
            raise StoreUnavailable

        wired.gate.before = fail
        with pytest.raises(StoreUnavailable):
            await wired.send()
        assert wired.was_reset
        assert not wired.session.is_usable
        assert wired.peer.messages == []

    on_virtual_time(main)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        (b"250 2.0.0 Ok: queued as 0\r\n", "protocol-error"),
        (b"rubbish", "protocol-error"),
        (b"421 4.4.2 I am tired of you\r\n", "network"),
    ],
)
def test_what_the_provider_says_while_the_gate_is_asked_keeps_the_dot_back(word: bytes, meaning: str) -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)

        async def meanwhile() -> None:
            wired.peer.dialogues[0].say(word)
            await asyncio.sleep(1)

        wired.gate.before = meanwhile
        result = await wired.send()
        assert (result.verdict, result.reply_class) == (Verdict.DEFERRED, meaning)
        assert not result.is_end_known
        assert wired.peer.messages == []
        assert wired.was_reset

    on_virtual_time(main)


# refusals, stage by stage: verdict, class, is the session still good, was it tidied by RSET

REFUSALS = [
    ("MAIL", b"550 5.7.1 sender not allowed\r\n", Stage.MAIL, Verdict.HELD, "sender-refused", True),
    ("MAIL", b"450 4.7.1 rate limit exceeded\r\n", Stage.MAIL, Verdict.DEFERRED, "rate-limited", True),
    ("MAIL", b"421 4.3.0 closing\r\n", Stage.MAIL, Verdict.DEFERRED, "outage", False),
    ("MAIL", b"530 5.7.0 must issue STARTTLS first\r\n", Stage.MAIL, Verdict.HELD, "tls-required", True),
    ("RCPT", b"550 5.1.1 no such user\r\n", Stage.RCPT, Verdict.BOUNCED, "recipient-unknown", True),
    ("RCPT", b"450 4.2.0 greylisted\r\n", Stage.RCPT, Verdict.DEFERRED, "greylisted", True),
    ("RCPT", b"421 4.3.0 closing\r\n", Stage.RCPT, Verdict.DEFERRED, "outage", False),
    ("DATA", b"554 5.5.1 no valid recipients\r\n", Stage.DATA, Verdict.DEFERRED, "protocol-error", False),
    ("DATA", b"451 4.3.0 later\r\n", Stage.DATA, Verdict.DEFERRED, "outage", True),
    ("DATA", b"250 2.0.0 ok\r\n", Stage.DATA, Verdict.DEFERRED, "protocol-error", False),
    ("DOT", b"554 5.7.1 policy\r\n", Stage.EOD, Verdict.BOUNCED, "policy-refused", True),
    ("DOT", b"552 5.3.4 too big\r\n", Stage.EOD, Verdict.BOUNCED, "message-too-large", True),
    ("DOT", b"451 4.3.0 later\r\n", Stage.EOD, Verdict.DEFERRED, "outage", True),
    ("DOT", b"421 4.3.0 closing\r\n", Stage.EOD, Verdict.DEFERRED, "outage", False),
    (
        "MAIL",
        b"432 4.3.2 Concurrent connections limit exceeded\r\n",
        Stage.MAIL,
        Verdict.DEFERRED,
        "too-many-connections",
        False,
    ),
    (
        "RCPT",
        b"432 4.3.2 Concurrent connections limit exceeded\r\n",
        Stage.RCPT,
        Verdict.DEFERRED,
        "too-many-connections",
        False,
    ),
    (
        "DOT",
        b"432 4.3.2 Concurrent connections limit exceeded\r\n",
        Stage.EOD,
        Verdict.DEFERRED,
        "too-many-connections",
        False,
    ),
    ("DOT", b"354 once more\r\n", Stage.EOD, Verdict.IN_DOUBT, "protocol-error", False),
]


@BOTH
@pytest.mark.parametrize(("verb", "answer", "stage", "verdict", "meaning", "is_kept"), REFUSALS)
def test_a_refusal_keeps_its_stage(
    offer: Offer, verb: str, answer: bytes, stage: Stage, verdict: Verdict, meaning: str, is_kept: bool
) -> None:
    usual = {"RCPT": b"503 5.5.1 need MAIL\r\n", "DATA": b"503 5.5.1 need RCPT\r\n"}
    script: dict[str, list[bytes]] = {verb: [answer]}
    if offer.has_pipelining and verb in ("MAIL", "RCPT"):
        script |= {after: [usual[after]] for after in (("RCPT", "DATA") if verb == "MAIL" else ("DATA",))}
    wired, result = sent(script, offer=offer)
    assert (result.verdict, result.reply_class, result.stage) == (verdict, meaning, stage)
    assert result.reply is not None
    assert result.reply.code == int(answer[:3])
    assert result.is_mail_written
    assert wired.session.is_usable is is_kept
    assert wired.was_reset is not is_kept
    tidied = is_kept and stage in (Stage.RCPT, Stage.DATA)
    assert ("RSET" in wired.peer.verbs()) is tidied
    assert bool(wired.gate.asked) is (stage is Stage.EOD)


@BOTH
def test_the_end_is_known_exactly_when_every_reply_was_read(offer: Offer) -> None:
    assert sent({"RCPT": [b"550 no\r\n"], "DATA": [b"503 no\r\n"]}, offer=offer)[1].is_end_known
    assert sent({"DOT": [b"451 no\r\n"]}, offer=offer)[1].is_end_known
    assert not sent({"DOT": [b"354 no\r\n"]}, offer=offer)[1].is_end_known
    broken_off = sent({"MAIL": [(b"421 bye\r\n", Act.CLOSE)]}, offer=offer)[1]
    assert broken_off.is_end_known is not offer.has_pipelining


def test_the_next_message_goes_over_the_same_session_after_a_refused_recipient() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop, {"RCPT": [b"550 5.1.1 no\r\n"], "DATA": [b"503 no\r\n"]})
        assert (await wired.send()).verdict is Verdict.BOUNCED
        assert (await wired.send()).verdict is Verdict.DELIVERED
        assert wired.peer.verbs() == ["MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA"]

    on_virtual_time(main)


def test_no_body_goes_to_a_provider_that_wants_one_without_a_recipient() -> None:
    wired, result = sent({"RCPT": [b"550 5.1.1 no\r\n"]})
    assert (result.verdict, result.stage) == (Verdict.BOUNCED, Stage.RCPT)
    assert result.is_end_known
    assert wired.was_reset
    assert not wired.session.is_usable
    assert wired.gate.asked == []


@pytest.mark.parametrize("answer", [b"550 what\r\n", Act.CLOSE, Act.HANG])
def test_a_session_that_cannot_be_tidied_is_closed_and_the_refusal_stands(answer: bytes | Act) -> None:
    wired, result = sent({"RCPT": [b"550 5.1.1 no\r\n"], "DATA": [b"503 no\r\n"], "RSET": [answer]})
    assert (result.verdict, result.reply_class) == (Verdict.BOUNCED, "recipient-unknown")
    assert not wired.session.is_usable
    assert wired.was_reset
    assert result.is_end_known is isinstance(answer, bytes)
