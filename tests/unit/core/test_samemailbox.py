"""Whoever opted out is known under every spelling of his mailbox, and nobody else is taken for him."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.samemailbox import one_spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna.b@example.org", "Anna.B@EXAMPLE.org"),
        ("anna.b@example.org", '"anna.b"@example.org'),
        ("anna.b@example.org", r'"anna\.b"@example.org'),
        ("anna.b@example.org", r'"\A\n\n\a.b"@Example.ORG.'),
        ('"anna b"@example.org', r'"anna\ b"@example.org'),
        ("mario@bücher.test", "mario@xn--bcher-kva.test"),
        ("mario@BÜCHER.test", "mario@XN--BCHER-KVA.TEST"),
        ("mario@bu\u0308cher.test", "mario@bücher.test"),
        ("mario@bücher\u3002test", "mario@bücher.test"),
        ("mario@faß.test", "mario@xn--fa-hia.test"),
        ("jos\u00e9@example.org", "jose\u0301@example.org"),
        ("anna@[192.0.2.1]", "anna@[192.0.2.1]"),
    ],
)
def test_these_are_one_mailbox(one: str, other: str) -> None:
    assert one_spelling(one) == one_spelling(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna.b@example.org", "annab@example.org"),
        ("anna@example.org", "anna+x@example.org"),
        ("anna@example.org", '"anna "@example.org'),
        ("anna@example.org", "anna@example.com"),
        ("anna@bucher.test", "anna@bücher.test"),
        ("anna@faß.test", "anna@fass.test"),
        (r'"a\"b"@x.org', r'"ab"@x.org'),
        (r'"a\\b"@x.org', '"ab"@x.org'),
    ],
)
def test_these_are_two(one: str, other: str) -> None:
    assert one_spelling(one) != one_spelling(other)


@pytest.mark.parametrize("domain", ["xn--.test", "xn--abc-.test", "xn--99999999999.test", "xn---.test"])
def test_what_only_looks_like_an_a_label_stays(domain: str) -> None:
    assert one_spelling(f"a@{domain}") == f"a@{domain}"


@given(st.from_regex(r"[A-Za-z0-9.+_-]{1,20}@[A-Za-z0-9]{1,9}\.[a-z]{2,4}", fullmatch=True))
def test_a_plain_address_is_itself_in_lower_case(address: str) -> None:
    assert one_spelling(address) == address.lower()


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert one_spelling(one_spelling(text)) is not None
