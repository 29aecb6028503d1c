"""Passwords that a provider lets expire after a burst."""

from relay.core.expiry import bursts_of, is_expired_by_provider
from relay.core.limits import HOUR, MINUTE, parse_limit

NOW = 1000 * HOUR
LIBERO = (parse_limit("4/m"), parse_limit("60/h"), parse_limit("300/d"))


def sent(many: int, ago: int, apart: int = MINUTE) -> list[int]:
    """So many mails, the last of them so long ago."""
    return [NOW - ago - number * apart for number in range(many)]


def expired(mails: list[int], *, expires_passwords: bool = True, has_worked: bool = True) -> bool:
    return is_expired_by_provider(
        expires_passwords=expires_passwords, has_worked=has_worked, sent=mails, limits=LIBERO, now=NOW
    )


def test_refused_soon_after_a_burst_is_the_providers_doing() -> None:
    assert expired(sent(30, 24 * HOUR))


def test_refused_without_a_burst_is_a_wrong_password() -> None:
    assert not expired(sent(29, HOUR))
    assert not expired([])


def test_refused_long_after_a_burst_is_a_wrong_password() -> None:
    assert not expired(sent(30, 24 * HOUR + 1))


def test_half_of_what_a_day_lets_go_is_a_burst_too() -> None:
    assert expired(sent(150, HOUR, apart=5 * MINUTE))
    assert not expired(sent(149, HOUR, apart=5 * MINUTE))


def test_a_password_that_never_worked_has_not_expired() -> None:
    assert not expired(sent(30, HOUR), has_worked=False)


def test_other_providers_do_not_do_this() -> None:
    assert not expired(sent(30, HOUR), expires_passwords=False)


def test_a_burst_is_half_of_what_hours_and_days_let_go() -> None:
    assert bursts_of(LIBERO) == (parse_limit("30/h"), parse_limit("150/d"))
    assert bursts_of([parse_limit("4/m")]) == (parse_limit("30/h"),)
