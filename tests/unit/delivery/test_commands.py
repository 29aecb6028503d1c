"""MAIL, RCPT and the body as they go over the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.envelope import Envelope, Recipient
from relay.core.meaning import Failure
from relay.delivery.commands import Offer, data_of, mail_command, rcpt_command, read_offer
from relay.errors import AddressError

EVERYTHING = Offer(has_pipelining=True, has_8bit=True, has_smtputf8=True, has_dsn=True, has_size=True, size=1_000_000)


def envelope(sender: str = "dottore@example.it", **options: object) -> Envelope:
    return Envelope(sender, (Recipient("paziente@example.org"),), **options)  # type: ignore[arg-type]


# what a provider offers


def test_an_offer_is_read_from_the_answer_to_ehlo() -> None:
    found = read_offer({"pipelining": "", "size": "35882577", "8bitmime": "", "dsn": "", "smtputf8": "", "x-odd": "y"})
    assert found == Offer(
        has_pipelining=True, has_8bit=True, has_smtputf8=True, has_dsn=True, has_size=True, size=35882577
    )
    assert read_offer({}) == Offer()


@pytest.mark.parametrize("size", ["", "0", "-1", "many", "1 2", "9" * 40, "²"])
def test_a_size_that_names_no_bound_stops_no_message(size: str) -> None:
    found = read_offer({"size": size})
    assert found.size is None
    assert found.obstacle(envelope(), 10**9) is None


def test_a_message_over_the_named_size_is_not_even_tried() -> None:
    offer = Offer(has_size=True, size=1000)
    assert offer.obstacle(envelope(), 1000) is None
    found = offer.obstacle(envelope(), 1001)
    assert found is not None
    assert found.failure is Failure.TOO_LARGE
    assert str(found.told) == "552 5.3.4 not sent: the mail has 1001 bytes, the provider takes at most 1000"


def test_an_address_outside_ascii_needs_a_provider_that_takes_it() -> None:
    abroad = envelope("dottoré@example.it", needs_smtputf8=True)
    found = Offer().obstacle(abroad, 10)
    assert found is not None
    assert (found.failure, found.told.enhanced) == (Failure.NOT_OFFERED, "5.6.7")
    assert Offer(has_smtputf8=True).obstacle(abroad, 10) is None


def test_a_header_outside_ascii_that_was_declared_needs_one_too() -> None:
    found = Offer().obstacle(envelope(needs_smtputf8=True), 10)
    assert found is not None
    assert found.told.enhanced == "5.6.9"
    assert Offer(has_smtputf8=True).obstacle(envelope(needs_smtputf8=True), 10) is None


def test_reports_are_passed_on_where_they_are_offered_and_asked_for() -> None:
    asking = Envelope("dottore@example.it", (Recipient("p@example.org", ("NEVER",)),))
    assert Offer(has_dsn=True).passes_on(asking)
    assert not Offer().passes_on(asking)
    assert not Offer(has_dsn=True).passes_on(envelope(envid="QQ314159", ret="HDRS"))


# the commands


@pytest.mark.parametrize(
    "address", ["a(b)@x.it", '"mario rossi"@x.it', "Mario.Rossi+Ricette@Studio.IT", "x@[192.0.2.1]", "", "dottoré@x.it"]
)
def test_addresses_go_out_in_the_very_bytes_that_were_accepted(address: str) -> None:
    assert mail_command(envelope(address), 1, Offer()) == f"MAIL FROM:<{address}>\r\n".encode()
    assert rcpt_command(Recipient(address), Offer()) == f"RCPT TO:<{address}>\r\n".encode()


def test_bytes_that_are_no_utf8_come_back_as_they_were() -> None:
    address = b"caf\xe9@x.it".decode("utf-8", "surrogateescape")
    assert rcpt_command(Recipient(address), Offer()) == b"RCPT TO:<caf\xe9@x.it>\r\n"


def test_parameters_are_used_only_where_they_were_offered() -> None:
    mail = envelope(envid="QQ314159", ret="HDRS", needs_smtputf8=True, is_8bit=True)
    assert mail_command(mail, 1234, EVERYTHING) == (
        b"MAIL FROM:<dottore@example.it> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159\r\n"
    )
    assert mail_command(mail, 1234, Offer(has_smtputf8=True)) == b"MAIL FROM:<dottore@example.it> SMTPUTF8\r\n"
    rcpt = Recipient("p@example.org", ("SUCCESS", "FAILURE"), "rfc822;p@example.org")
    assert rcpt_command(rcpt, EVERYTHING) == (
        b"RCPT TO:<p@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;p@example.org\r\n"
    )
    assert rcpt_command(rcpt, Offer()) == b"RCPT TO:<p@example.org>\r\n"


@pytest.mark.parametrize("evil", ["a\r\nRCPT TO:<b@c.it>", "a\nb", "a\x00b", "a\x7f"])
def test_no_address_or_parameter_can_begin_another_command(evil: str) -> None:
    for command in (
        lambda: mail_command(envelope(evil), 1, EVERYTHING),
        lambda: mail_command(envelope(envid=evil), 1, EVERYTHING),
        lambda: rcpt_command(Recipient(evil), EVERYTHING),
        lambda: rcpt_command(Recipient("a@b.it", orcpt=evil), EVERYTHING),
    ):
        with pytest.raises(AddressError) as caught:
            command()
        assert evil not in str(caught.value)


# the body


def unstuffed(data: bytes) -> bytes:
    """What a server makes of it (RFC 5321, 4.5.2), line by line."""
    lines = data.split(b"\r\n")
    return b"\r\n".join(line.removeprefix(b".") if line.startswith(b".") else line for line in lines)


@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"a", b".a", b"\r\n.\r\n", b"\r\n..\r\n"]), max_size=30))
def test_a_body_arrives_byte_for_byte_and_never_ends_early(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    sent = data_of(content)
    ended = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    assert unstuffed(sent) == ended
    assert b"\r\n.\r\n" not in b"\r\n" + sent


def test_a_body_without_dots_is_sent_without_being_copied() -> None:
    content = b"Subject: x\r\n\r\nBuongiorno.\r\n"
    assert data_of(content) is content
