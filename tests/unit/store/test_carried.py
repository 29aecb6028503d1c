"""What is carried to another store: a row arrives as it was, but for relay time, and what differs is seen."""

import json

from relay.core.health import Health, HealthEvent, HealthState
from relay.store.engine.values import read_health, write_health
from relay.store.moving.carried import CARRIED, LEFT_BEHIND, Tally, compared, is_carried, shifted
from relay.store.redis.tables import TABLES

HOUR = 3_600_000_000


def test_every_table_is_carried_or_said_to_be_left_behind():
    assert {*CARRIED, *LEFT_BEHIND} == set(TABLES)


def test_every_instant_of_relay_time_within_a_health_is_moved_and_no_other():
    health = Health(
        state=HealthState.WAITING, reason="x", since=7 * HOUR, cause=HealthEvent.BUSY, probe_at=1, clean_since=2,
        fixed_at=3, logins_back_at=4, refused=(("f", 5),), is_proven=True, step=9, slow=2, slowed_by="y",
    )  # fmt: skip
    instants = {"probe_at", "clean_since", "fixed_at", "logins_back_at", "refused", "since"}
    written = json.loads(write_health(health))
    assert {name for name, value in written.items() if not isinstance(value, bool | str) and name not in instants} == {
        "step", "slow",
    }, "an instant more is moved by shifted()"  # fmt: skip
    moved = read_health(shifted("mailboxes", [1, "p", "u", write_health(health)], HOUR)[-1])
    assert (moved.probe_at, moved.clean_since, moved.fixed_at, moved.logins_back_at) == (
        HOUR + 1, HOUR + 2, HOUR + 3, HOUR + 4,
    )  # fmt: skip
    assert moved.refused == (("f", HOUR + 5),)
    assert moved.since == 7 * HOUR, "that is queue time"
    assert shifted("mailboxes", [1, "p", "u", None], HOUR) == [1, "p", "u", None]


def test_instants_of_attempts_and_logins_are_moved_where_there_are_any():
    attempt = [1, 2, 3, "node", 10, None, 30, 1, "eod", "delivered", None, None, None]
    assert shifted("attempts", attempt, 5) == [1, 2, 3, "node", 15, None, 35, 1, "eod", "delivered", None, None, None]
    assert shifted("logins", ["1.1", 1, 10, 20, None, None, 0], 5) == ["1.1", 1, 15, 25, None, None, 0]
    delivery = [1, 1, 1, 0, 0, 99, 100, 0, 0, None, None, 98, b"d", b"h", b"e"]
    assert shifted("deliveries", delivery, 5) == delivery, "queue time is carried as it is"


def test_where_a_body_lies_is_no_difference_and_anything_else_is():
    row = [1, "m", "c", 1, 0, 5, 10, 1, 3, 4, 5, b"h", b"s", 0]
    moved = [*row[:8], 0, 1, 5, *row[11:]]
    assert compared("messages", row) == compared("messages", moved)
    for place in (*range(8), 11, 12, 13):
        other = list(row)
        other[place] = "another" if isinstance(row[place], str) else b"another" if isinstance(row[place], bytes) else 77
        assert compared("messages", other) != compared("messages", row)


def test_as_many_are_not_the_same():
    one, other = Tally(), Tally()
    for rows, tally in (((b"a", b"b"), one), ((b"b", b"a"), other)):
        for row in rows:
            tally.add(row)
    assert one == other, "in whatever order they come"
    one.add(b"c")
    other.add(b"d")
    assert (one.many, one == other) == (3, False)


def test_facts_of_the_place_stay_there():
    facts = ("store_id", "keys", "hash-key", "told_to", "places", "schema", "barred", "moving", "moving:messages")
    carried = [name for name in facts if is_carried("meta", [name, "x"])]
    assert carried == ["store_id", "keys", "hash-key", "told_to", "places"]
