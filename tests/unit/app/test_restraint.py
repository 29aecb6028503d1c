"""Strangers cause few lines of the log, however much they do, and what is not said is counted."""

from relay.app.restraint import LINES_OF_ALL, LINES_OF_ONE, WINDOW_SECONDS, Restraint


def test_one_address_causes_few_lines_and_silences_nobody_else() -> None:
    restraint = Restraint()
    assert [restraint.may_say("198.51.100.1", 5.0) for _ in range(100)].count(True) == LINES_OF_ONE
    assert restraint.may_say("10.0.0.1", 5.0)
    assert restraint.take_unsaid() == 0, "the window has not ended"
    assert restraint.may_say("10.0.0.1", 5.0 + WINDOW_SECONDS)
    assert restraint.take_unsaid() == 100 - LINES_OF_ONE
    assert restraint.take_unsaid() == 0


def test_all_together_cause_few_and_take_little_memory() -> None:
    restraint = Restraint()
    said = [restraint.may_say(f"198.51.{number // 250}.{number % 250}", 5.0) for number in range(20_000)]
    assert said.count(True) == len(restraint._of) == LINES_OF_ALL


def test_a_new_window_begins_anew() -> None:
    restraint = Restraint()
    for _ in range(100):
        restraint.may_say("198.51.100.1", 5.0)
    assert not restraint.may_say("198.51.100.1", 4.9 + WINDOW_SECONDS)
    assert restraint.may_say("198.51.100.1", 5.0 + WINDOW_SECONDS)
