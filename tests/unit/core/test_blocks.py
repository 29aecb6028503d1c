"""Blocks of many mailboxes in the same words."""

from relay.core.blocks import Blocked, blocked_together
from relay.core.limits import HOUR
from relay.core.words import MailboxId

NOW = 100 * HOUR
BANNED = b"banned"


def blocked(number: int, ago: int = 0, *, likeness: bytes = BANNED, is_active: bool = True) -> Blocked:
    return Blocked(MailboxId("p", str(number)), NOW - ago, likeness, is_active)


def test_five_blocked_in_the_same_words_within_an_hour_are_their_providers_doing() -> None:
    seen = [blocked(number, HOUR if number == 0 else 0) for number in range(5)]
    assert len(blocked_together(seen, BANNED, active=10, now=NOW)) == 5
    assert blocked_together(seen, BANNED, active=10, now=NOW + 1) == ()


def test_four_are_four() -> None:
    assert blocked_together([blocked(number) for number in range(4)], BANNED, active=4, now=NOW) == ()


def test_other_words_are_another_reason() -> None:
    seen = [blocked(number, likeness=b"unpaid" if number == 4 else BANNED) for number in range(5)]
    assert blocked_together(seen, BANNED, active=5, now=NOW) == ()


def test_a_mailbox_that_was_never_opened_is_not_blocked() -> None:
    seen = [blocked(number, is_active=number < 4) for number in range(9)]
    assert blocked_together(seen, BANNED, active=9, now=NOW) == ()


def test_among_many_it_takes_five_in_a_hundred() -> None:
    seen = [blocked(number) for number in range(6)]
    assert blocked_together(seen, BANNED, active=120, now=NOW)
    assert not blocked_together(seen, BANNED, active=121, now=NOW)
