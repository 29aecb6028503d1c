from relay.store.redis.replicas import GIVEN_UP, Replicas

NOW = 1_000_000


def told(replicas: Replicas) -> str:
    return " / ".join(flaw.text for flaw in replicas.flaws())


def met(seen: int, primary: str = "a") -> Replicas:
    replicas = Replicas()
    replicas.met(primary, seen, NOW)
    return replicas


def test_as_many_are_waited_for_as_were_seen():
    assert [met(seen).counted for seen in (0, 1, 3)] == [0, 1, 3]
    assert not told(met(2))


def test_missing_one_is_waited_for_until_it_is_given_up():
    replicas = met(2)
    replicas.answered(1, NOW)
    replicas.answered(1, NOW + GIVEN_UP - 1)
    assert (replicas.counted, replicas.is_short) == (2, True)
    assert "no mail is accepted" in told(replicas)
    replicas.answered(1, NOW + GIVEN_UP)
    assert (replicas.counted, replicas.is_short) == (1, False)
    assert "confirmed by 1 replicas of the store, 1 fewer than before" in told(replicas)


def test_one_that_comes_back_in_time_begins_its_minute_anew():
    replicas = met(1)
    replicas.answered(0, NOW)
    replicas.answered(1, NOW + 1)
    replicas.answered(0, NOW + GIVEN_UP)
    assert replicas.counted == 1


def test_one_that_was_given_up_counts_when_the_primary_names_it_again():
    replicas = met(1)
    replicas.answered(0, NOW)
    replicas.answered(0, NOW + GIVEN_UP)
    assert replicas.counted == 0
    replicas.listed(1, NOW + GIVEN_UP)
    assert replicas.counted == 1
    assert not told(replicas)


def test_confirmations_count_no_replica_twice():
    replicas = met(1)
    replicas.answered(2, NOW)
    assert replicas.counted == 1


def test_being_named_proves_nothing_of_one_that_did_not_confirm():
    replicas = met(1)
    replicas.answered(0, NOW)
    replicas.listed(1, NOW)
    assert replicas.is_short


def test_reconnect_to_the_same_primary_forgets_nothing():
    replicas = met(1)
    replicas.met("a", 0, NOW)
    assert (replicas.counted, replicas.is_short) == (1, True)


def test_failover_waits_for_one_fewer():
    replicas = met(2)
    replicas.met("b", 0, NOW)
    assert (replicas.counted, replicas.is_short) == (1, True), "the third is still to come"
    replicas.met("b", 1, NOW)
    replicas.answered(1, NOW)
    assert not replicas.is_short
    assert "1 fewer than before" in told(replicas)
    replicas.listed(2, NOW)
    assert not told(replicas)


def test_fewer_than_the_primary_demands_are_never_enough():
    """However long it lasts, and for a node that starts when none is there."""
    replicas = Replicas()
    replicas.demanded(1)
    replicas.met("a", 0, NOW)
    assert (replicas.counted, replicas.is_short) == (1, True)
    replicas.answered(0, NOW + 2 * GIVEN_UP)
    assert (replicas.counted, replicas.is_short) == (1, True)
    assert told(replicas).endswith("no mail is accepted or sent until it does")
    replicas.met("b", 0, NOW + 2 * GIVEN_UP)
    assert (replicas.counted, replicas.is_short) == (1, True), "who became primary has to have one too"
    replicas.answered(1, NOW + 3 * GIVEN_UP)
    assert (replicas.counted, replicas.is_short, told(replicas)) == (1, False, "")


def test_those_above_what_is_demanded_are_given_up_as_ever():
    replicas = Replicas()
    replicas.demanded(1)
    replicas.met("a", 2, NOW)
    replicas.answered(0, NOW)
    replicas.answered(0, NOW + GIVEN_UP)
    assert (replicas.counted, replicas.is_short) == (1, True)
    replicas.answered(1, NOW + GIVEN_UP + 1)
    assert not replicas.is_short
    replicas.demanded(0)
    replicas.answered(0, NOW + GIVEN_UP + 2)
    replicas.answered(0, NOW + 2 * GIVEN_UP + 2)
    assert (replicas.counted, replicas.is_short) == (0, False), "an admin took the demand back"


def test_failover_to_the_last_one_waits_for_nobody():
    replicas = met(1)
    replicas.met("b", 0, NOW)
    assert (replicas.counted, replicas.is_short) == (0, False)
    assert "confirmed by 0 replicas" in told(replicas)
