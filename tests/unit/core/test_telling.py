"""Whoever can mend it is told, once and then daily, by a way that does not pass through what is broken."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.causes import CAUSES
from relay.core.limits import HOUR, MINUTE
from relay.core.meaning import ReplyClass
from relay.core.notice import NoticeType
from relay.core.remedy import REMEDIES, Needs
from relay.core.returned import REMIND_AFTER
from relay.core.routing import Account, Owner, Routing
from relay.core.telling import (
    KINDS,
    PAID_STEPS,
    STEADY,
    Addressee,
    Case,
    Circle,
    Next,
    NoRoad,
    Reader,
    Telling,
    Trouble,
    Word,
    carrier,
    circle,
    grace_of,
    joined,
    next_word,
    owner_of,
    paid_step,
    reader_of,
    telling,
)
from relay.core.words import MailboxId, Plan

POSTMASTER = "ops@vendor.example"
ROSSI = "rossi@other.example"
DOCTOR = Account(
    "m.rossi@libero.it",
    Plan.PERSONAL,
    MailboxId("libero", "m.rossi@libero.it"),
    owner=Owner("Dr. M. Rossi", "Rossi@Other.example", "0974 1"),
)

DAY = 24 * HOUR
SERVICE = Account("servizio@vendor.example", Plan.BUSINESS, MailboxId("aruba", "servizio@vendor.example"))
REASONS = sorted({*REMEDIES, *CAUSES, *ReplyClass})


# who


@pytest.mark.parametrize("reason", REASONS)
def test_for_each_cause_and_plan_there_is_somebody_who_can_act(reason: str) -> None:
    for kind, plan in product(NoticeType, Plan):
        look_at_reader(kind, reason, plan)


def look_at_reader(kind: NoticeType, reason: str, plan: Plan) -> None:
    reader = reader_of(kind, reason, plan)
    if kind in (NoticeType.PAID_UNTIL, NoticeType.SPAM_BLOCKED, NoticeType.MANY_TO_ONE):
        assert reader is Reader.VENDOR
    elif kind not in KINDS.values():
        assert reader is Reader.OPS
    elif reason in ("quota-exceeded", "spam-blocked") or REMEDIES.get(reason) is Needs.OWNER:
        assert reader is (Reader.DOCTOR if plan is Plan.PERSONAL else Reader.VENDOR)
    elif REMEDIES.get(reason) is Needs.ADMIN:
        assert reader is Reader.VENDOR
    else:
        assert reader is Reader.OPS


def test_the_doctor_owns_a_personal_mailbox_and_the_vendor_all_others() -> None:
    assert {plan: owner_of(plan) for plan in Plan} == {
        Plan.PERSONAL: Reader.DOCTOR,
        Plan.BUSINESS: Reader.VENDOR,
        Plan.PREMIUM: Reader.VENDOR,
        Plan.LEGACY: Reader.VENDOR,
    }


@pytest.mark.parametrize("reason", REASONS)
def test_what_somebody_must_mend_is_told_at_once_and_what_passes_after_an_hour(reason: str) -> None:
    if reason == "paused-by-admin":
        assert grace_of(reason) == DAY, "who paused it knows, and is reminded"
    elif reason in REMEDIES or reason in ("quota-exceeded", "spam-blocked"):
        assert grace_of(reason) == 0
    else:
        assert grace_of(reason) == HOUR


def test_the_doctor_is_told_of_his_own_mailbox() -> None:
    found = circle(NoticeType.STOPPED, "auth-rejected", [DOCTOR], POSTMASTER)
    assert found == Circle((Addressee(Reader.DOCTOR, ROSSI, "Dr. M. Rossi", ("m.rossi@libero.it",)),))
    assert ROSSI not in repr(found)


@pytest.mark.parametrize("plan", [Plan.BUSINESS, Plan.PREMIUM, Plan.LEGACY])
def test_the_vendor_is_told_of_those_that_he_provides(plan: Plan) -> None:
    found = circle(NoticeType.STOPPED, "auth-rejected", [replace(DOCTOR, plan=plan)], POSTMASTER)
    assert found == Circle((Addressee(Reader.VENDOR, POSTMASTER, "", ("m.rossi@libero.it",)),))


def test_of_a_doctor_without_an_address_the_vendor_is_told_who_has_his_number() -> None:
    found = circle(NoticeType.STOPPED, "auth-rejected", [replace(DOCTOR, owner=Owner(phone="0974 1"))], POSTMASTER)
    assert found == Circle((Addressee(Reader.VENDOR, POSTMASTER, "", ("m.rossi@libero.it",)),))


@pytest.mark.parametrize("own", ["M.Rossi@libero.it", "studio@libero.it", "LOGIN@libero.it"])
def test_a_doctor_whose_only_address_is_the_ill_mailbox_is_told_and_so_is_the_vendor(own: str) -> None:
    account = replace(
        DOCTOR,
        owner=Owner("Dr. M. Rossi", own),
        aliases=("studio@libero.it",),
        mailbox=MailboxId("libero", "login@libero.it"),
    )
    senders = ("m.rossi@libero.it",)
    doctor = Addressee(Reader.DOCTOR, own.lower(), "Dr. M. Rossi", senders)
    vendor = Addressee(Reader.VENDOR, POSTMASTER, "", senders)
    assert circle(NoticeType.STOPPED, "auth-rejected", [account], POSTMASTER) == Circle((doctor, vendor))
    assert circle(NoticeType.STOPPED, "auth-rejected", [account], None) == Circle((doctor,), senders)


def test_a_group_practice_hears_once_of_its_one_mailbox() -> None:
    second = replace(DOCTOR, sender="a.bianchi@libero.it")
    third = replace(DOCTOR, sender="c.neri@libero.it", owner=Owner("Dr. C. Neri", "neri@other.example"))
    found = circle(NoticeType.STOPPED, "auth-rejected", [DOCTOR, second, third], POSTMASTER)
    assert [(each.email, each.accounts) for each in found.people] == [
        (ROSSI, ("m.rossi@libero.it", "a.bianchi@libero.it")),
        ("neri@other.example", ("c.neri@libero.it",)),
    ]


def test_who_has_no_address_at_all_is_unheard() -> None:
    account = replace(DOCTOR, owner=Owner())
    assert circle(NoticeType.STOPPED, "auth-rejected", [account], None) == Circle((), ("m.rossi@libero.it",))
    assert circle(NoticeType.STOPPED, "tls-expired", [account], None) == Circle(()), "ops have their webhook"


def test_what_concerns_no_account_is_for_ops_or_the_vendor() -> None:
    found = circle(NoticeType.AUTH_OUTAGE, "auth-rejected", [], POSTMASTER)
    assert found == Circle((Addressee(Reader.OPS, POSTMASTER),))
    assert circle(NoticeType.AUTH_OUTAGE, None, [], None) == Circle(())
    (ops,) = circle(NoticeType.STOPPED, "tls-expired", [DOCTOR], POSTMASTER).people
    assert ops.reader is Reader.OPS


def test_who_was_told_of_several_causes_is_one_reader_and_not_hidden_behind_ops() -> None:
    ops, vendor = (
        Addressee(Reader.OPS, POSTMASTER, "", ("a@x.it",)),
        Addressee(Reader.VENDOR, POSTMASTER, "", ("b@x.it",)),
    )
    doctor = Addressee(Reader.DOCTOR, ROSSI, "Dr. M. Rossi", ("a@x.it",))
    both = joined([Circle((ops,), ("c@x.it",)), Circle((vendor, doctor), ("c@x.it",))])
    assert both == Circle((replace(vendor, accounts=("a@x.it", "b@x.it")), doctor), ("c@x.it",))


# by which road


ROUTING = Routing(accounts={each.sender: each for each in (DOCTOR, SERVICE)})


@pytest.mark.parametrize(
    ("notices_from", "trouble", "stopped", "expected"),
    [
        ("servizio@vendor.example", Trouble("libero", DOCTOR.mailbox), False, SERVICE),
        ("SERVIZIO@vendor.example", Trouble("libero", DOCTOR.mailbox), False, SERVICE),
        ("servizio@vendor.example", Trouble("libero"), False, SERVICE),
        ("servizio@vendor.example", Trouble(), False, SERVICE),
        (None, Trouble("libero"), False, NoRoad.NO_SENDER),
        ("", Trouble("libero"), False, NoRoad.NO_SENDER),
        ("nobody@vendor.example", Trouble("libero"), False, NoRoad.NO_ACCOUNT),
        ("servizio@vendor.example", Trouble("aruba", SERVICE.mailbox), False, NoRoad.ILL),
        ("servizio@vendor.example", Trouble("aruba"), False, NoRoad.ILL),
        ("servizio@vendor.example", Trouble("aruba", MailboxId("aruba", "other@x.it")), False, SERVICE),
        ("servizio@vendor.example", Trouble("libero", DOCTOR.mailbox), True, NoRoad.STOPPED),
        ("m.rossi@libero.it", Trouble("libero", DOCTOR.mailbox), False, NoRoad.ILL),
    ],
)
def test_a_notice_never_leaves_through_what_is_ill(
    notices_from: str | None, trouble: Trouble, stopped: bool, expected: Account | NoRoad
) -> None:
    assert carrier(ROUTING, notices_from, trouble, lambda _: stopped) == expected


MAILBOXES = [MailboxId(provider, name) for provider in ("aruba", "libero") for name in ("a@x.it", "b@x.it")]


def test_whatever_is_stopped_no_notice_goes_through_it() -> None:
    troubles = [*(Trouble(each.provider, each) for each in MAILBOXES), Trouble("aruba")]
    for sends, ill, stopped in product(MAILBOXES, troubles, product((0, 1), repeat=4)):
        look_at_road(sends, ill, stopped)


def look_at_road(sends: MailboxId, ill: Trouble, stopped: tuple[int, ...]) -> None:
    routing = Routing(accounts={"s@v.it": Account("s@v.it", Plan.BUSINESS, sends)})
    down = {mailbox for mailbox, is_down in zip(MAILBOXES, stopped, strict=True) if is_down}
    found = carrier(routing, "s@v.it", ill, down.__contains__)
    if isinstance(found, Account):
        assert found.mailbox not in down
        assert found.mailbox != ill.mailbox
        assert ill.mailbox is not None or found.mailbox.provider != ill.provider
    else:
        assert sends in down or ill.has(sends)


OWNER = Addressee(Reader.DOCTOR, ROSSI)
OPS = Addressee(Reader.OPS, POSTMASTER)


@pytest.mark.parametrize(
    ("people", "road", "has_webhook", "expected"),
    [
        (Circle((OWNER,)), SERVICE, True, Telling((OWNER,), SERVICE, to_webhook=True)),
        (Circle((OWNER,)), SERVICE, False, Telling((OWNER,), SERVICE)),
        (Circle((OWNER,)), NoRoad.ILL, True, Telling(to_webhook=True, unsendable=NoRoad.ILL)),
        (Circle((OWNER,)), NoRoad.NO_SENDER, False, Telling(unsendable=NoRoad.NO_SENDER)),
        (Circle((OWNER,), ("a@x.it",)), SERVICE, False, Telling((OWNER,), SERVICE, False, NoRoad.NO_ADDRESS)),
        (Circle((), ("a@x.it",)), SERVICE, True, Telling(to_webhook=True, unsendable=NoRoad.NO_ADDRESS)),
        (Circle((), ("a@x.it",)), NoRoad.ILL, False, Telling(unsendable=NoRoad.NO_ADDRESS)),
        (Circle((OPS,)), NoRoad.ILL, True, Telling(to_webhook=True)),
        (Circle((OPS,)), SERVICE, False, Telling((OPS,), SERVICE)),
        (Circle((OPS,)), NoRoad.STOPPED, False, Telling(unsendable=NoRoad.STOPPED)),
        (Circle(()), NoRoad.NO_SENDER, True, Telling(to_webhook=True)),
        (Circle(()), NoRoad.NO_SENDER, False, Telling(unsendable=NoRoad.NO_ADDRESS)),
    ],
)
def test_who_cannot_be_told_is_said(
    people: Circle, road: Account | NoRoad, has_webhook: bool, expected: Telling
) -> None:
    found = telling(people, road, has_webhook=has_webhook)
    assert found == expected
    assert found.is_told == (bool(expected.people) or has_webhook)


@given(
    st.sampled_from(NoticeType),
    st.sampled_from(REASONS),
    st.lists(st.builds(replace, st.just(DOCTOR), plan=st.sampled_from(Plan)), max_size=3),
    st.sampled_from([None, POSTMASTER]),
    st.sampled_from([SERVICE, *NoRoad]),
    st.booleans(),
)
def test_nobody_is_forgotten_in_silence(kind, reason, accounts, postmaster, road, has_webhook) -> None:
    """Either each owner is told by mail, or it is said that one is not; ops are told by one way or the other."""
    people = circle(kind, reason, accounts, postmaster)
    found = telling(people, road, has_webhook=has_webhook)
    named = {sender for each in found.people for sender in each.accounts}
    owners = {each.sender for each in accounts if reader_of(kind, reason, each.plan) is not Reader.OPS}
    assert found.unsendable is not None or owners <= named
    assert found.unsendable is not None or found.is_told
    assert (found.through is None) == (not found.people)


# when


SINCE = 1_795_340_102_000_000


def test_of_one_trouble_one_word_is_said_and_then_one_a_day() -> None:
    case, now, said = Case(SINCE), SINCE, []
    while now < SINCE + 3 * DAY:
        found = next_word(case, now)
        if found.word is not None:
            said.append((now - SINCE, found.word))
            case = replace(case, told_at=now)
        assert found.look_at is not None
        assert found.look_at > now
        now = min(found.look_at, now + 7 * HOUR)
    assert said == [(0, Word.FIRST), (DAY, Word.REMINDER), (2 * DAY, Word.REMINDER)]


def test_what_passes_within_its_grace_is_never_talked_of() -> None:
    case = Case(SINCE)
    assert next_word(case, SINCE, grace=HOUR) == Next(None, SINCE + HOUR)
    assert next_word(replace(case, ended_at=SINCE + MINUTE), SINCE + 2 * HOUR, grace=HOUR) == Next(None, None)
    assert next_word(case, SINCE + HOUR, grace=HOUR).word is Word.FIRST


def test_that_it_works_again_is_said_once_it_has_for_a_while() -> None:
    case = Case(SINCE, told_at=SINCE, ended_at=SINCE + HOUR)
    assert next_word(case, SINCE + HOUR) == Next(None, SINCE + HOUR + STEADY)
    assert next_word(case, SINCE + HOUR + STEADY) == Next(Word.HEALED, None)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, STEADY - 1)), min_size=1, max_size=60))
def test_what_comes_and_goes_is_one_trouble(turns: list[tuple[bool, int]]) -> None:
    """Ill and well again within minutes: nobody gets a mail at each turn."""
    case, now = Case(SINCE), SINCE
    said: list[Word] = []
    for is_ill, pause in turns:
        case = replace(case, ended_at=None if is_ill else (case.ended_at or now))
        found = next_word(case, now)
        if found.word is not None:
            said.append(found.word)
            case = replace(case, told_at=now)
        if found.look_at is None:
            return
        now += pause
    assert said.count(Word.FIRST) <= 1
    assert len(said) <= 1 + (now - SINCE) // REMIND_AFTER


def test_each_word_has_its_type() -> None:
    assert {word: str(kind) for word, kind in KINDS.items()} == {
        Word.FIRST: "mailbox.stopped",
        Word.REMINDER: "mailbox.still_stopped",
        Word.HEALED: "mailbox.works_again",
    }


# the paid term


END = date(2027, 3, 31)


def test_the_vendor_hears_30_7_and_1_days_before_the_paid_term_ends() -> None:
    told: list[int] = []
    days = []
    for left in range(60, -5, -1):
        step = paid_step(END, END - timedelta(days=left), told)
        if step is not None:
            told.append(step)
            days.append(left)
    assert (days, told) == ([30, 7, 1], [30, 7, 1])


@given(st.lists(st.integers(-10, 60), max_size=20))
def test_a_relay_that_slept_says_it_late_and_once(looks: list[int]) -> None:
    told: list[int] = []
    for left in sorted(looks, reverse=True):
        step = paid_step(END, END - timedelta(days=left), told)
        if step is not None:
            assert left <= step
            told.append(step)
    assert sorted(set(told), reverse=True) == told
    for step, low in zip(PAID_STEPS, (8, 2, 0), strict=True):
        assert (step in told) == any(low <= left <= step for left in looks)
