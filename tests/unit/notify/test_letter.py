"""A notice on its way by mail: through the account that was chosen, to the one who is told, once."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime

from relay.core.circle import Addressee, Reader
from relay.core.envelope import Kind
from relay.core.failuretext import Language
from relay.core.notice import Notice, NoticeType
from relay.core.notices import Sheet
from relay.core.routing import Account
from relay.core.words import MailboxId, Plan
from relay.notify.letter import LIFETIME, LetterSettings, letter_id, write_letter
from relay.notify.report import is_report

NOTICE = Notice(
    id="c4-1795340102-1",
    type=NoticeType.STOPPED,
    at=1_795_340_102_000_000,
    provider="libero",
    mailbox="m.rossi@libero.it",
    accounts=("m.rossi@libero.it",),
    reason="auth-rejected",
    waiting=30,
)
SERVICE = Account("servizio@vendor.example", Plan.BUSINESS, MailboxId("aruba", "servizio@vendor.example"))
ROSSI = Addressee(Reader.DOCTOR, "rossi@other.example", "Dr. M. Rossi", ("m.rossi@libero.it",))
SHEET = Sheet(Reader.DOCTOR, Language.ITALIAN, UTC, "Libero Mail", owner="Dr. M. Rossi")
NOW = datetime(2026, 11, 22, 9, 35, 2, tzinfo=UTC)


def letter(notice: Notice = NOTICE, addressee: Addressee = ROSSI):
    settings = LetterSettings("relay.example.it")
    return write_letter(notice, addressee, through=SERVICE, sheet=SHEET, settings=settings, now=NOW)


def test_it_leaves_through_the_account_that_was_chosen_to_the_one_who_is_told() -> None:
    message = letter()
    assert (message.account, message.envelope.sender) == (SERVICE.sender, SERVICE.sender)
    (recipient,) = message.envelope.recipients
    assert (recipient.address, recipient.notify) == ("rossi@other.example", ("NEVER",))
    mail = email.message_from_bytes(message.content, policy=email.policy.default)
    assert "servizio@vendor.example" in mail["from"]
    assert "rossi@other.example" in mail["to"]
    assert mail["message-id"] == message.header_message_id
    assert "30 messaggi in attesa" in mail.get_content()


def test_it_goes_first_is_never_reported_on_and_does_not_outlive_its_reminder() -> None:
    message = letter()
    assert message.wants_express
    assert message.kind is Kind.REPORT
    assert is_report(message.id)
    assert message.lifetime == LIFETIME
    assert not message.envelope.is_8bit


def test_the_same_notice_to_the_same_reader_is_the_same_message() -> None:
    assert letter() == letter()
    assert re.fullmatch("[A-Za-z0-9-]+", letter(replace(NOTICE, id="a_b")).id)
    vendor = replace(ROSSI, reader=Reader.VENDOR, email="ops@vendor.example")
    ids = {letter_id(NOTICE, ROSSI), letter_id(NOTICE, vendor), letter_id(replace(NOTICE, id="c4-1-2"), ROSSI)}
    assert len(ids) == 3
    assert "rossi" not in letter_id(NOTICE, ROSSI), "the address shows in no id"


def test_an_address_beyond_ascii_asks_for_smtputf8() -> None:
    assert letter(addressee=replace(ROSSI, email="è@other.example")).envelope.needs_smtputf8
    assert not letter().envelope.needs_smtputf8
