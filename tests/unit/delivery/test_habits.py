"""A mail that a provider does not understand stops itself, and only a row of them stops the mailbox."""

from dataclasses import replace

import pytest

from relay.core.classify import NO_CONTEXT
from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.words import Stage
from relay.delivery.commands import Offer
from relay.delivery.habits import Habits, Riddles
from relay.delivery.transaction import SmtpSession
from relay.delivery.wire import Wire
from tests.fakes.network import NetworkLoop, connect, on_virtual_time
from tests.fakes.peer import Peer, Script
from tests.unit.delivery.wired import CONTENT, ENVELOPE, TIMEOUTS, Gate

OFFER = Offer(has_size=True, has_dsn=True, has_8bit=True, has_smtputf8=True)
WANTS_REPORT = Envelope(
    "dottore@example.it",
    (Recipient("paziente@example.org", ("SUCCESS",), "rfc822;paziente@example.org"),),
    "abc",
    "HDRS",
)
REFUSED = b"555 5.5.4 unknown parameter\r\n"


class Mailbox:
    """One mailbox at one provider, with a new session whenever the last one ended."""

    def __init__(self, loop: NetworkLoop, script: Script) -> None:
        self.loop = loop
        self.peer = Peer(script)
        self.habits, self.riddles = Habits(), Riddles()
        self.opened = 0
        self._session: SmtpSession | None = None
        self._gate: Gate | None = None

    async def send(self, envelope: Envelope = ENVELOPE, content: bytes = CONTENT) -> Result:
        if self._session is None or not self._session.is_usable:
            wire = Wire(self.loop)
            self._gate = Gate(connect(self.loop, wire, self.peer))
            await wire.reply(60_000_000)
            self.opened += 1
            self._session = SmtpSession(
                wire, OFFER, context=NO_CONTEXT, timeouts=TIMEOUTS, habits=self.habits, is_current=lambda: True,
                riddles=self.riddles, censored=lambda text: text.replace("Segreta1", "<secret>"),
            )  # fmt: skip
        assert self._gate is not None
        return await self._session.transmit(envelope, content, self._gate)

    def said(self, verb: bytes) -> list[bytes]:
        return [command for command in self.peer.commands if command.startswith(verb)]


@pytest.mark.parametrize("answer", [REFUSED, b"501 5.5.4 no SIZE\r\n", b"500 what\r\n", b"503 no\r\n"])
def test_what_was_refused_is_left_out_over_a_fresh_session_and_the_relay_reports_itself(answer: bytes) -> None:
    async def main(loop: NetworkLoop) -> None:
        mailbox = Mailbox(loop, {"MAIL": [answer]})
        first = await mailbox.send(WANTS_REPORT)
        assert (first.verdict, first.reply_class, first.is_dsn_passed_on) == (Verdict.DEFERRED, "protocol-error", False)
        second = await mailbox.send(WANTS_REPORT)
        assert (second.verdict, second.is_dsn_passed_on) == (Verdict.DELIVERED, False)
        assert mailbox.opened == 2
        assert mailbox.said(b"MAIL")[1] == b"MAIL FROM:<dottore@example.it>"
        assert mailbox.said(b"RCPT") == [b"RCPT TO:<paziente@example.org>"]

    on_virtual_time(main)


def test_a_recipient_is_not_bounced_for_the_notify_that_the_provider_itself_offered() -> None:
    async def main(loop: NetworkLoop) -> None:
        mailbox = Mailbox(loop, {"RCPT": [REFUSED]})
        first = await mailbox.send(WANTS_REPORT)
        assert (first.verdict, first.stage) == (Verdict.DEFERRED, Stage.RCPT)
        assert (await mailbox.send(WANTS_REPORT)).verdict is Verdict.DELIVERED
        mailbox = Mailbox(loop, {"RCPT": [REFUSED]})
        assert (await mailbox.send()).verdict is Verdict.BOUNCED

    on_virtual_time(main)


def test_a_mail_that_is_not_understood_twice_is_held_alone_and_the_others_go() -> None:
    async def main(loop: NetworkLoop) -> None:
        riddle = replace(ENVELOPE, sender="dottorè@example.it")
        mailbox = Mailbox(loop, {"MAIL": [REFUSED, b"250 ok\r\n", REFUSED, b"250 ok\r\n"]})
        assert (await mailbox.send(riddle, b"Subject: riddle\r\n\r\n")).verdict is Verdict.DEFERRED
        assert (await mailbox.send()).verdict is Verdict.DELIVERED
        last = await mailbox.send(riddle, b"Subject: riddle\r\n\r\n")
        assert (last.verdict, last.reply_class) == (Verdict.ASIDE, "protocol-error")
        assert (await mailbox.send()).verdict is Verdict.DELIVERED
        assert not mailbox.habits.refuses_parameters, "it was not the parameters: they are said again"

    on_virtual_time(main)


def test_three_different_mails_in_a_row_stop_the_mailbox_and_none_of_them_keeps_it_stopped() -> None:
    async def main(loop: NetworkLoop) -> None:
        mailbox = Mailbox(loop, {"MAIL": [REFUSED] * 4})
        mails = [b"Subject: %d\r\n\r\n" % number for number in range(3)]
        verdicts = [(await mailbox.send(content=mail)).verdict for mail in mails]
        assert verdicts == [Verdict.DEFERRED, Verdict.DEFERRED, Verdict.HELD]
        assert (await mailbox.send(content=mails[2])).verdict in (Verdict.ASIDE, Verdict.DEFERRED)
        assert (await mailbox.send(content=b"Subject: plain\r\n\r\n")).verdict is Verdict.DELIVERED

    on_virtual_time(main)


def test_a_row_is_broken_by_a_mail_that_is_understood() -> None:
    riddles = Riddles()
    for number in range(20):
        assert riddles.met(b"%d" % number, is_last=True) is Verdict.DEFERRED
        riddles.solved()


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_neither_recipient_nor_secret_shows_whichever_command_the_provider_quotes(verb: str) -> None:
    async def main(loop: NetworkLoop) -> None:
        told = b"550 5.7.1 PAZIENTE rejected, and so is visitatore%x, and Segreta1\r\n"
        mailbox = Mailbox(loop, {verb: [told]})
        envelope = replace(ENVELOPE, recipients=(Recipient("paziente@example.org", orcpt="rfc822;visitatore@x"),))
        result = await mailbox.send(envelope)
        assert str(result.reply) == "550 5.7.1 <address> rejected, and so is <address>%x, and <secret>"

    on_virtual_time(main)
