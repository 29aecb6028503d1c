"""Whoever can mend it is told, at an address at which he can read it."""

from dataclasses import replace
from itertools import product

import pytest

from relay.core.causes import CAUSES
from relay.core.circle import Addressee, Circle, Reader, circle, joined, owner_of, reader_of
from relay.core.meaning import ReplyClass
from relay.core.notice import NoticeType
from relay.core.remedy import REMEDIES, Needs
from relay.core.reminding import KINDS
from relay.core.routing import Account, Owner
from relay.core.words import MailboxId, Plan

POSTMASTER = "ops@vendor.example"
ROSSI = "rossi@other.example"
DOCTOR = Account(
    "m.rossi@libero.it",
    Plan.PERSONAL,
    MailboxId("libero", "m.rossi@libero.it"),
    owner=Owner("Dr. M. Rossi", "Rossi@Other.example", "0974 1"),
)
REASONS = sorted({*REMEDIES, *CAUSES, *ReplyClass})


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
