"""Whose turn it is, who should log in, whose session makes place, and when to look again."""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relay.core.ledger import MailboxLedger, TotalLedger
from relay.core.limits import HOUR, MINUTE, SECOND, Limit, RollingWindow, parse_limit
from relay.core.rotation import Line, ProviderLine
from relay.core.schedule import Schedule
from relay.core.terms import Grant, MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.words import Lane, MailboxId

A, B, C = MailboxId("p", "a"), MailboxId("p", "b"), MailboxId("p", "c")
ROME = ZoneInfo("Europe/Rome")
NOW = 1_000 * SECOND


class Memory:
    """What a store would tell the schedule."""

    def __init__(self) -> None:
        self.terms: dict[MailboxId, MailboxTerms] = {}
        self.provider = ProviderTerms()
        self.standings: dict[MailboxId, Standing] = {}
        self.provider_stands = Standing()
        self.attempts: list[PastAttempt] = []
        self.logins: list[PastAttempt] = []
        self.refusals: list[PastAttempt] = []
        self.offset = 0

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        return self.terms.get(mailbox, MailboxTerms(connections=9))

    def provider_terms(self, provider: str) -> ProviderTerms:
        return self.provider

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        return self.standings.get(mailbox, Standing())

    def provider_standing(self, provider: str) -> Standing:
        return self.provider_stands

    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return [past for past in self.attempts if past.mailbox == mailbox]

    def provider_past(self, provider: str) -> Iterable[PastAttempt]:
        return self.attempts

    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return [past for past in self.logins if past.mailbox == mailbox]

    def refusal_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        return [past for past in self.refusals if past.mailbox == mailbox]

    def civil_offset(self) -> int:
        return self.offset


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def schedule(memory: Memory) -> Schedule:
    return Schedule(memory)


def limited(*limits: str, **more: Any) -> MailboxTerms:
    return MailboxTerms(tuple(map(parse_limit, limits)), **{"connections": 9, **more})


def ready(schedule: Schedule, mailbox: MailboxId, many: int = 1, account: str = "x", lane: Lane = Lane.BULK) -> None:
    schedule.add_ready(mailbox, account, lane, NOW, many)


def order(grants: list[Grant]) -> str:
    return "".join(grant.mailbox.username for grant in grants)


# turns


def test_what_is_ready_follows_its_account_or_leaves(schedule: Schedule) -> None:
    ready(schedule, A, 2, "x", Lane.EXPRESS)
    ready(schedule, A, 1, "y")
    schedule.move_account("x", A, B, NOW)
    assert (schedule.ready_of(A, "x"), schedule.ready_of(B, "x")) == ((0, 0), (2, 0))
    schedule.move_account("x", B, None, NOW)
    assert schedule.ready_of(B, "x") == (0, 0)
    assert order(schedule.grant(NOW, {A: 9, B: 9}, 9)) == "a", "the other account stays"


def test_mailboxes_take_turns_by_weight(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(weight=2), B: limited()}
    ready(schedule, A, 5)
    ready(schedule, B, 5)
    assert order(schedule.grant(NOW, {A: 9, B: 9}, 7)) == "aabaaba"


def test_whoever_has_no_idle_session_keeps_its_turn(schedule: Schedule) -> None:
    for mailbox in (A, B):
        ready(schedule, mailbox, 2)
    assert order(schedule.grant(NOW, {B: 1}, 9)) == "b"
    assert order(schedule.grant(NOW, {A: 1, B: 1}, 9)) == "ab"


def test_whoever_was_out_of_room_comes_back_at_the_tail(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited("1/s")}
    ready(schedule, A, 2)
    ready(schedule, B, 3)
    assert order(schedule.grant(NOW, {A: 1, B: 1}, 9)) == "ab"
    schedule.end(A, NOW, NOW, NOW)
    assert order(schedule.grant(NOW + SECOND + 1, {A: 1, B: 1}, 9)) == "ba"


def test_an_account_that_waited_for_its_neighbour_is_next(schedule: Schedule) -> None:
    ready(schedule, A, 2, "one")
    ready(schedule, A, 1, "two")
    ready(schedule, A, 1, "one", Lane.EXPRESS)
    accounts = [(grant.account, grant.lane) for grant in schedule.grant(NOW, {A: 9}, 9)]
    assert accounts == [("one", "express"), ("two", "bulk"), ("one", "bulk"), ("one", "bulk")]


def test_bulk_waits_where_only_express_has_room(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: MailboxTerms((Limit(2, HOUR),), connections=9, express_share=Fraction(1, 2))}
    ready(schedule, A, 3, "one")
    ready(schedule, A, 1, "two", Lane.EXPRESS)
    assert [grant.account for grant in schedule.grant(NOW, {A: 9}, 9)] == ["one", "two"]


def test_what_is_ready_is_counted_by_account_and_lane(schedule: Schedule) -> None:
    assert schedule.ready_of(A, "x") == (0, 0)
    ready(schedule, A, 2)
    ready(schedule, A, 1, lane=Lane.EXPRESS)
    assert schedule.ready_of(A, "x") == (1, 2)
    schedule.move_account("x", A, B, NOW)
    assert schedule.ready_of(A, "x") == (0, 0)
    assert schedule.ready_of(B, "x") == (1, 2)
    schedule.move_account("x", B, None, NOW)
    assert schedule.ready_of(B, "x") == (0, 0)
    assert schedule.grant(NOW, {A: 9, B: 9}, 9) == []


def test_a_day_that_has_just_begun_is_not_open_for_who_waits_in_the_rotation(
    memory: Memory, schedule: Schedule
) -> None:
    midnight = round(datetime(2027, 6, 2, tzinfo=ROME).timestamp()) * SECOND
    memory.provider = ProviderTerms(zone=ROME)
    memory.terms = {A: limited("5/calendar-day")}
    schedule.add_ready(A, "x", Lane.BULK, midnight - MINUTE)
    assert schedule.grant(midnight, {A: 1}, 1) == []
    assert schedule.wake_at(midnight, {A: 1}) == midnight + 5 * MINUTE
    assert order(schedule.grant(midnight + 5 * MINUTE, {A: 1}, 1)) == "a"


def test_a_corrected_civil_clock_opens_a_day(memory: Memory, schedule: Schedule) -> None:
    noon = round(datetime(2027, 6, 2, 12, tzinfo=ROME).timestamp()) * SECOND
    memory.provider = ProviderTerms((Limit(1, 0),), zone=ROME)
    memory.terms = {A: limited("1/calendar-day")}
    schedule.add_ready(A, "x", Lane.BULK, noon, 2)
    assert len(schedule.grant(noon, {A: 9}, 9)) == 1
    schedule.end(A, noon, noon, noon)
    assert schedule.grant(noon, {A: 9}, 9) == []
    schedule.set_civil_offset(24 * HOUR, noon)
    assert len(schedule.grant(noon, {A: 9}, 9)) == 1


# probes


def test_a_stopped_mailbox_is_probed_by_one(memory: Memory, schedule: Schedule) -> None:
    memory.standings = {A: Standing(is_stopped=True, probe_at=NOW + MINUTE)}
    ready(schedule, A, 3)
    assert schedule.grant(NOW, {A: 9}, 9) == []
    assert schedule.wake_at(NOW, {A: 9}) == NOW + MINUTE
    (probe,) = schedule.grant(NOW + MINUTE, {A: 9}, 9)
    assert probe.is_probe
    assert schedule.wake_at(NOW + MINUTE, {A: 9}) is None, "only the end of the probe tells more"
    schedule.end(A, NOW + MINUTE, NOW + MINUTE, NOW + MINUTE)
    schedule.set_standing(A, Standing(), NOW + MINUTE)
    assert [grant.is_probe for grant in schedule.grant(NOW + MINUTE, {A: 9}, 9)] == [False, False]


def test_a_mailbox_that_only_a_person_can_mend_wakes_nobody(schedule: Schedule) -> None:
    ready(schedule, A)
    schedule.set_standing(A, Standing(is_stopped=True), NOW)
    assert schedule.grant(NOW, {A: 1}, 1) == []
    assert schedule.wake_at(NOW, {A: 1}) is None
    assert schedule.open_sessions(NOW, 9) == {}


# sessions


def test_sessions_are_opened_in_the_order_of_turns(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms(total_connections=3)
    for mailbox in (B, A, C):
        ready(schedule, mailbox, 2)
    assert schedule.open_sessions(NOW, 1) == {B: 1}
    schedule.session_opened(B, NOW)
    assert schedule.open_sessions(NOW, 9) == {B: 1, A: 1}


def test_while_no_session_is_open_one_login_at_a_time_shows_whether_the_password_is_still_right(
    memory: Memory, schedule: Schedule
) -> None:
    memory.terms = {A: limited(connections=4)}
    ready(schedule, A, 9)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {A: 3}


def test_no_more_logins_are_under_way_than_may_be_refused(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(connections=9, refused_logins=Limit(2, HOUR))}
    memory.refusals = [PastAttempt(A, NOW - 9, NOW - 9)]
    ready(schedule, A, 9)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {A: 1}, "that it worked gives its place back"
    schedule.session_refused(A, NOW, is_login_sent=True, is_refusal=True)
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.wake_at(NOW, {}) == NOW - 9 + HOUR + 1
    assert schedule.open_sessions(NOW - 9 + HOUR + 1, 9) == {A: 1}


def test_a_new_secret_s_first_login_is_outside_every_budget(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(login_limit=Limit(1, HOUR), refused_logins=Limit(1, HOUR))}
    memory.logins = memory.refusals = [PastAttempt(A, NOW - 9, NOW - 9)]
    ready(schedule, A, 9)
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.has_logged_in(A, NOW)
    assert not schedule.has_logged_in(B, NOW)
    schedule.set_standing(A, Standing(is_proven=False, is_fresh=True), NOW)
    assert schedule.look(A).logs_in_at(NOW) == NOW
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_refused(A, NOW, is_login_sent=True, is_refusal=True)
    schedule.set_standing(A, Standing(is_proven=False), NOW)
    assert schedule.open_sessions(NOW, 9) == {}


def test_while_logins_have_to_wait_open_sessions_go_on(schedule: Schedule) -> None:
    ready(schedule, A, 9)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    schedule.set_standing(A, Standing(logs_in_at=NOW + MINUTE), NOW)
    assert order(schedule.grant(NOW, {A: 1}, 1)) == "a"
    schedule.end(A, NOW, NOW, NOW)
    schedule.session_closed(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.wake_at(NOW, {}) == NOW + MINUTE
    assert schedule.open_sessions(NOW + MINUTE, 9) == {A: 1}


def test_who_passed_his_turn_stands_behind_in_the_line_for_sessions(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms(total_connections=2)
    memory.terms = {A: limited(connections=1)}
    ready(schedule, A, 3)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    ready(schedule, B)
    schedule.grant(NOW, {A: 1}, 1)
    schedule.end(A, NOW, NOW, NOW)
    schedule.session_closed(A, NOW)
    ready(schedule, C)
    assert schedule.open_sessions(NOW, 1) == {B: 1}
    assert schedule.open_sessions(NOW, 1) == {A: 1}


def test_who_has_nothing_left_to_send_leaves_the_line(schedule: Schedule) -> None:
    ready(schedule, A)
    schedule.remove_ready(A, "x", Lane.BULK, NOW)
    assert schedule.open_sessions(NOW, 9) == {}


def test_a_login_budget_wakes_when_it_opens(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(login_limit=Limit(1, MINUTE))}
    memory.logins = [PastAttempt(A, NOW - 1, NOW)]
    ready(schedule, A)
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.wake_at(NOW, {}) == NOW + MINUTE + 1
    assert schedule.open_sessions(NOW + MINUTE + 1, 9) == {A: 1}


def test_a_second_session_is_opened_only_with_logins_to_spare(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(login_limit=Limit(10, MINUTE))}
    memory.logins = [PastAttempt(A, NOW - 9, NOW - 9, 3)]
    ready(schedule, A, 9)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {A: 1}, "the fourth and the fifth; the other half is for later"
    schedule.session_opened(A, NOW)
    schedule.grant(NOW, {A: 2}, 9)
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.wake_at(NOW, {}) == NOW - 9 + MINUTE + 1
    assert schedule.open_sessions(NOW - 9 + MINUTE, 9) == {}
    assert schedule.open_sessions(NOW - 9 + MINUTE + 1, 9) == {A: 3}


def test_the_last_logins_are_for_a_mailbox_without_a_session(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(login_limit=Limit(10, MINUTE))}
    memory.logins = [PastAttempt(A, NOW, NOW, 9)]
    ready(schedule, A, 9)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    schedule.session_closed(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {}, "the law stays"


def test_too_many_sessions_of_a_mailbox_leave_it_those_it_has(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(connections=3)}
    ready(schedule, A, 9)
    ready(schedule, B)
    assert schedule.open_sessions(NOW, 9) == {A: 1, B: 1}
    schedule.session_opened(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {A: 2}
    schedule.session_refused(A, NOW, is_login_sent=False)
    schedule.crowded(A, NOW + MINUTE, NOW, is_provider=False)
    schedule.session_opened(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {}
    assert order(schedule.grant(NOW, {A: 2}, 2)) == "aa", "what is open goes on"
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.wake_at(NOW, {}) == NOW + MINUTE
    assert schedule.open_sessions(NOW + MINUTE, 9) == {A: 1}


def test_too_many_sessions_of_all_mailboxes_stop_logins_there_and_nowhere_else(schedule: Schedule) -> None:
    ready(schedule, A)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_refused(A, NOW, is_login_sent=False)
    schedule.crowded(A, NOW + MINUTE, NOW, is_provider=True)
    ready(schedule, B)
    ready(schedule, MailboxId("q", "other"))
    assert schedule.open_sessions(NOW, 9) == {MailboxId("q", "other"): 1}
    assert schedule.wake_at(NOW, {}) == NOW + MINUTE
    assert schedule.open_sessions(NOW + MINUTE, 9) == {A: 1, B: 1}


def test_a_login_that_nobody_answered_counts_until_the_provider_has_forgotten_it(
    memory: Memory, schedule: Schedule
) -> None:
    memory.terms = {A: limited(login_limit=Limit(1, MINUTE))}
    ready(schedule, A)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_refused(A, NOW, is_login_sent=True, ends_at=NOW + 9)
    assert schedule.open_sessions(NOW + 1 + MINUTE, 9) == {}
    assert schedule.open_sessions(NOW + 10 + MINUTE, 9) == {A: 1}


def test_a_failing_host_is_called_by_one_at_its_time(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A)
    ready(schedule, B)
    schedule.set_provider_standing("p", Standing(is_stopped=True, probe_at=NOW + MINUTE))
    assert schedule.open_sessions(NOW, 9) == {}
    assert schedule.wake_at(NOW, {}) == NOW + MINUTE
    assert schedule.open_sessions(NOW + MINUTE, 9) == {A: 1}
    schedule.session_refused(A, NOW + MINUTE, is_login_sent=True)
    schedule.set_provider_standing("p", Standing())
    assert schedule.open_sessions(NOW + MINUTE, 9) == {A: 1, B: 1}


def test_an_idle_session_makes_place_where_the_ceiling_is_reached(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms(total_connections=2)
    memory.terms = {A: limited(connections=1), B: limited("1/h")}
    _opened(schedule, A, B)
    assert schedule.close_sessions(NOW, {A: 1, B: 1}) == {}, "nobody waits for one"
    ready(schedule, C)
    assert schedule.close_sessions(NOW, {A: 0, B: 1}) == {B: 1}
    assert schedule.close_sessions(NOW, {A: 1, B: 0}) == {A: 1}
    assert schedule.close_sessions(NOW, {}) == {}
    assert schedule.close_sessions(NOW, {MailboxId("q", "other"): 1}) == {}


def test_no_more_make_place_than_others_need(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms(total_connections=3)
    ready(schedule, A, 3)
    for many in (1, 2):
        assert schedule.open_sessions(NOW, 9) == {A: many}
        for _ in range(many):
            schedule.session_opened(A, NOW)
    schedule.grant(NOW, {A: 3}, 3)
    for _ in range(3):
        schedule.end(A, NOW, NOW, NOW)
    ready(schedule, B)
    assert schedule.close_sessions(NOW, {A: 3}) == {A: 1}


def test_who_was_given_another_turn_meanwhile_is_asked_at_it(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A)
    ready(schedule, B)
    schedule.reload(A, NOW)
    memory.provider = ProviderTerms(total_connections=1)
    schedule.reload_provider("p", NOW)
    assert schedule.open_sessions(NOW, 9) == {B: 1}


def test_who_fell_asleep_meanwhile_is_not_called(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A)
    schedule.remove_ready(A, "x", Lane.BULK, NOW)
    schedule.rest(NOW)
    assert schedule.open_sessions(NOW, 9) == {}


def test_who_comes_before_keeps_its_session(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms(total_connections=1)
    ready(schedule, A)
    assert schedule.open_sessions(NOW, 9) == {A: 1}
    schedule.session_opened(A, NOW)
    ready(schedule, B)
    assert schedule.close_sessions(NOW, {A: 1}) == {}, "it is next"


def test_below_the_ceiling_nobody_makes_place(memory: Memory, schedule: Schedule) -> None:
    _opened(schedule, A)
    ready(schedule, B)
    assert schedule.close_sessions(NOW, {A: 1}) == {}


def _opened(schedule: Schedule, *mailboxes: MailboxId) -> None:
    """Sessions that have sent what there was."""
    for mailbox in mailboxes:
        ready(schedule, mailbox)
        assert schedule.open_sessions(NOW, 1) == {mailbox: 1}
        schedule.session_opened(mailbox, NOW)
        (grant,) = schedule.grant(NOW, {mailbox: 1}, 1)
        schedule.end(grant.mailbox, NOW, NOW, NOW)


def test_sessions_of_a_living_node_are_taken_up_again(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(connections=2)}
    schedule.resume_sessions(A, NOW, sessions=2, opening=1)
    ready(schedule, A, 5)
    assert schedule.open_sessions(NOW, 9) == {}
    schedule.session_opened(A, NOW)
    schedule.session_closed(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {A: 1}


# terms and memory


def test_an_edit_counts_the_past_under_the_new_limits(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A, 3)
    ready(schedule, B)
    memory.terms = {A: limited("1/m")}
    memory.attempts = [PastAttempt(A, NOW - 2, NOW - 1), PastAttempt(A, NOW - 1, None, many=2)]
    schedule.reload(A, NOW)
    schedule.reload(MailboxId("p", "never seen"), NOW)
    assert order(schedule.grant(NOW, {A: 9, B: 9}, 9)) == "b"
    schedule.end(A, NOW - 1, None, NOW)
    schedule.end(A, NOW - 1, None, NOW)
    assert schedule.wake_at(NOW, {A: 9}) == NOW - 1 + MINUTE + 1


def test_an_edit_leaves_a_slowed_mailbox_slowed(memory: Memory, schedule: Schedule) -> None:
    memory.standings = {A: Standing(slow=4)}
    ready(schedule, A, 9)
    memory.terms = {A: limited("4/m")}
    schedule.reload(A, NOW)
    assert len(schedule.grant(NOW, {A: 9}, 9)) == 1


def test_an_edited_total_counts_the_past_of_all(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A, 3)
    memory.provider = ProviderTerms((Limit(3, MINUTE),))
    memory.attempts = [PastAttempt(B, NOW - 2, NOW - 1), PastAttempt(C, NOW - 1, None)]
    schedule.reload_provider("p", NOW)
    schedule.reload_provider("never seen", NOW)
    assert len(schedule.grant(NOW, {A: 9}, 9)) == 1


def test_a_restart_begins_with_the_past(memory: Memory) -> None:
    memory.terms, memory.provider = {A: limited("2/m")}, ProviderTerms((Limit(9, MINUTE),))
    memory.attempts = [PastAttempt(A, NOW - 2, NOW - 1), PastAttempt(A, NOW - 1, None)]
    schedule = Schedule(memory)
    ready(schedule, A)
    assert schedule.grant(NOW, {A: 1}, 1) == []


def test_who_is_at_rest_is_not_in_memory_and_nothing_is_lost(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited("1/m")}
    ready(schedule, A)
    schedule.grant(NOW, {A: 1}, 1)
    schedule.rest(NOW)
    assert [line.ledger.in_flight for line in schedule.lines()] == [1]
    schedule.end(A, NOW, NOW, NOW)
    schedule.rest(NOW)
    ready(schedule, A)
    assert schedule.grant(NOW, {A: 1}, 1) == [], "its window still counts"
    schedule.remove_ready(A, "x", Lane.BULK, NOW)
    schedule.rest(NOW + MINUTE + 1)
    assert schedule.lines() == []
    assert schedule.wake_at(NOW + MINUTE + 1, {A: 1}) is None


def test_an_alarm_of_who_is_gone_wakes_nobody(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited("1/m")}
    ready(schedule, A, 2)
    schedule.grant(NOW, {A: 2}, 2)
    schedule.end(A, NOW, NOW, NOW)
    assert schedule.wake_at(NOW, {A: 2}) == NOW + MINUTE + 1
    schedule.remove_ready(A, "x", Lane.BULK, NOW)
    assert schedule.wake_at(NOW, {A: 2}) is None


def test_what_is_decided_in_a_preview_has_no_effect(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A, 2)
    ahead = schedule.preview(schedule.lines())
    assert len(ahead.grant(NOW, {A: 2}, 2)) == 2
    assert schedule.look(A).ledger.in_flight == 0
    assert len(schedule.grant(NOW, {A: 2}, 2)) == 2


def test_a_login_that_was_never_sent_costs_nothing(memory: Memory, schedule: Schedule) -> None:
    memory.terms = {A: limited(login_limit=Limit(1, MINUTE))}
    ready(schedule, A)
    for _ in range(3):
        assert schedule.open_sessions(NOW, 9) == {A: 1}
        schedule.session_refused(A, NOW, is_login_sent=False)


def test_an_edit_counts_the_logins_of_the_past(memory: Memory, schedule: Schedule) -> None:
    ready(schedule, A)
    memory.terms = {A: limited(login_limit=Limit(1, MINUTE))}
    memory.logins = [PastAttempt(A, NOW - 1, NOW)]
    schedule.reload(A, NOW)
    assert schedule.open_sessions(NOW, 9) == {}


def test_a_slot_of_a_total_comes_back_where_mail_was_not_written(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms((Limit(1, HOUR),))
    ready(schedule, A, 2)
    schedule.grant(NOW, {A: 2}, 2)
    schedule.end(A, NOW, None, NOW)
    assert len(schedule.grant(NOW, {A: 2}, 2)) == 1


def test_a_mailbox_whose_bulk_has_no_room_chooses_nothing() -> None:
    terms = MailboxTerms((Limit(2, HOUR),), express_share=Fraction(1, 2))
    provider = ProviderLine("p", ProviderTerms(), TotalLedger(()), Standing())
    line = Line(A, provider, terms, Standing(), MailboxLedger(terms.limits), *(RollingWindow(Limit(1, MINUTE)),) * 2)
    line.count("x", Lane.BULK, 1)
    line.ledger.start(NOW)
    assert line.choose(NOW) is None
    line.count("x", Lane.EXPRESS, 1)
    assert line.choose(NOW) == ("x", Lane.EXPRESS)


# what may hang, and what stops a provider


def test_logins_that_may_hang_have_half_of_the_places(memory: Memory, schedule: Schedule) -> None:
    memory.provider = ProviderTerms(total_connections=4)
    new = [MailboxId("p", f"new{number}") for number in range(5)]
    memory.standings = dict.fromkeys(new, Standing(is_proven=False))
    for mailbox in (*new, A, B, C):
        ready(schedule, mailbox)
    assert sorted(schedule.open_sessions(NOW, 9)) == sorted([*new[:2], A, B])
    schedule.session_opened(new[0], NOW)
    schedule.session_refused(A, NOW, is_login_sent=True)
    schedule.set_standing(new[0], Standing(), NOW)
    assert list(schedule.open_sessions(NOW, 9)) == [new[2]], "in turn, for only one of them is under way"


def test_who_proves_itself_while_it_wants_another_session_is_among_the_others(
    memory: Memory, schedule: Schedule
) -> None:
    memory.provider = ProviderTerms(total_connections=4)
    memory.terms = {mailbox: MailboxTerms() for mailbox in (A, B, C)}
    memory.standings = dict.fromkeys((A, B, C), Standing(is_proven=False))
    for mailbox in (A, B, C):
        ready(schedule, mailbox)
    assert list(schedule.open_sessions(NOW, 9)) == [A, B]
    schedule.set_standing(C, Standing(), NOW)
    assert list(schedule.open_sessions(NOW, 9)) == [C]


def test_those_that_met_what_stops_a_provider_probe_it_in_turns_and_last(memory: Memory, schedule: Schedule) -> None:
    for mailbox in (A, B, C):
        ready(schedule, mailbox)
    schedule.accuse("p", [A, B])
    schedule.set_provider_standing("p", Standing(is_stopped=True, probe_at=NOW))
    tried = []
    for _ in range(5):
        (prober,) = schedule.open_sessions(NOW, 9)
        tried.append(prober)
        schedule.session_refused(prober, NOW, is_login_sent=False)
        schedule.accuse("p", [prober])
    assert tried == [C, A, B, C, A]
    schedule.clear(C, NOW)
    assert list(schedule.open_sessions(NOW, 9)) == [C], "its mail went through"
