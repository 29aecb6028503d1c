"""What goes to a terminal: printable characters alone, and times as people say them."""

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cli.terminal import PIPED, ahead, clean, clock, screen, short, spoken

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@given(st.text(st.characters(codec=None)))
def test_nothing_that_a_terminal_obeys_is_left(text):
    shown = clean(text)
    assert all(unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for letter in shown)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_ordinary_text_stays_as_it_is(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    ("seconds", "table", "sentence"),
    [
        (-5, "0s", "0 s"),
        (42, "42s", "42 s"),
        (99, "99s", "99 s"),
        (100, "2m", "2 min"),
        (12 * 60, "12m", "12 min"),
        (99 * 60, "99m", "99 min"),
        (100 * 60, "2h", "2 h"),
        (5 * 3600 - 1, "5h", "5 h"),
        (48 * 3600, "48h", "48 h"),
        (49 * 3600, "2d", "2 days"),
        (30 * 86400, "30d", "30 days"),
    ],
)
def test_spans(seconds, table, sentence):
    assert short(timedelta(seconds=seconds)) == table
    assert spoken(timedelta(seconds=seconds)) == sentence


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-22T12:12:00.000000Z", "in 12m"),
        ("2026-11-22T12:00:00.900000Z", "now"),
        ("2026-11-22T11:00:00Z", "now"),
    ],
)
def test_how_far_off(moment, said):
    assert ahead(moment, NOW) == said


def test_times_are_local_and_have_a_date_on_another_day():
    here = NOW.astimezone(ZoneInfo("Europe/Rome"))
    assert clock("2026-11-22T12:12:00.000000Z", here) == "13:12:00 CET"
    assert clock("2026-11-22T23:30:00.000000Z", here) == "2026-11-23 00:30 CET"


def test_a_pipe_gets_whole_lines_without_colours(capsys):
    console = screen()
    assert (console.width, console.is_terminal) == (PIPED, False)
    console.print("x" * 500, style="red")
    assert capsys.readouterr().out == "x" * 500 + "\n"
