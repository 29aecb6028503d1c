"""A session that breaks, hangs or is cancelled: in doubt only after the gate, and nothing follows a reset."""

import asyncio

import pytest

from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.words import Stage
from relay.delivery.commands import Offer
from relay.delivery.transaction import BODY_BLOCK
from relay.errors import AddressError
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.fakes.peer import Act, Script, Trickle
from tests.unit.delivery.wired import BOTH, ENVELOPE, ONE_BY_ONE, TOGETHER, Wired, log_in, sent

pytestmark = pytest.mark.timeout(120)


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
