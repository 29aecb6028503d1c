"""Letters outside ASCII: SMTPUTF8 only where nothing else serves."""

from dataclasses import replace

import pytest

from relay.core.envelope import Envelope, Recipient
from relay.delivery.international import simplified

PLAIN = b"Subject: ricetta\r\n\r\nperch\xc3\xa9\r\n"
WIDE = b"Subject: perch\xc3\xa9\r\n\r\nciao\r\n"


def envelope(recipient: str, *, sender: str = "dottore@example.it", is_declared: bool = True) -> Envelope:
    return Envelope(sender, (Recipient(recipient),), needs_smtputf8=is_declared, is_8bit=True)


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize(
    ("address", "ascii_address"),
    [
        ("p@münchen.de", "p@xn--mnchen-3ya.de"),
        ("P.Rossi+x@MÜNCHEN.de", "P.Rossi+x@xn--mnchen-3ya.de"),
        ("p@città.example.it", "p@xn--citt-3na.example.it"),
        ('"a@b"@straße.example', '"a@b"@xn--strae-oqa.example'),
        ("p@bücher。example", "p@xn--bcher-kva.example"),
    ],
)
def test_a_domain_alone_goes_out_as_the_dns_has_it(address: str, ascii_address: str, is_declared: bool) -> None:
    found = simplified(envelope(address, is_declared=is_declared), PLAIN)
    assert found.recipients[0].address == ascii_address
    assert not found.needs_smtputf8
    assert found.is_8bit


def test_the_senders_domain_too() -> None:
    found = simplified(envelope("p@example.org", sender="dottore@studio-città.it"), PLAIN)
    assert (found.sender, found.needs_smtputf8) == ("dottore@xn--studio-citt-i7a.it", False)


@pytest.mark.parametrize("address", ["pérez@example.org", "pérez@münchen.de", "p@-ü-.de", "p@" + "ü" * 70 + ".de"])
@pytest.mark.parametrize("is_declared", [True, False])
def test_what_is_before_the_at_is_never_rewritten_and_needs_smtputf8(address: str, is_declared: bool) -> None:
    found = simplified(envelope(address, is_declared=is_declared), PLAIN)
    assert found.recipients[0].address == address
    assert found.needs_smtputf8


def test_where_one_address_needs_smtputf8_the_other_stays_as_it_was() -> None:
    found = simplified(envelope("p@münchen.de", sender="dottoré@example.it"), PLAIN)
    assert found.recipients[0].address == "p@münchen.de"
    assert found.needs_smtputf8


def test_a_declared_header_outside_ascii_needs_smtputf8() -> None:
    declared = envelope("p@münchen.de")
    assert simplified(declared, WIDE) is declared


def test_a_header_that_nobody_declared_passes_as_it_is() -> None:
    undeclared = envelope("p@example.org", is_declared=False)
    assert simplified(undeclared, WIDE) is undeclared


def test_an_ascii_envelope_is_left_alone() -> None:
    usual = envelope("p@example.org", is_declared=False)
    assert simplified(usual, PLAIN) is usual


def test_the_original_recipient_is_spelled_out() -> None:
    """RFC 6533, 3."""
    wide = replace(envelope("p@münchen.de"), recipients=(Recipient("p@münchen.de", (), "utf-8;p@münchen.de"),))
    assert simplified(wide, PLAIN).recipients[0].orcpt == "utf-8;p@m\\x{FC}nchen.de"
