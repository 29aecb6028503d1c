"""A time says by which clock it is read, in the words of whoever reads it."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from relay.core.failuretext import Language
from relay.core.instants import exact, spoken

ROME, NEW_YORK, KOLKATA = (ZoneInfo(each) for each in ("Europe/Rome", "America/New_York", "Asia/Kolkata"))
NOON = datetime(2026, 11, 22, 12, 0, 59, tzinfo=UTC)
SUMMER = datetime(2026, 7, 22, 12, 0, tzinfo=UTC)
SAO_PAULO, NAMELESS = ZoneInfo("America/Sao_Paulo"), timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("at", "italian", "english"),
    [
        (NOON.astimezone(ROME), "22/11/2026, ore 13:00 (ora italiana)", "2026-11-22 13:00 CET"),
        (SUMMER.astimezone(ROME), "22/07/2026, ore 14:00 (ora italiana)", "2026-07-22 14:00 CEST"),
        (NOON, "22/11/2026, ore 12:00 (UTC)", "2026-11-22 12:00 UTC"),
        (NOON.astimezone(NEW_YORK), "22/11/2026, ore 07:00 (UTC-05:00)", "2026-11-22 07:00 EST"),
        (NOON.astimezone(SAO_PAULO), "22/11/2026, ore 09:00 (UTC-03:00)", "2026-11-22 09:00 UTC-03:00"),
        (NOON.astimezone(NAMELESS), "22/11/2026, ore 13:00 (UTC+01:00)", "2026-11-22 13:00 UTC+01:00"),
    ],
)
def test_a_mail_says_it_as_people_do(at: datetime, italian: str, english: str) -> None:
    assert spoken(at, Language.ITALIAN) == italian
    assert spoken(at, Language.ENGLISH) == english


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON.astimezone(ROME), "2026-11-22 13:00 +01:00"),
        (SUMMER.astimezone(ROME), "2026-07-22 14:00 +02:00"),
        (NOON, "2026-11-22 12:00 +00:00"),
        (NOON.astimezone(NEW_YORK), "2026-11-22 07:00 -05:00"),
        (NOON.astimezone(KOLKATA), "2026-11-22 17:30 +05:30"),
    ],
)
def test_an_answer_of_smtp_has_the_offset(at: datetime, said: str) -> None:
    assert exact(at) == said
    assert said.isascii()


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC).astimezone(ROME) for hour in (0, 1))
    assert (exact(first), exact(second)) == ("2026-10-25 02:30 +02:00", "2026-10-25 02:30 +01:00")
