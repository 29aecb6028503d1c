"""Webhooks as the Standard Webhooks specification has them: signature, body, and when to try again."""

import base64
import json
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.notice import NAMED, Circumstance, Notice, NoticeType, told
from relay.core.remedy import Needs
from relay.core.webhooks import (
    JITTER,
    RETRY_AFTER_MOST,
    STEPS,
    Answer,
    Dead,
    Later,
    Sent,
    Silence,
    body_of,
    headers_of,
    is_weak,
    next_try,
    read_keys,
    read_retry_after,
    sign,
)

NOW = 1_795_340_102_000_000
KEY = bytes(range(32))
NOTICE = Notice(id="n-1", type=NoticeType.STOPPED, at=NOW, provider="libero", mailbox="m.rossi@libero.it")


def but(**changes: Any) -> Notice:
    """The notice, but for one value."""
    return replace(NOTICE, **changes)


# the signature


def test_it_signs_as_the_libraries_of_the_specification_do() -> None:
    """The example that all of them are tested with."""
    (key,) = read_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=400), st.integers(0, 2**40))
def test_whatever_is_sent_the_signature_is_of_exactly_that(key: bytes, body: bytes, seconds: int) -> None:
    headers = headers_of("n-1", body, now=seconds * SECOND + 999_999, keys=[key])
    assert headers["webhook-timestamp"] == str(seconds)
    assert headers["webhook-signature"] == hmac_by_hand(key, b"n-1." + str(seconds).encode() + b"." + body)


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=100), st.integers(0, 2**32), st.data())
def test_no_other_body_time_or_id_has_its_signature(key: bytes, body: bytes, seconds: int, data: st.DataObject) -> None:
    other = data.draw(st.binary(max_size=100).filter(lambda each: each != body))
    mine = sign(key, "n-1", seconds, body)
    assert mine != sign(key, "n-1", seconds, other)
    assert mine != sign(key, "n-1", seconds + 1, body)
    assert mine != sign(key, "n-2", seconds, body)


def test_without_a_key_there_is_no_signature_and_with_two_there_are_two() -> None:
    assert "webhook-signature" not in headers_of("n-1", b"{}", now=NOW, keys=[])
    both = headers_of("n-1", b"{}", now=NOW, keys=[b"a" * 24, b"b" * 24])["webhook-signature"].split(" ")
    assert both == [sign(key, "n-1", NOW // SECOND, b"{}") for key in (b"a" * 24, b"b" * 24)]


@given(st.lists(st.binary(min_size=1, max_size=64), min_size=1, max_size=3), st.booleans(), st.booleans())
def test_a_secret_is_base64_with_or_without_its_prefix_and_padding(
    keys: list[bytes], has_prefix: bool, is_padded: bool
) -> None:
    texts = [base64.b64encode(key).decode() for key in keys]
    written = [("whsec_" if has_prefix else "") + (each if is_padded else each.rstrip("=")) for each in texts]
    assert read_keys(" ".join(written)) == tuple(keys)


@pytest.mark.parametrize("secret", ["", "   ", "whsec_", "whsec_hush!", "not-base64", "whsk_MfKQ9r8G", "whpk_MfKQ9r8G"])
def test_a_secret_that_is_none_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as caught:
        read_keys(secret)
    assert "hush" not in str(caught.value)
    assert "MfKQ" not in str(caught.value)


def test_a_secret_has_the_length_that_the_specification_asks() -> None:
    assert [is_weak([b"x" * size]) for size in (1, 23, 24, 64, 65)] == [True, True, False, False, True]


# the body


def test_the_body_has_type_timestamp_and_data_and_each_type_the_same_keys() -> None:
    keys = {tuple(told(replace(NOTICE, type=each))) for each in NoticeType}
    assert len(keys) == 1
    event = json.loads(body_of(NOTICE))
    assert list(event) == ["type", "timestamp", "data"]
    assert event["timestamp"] == "2026-11-22T09:35:02Z"


def test_types_are_words_joined_by_full_stops() -> None:
    for each in NoticeType:
        assert all(word.replace("_", "").isalpha() and word.islower() for word in each.split("."))


def test_a_body_stays_small_whoever_is_concerned() -> None:
    many = replace(NOTICE, accounts=tuple(f"{'d' * 240}{number}@example.org" for number in range(10_000)))
    data = json.loads(body_of(many))["data"]
    assert (len(data["accounts"]), data["accounts_total"]) == (NAMED, 10_000)
    assert len(body_of(many)) < 20_000


def test_a_date_is_written_as_one() -> None:
    data = json.loads(body_of(replace(NOTICE, paid_until=date(2027, 1, 31), needs=Needs.OPS, next_try=NOW)))["data"]
    assert (data["paid_until"], data["needs"], data["next_try"]) == ("2027-01-31", "ops", "2026-11-22T09:35:02Z")


# no patient


def test_a_notice_has_these_fields_and_no_other() -> None:
    """A field that could hold what a mail or a reply says would be a hole: whoever adds one looks here first."""
    assert [each.name for each in fields(Notice)] == [
        "id", "type", "at", "provider", "mailbox", "accounts", "reason", "circumstance", "since", "waiting", "needs",
        "next_try", "paid_until", "count", "usual", "message", "domain", "affected",
    ]  # fmt: skip
    cited = told(replace(NOTICE, message="m-1", domain="example.org"))
    assert cited == told(NOTICE), "which mail it was, and where it went, is for letters alone"


@pytest.mark.parametrize("text", ["anna.verdi@example.com", "Ricetta di Anna", "550 5.1.1 <anna@x.it>", "x\ny", ""])
def test_neither_a_patient_nor_a_subject_nor_a_reply_gets_into_its_words(text: str) -> None:
    for name in ("id", "provider", "reason"):
        with pytest.raises(ValueError, match=name) as caught:
            but(**{name: text})
        assert text == "" or text not in str(caught.value)


def test_names_are_addresses_and_logins_and_counts_are_small() -> None:
    for wrong in ("", "x" * 321, "a\r\nb@x.it"):
        with pytest.raises(ValueError, match="mailbox"):
            replace(NOTICE, mailbox=wrong)
        with pytest.raises(ValueError, match="accounts"):
            replace(NOTICE, accounts=(wrong,))
    with pytest.raises(ValueError, match="accounts"):
        replace(NOTICE, accounts=("Ricetta di Anna",))
    for name in ("waiting", "count", "usual"):
        for value in (-1, NOW):
            with pytest.raises(ValueError, match=name):
                but(**{name: value})


def test_the_id_has_no_full_stop_which_would_let_a_body_pass_for_another() -> None:
    with pytest.raises(ValueError, match="id"):
        replace(NOTICE, id="n.1")


def test_what_else_is_known_is_a_word_too() -> None:
    assert told(replace(NOTICE, circumstance=Circumstance.NEVER_WORKED))["circumstance"] == "never-worked"


# when to try again


def test_the_schedule_is_that_of_the_specification() -> None:
    pauses = []
    for tries in range(1, 20):
        outcome = next_try(Silence.TIMEOUT, tries, 0.0)
        if isinstance(outcome, Dead):
            assert (tries, outcome.reason) == (10, "timeout")
            break
        assert isinstance(outcome, Later)
        pauses.append(outcome.after)
    assert pauses == [
        5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
    ]  # fmt: skip
    assert sum(pauses) == 75 * HOUR + 35 * MINUTE + 5 * SECOND


ANSWERS = st.one_of(
    st.sampled_from(Silence),
    st.builds(Answer, st.integers(100, 599), st.none() | st.integers(0, 10 * RETRY_AFTER_MOST)),
)
CHANCES = st.floats(0, 1, exclude_max=True)


@given(ANSWERS, st.integers(1, 30), CHANCES)
def test_only_2xx_is_the_end_and_it_ends_within_days(answer: Answer | Silence, tries: int, chance: float) -> None:
    outcome = next_try(answer, tries, chance)
    is_success = isinstance(answer, Answer) and 200 <= answer.status <= 299
    assert isinstance(outcome, Sent) == is_success
    if isinstance(outcome, Later):
        assert tries <= len(STEPS)
        assert STEPS[tries - 1] <= outcome.after <= (1 + JITTER) * max(STEPS[tries - 1], RETRY_AFTER_MOST)
    elif not is_success:
        assert tries > len(STEPS) or answer == Answer(410, getattr(answer, "retry_after", None))


@given(st.integers(1, len(STEPS)), CHANCES)
def test_chance_makes_a_pause_longer_and_never_shorter(tries: int, chance: float) -> None:
    outcome = next_try(Answer(500), tries, chance)
    assert outcome == Later(int(STEPS[tries - 1] * (1 + JITTER * chance)), "status-500")


@pytest.mark.parametrize(("status", "is_heard"), [(429, True), (502, True), (503, True), (504, True), (500, False)])
def test_a_wish_for_patience_is_heard_where_it_means_throttling(status: int, is_heard: bool) -> None:
    outcome = next_try(Answer(status, 600 * SECOND), 1, 0.0)
    assert outcome == Later(600 * SECOND if is_heard else 5 * SECOND, f"status-{status}")


def test_a_wish_shortens_nothing_and_is_bounded() -> None:
    assert next_try(Answer(503, 1), 3, 0.0) == Later(30 * MINUTE, "status-503")
    assert next_try(Answer(503, 10**18), 1, 0.0) == Later(24 * HOUR, "status-503")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (None, None),
        ("120", 120 * SECOND),
        (" 120 ", 120 * SECOND),
        ("0", 0),
        ("0\x1f", None),
        ("9" * 60, RETRY_AFTER_MOST),
        ("9" * 5000, None),
        ("soon", None),
        ("-5", None),
        ("Sun, 22 Nov 2026 09:36:02 GMT", 60 * SECOND),
        ("Sun, 22 Nov 2026 09:36:02", 60 * SECOND),
        ("Sun, 22 Nov 2020 09:36:02 GMT", 0),
        ("Sun, 99 Nov 2026 09:36:02 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, asked: int | None) -> None:
    assert read_retry_after(text, NOW) == asked


@given(st.text(max_size=80))
def test_no_retry_after_is_too_strange(text: str) -> None:
    asked = read_retry_after(text, NOW)
    assert asked is None or asked >= 0


def hmac_by_hand(key: bytes, signed: bytes) -> str:
    """RFC 2104 with SHA-256, from its definition."""
    import hashlib

    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in block) + signed).digest()
    return "v1," + base64.b64encode(hashlib.sha256(bytes(each ^ 0x5C for each in block) + inner).digest()).decode()
