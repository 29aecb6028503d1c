"""How long a client is waited for, told by a clock that the test holds."""

from relay.submission.patience import DATA_RATE_LEAST, DATA_SECONDS, Patience

TIMEOUT = 300.0


def test_silence_is_counted_from_the_last_question() -> None:
    patience = Patience(TIMEOUT, 0.0)
    assert patience.until(100.0, is_waiting=True) == TIMEOUT
    patience.begin(100.0)
    assert patience.until(200.0, is_waiting=True) == 100.0 + TIMEOUT


def test_a_relay_that_is_busy_takes_none_of_it() -> None:
    patience = Patience(TIMEOUT, 0.0)
    assert patience.until(1000.0, is_waiting=False) == 1000.0 + TIMEOUT


def test_octets_of_commands_buy_no_time() -> None:
    patience = Patience(TIMEOUT, 0.0)
    patience.hear(1_000_000, 200.0)
    assert patience.until(200.0, is_waiting=True) == TIMEOUT


def test_a_message_buys_time_only_by_its_whole_length() -> None:
    patience, enough = Patience(TIMEOUT, 0.0), int(DATA_RATE_LEAST * TIMEOUT)
    patience.begin_data(10.0)
    patience.hear(enough - 1, 200.0)
    assert patience.until(200.0, is_waiting=True) == 10.0 + TIMEOUT
    patience.hear(1, 250.0)
    assert patience.until(250.0, is_waiting=True) == 250.0 + TIMEOUT
    patience.hear(enough - 1, 300.0)
    assert patience.until(300.0, is_waiting=True) == 250.0 + TIMEOUT, "what bought time once is spent"


def test_no_message_takes_longer_than_the_slowest_line_does() -> None:
    patience = Patience(TIMEOUT, 0.0)
    patience.begin_data(0.0)
    assert patience.until(DATA_SECONDS - 1, is_waiting=False) == DATA_SECONDS
    patience.end_data()
    assert patience.until(DATA_SECONDS - 1, is_waiting=False) == DATA_SECONDS - 1 + TIMEOUT
