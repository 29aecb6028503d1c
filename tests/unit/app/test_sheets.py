"""Each reader of a notice learns what he needs, from the routing and the profiles as they are now."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from relay.app.sheets import Sheets
from relay.core.circle import Addressee, Reader
from relay.core.failuretext import Language
from relay.core.notice import Notice, NoticeType
from relay.core.notices import write
from relay.core.routing import Account, Owner, Provider, Routing
from relay.core.words import MailboxId, Plan
from relay.providers import load_profiles

ROSSI = "m.rossi@libero.it"
OWNER = Owner("Dr. M. Rossi", "rossi@other.example", "0974 1234")
NOTICE = Notice(
    id="c4-1-1",
    type=NoticeType.STOPPED,
    at=1_795_340_102_000_000,
    provider="libero",
    mailbox=ROSSI,
    accounts=(ROSSI,),
    reason="auth-rejected",
)
DOCTOR = Addressee(Reader.DOCTOR, "rossi@other.example", "Dr. M. Rossi", (ROSSI,))
VENDOR = Addressee(Reader.VENDOR, "ops@vendor.example", "", (ROSSI,))


def sheets(owner: Owner = OWNER, *, language: Language = Language.ITALIAN, plan: Plan = Plan.PERSONAL) -> Sheets:
    providers = {
        "libero": Provider("libero", "smtp.libero.it", 465, profile="libero", timezone="Europe/Rome"),
        "casa": Provider("casa", "smtps.aruba.it", 465, profile="aruba"),
        "lab": Provider("lab", "127.0.0.1", 2525, timezone="America/New_York"),
    }
    accounts = {ROSSI: Account(ROSSI, plan, MailboxId("libero", ROSSI), owner=owner)}
    routing = Routing(providers=providers, accounts=accounts)
    return Sheets(lambda: routing, load_profiles(), language=language, contact="Assistenza 0974 0", kept_days=7)


@pytest.mark.parametrize("language", list(Language))
def test_the_doctor_reads_what_to_do_at_his_own_provider(language: Language) -> None:
    sheet = sheets(language=language)(NOTICE, DOCTOR)
    assert sheet.provider == load_profiles()["libero"].title
    assert "login.libero.it" in sheet.steps
    assert (sheet.owner, sheet.contact, sheet.accounts) == ("Dr. M. Rossi", "Assistenza 0974 0", (ROSSI,))
    assert "login.libero.it" in write(NOTICE, sheet).body
    assert not sheet.has_to_call


def test_the_vendor_gets_the_doctors_number_and_hears_when_he_has_to_call() -> None:
    assert sheets()(NOTICE, VENDOR).phone == "0974 1234"
    assert not sheets()(NOTICE, VENDOR).has_to_call
    for email in ("", ROSSI.upper()):
        assert sheets(replace(OWNER, email=email))(NOTICE, VENDOR).has_to_call
    assert not sheets(Owner(), plan=Plan.BUSINESS)(NOTICE, VENDOR).has_to_call, "his own mailbox: nobody to call"


def test_ops_read_no_doctors_name_or_number() -> None:
    sheet = sheets()(NOTICE, replace(VENDOR, reader=Reader.OPS))
    assert (sheet.owner, sheet.phone) == ("", "")


def test_only_aruba_is_asked_in_writing_whatever_the_routing_calls_it() -> None:
    assert sheets()(replace(NOTICE, provider="casa"), VENDOR).wants_ticket
    assert not sheets()(NOTICE, VENDOR).wants_ticket


def test_times_are_the_providers_and_an_unknown_one_has_a_name_all_the_same() -> None:
    lab = sheets()(replace(NOTICE, provider="lab"), VENDOR)
    assert (lab.zone, lab.provider, lab.steps) == (ZoneInfo("America/New_York"), "lab", "")
    gone = sheets()(
        replace(NOTICE, provider="gone", reason="oauth-consent"), Addressee(Reader.OPS, "ops@vendor.example")
    )
    assert (gone.provider, gone.steps, gone.owner) == ("gone", "", "")
    assert sheets()(replace(NOTICE, provider=None, mailbox=None), VENDOR).provider == "-"
