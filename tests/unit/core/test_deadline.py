"""Until when a message is worth anything."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.deadline import Deadline, deadline_of, lateness_of, read_day
from relay.core.headers import TopHeader, read_header
from relay.core.limits import HOUR, SECOND
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account
from relay.core.words import MailboxId, Plan

ROME = ZoneInfo("Europe/Rome")
NOW = round(datetime(2026, 11, 22, 9, 0, tzinfo=ROME).timestamp() * SECOND)


def at(text: str) -> int:
    """An instant, as ISO 8601 writes it."""
    return round(datetime.fromisoformat(text).timestamp() * SECOND)


def header(*fields: str) -> TopHeader:
    found = read_header("".join(f"{field}\r\n" for field in fields).encode() + b"\r\nbody\r\n")
    assert isinstance(found, TopHeader)
    return found


def doctor(**more: object) -> Account:
    return Account("a@d.test", Plan.PERSONAL, MailboxId("lab", "a@d.test"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T18:00:00+01:00", "2026-11-22T18:00:00+01:00"),
        ("2026-11-22T17:00:00Z", "2026-11-22T18:00:00+01:00"),
        ("2026-11-22 18:00", "2026-11-22T18:00:00+01:00"),
        ("2026-07-01 18:00", "2026-07-01T18:00:00+02:00"),
        ("2026-11-22", "2026-11-23T00:00:00+01:00"),
        ("Sun, 22 Nov 2026 18:00:00 +0100", "2026-11-22T18:00:00+01:00"),
        ("20261122T170000Z", "2026-11-22T18:00:00+01:00"),
        ("22 Nov 2026 17:00:00 GMT", "2026-11-22T18:00:00+01:00"),
    ],
)
def test_a_day_is_read_as_mail_and_as_iso_8601_write_it_and_without_a_zone_it_is_the_doctors(
    text: str, instant: str
) -> None:
    assert read_day(text, ROME) == at(instant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "tomorrow",
        "2026-13-01",
        "5",
        "2026-W48",
        "2026W48",
        "2026-W48-3",
        "2026-W48-3T18:00",
        "20261122",
        "2026-11-31",
        "9999-12-31",
    ],
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert read_day(text, ROME) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    found = read_day(text, ROME)
    assert found is None or isinstance(found, int)


@given(st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_what_iso_8601_writes_is_what_is_read(instant: datetime) -> None:
    assert read_day(instant.isoformat(), ROME) == round(instant.timestamp() * SECOND)


@given(st.dates(date(1980, 1, 1), date(2200, 1, 1)))
def test_a_day_alone_lasts_until_its_midnight(day: date) -> None:
    found = read_day(day.isoformat(), ROME)
    assert found is not None
    last = datetime.fromtimestamp(found / SECOND - 1, UTC).astimezone(ROME)
    assert last.date() == day


def test_without_a_day_a_message_has_the_deadline_of_its_account_or_none() -> None:
    assert deadline_of(header("Subject: x"), doctor(), zone=ROME, now=NOW) is None
    found = deadline_of(header("Subject: x"), doctor(lifetime=4 * HOUR), zone=ROME, now=NOW)
    assert found == Deadline(NOW + 4 * HOUR, is_dated=False)


def test_the_day_that_its_sender_names_is_its_deadline() -> None:
    dated = header("X-Relay-Valid-Until: 2026-11-22 18:00")
    found = deadline_of(dated, doctor(), zone=ROME, now=NOW)
    assert found == Deadline(at("2026-11-22T18:00:00+01:00"), is_dated=True)


def test_no_day_makes_it_live_longer_than_its_account_lets_it() -> None:
    dated = header("X-Relay-Valid-Until: 2026-11-25")
    found = deadline_of(dated, doctor(lifetime=4 * HOUR), zone=ROME, now=NOW)
    assert found == Deadline(NOW + 4 * HOUR, is_dated=False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (["X-Relay-Valid-Until: soon"], Reason.VALID_UNTIL_UNREADABLE),
        (["X-Relay-Valid-Until: 2026-11-25", "x-relay-valid-until: 2026-11-26"], Reason.VALID_UNTIL_TWICE),
        (["X-Relay-Valid-Until: 2026-11-21"], Reason.VALID_UNTIL_PAST),
        (["X-Relay-Valid-Until: 2026-11-22T09:00:00+01:00"], Reason.VALID_UNTIL_PAST),
    ],
)
def test_a_day_that_cannot_be_or_is_over_is_refused_while_its_sender_sees_it(fields: list[str], reason: Reason) -> None:
    found = deadline_of(header(*fields), doctor(), zone=ROME, now=NOW)
    assert isinstance(found, Refusal)
    assert found.reason is reason


def test_what_leaves_before_its_deadline_is_not_late_and_what_leaves_with_it_is() -> None:
    deadline = Deadline(NOW + HOUR, is_dated=True)
    assert lateness_of(deadline, NOW + HOUR - 1, ROME) is None
    late = lateness_of(deadline, NOW + HOUR, ROME)
    assert late is not None
    assert (late.leaves, late.deadline) == ("2026-11-22 10:00 +01:00", "2026-11-22 10:00 +01:00")


def test_what_nobody_knows_the_end_of_is_late() -> None:
    late = lateness_of(Deadline(NOW + HOUR, is_dated=True), None, ROME)
    assert late is not None
    assert late.leaves == ""
    assert late.comes_back, "its sender named the day"
    held = lateness_of(Deadline(NOW + HOUR, is_dated=False), None, ROME)
    assert held is not None
    assert not held.comes_back, "what is held waits longer than its account's lifetime"
