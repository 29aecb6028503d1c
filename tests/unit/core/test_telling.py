"""Nobody is told by a way that passes through what is broken, and whoever cannot be told is said."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.causes import CAUSES
from relay.core.circle import Addressee, Circle, Reader, circle, reader_of
from relay.core.meaning import ReplyClass
from relay.core.notice import NoticeType
from relay.core.remedy import REMEDIES
from relay.core.routing import Account, Owner, Routing
from relay.core.telling import NoRoad, Telling, Trouble, carrier, telling
from relay.core.words import MailboxId, Plan

POSTMASTER = "ops@vendor.example"
ROSSI = "rossi@other.example"
DOCTOR = Account(
    "m.rossi@libero.it",
    Plan.PERSONAL,
    MailboxId("libero", "m.rossi@libero.it"),
    owner=Owner("Dr. M. Rossi", "Rossi@Other.example", "0974 1"),
)
SERVICE = Account("servizio@vendor.example", Plan.BUSINESS, MailboxId("aruba", "servizio@vendor.example"))
REASONS = sorted({*REMEDIES, *CAUSES, *ReplyClass})


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
