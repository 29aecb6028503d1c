"""Which address was perhaps meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.slips import LONGEST, meant

KNOWN = {"m.rossi@studio.it", "g.bianchi@studio.it"}


@pytest.mark.parametrize(
    "typed",
    [
        "m.rosi@studio.it", "m.rosssi@studio.it", "m.rozsi@studio.it", "m.orssi@studio.it", "mrossi@studio.it",
        "m.rossi@studio.i", "m.rossistudio.it", " M.Rossi@Studio.it ",
    ],
)  # fmt: skip
def test_one_slip_is_seen_through(typed):
    assert meant(typed, KNOWN.__contains__) == "m.rossi@studio.it"


@pytest.mark.parametrize("typed", ["", "verdi@studio.it", "m.ros@studio.it", "m.rossi@studio.it" + "x" * LONGEST])
def test_what_is_nothing_like_it_is_not_guessed_at(typed):
    assert meant(typed, KNOWN.__contains__) is None


@given(st.text(max_size=200))
def test_it_makes_a_bounded_number_of_guesses(typed):
    asked: list[str] = []

    def is_known(guess: str) -> bool:
        asked.append(guess)
        return False

    assert meant(typed, is_known) is None
    assert len(asked) < 100 * LONGEST
