"""Limits and faults are read as written on the command line, and what is wrong is said."""

import pytest

from relay.errors import ConfigError
from relay.sandbox.settings import Fault, Window, parse_faults, parse_window


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [
        ("5/1s", 5, 1),
        ("150/20m", 150, 1200),
        ("8/m", 8, 60),
        ("8/minute", 8, 60),
        ("60/h", 60, 3600),
        ("300/d", 300, 86_400),
        ("300/week", 300, 604_800),
        ("3/250ms", 3, 0.25),
    ],
)
def test_a_limit_is_a_count_and_honest_seconds(text: str, count: int, seconds: float) -> None:
    assert parse_window(text) == Window(count, seconds)


@pytest.mark.parametrize("text", ["", "5", "5/", "0/1s", "5/0s", "5/1", "x/1s", "5/1y", "-5/1s", "900/calendar-day"])
def test_what_is_no_rolling_limit_is_said_so(text: str) -> None:
    with pytest.raises(ConfigError, match="not a rolling limit"):
        parse_window(text)


def test_faults_have_a_kind_and_a_rate() -> None:
    assert parse_faults(("slow:0.5", "garbage:1")) == {Fault.SLOW: 0.5, Fault.GARBAGE: 1.0}


@pytest.mark.parametrize("text", ["", "slow", "slow:", "slow:often", "explode:1", "slow:1.1", "slow:-0.1", "slow:nan"])
def test_what_is_no_fault_is_said_so(text: str) -> None:
    with pytest.raises(ConfigError, match="fault"):
        parse_faults((text,))
