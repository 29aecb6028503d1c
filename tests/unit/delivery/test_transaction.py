"""One message over one session: the gate before the dot, the stage with every failure, and nothing after a reset."""

import asyncio

import pytest

from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.words import Stage
from relay.delivery.commands import Offer
from relay.delivery.transaction import BODY_BLOCK
from relay.errors import AddressError, StoreUnavailable
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.fakes.peer import Act, Script, Trickle
from tests.unit.delivery.wired import CONTENT, ENVELOPE, Wired, log_in

pytestmark = pytest.mark.timeout(30)

ONE_BY_ONE = Offer()
TOGETHER = Offer(has_pipelining=True)
BOTH = pytest.mark.parametrize("offer", [ONE_BY_ONE, TOGETHER], ids=["one by one", "pipelined"])


def sent(script: Script | None = None, *, offer: Offer = TOGETHER) -> tuple[Wired, Result]:
    """One message to a peer that follows the script."""

    async def main(loop: NetworkLoop) -> tuple[Wired, Result]:
        wired = await log_in(loop, script, offer=offer)
        return wired, await wired.send()

    return on_virtual_time(main)


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


def test_what_the_provider_says_while_the_gate_is_asked_keeps_the_dot_back() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)

        async def meanwhile() -> None:
            wired.peer.dialogues[0].say(b"250 2.0.0 Ok: queued as 0\r\n")
            await asyncio.sleep(1)

        wired.gate.before = meanwhile
        result = await wired.send()
        assert (result.verdict, result.reply_class) == (Verdict.DEFERRED, "protocol-error")
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
    ("RCPT", b"450 4.2.0 greylisted\r\n", Stage.RCPT, Verdict.DEFERRED, "recipient-refused", True),
    ("RCPT", b"421 4.3.0 closing\r\n", Stage.RCPT, Verdict.DEFERRED, "outage", False),
    ("DATA", b"554 5.5.1 no valid recipients\r\n", Stage.DATA, Verdict.BOUNCED, "protocol-error", True),
    ("DATA", b"451 4.3.0 later\r\n", Stage.DATA, Verdict.DEFERRED, "unknown", True),
    ("DATA", b"250 2.0.0 ok\r\n", Stage.DATA, Verdict.DEFERRED, "protocol-error", False),
    ("DOT", b"554 5.7.1 policy\r\n", Stage.EOD, Verdict.BOUNCED, "policy-refused", True),
    ("DOT", b"552 5.3.4 too big\r\n", Stage.EOD, Verdict.BOUNCED, "message-too-large", True),
    ("DOT", b"451 4.3.0 later\r\n", Stage.EOD, Verdict.DEFERRED, "unknown", True),
    ("DOT", b"421 4.3.0 closing\r\n", Stage.EOD, Verdict.DEFERRED, "outage", False),
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


# what is lost: before the gate it is tried again, after it nobody knows


@BOTH
@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET, Act.HANG, b"rubbish\r\n", b"250 " + b"x" * 9000])
@pytest.mark.parametrize(
    ("verb", "stage"), [("MAIL", Stage.MAIL), ("RCPT", Stage.RCPT), ("DATA", Stage.DATA), ("DOT", Stage.EOD)]
)
def test_a_lost_connection_is_in_doubt_only_after_the_gate(
    offer: Offer, verb: str, stage: Stage, act: Act | bytes
) -> None:
    wired, result = sent({verb: [act]}, offer=offer)
    is_past_gate = stage is Stage.EOD
    assert result.verdict is (Verdict.IN_DOUBT if is_past_gate else Verdict.DEFERRED)
    assert result.reply_class == ("protocol-error" if isinstance(act, bytes) else "network")
    assert result.stage is stage
    assert result.reply is None
    assert result.is_mail_written
    assert not result.is_end_known
    assert not wired.session.is_usable
    assert wired.pipe.late == []


@pytest.mark.parametrize(("act", "meaning"), [(Act.CLOSE, "network"), (b"250 taken\r\n", "protocol-error")])
def test_a_provider_that_breaks_off_inside_the_body_has_not_got_it(act: Act | bytes, meaning: str) -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop, {"BODY": [act]})
        wired.gate.before = lambda: asyncio.sleep(1)
        result = await wired.send()
        assert (result.verdict, result.reply_class, result.stage) == (Verdict.DEFERRED, meaning, Stage.DATA)
        assert wired.peer.messages == []

    on_virtual_time(main)


def test_354_and_250_in_one_packet_is_no_delivery() -> None:
    for offer in (ONE_BY_ONE, TOGETHER):
        wired, result = sent({"DATA": [b"354 go ahead\r\n250 2.0.0 Ok: queued as 0\r\n"]}, offer=offer)
        assert (result.verdict, result.reply_class) == (Verdict.DEFERRED, "protocol-error")
        assert wired.gate.asked == []
        assert not wired.session.is_usable
        assert not result.is_end_known


@pytest.mark.parametrize("surplus", [b"250 2.0.0 and again\r\n", b"421 bye\r\n", b"rubbish\r\n", b"2"])
def test_a_word_too_many_after_the_final_reply_ends_the_session_and_not_the_delivery(surplus: bytes) -> None:
    wired, result = sent({"DOT": [b"250 2.0.0 taken\r\n" + surplus]})
    assert result.verdict is Verdict.DELIVERED
    assert result.is_end_known
    assert not wired.session.is_usable


@pytest.mark.parametrize("goodbye", [b"421 4.4.2 idle\r\n", b"hello?\r\n", b"2"])
def test_whatever_an_idle_session_says_ends_it(goodbye: bytes) -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        assert (await wired.send()).verdict is Verdict.DELIVERED
        wired.peer.dialogues[0].say(goodbye)
        await asyncio.sleep(1)
        assert not wired.session.is_usable
        result = await wired.send()
        assert (result.verdict, result.reply_class) == (Verdict.DROPPED, "unknown")
        assert not result.is_mail_written

    on_virtual_time(main)


def test_a_session_that_never_served_and_is_gone_is_the_networks_fault() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        wired.peer.dialogues[0].say(b"421 too busy\r\n")
        await asyncio.sleep(1)
        result = await wired.send()
        assert (result.verdict, result.reply_class, result.is_mail_written) == (Verdict.DROPPED, "network", False)

    on_virtual_time(main)


# patience


@BOTH
@pytest.mark.parametrize(("verb", "seconds"), [("MAIL", 60), ("RCPT", 60), ("DATA", 180), ("DOT", 600)])
def test_each_stage_has_its_own_patience(offer: Offer, verb: str, seconds: float) -> None:
    async def main(loop: NetworkLoop) -> float:
        wired = await log_in(loop, {verb: [Act.HANG]}, offer=offer)
        start = loop.time()
        await wired.send()
        return loop.time() - start

    assert on_virtual_time(main) == pytest.approx(seconds)


def test_a_reply_has_to_be_whole_in_time() -> None:
    slow = Trickle(b"250 2.0.0 ok, after a very long while\r\n", 20.0)
    wired, result = sent({"MAIL": [slow]}, offer=ONE_BY_ONE)
    assert (result.verdict, result.reply_class, result.stage) == (Verdict.DEFERRED, "network", Stage.MAIL)
    assert not wired.session.is_usable


async def _clogged_at_body(loop: NetworkLoop, size: int) -> tuple[Wired, "asyncio.Task[Result]"]:
    """A transmission that stands in the middle of its body, because the peer does not read."""
    wired = await log_in(loop)
    original = wired.pipe.write
    is_clogged = asyncio.Event()

    def write(data: bytes | bytearray | memoryview) -> None:
        if bytes(data[:1]) == b"x":
            wired.pipe.is_clogged = True
            is_clogged.set()
        original(data)

    wired.pipe.write = write  # type: ignore[method-assign]
    task = asyncio.ensure_future(wired.send(b"x" * (size - 2) + b"\r\n"))
    await is_clogged.wait()
    await asyncio.sleep(1)
    return wired, task


def test_the_gate_waits_until_the_kernel_has_the_whole_body() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired, task = await _clogged_at_body(loop, 5000)
        assert wired.gate.asked == []
        wired.pipe.unclog()
        assert (await task).verdict is Verdict.DELIVERED
        assert len(wired.gate.asked) == 1

    on_virtual_time(main)


def test_a_body_that_nobody_reads_is_given_up_before_the_gate() -> None:
    async def main(loop: NetworkLoop) -> None:
        start = loop.time()
        wired, task = await _clogged_at_body(loop, 5000)
        result = await task
        assert (result.verdict, result.stage, result.reply_class) == (Verdict.DEFERRED, Stage.DATA, "network")
        assert loop.time() - start == pytest.approx(180)
        assert wired.gate.asked == []
        assert wired.was_reset

    on_virtual_time(main)


def test_a_large_body_goes_block_by_block() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        content = (b"y" * 998 + b"\r\n") * 2500
        assert (await wired.send(content)).verdict is Verdict.DELIVERED
        assert max(len(chunk) for chunk in wired.pipe.written) == BODY_BLOCK
        assert wired.peer.messages == [content]

    on_virtual_time(main)


# a provider that offers what it cannot do


def test_a_provider_that_swallows_commands_sent_together_gets_them_one_by_one_from_then_on() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop, {"MAIL": [(b"250 ok\r\n", Act.HANG)]})
        assert (await wired.send()).verdict is Verdict.DEFERRED
        assert wired.habits.swallows_pipelined
        again = await log_in(loop)
        again.session._habits = wired.habits
        assert (await again.send()).verdict is Verdict.DELIVERED
        assert [chunk.count(b"\r\n") for chunk in again.pipe.written[:3]] == [1, 1, 1]

    on_virtual_time(main)


def test_a_provider_that_is_merely_down_is_not_suspected() -> None:
    for act in (Act.CLOSE, Act.HANG):
        wired, _ = sent({"MAIL": [act]})
        assert not wired.habits.swallows_pipelined


# what is known without asking


def test_a_message_over_the_size_is_bounced_without_a_word() -> None:
    wired, result = sent(offer=Offer(has_size=True, size=10))
    assert (result.verdict, result.reply_class) == (Verdict.BOUNCED, "message-too-large")
    assert not result.is_mail_written
    assert wired.pipe.written == []
    assert wired.session.is_usable


def test_an_address_that_the_provider_cannot_take_is_bounced_without_a_word() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        envelope = Envelope("dottoré@example.it", (Recipient("p@example.org"),), needs_smtputf8=True)
        result = await wired.send(envelope=envelope)
        assert (result.verdict, result.is_mail_written) == (Verdict.BOUNCED, False)
        assert wired.pipe.written == []

    on_virtual_time(main)


def test_an_address_that_would_end_a_command_is_our_own_fault_and_nothing_goes_out() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        with pytest.raises(AddressError):
            await wired.send(envelope=Envelope("a@b.it\r\nDATA", ENVELOPE.recipients))
        assert wired.pipe.written == []

    on_virtual_time(main)


def test_no_reply_carries_an_address_into_the_result() -> None:
    _, result = sent({"RCPT": [b"550 5.1.1 <paziente@example.org> unknown\r\n"], "DATA": [b"503 no\r\n"]})
    assert "paziente" not in repr(result)


# cancellation at every await


async def _cancelled_after(loop: NetworkLoop, steps: int, script: Script, offer: Offer) -> bool:
    """Cancels a transmission after so many steps of the loop; False when it had ended before."""
    wired = await log_in(loop, script, offer=offer)
    wired.gate.before = lambda: asyncio.sleep(0)
    task = asyncio.ensure_future(wired.send())
    for _ in range(steps):
        await asyncio.sleep(0)
    if task.done():
        return False
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    written = list(wired.pipe.written)
    await wired.peer.dialogues[0].lost
    assert wired.was_reset
    assert not wired.session.is_usable
    assert wired.pipe.written == written
    assert wired.pipe.late == []
    await wired.session.close()
    assert wired.pipe.written == written
    assert wired.pipe.late == []
    return True


@BOTH
@pytest.mark.parametrize(
    "script", [{}, {"RCPT": [b"550 no\r\n"], "DATA": [b"503 no\r\n"]}], ids=["delivered", "refused"]
)
def test_a_cancelled_transmission_leaves_the_connection_reset_wherever_it_stood(offer: Offer, script: Script) -> None:
    steps = 1
    while on_virtual_time(lambda loop, steps=steps: _cancelled_after(loop, steps, script, offer)):  # type: ignore[misc]
        steps += 1
    assert steps > 5


# closing


def test_closing_twice_is_harmless() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop)
        await wired.session.close()
        await wired.session.close()
        assert wired.peer.verbs() == ["QUIT"]

    on_virtual_time(main)


def test_a_provider_that_does_not_answer_quit_is_left_after_a_moment() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop, {"QUIT": [Act.HANG]})
        start = loop.time()
        await wired.session.close()
        assert loop.time() - start == pytest.approx(5)
        assert wired.was_reset

    on_virtual_time(main)


def test_a_session_that_is_gone_is_closed_without_a_word() -> None:
    async def main(loop: NetworkLoop) -> None:
        wired = await log_in(loop, {"MAIL": [Act.CLOSE]})
        await wired.send()
        await wired.session.close()
        assert "QUIT" not in wired.peer.verbs()

    on_virtual_time(main)
