"""Every refusal has a sentence in every language, in ASCII, on one line of at most 512 octets."""

import re

import pytest

from relay.core.failuretext import Language
from relay.core.refusal import Reason, Refusal
from relay.submission.texts import CATALOGUE, LINE_MOST, Texts, as_line

GAPS = "sender client author day most usage field since until meant said leaves deadline own"
EVERYTHING = dict.fromkeys(GAPS.split(), "x" * 2000)


@pytest.mark.parametrize("language", Language)
def test_every_reason_has_a_sentence(language: Language) -> None:
    assert set(CATALOGUE[language]) == set(Reason)
    assert all(sentence.isascii() and sentence.strip() for sentence in CATALOGUE[language].values())


def test_the_languages_fill_the_same_gaps() -> None:
    for reason in Reason:
        gaps = [sorted(re.findall(r"{\w+}", CATALOGUE[language][reason])) for language in Language]
        assert gaps[0] == gaps[1]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", Reason)
def test_every_reply_is_one_short_line_that_begins_with_its_codes(reason: Reason, language: Language) -> None:
    line = Texts(language, "è" * 2000).line(Refusal(reason, EVERYTHING, recipient="x" * 2000 + "@example.org"))
    assert line.startswith(f"{reason.code} {reason.enhanced} ".encode())
    assert line.isascii()
    assert len(line) <= LINE_MOST
    assert line.endswith(b"\r\n")
    assert line.count(b"\n") == 1


def test_a_long_address_does_not_hide_the_cause() -> None:
    line = Texts(Language.ENGLISH).line(Refusal(Reason.SENDER_UNKNOWN, EVERYTHING))
    assert b"has no account on this relay" in line


def test_the_contact_stands_in_what_a_doctor_reads() -> None:
    texts = Texts(Language.ITALIAN, "Assistenza 0974 000000")
    for reason in (Reason.SENDER_UNKNOWN, Reason.SENDER_FOREIGN, Reason.SENDER_RETIRED, Reason.FROM_FOREIGN):
        assert texts.line(Refusal(reason, EVERYTHING)).endswith(b"Assistenza 0974 000000\r\n")


def test_what_a_client_wrote_starts_no_other_line() -> None:
    values = {"sender": "a@b\r\n250 2.0.0 Ok", "client": "\x1b[31m"}
    line = Texts(Language.ENGLISH).line(Refusal(Reason.SENDER_FOREIGN, values))
    assert line.count(b"\r\n") == 1
    assert b"\x1b" not in line


def test_a_placeholder_in_what_a_client_wrote_stays_text() -> None:
    line = Texts(Language.ENGLISH, "{contact}").line(Refusal(Reason.SENDER_UNKNOWN, {"sender": "{client}@x"}))
    assert b"{client}@x" in line


def test_letters_beyond_ascii_lose_their_accents() -> None:
    assert as_line("perché no €") == b"perche' no ?\r\n"


@pytest.mark.parametrize(
    ("language", "quotes"), [(Language.ENGLISH, "belongs in quotes"), (Language.ITALIAN, "virgol")]
)
def test_a_from_that_cannot_be_read_is_answered_with_how_to_write_one_and_blames_nothing(
    language: Language, quotes: str
) -> None:
    """It may be quotes, and it may be a comment or a route: `anna(c)@old.test`."""
    line = Texts(language).line(Refusal(Reason.FROM_UNREADABLE)).decode()
    assert quotes not in line
    assert re.search(r'"(Name|Nome)" <(name@domain|nome@dominio)>', line)
