"""Two refusals a day apart keep somebody away for two weeks; an opt-out is for good."""

from relay.core.suppression import APART, REMEMBERED, SUPPRESSED, SuppressionKind, after_unknown, opted_out

NOW = 10**15


def test_an_opt_out_has_no_end() -> None:
    assert opted_out(NOW).is_in_force(NOW + 100 * REMEMBERED)
    assert opted_out(NOW).kind is SuppressionKind.OPTOUT


def test_one_refusal_is_remembered_and_not_in_force() -> None:
    once = after_unknown(None, NOW)
    assert not once.is_in_force(NOW)
    assert (once.many, once.first_at, once.last_at) == (1, NOW, NOW)


def test_a_second_one_too_soon_changes_nothing_but_the_count() -> None:
    twice = after_unknown(after_unknown(None, NOW), NOW + APART - 1)
    assert twice.many == 2
    assert not twice.is_in_force(NOW + APART - 1)


def test_a_second_one_a_day_later_is_in_force_for_two_weeks_to_the_instant() -> None:
    twice = after_unknown(after_unknown(None, NOW), NOW + APART)
    assert twice.is_in_force(NOW + APART + SUPPRESSED - 1)
    assert not twice.is_in_force(NOW + APART + SUPPRESSED)


def test_the_day_counts_from_the_first_one() -> None:
    once = after_unknown(None, NOW)
    twice = after_unknown(once, NOW + APART // 2)
    assert after_unknown(twice, NOW + APART).is_in_force(NOW + APART)


def test_one_that_was_long_ago_is_forgotten() -> None:
    again = after_unknown(after_unknown(None, NOW), NOW + REMEMBERED)
    assert again.many == 1
    assert not again.is_in_force(NOW + REMEMBERED)
