"""Whom a mail is for shows in no reply, however the provider words it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relay.core.hiding import MASK, hidden, original
from relay.core.reply import read_reply

TO = "mario.rossi.1950@example.org"

WORDINGS = [
    "User mario.rossi.1950 unknown",
    "<mario.rossi.1950>: Recipient address rejected",
    "mailbox of MARIO.Rossi.1950 is full",
    "mario.rossi.1950@",
    "mario.rossi.1950%example.org unknown",
    "mario.rossi.1950(a)example.org unknown",
    "mario.rossi.1950+40example.org unknown",
    "mario%2Erossi%2e1950%40example.org unknown",
    "mario+2Erossi+2E1950 unknown",
    '"mario.rossi.1950"@example.org unknown',
    "rfc822;mario.rossi.1950",
    "x_mario.rossi.1950_y",
    "xmario.rossi.1950y",
    "no mailbox for Mario Rossi 1950",
    "the account mario.rossi.1950@exam\n5.1.1 ple.org does not exist",
    "the account mario.ros\n5.1.1 si.1950@example.org does not exist",
]


@pytest.mark.parametrize("text", WORDINGS)
@pytest.mark.parametrize("address", [TO, "mario.rossi.1950+visite@example.org", '"mario.rossi.1950"@example.org'])
def test_no_wording_names_the_recipient(text: str, address: str) -> None:
    said = read_reply(550, f"5.1.1 {text}", (address,))
    assert said.enhanced == "5.1.1"
    for name in ("mario", "rossi", "1950"):
        assert name not in said.text.lower()
    assert MASK in said.text


def test_a_short_name_is_hidden_as_a_word_and_a_very_short_one_where_an_address_stands() -> None:
    assert hidden("anna, annas, x-anna; ANNA", ["anna@d.test"]) == f"{MASK}, annas, x-{MASK}; {MASK}"
    assert hidden('ab is <ab> "ab" ab@ cab ab%x', ["ab@d.test"]) == f'ab is {MASK} "{MASK}" {MASK}@ cab {MASK}%x'


def test_what_names_nobody_stays() -> None:
    text = "2.0.0 Ok: queued as 4Xk2 by mx.example.org"
    assert hidden(text, [TO, "postmaster"]) == text
    assert hidden(text, []) == text


def test_the_address_that_the_client_gave_first_is_read_from_orcpt() -> None:
    assert original("rfc822;mario+2Brossi@example.org") == "mario+rossi@example.org"
    assert original(None) is None
    assert original("nonsense") is None


locals_ = st.text(st.sampled_from("abcxyzMARIO0189.-_+'=%"), min_size=3, max_size=40).filter(
    lambda local: any(char.isalnum() for char in local)
)
words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"]), max_size=60)


@given(locals_, words, words, st.sampled_from(" <\"'([:;,"), st.sampled_from(" >\"')]@%:;,"))
def test_a_local_part_that_was_planted_as_a_word_is_never_found_again(
    local: str, before: str, after: str, opening: str, closing: str
) -> None:
    said = read_reply(550, f"{before}{opening}{local}{closing}{after}", (f"{local}@example.org",)).text
    elsewhere = f"{before} {after}".lower()
    assume(local.lower() not in " ".join(elsewhere.split()))
    assert local.lower() not in said.replace(MASK, "|").lower()


@pytest.mark.parametrize(
    ("text", "address"),
    [("\\" * 8000, '"' + "\\\\" * 30 + 'a"@x'), ("a." * 4000, "a" + ".a" * 30 + "b@x"), ("- " * 4000, "a.-._.-b@x")],
)
def test_no_reply_takes_long_to_be_read(text: str, address: str) -> None:
    """Patterns that go back on themselves would never end here."""
    assert hidden(text, [address]) == text
