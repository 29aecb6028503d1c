"""What is asked of a provider beside the mail itself: reports, 8-bit, letters outside ASCII, its size."""

import pytest

from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.words import Stage
from relay.delivery.commands import Offer
from tests.fakes.network import NetworkLoop, on_virtual_time
from tests.unit.delivery.wired import Wired, log_in

pytestmark = pytest.mark.timeout(120)

SENDER = "dottore@example.it"
LATIN = b"Subject: perch\xe9\r\n\r\nperch\xe9\r\n"


def sent(envelope: Envelope, content: bytes = LATIN, *, offer: Offer) -> tuple[Wired, Result]:
    """One message with these terms; whatever becomes of it, the session goes on."""

    async def main(loop: NetworkLoop) -> tuple[Wired, Result]:
        wired = await log_in(loop, offer=offer)
        result = await wired.send(content, envelope)
        assert wired.session.is_usable
        return wired, result

    return on_virtual_time(main)


@pytest.mark.parametrize("notify", [("NEVER",), ("SUCCESS",), ("FAILURE", "DELAY")])
def test_the_reports_that_the_sender_wants_are_asked_for_where_they_are_offered(notify: tuple[str, ...]) -> None:
    asking = Envelope(SENDER, (Recipient("p@example.org", notify, "rfc822;p@example.org"),), envid="E1", ret="HDRS")
    wired, result = sent(asking, offer=Offer(has_dsn=True))
    assert wired.peer.commands[:2] == [
        b"MAIL FROM:<dottore@example.it> RET=HDRS ENVID=E1",
        f"RCPT TO:<p@example.org> NOTIFY={','.join(notify)} ORCPT=rfc822;p@example.org".encode(),
    ]
    assert result.is_dsn_passed_on


def test_where_reports_are_not_offered_nothing_is_said_of_them() -> None:
    asking = Envelope(SENDER, (Recipient("p@example.org", ("SUCCESS",)),), envid="E1", ret="FULL")
    wired, result = sent(asking, offer=Offer())
    assert wired.peer.commands[:2] == [b"MAIL FROM:<dottore@example.it>", b"RCPT TO:<p@example.org>"]
    assert (result.verdict, result.is_dsn_passed_on) == (Verdict.DELIVERED, False)


def test_who_asked_for_no_reports_gets_the_providers_own() -> None:
    _, result = sent(Envelope(SENDER, (Recipient("p@example.org"),)), offer=Offer(has_dsn=True))
    assert not result.is_dsn_passed_on


@pytest.mark.parametrize(("offer", "said"), [(Offer(has_8bit=True), b" BODY=8BITMIME"), (Offer(), b"")])
def test_8_bit_passes_unchanged_and_is_announced_where_that_was_offered(offer: Offer, said: bytes) -> None:
    wired, result = sent(Envelope(SENDER, (Recipient("p@example.org"),), is_8bit=True), offer=offer)
    assert result.verdict is Verdict.DELIVERED
    assert wired.peer.commands[0] == b"MAIL FROM:<dottore@example.it>" + said
    assert wired.peer.messages == [LATIN]


@pytest.mark.parametrize("offer", [Offer(), Offer(has_smtputf8=True)])
def test_a_domain_outside_ascii_needs_nothing_of_the_provider(offer: Offer) -> None:
    wired, result = sent(Envelope(SENDER, (Recipient("p@münchen.de"),), needs_smtputf8=True), b"x\r\n", offer=offer)
    assert result.verdict is Verdict.DELIVERED
    assert wired.peer.commands[:2] == [b"MAIL FROM:<dottore@example.it>", b"RCPT TO:<p@xn--mnchen-3ya.de>"]


def test_a_name_outside_ascii_goes_out_as_it_is_where_that_is_offered() -> None:
    wired, _ = sent(Envelope(SENDER, (Recipient("pérez@example.org"),)), offer=Offer(has_smtputf8=True))
    assert wired.peer.commands[:2] == [
        b"MAIL FROM:<dottore@example.it> SMTPUTF8",
        "RCPT TO:<pérez@example.org>".encode(),
    ]


@pytest.mark.parametrize(
    ("recipient", "content", "status"),
    [("pérez@example.org", b"x\r\n", "5.6.7"), ("p@example.org", "Subject: però\r\n\r\n".encode(), "5.6.9")],
)
def test_where_it_is_not_offered_the_mail_bounces_without_a_word_to_the_provider(
    recipient: str, content: bytes, status: str
) -> None:
    envelope = Envelope(SENDER, (Recipient(recipient),), needs_smtputf8=True)
    wired, result = sent(envelope, content, offer=Offer())
    assert (result.verdict, result.stage, result.is_mail_written) == (Verdict.BOUNCED, Stage.MAIL, False)
    assert result.reply is not None
    assert result.reply.enhanced == status
    assert recipient not in str(result.reply)
    assert wired.peer.commands == []


def test_a_mail_over_the_providers_size_bounces_with_the_limit_and_without_a_word_to_it() -> None:
    wired, result = sent(Envelope(SENDER, (Recipient("p@example.org"),)), offer=Offer(has_size=True, size=10))
    assert (result.verdict, result.reply_class) == (Verdict.BOUNCED, "message-too-large")
    assert result.reply is not None
    assert f"{len(LATIN)} bytes, the provider takes at most 10" in result.reply.text
    assert not result.is_mail_written
    assert wired.peer.commands == []
