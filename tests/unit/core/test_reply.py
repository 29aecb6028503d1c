"""What a provider says, as a value: bounded, printable, and without any address."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core import reply as module
from relay.core.reply import REPLY_BYTES, Reply, masked, read_reply, verbatim


def test_a_reply_reads_as_it_was_said() -> None:
    reply = read_reply(450, "4.7.1 rate limit exceeded")
    assert (reply.code, reply.enhanced, reply.text) == (450, "4.7.1", "rate limit exceeded")
    assert str(reply) == "450 4.7.1 rate limit exceeded"
    assert str(Reply(250, None, "")) == "250"


@pytest.mark.parametrize(
    ("code", "text", "enhanced", "rest"),
    [
        (535, "5.7.8 not accepted.\n5.7.8  see help", "5.7.8", "not accepted. see help"),
        (550, "Requested action not taken\n5.1.1 unknown", "5.1.1", "Requested action not taken unknown"),
        (550, "5.7.0, Mail Sending denied", "5.7.0", "Mail Sending denied"),
        (550, "5.1.1", "5.1.1", ""),
        (550, "5.1.1: unknown", "5.1.1", "unknown"),
        (550, "4.1.1 of another class", None, "4.1.1 of another class"),
        (550, "5.1.1x unknown", None, "5.1.1x unknown"),
        (550, "5.1 unknown", None, "5.1 unknown"),
        (550, "5.1.1234 unknown", None, "5.1.1234 unknown"),
        (354, "go  ahead\t now", None, "go ahead now"),
        (354, "", None, ""),
    ],
)
def test_the_enhanced_code_is_a_whole_token_of_the_replys_own_class(
    code: int, text: str, enhanced: str | None, rest: str
) -> None:
    assert read_reply(code, text) == Reply(code, enhanced, rest)


@pytest.mark.parametrize(
    ("code", "is_positive", "is_temporary"),
    [(250, True, False), (354, True, False), (450, False, True), (550, False, False)],
)
def test_positive_and_temporary_are_told_by_the_first_digit(code: int, is_positive: bool, is_temporary: bool) -> None:
    reply = Reply(code, None, "")
    assert (reply.is_positive, reply.is_temporary) == (is_positive, is_temporary)


@pytest.mark.parametrize(
    "text",
    [
        "<paziente.rossi@example.org>: unknown",
        "paziente.rossi@example.org unknown",
        '"paziente rossi"@example.org unknown',
        "(paziente.rossi@example.org)",
        "RCPT TO:<paziente.rossi@example.org> refused",
        "mailto:paziente.rossi@example.org",
        "'paziente.rossi@example.org' is gone",
        "to=paziente.rossi@example.org, relay=none",
        "paziente.rossi" + "x" * 300 + "@example.org",
        "paziente.rossi@example.org@example.com",
        "pazienteé.rossi@example.org",
        "[paziente.rossi@example.org]",
        "a;paziente.rossi@example.org",
    ],
)
def test_no_address_stays_in_a_reply(text: str) -> None:
    said = read_reply(550, f"5.1.1 {text}")
    for hidden in ("paziente", "rossi", "example.org"):
        assert hidden not in said.text
    assert "<address>" in said.text
    assert "paziente" not in masked(text)


def test_a_full_stop_after_an_address_stays() -> None:
    assert (
        masked("no account for anna@d.test. Ask <anna@d.test>. Or b@c.")
        == "no account for <address>. Ask <address>. Or <address>."
    )


def test_what_is_no_address_stays() -> None:
    text = "Too many messages, see https://support.example.com/mail/?p=1 or ask @support"
    assert read_reply(450, text).text == text


@given(st.text(max_size=300))
def test_any_text_becomes_one_bounded_printable_line(text: str) -> None:
    said = read_reply(550, text).text
    assert len(said.encode()) <= REPLY_BYTES
    assert not any(unicodedata.category(char)[0] == "C" for char in said)
    assert said == " ".join(said.split())


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="@"), max_size=600))
def test_the_short_way_and_the_long_way_agree(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PLAIN_LENGTH", -1)
        long = read_reply(550, text)
    assert read_reply(550, text) == long


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000, "a b " * 1_000_000, "\u00e9" * 10_000, "\n" * 10_000, "x@" * 10_000]
)
def test_a_giant_reply_is_cut(text: str) -> None:
    assert len(str(read_reply(550, text)).encode()) <= REPLY_BYTES


@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202e", "\u2028", "\x00", "\x85", "\u200b"])
def test_no_control_character_reaches_a_terminal_or_a_mail(evil: str) -> None:
    assert evil not in read_reply(550, f"5.1.1 a{evil}b\r\nBcc: c").text


def test_in_its_own_words_a_reply_names_whom_it_names_and_is_bounded_and_printable_all_the_same() -> None:
    assert verbatim(550, "5.1.1 no rossi@example.it\r\nhere\x1b[2J") == "550 5.1.1 no rossi@example.it here [2J"
    assert len(verbatim(550, "\u00e8" * 9999).encode()) <= REPLY_BYTES
