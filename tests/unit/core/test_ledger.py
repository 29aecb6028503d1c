"""All limits of a mailbox and of its provider are held together or not at all, and nobody crowds out a newcomer."""

from datetime import datetime
from zoneinfo import ZoneInfo

from relay.core.calendar import CalendarWindow
from relay.core.ledger import UNLIMITED, MailboxLedger, TotalLedger, window_for
from relay.core.limits import HOUR, MINUTE, SECOND, Limit, RollingWindow

ROME = ZoneInfo("Europe/Rome")


def test_a_limit_gets_the_memory_that_fits_it() -> None:
    assert isinstance(window_for(Limit(1, 0)), CalendarWindow)
    assert isinstance(window_for(Limit(1, 1)), RollingWindow)


def test_a_mailbox_without_limits_is_never_out_of_room() -> None:
    ledger = MailboxLedger(())
    assert ledger.room(0) == UNLIMITED
    assert ledger.opens_at(7) == 7
    ledger.start(0)
    assert not ledger.is_idle(0)
    ledger.end(0, 1)
    assert ledger.is_idle(1)


def test_the_narrowest_limit_decides() -> None:
    ledger = MailboxLedger((Limit(1, 2 * SECOND), Limit(2, MINUTE)))
    ledger.start(0)
    ledger.end(0, 0)
    assert ledger.opens_at(0) == 2 * SECOND + 1
    ledger.start(3 * SECOND)
    ledger.end(3 * SECOND, 3 * SECOND)
    assert ledger.opens_at(3 * SECOND) == MINUTE + 1
    assert ledger.room(3 * SECOND) == 0


def test_a_slot_given_back_is_given_back_under_every_limit() -> None:
    ledger = MailboxLedger((Limit(1, SECOND), Limit(1, 0)))
    ledger.start(12 * HOUR)
    ledger.give_back(12 * HOUR)
    assert ledger.has_room(12 * HOUR)
    assert ledger.in_flight == 0


def test_an_opening_after_midnight_waits_for_the_day_to_open() -> None:
    noon = round(datetime(2027, 6, 1, 12, tzinfo=ROME).timestamp()) * SECOND
    midnight = noon + 12 * HOUR
    ledger = MailboxLedger((Limit(9, 0), Limit(1, MINUTE)), ROME)
    ledger.start(midnight - 30 * SECOND)
    ledger.end(midnight - 30 * SECOND, midnight - 30 * SECOND)
    assert ledger.opens_at(midnight - 30 * SECOND) == midnight + 5 * MINUTE


def test_a_corrected_civil_clock_moves_the_days() -> None:
    ledger = MailboxLedger((Limit(1, 0), Limit(5, SECOND)), ROME)
    noon = round(datetime(2027, 6, 1, 12, tzinfo=ROME).timestamp()) * SECOND
    ledger.start(noon)
    ledger.end(noon, noon)
    ledger.set_offset(24 * HOUR)
    assert ledger.has_room(noon)


def test_slowing_reaches_every_short_limit() -> None:
    ledger = MailboxLedger((Limit(8, MINUTE), Limit(300, 25 * HOUR)))
    ledger.set_slow(4)
    assert [window.ceiling() for window in ledger.windows] == [2, 300]


# totals


def test_without_totals_nothing_is_kept_of_anybody() -> None:
    totals = TotalLedger(())
    totals.start("a", 0)
    assert totals.has_room("a", 0)
    assert totals.opens_at("a", 5) == 5
    totals.end("a", 0, 1)
    totals.remember("a", 0, 1)
    totals.start("a", 2)
    totals.give_back("a", 2)
    assert totals.is_open(2)


def test_a_newcomer_finds_room_beside_a_mailbox_that_has_ten_thousand_queued() -> None:
    totals = TotalLedger((Limit(66, MINUTE),))
    taken = 0
    while totals.has_room("busy", 0):
        totals.start("busy", 0)
        taken += 1
    assert taken == 64
    assert totals.has_room("newcomer", 0)
    assert totals.opens_at("busy", 0) is None
    for _ in range(taken):
        totals.end("busy", 0, SECOND)
    assert totals.opens_at("busy", SECOND) == SECOND + MINUTE + 1


def test_the_share_of_a_holder_is_counted_under_each_total() -> None:
    totals = TotalLedger((Limit(40, MINUTE), Limit(33, SECOND)))
    for _ in range(32):
        totals.start("busy", 0)
        totals.end("busy", 0, 0)
    assert not totals.has_room("busy", 0)
    assert totals.opens_at("busy", 0) == SECOND + 1
    assert totals.has_room("busy", SECOND + 1)


def test_who_holds_nothing_is_not_remembered() -> None:
    totals = TotalLedger((Limit(33, SECOND),))
    totals.remember("past", 0, 0, 33)
    assert not totals.has_room("newcomer", 0)
    assert not totals.is_open(0)
    totals.forget_idle(SECOND + 1)
    assert totals.has_room("past", SECOND + 1)


def test_a_total_of_a_calendar_day_follows_the_civil_clock() -> None:
    noon = round(datetime(2027, 6, 1, 12, tzinfo=ROME).timestamp()) * SECOND
    totals = TotalLedger((Limit(1, 0),), ROME)
    totals.start("a", noon)
    totals.end("a", noon, noon)
    assert totals.opens_at("b", noon) == noon + 12 * HOUR + 5 * MINUTE
    totals.set_offset(24 * HOUR)
    assert totals.opens_at("b", noon) == noon
    assert totals.opens_at("a", noon) == noon


def test_a_holder_that_is_out_of_everything_waits_for_an_end() -> None:
    totals = TotalLedger((Limit(33, SECOND),))
    for _ in range(33):
        totals.start("a", 0)
    assert totals.opens_at("a", 0) is None
    assert totals.opens_at("b", 0) is None


def test_what_the_whole_counts_already_can_be_shared_out() -> None:
    """A memory that was read elsewhere says the same as one that grew here."""
    limits = (Limit(66, MINUTE),)
    grown, read = TotalLedger(limits), TotalLedger(limits)
    for _ in range(64):
        grown.remember("a", 0, 0)
        read.whole.remember(0, 0)
    own = MailboxLedger(limits)
    own.remember(0, 0, 64)
    read.share_out("a", own)
    assert (
        [read.has_room(holder, 0) for holder in "ab"] == [grown.has_room(holder, 0) for holder in "ab"] == [False, True]
    )
    assert read.opens_at("a", 0) == grown.opens_at("a", 0)
