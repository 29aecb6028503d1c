"""Whose trouble refused logins and broken lines are."""

from fractions import Fraction

import pytest

from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.outages import (
    Refusal,
    Sent,
    Sighting,
    broken_together,
    dropped_last,
    is_dropping,
    is_of_message,
    quorum,
    refused_together,
)
from relay.core.words import MailboxId

NOW = 100 * HOUR
ROSSI, BIANCHI, VERDI, NERI = (MailboxId("p", name) for name in ("rossi", "bianchi", "verdi", "neri"))


def refused(mailbox: MailboxId, ago: int = 0, *, worked: int | None = HOUR) -> Refusal:
    return Refusal(mailbox, NOW - ago, None if worked is None else NOW - ago - worked)


def test_three_that_worked_and_are_refused_within_ten_minutes_are_their_providers_trouble() -> None:
    seen = [refused(ROSSI, 10 * MINUTE), refused(BIANCHI, MINUTE), refused(VERDI)]
    assert refused_together(seen, active=3, now=NOW) == (BIANCHI, ROSSI, VERDI)


def test_two_wrong_passwords_are_two_wrong_passwords() -> None:
    assert refused_together([refused(ROSSI), refused(BIANCHI)], active=2, now=NOW) == ()


def test_one_mailbox_that_is_refused_a_hundred_times_is_one() -> None:
    seen = [refused(ROSSI, step * SECOND) for step in range(100)]
    assert refused_together([*seen, refused(BIANCHI)], active=2, now=NOW) == ()


def test_who_was_refused_longer_ago_does_not_count() -> None:
    seen = [refused(ROSSI, 10 * MINUTE + 1), refused(BIANCHI), refused(VERDI)]
    assert refused_together(seen, active=3, now=NOW) == ()


@pytest.mark.parametrize("worked", [None, 24 * HOUR + 1])
def test_who_never_worked_or_long_ago_is_no_witness(worked: int | None) -> None:
    seen = [refused(ROSSI, worked=worked), refused(BIANCHI), refused(VERDI)]
    assert refused_together(seen, active=3, now=NOW) == ()
    assert refused_together([*seen, refused(NERI)], active=3, now=NOW) == (BIANCHI, NERI, VERDI)


def test_who_worked_a_day_ago_to_the_instant_still_counts() -> None:
    seen = [refused(ROSSI, worked=24 * HOUR), refused(BIANCHI), refused(VERDI)]
    assert len(refused_together(seen, active=3, now=NOW)) == 3


def test_among_many_it_takes_two_in_a_hundred() -> None:
    seen = [refused(MailboxId("p", str(number))) for number in range(4)]
    assert refused_together(seen, active=200, now=NOW)
    assert not refused_together(seen, active=201, now=NOW), "five of 201 are two in a hundred, rounded up"


def test_a_share_is_rounded_up_and_never_below_the_least() -> None:
    share = Fraction(2, 100)
    assert [quorum(active, least=3, share=share) for active in (0, 150, 151, 10_000)] == [3, 3, 4, 200]


def test_three_whose_lines_break_within_five_minutes_are_their_providers_trouble() -> None:
    seen = [Sighting(ROSSI, NOW - 5 * MINUTE), Sighting(BIANCHI, NOW - MINUTE), Sighting(VERDI, NOW)]
    assert broken_together(seen, now=NOW) == (BIANCHI, ROSSI, VERDI)
    assert broken_together(seen, now=NOW + 1) == ()
    assert broken_together([Sighting(ROSSI, NOW), Sighting(ROSSI, NOW), Sighting(BIANCHI, NOW)], now=NOW) == ()


def test_who_dropped_and_has_sent_since_is_not_among_those_that_drop() -> None:
    drops = [Sent(each, is_dropped=True) for each in (VERDI, ROSSI, BIANCHI)]
    assert dropped_last([*drops, Sent(ROSSI, is_dropped=False)]) == (BIANCHI, VERDI)
    assert dropped_last([drops[0], *[Sent(ROSSI, is_dropped=False)] * 10]) == ()


def test_a_provider_that_drops_three_of_ten_from_three_mailboxes_is_out() -> None:
    fine = [Sent(ROSSI, is_dropped=False)] * 7
    drops = [Sent(each, is_dropped=True) for each in (ROSSI, BIANCHI, VERDI)]
    assert is_dropping([*fine, *drops])
    assert is_dropping([*drops, *fine])
    assert not is_dropping([*drops, *fine, fine[0]]), "eleven ago is not of the last ten"
    assert not is_dropping([*fine, *drops[:2], drops[1]]), "two mailboxes are not three"


def test_a_message_that_breaks_the_line_twice_while_no_other_does_is_the_trouble_itself() -> None:
    assert is_of_message(["a", "a"])
    assert is_of_message(["b", "a", "a"]), "that another failed long before is no matter"


def test_a_line_that_breaks_for_others_too_is_the_mailboxs() -> None:
    assert not is_of_message(["a"])
    assert not is_of_message(["a", "b", "a"])
    assert not is_of_message([])
