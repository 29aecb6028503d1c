"""What equal replies share: everything that names a person, a machine or a moment is masked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.hint import hinted, is_daily
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.normal import nameless, normalised, words_of


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("iemL1p01Z0hMcT901emQ77 policy violation", "<id> policy violation"),
        ("Recipient <paziente@example.org> unknown", "Recipient <address> unknown"),
        ("[203.0.113.7      12] Our system", "[<ip>] Our system"),
        ("from 2001:db8:0:0:0:0:0:1 refused", "from <ip> refused"),
        ("for smtp-10.iol.local and MAIL.EXAMPLE.COM", "for <host> and <host>"),
        ("see https://zen.spamhaus.org/q", "see https://<blocklist>/q"),
        ("queued as 8BE5529222E", "queued as <id>"),
        ("Password not accepted a640c23a62f3a-gsmtp", "Password not accepted <id>"),
        ("Try again later (10). x-gsmtp", "Try again later (<n>). <id>"),
        ("[LO2P265CA0100.GBRP265.PROD.OUTLOOK.COM 2024-10-10T09:12:33.123Z 08DCE8]", "[<host> <time> 08DCE8]"),
        ("(#AUTH005) LIB_102 AS42003 S3150", "(#AUTH005) LIB_102 AS42003 S3150"),
        ("STOREDRV.Submission.Exception:OutboundSpamException", "STOREDRV.Submission.Exception:OutboundSpamException"),
        ("size 36700160 over", "size <n> over"),
        ("wait 287 seconds", "wait <n> seconds"),
        ("limits.To view", "limits.To view"),
    ],
)
def test_what_differs_from_one_reply_to_the_next_is_masked(text: str, masked: str) -> None:
    assert normalised(text) == masked


def test_two_refusals_of_one_kind_are_equal() -> None:
    first = "550 5.7.1 igxL1p00E1WDM2s01gxMXG a@x.example from 203.0.113.7: try in 20 minutes"
    other = "550 5.7.1 k0xL9p00E1WDQ2s01gxMZZ bb.c@y.example from 198.51.100.9: try in 5 minutes"
    assert normalised(first) == normalised(other)
    assert normalised(first) != normalised(first.replace("try", "wait"))


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("limit (201/200) reached", "limit (202/200) reached"),
        ("Pratica 4711 aperta", "Pratica 12 aperta"),
        ("smtp-12 dice di no", "smtp-7 dice di no"),
        ("rifiutato K1Q8ZT13", "rifiutato B7R2XW90"),
        ("451 mails sent today", "452 mails sent today"),
        ("sent 500 of 500", "sent 501 of 500"),
        ("refused (case 12)", "refused (case 9)"),
    ],
)
def test_a_counter_makes_no_difference(first: str, other: str) -> None:
    assert normalised(first) == normalised(other)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("host x.example said: 550 no", "host x.example said: 450 no"),
        ("said 550 5.1.1 no", "said 550 5.7.1 no"),
        ("refused (550)", "refused (451)"),
        ("refused <5.1.1>", "refused <5.2.2>"),
        ("LIB_654 refused", "LIB_102 refused"),
        ("(#AUTH005)", "(#AUTH006)"),
        ("not RFC 5322 compliant", "not RFC 7505 compliant"),
        ("error 1002", "error 1003"),
        ("oauth2 only", "oauth only"),
    ],
)
def test_a_code_makes_one(first: str, other: str) -> None:
    assert normalised(first) != normalised(other)


def test_a_rule_still_reads_the_numbers() -> None:
    assert words_of(nameless("2 step, 24 mails")) == " 2 step 24 mails "


@given(st.text(max_size=400))
def test_any_text_is_masked_the_same_way_each_time_and_once_is_enough(text: str) -> None:
    once = normalised(text)
    assert once == normalised(text)
    assert normalised(once) == once or "<" in text or "@" in text or len(once) >= len(text)


@given(st.text(max_size=200))
def test_words_are_small_letters_and_digits_between_blanks(text: str) -> None:
    words = words_of(text)
    assert words[0] == words[-1] == " "
    assert all(char == " " or (char.isascii() and char.isalnum() and char == char.lower()) for char in words)


def test_words_lose_accents_points_and_the_apostrophe_of_a_no() -> None:
    assert words_of("La casella è PIENA: l'utente doesn't exist!") == " la casella e piena l utente doesnt exist "


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("riprovare tra un'ora", HOUR),
        ("riprovi fra mezz'ora", HOUR // 2),
        ("wait half an hour", HOUR // 2),
        ("try again in an hour", HOUR),
        ("attendere venti minuti", 20 * MINUTE),
        ("retry in thirty seconds", 30 * SECOND),
        ("come back in 15 mins", 15 * MINUTE),
        ("a message", None),
        ("an h", None),
        ("version 2.5 minutes", None),
        ("0 seconds", None),
    ],
)
def test_a_wait_may_be_said_in_words(text: str, wait: int | None) -> None:
    assert hinted(text) == wait


@pytest.mark.parametrize(
    ("text", "daily"),
    [
        ("100 per hour", False), ("hourly", False), ("limite orario", False), ("in 20 minuti", False),
        ("daily", True), ("al giorno", True), ("giornaliera", True), ("in 24 hours", True), ("this month", True),
        ("1000 messages, 30 per minute, 500 a day", True), ("too fast", None), ("in 6 hours", None),
    ],
)  # fmt: skip
def test_the_period_of_a_limit_is_read(text: str, daily: bool | None) -> None:
    assert is_daily(text) is daily
