"""What somebody probably meant who typed a domain that is not there."""

import pytest

from relay.core.misspelling import SQUATTED, USUAL, is_squatted, meant


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("gmial.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmailcom", "gmail.com"),
        ("gmail.it", "gmail.com"),
        ("GMAIL.IT", "gmail.com"),
        ("gmail.com.", None),
        ("lbero.it", "libero.it"),
        ("libero.com", "libero.it"),
        ("liber.it", "libero.it"),
        ("hotmal.it", "hotmail.it"),
        ("hotmail.i", "hotmail.it"),
        ("virglio.it", "virgilio.it"),
        ("yaoo.it", "yahoo.it"),
        ("tiscal.it", "tiscali.it"),
        ("alicce.it", "alice.it"),
        ("outloo.it", "outlook.it"),
        ("iclod.com", "icloud.com"),
        ("studio-rossi.it", None),
        ("tm.it", None),
        ("x" * 300 + ".it", None),
        ("", None),
        (".", None),
    ],
)
def test_one_slip_or_another_ending_is_understood(typed: str, domain: str | None) -> None:
    assert meant(typed) == domain


def test_a_usual_domain_is_no_misspelling_of_another() -> None:
    assert [domain for domain in USUAL if meant(domain) is not None] == []


def test_what_strangers_have_registered_is_known_and_is_none_of_the_usual() -> None:
    for typed, domain in SQUATTED.items():
        assert meant(typed) == domain
        assert is_squatted(typed.upper())
        assert domain in USUAL
        assert typed not in USUAL
