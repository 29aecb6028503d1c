"""Readiness: what is wrong, since when, and what of it takes the node out of service."""

from relay.admin import Part, Readiness
from relay.admin.readiness import PROBLEMS


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


def test_a_trouble_keeps_its_beginning_until_it_is_over():
    readiness = Readiness(Clock())
    assert readiness.set(Part.DISK, "nearly full") is True
    assert readiness.set(Part.DISK, "full") is False
    assert [(each.text, each.since) for each in readiness.problems] == [("full", 1.0)]
    assert readiness.clear(Part.DISK) is True
    assert readiness.clear(Part.DISK) is False
    assert readiness.set(Part.DISK, "full") is True
    assert readiness.problems[0].since == 2.0


def test_only_the_nodes_own_troubles_make_it_unready():
    readiness = Readiness(Clock())
    readiness.set("mailbox", "a password was refused")
    assert readiness.is_ready
    states = []
    readiness.set(Part.STORE, "away")
    states.append(readiness.is_ready)
    readiness.clear(Part.STORE)
    states.append(readiness.is_ready)
    assert states == [False, True]


def test_the_nodes_own_troubles_come_first_then_the_oldest():
    readiness = Readiness(Clock())
    for what in ("b", "a", Part.STORE):
        readiness.set(what, "x")
    assert [each.what for each in readiness.problems] == [Part.STORE, "b", "a"]


def test_the_list_is_bounded_and_never_hides_the_nodes_own():
    readiness = Readiness(Clock())
    for number in range(2 * PROBLEMS):
        readiness.set(f"mailbox-{number}", "x")
    readiness.set(Part.DISK, "full")
    assert len(readiness.problems) == PROBLEMS
    assert readiness.problems[0].what == Part.DISK
