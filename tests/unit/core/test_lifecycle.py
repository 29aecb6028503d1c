"""A delivery's life is the table, and the table keeps the promises."""

import pytest

from relay.core.lifecycle import FINAL, LIFE, SENDING, Event, ImpossibleEvent, State, after, can


def test_nothing_leaves_a_final_state_but_for_the_fact_that_it_was_delivered_or_as_a_bounce_taken_back() -> None:
    for (state, event), target in LIFE.items():
        if state in FINAL and event is not Event.RECALL:
            assert (event, target) == (Event.DELIVER, State.DELIVERED)
    assert [(state, target) for (state, event), target in LIFE.items() if event is Event.RECALL] == [
        (State.BOUNCED, State.HELD)
    ]


def test_whoever_is_not_final_can_still_become_so() -> None:
    for state in set(State) - FINAL:
        reached, todo = {state}, [state]
        while todo:
            here = todo.pop()
            for target in {target for (origin, _), target in LIFE.items() if origin is here} - reached:
                reached.add(target)
                todo.append(target)
        assert reached >= {State.DELIVERED, State.BOUNCED}, state


def test_only_past_the_gate_is_there_a_doubt() -> None:
    assert {state for state, event in LIFE if event is Event.DOUBT} == {State.GATED}


def test_what_is_being_sent_cannot_be_cancelled_or_taken_again() -> None:
    for state in SENDING:
        assert not can(state, Event.CANCEL)
        assert not can(state, Event.TAKE)


def test_what_cannot_happen_is_said_in_words() -> None:
    with pytest.raises(ImpossibleEvent, match="a delivery that is delivered cannot take"):
        after(State.DELIVERED, Event.TAKE)
    assert after(State.WAITING, Event.TAKE) is State.CLAIMED
