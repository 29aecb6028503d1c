"""Too fast, and not by what the relay sends."""

from relay.core.foreign import Use, is_foreign

DAY, HOUR, PACE = Use(300, 20), Use(60, 29), Use(1, 1)


def test_too_fast_at_less_than_half_of_every_limit_is_somebody_elses_haste() -> None:
    assert is_foreign([DAY, HOUR], is_at_ease=True)


def test_at_half_of_one_limit_it_is_our_own() -> None:
    assert not is_foreign([DAY, Use(60, 30)], is_at_ease=True)


def test_a_limit_that_paces_tells_nothing() -> None:
    assert is_foreign([DAY, PACE], is_at_ease=True)
    assert not is_foreign([PACE, Use(2, 1)], is_at_ease=True)
    assert not is_foreign([], is_at_ease=True)


def test_a_mailbox_that_was_slowed_or_stopped_before_meets_its_providers_grudge() -> None:
    assert not is_foreign([DAY, HOUR], is_at_ease=False)
