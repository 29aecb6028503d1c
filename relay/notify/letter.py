"""From a notice to the message that goes into the queue, for one reader.

Law: the same notice to the same reader is the same message id, so that putting it twice is harmless; its envelope asks
for no report, because nobody may answer a notice with a report.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from relay.core.circle import Addressee
from relay.core.envelope import Envelope, Kind, Letter, NewMessage, Recipient
from relay.core.notice import Notice
from relay.core.noticemail import NoticeHead, message_id, notice_mail
from relay.core.notices import Sheet, write
from relay.core.returned import REMIND_AFTER
from relay.core.routing import Account
from relay.core.words import MessageId
from relay.notify.report import REPORTER

LIFETIME: int = REMIND_AFTER
"""Microseconds after which a notice is given up: the next reminder says the same, and says it as it is then."""

_MARK = "-report-notice-"
"""With `-report-` in it, so that nothing is ever reported on it."""


@dataclass(frozen=True, slots=True)
class LetterSettings:
    """What all notices have in common."""

    hostname: str
    lifetime: int = LIFETIME


def letter_id(notice: Notice, addressee: Addressee, times: int = 0) -> MessageId:
    """Of the notice, the reader, and how many of it he did not take."""
    reader = hashlib.sha256(f"{addressee.reader} {addressee.email}".encode()).hexdigest()[:12]
    return f"{notice.id.replace('_', '-')}{_MARK}{reader}" + (f"-{times}" if times else "")


def write_letter(
    notice: Notice,
    addressee: Addressee,
    *,
    through: Account,
    sheet: Sheet,
    settings: LetterSettings,
    now: datetime,
    tells: Letter | None = None,
    times: int = 0,
) -> NewMessage:
    """The message to put; `sheet` is for this reader, `now` is aware; `times`: how many of it he did not take."""
    ident = letter_id(notice, addressee, times)
    head = NoticeHead(through.sender, addressee.email, settings.hostname, sheet.language, ident, now)
    content = notice_mail(write(notice, sheet), head)
    is_wide = not (through.sender + addressee.email).isascii()
    recipient = Recipient(addressee.email, notify=("NEVER",))
    return NewMessage(
        id=ident,
        client=REPORTER,
        account=through.sender,
        envelope=Envelope(through.sender, (recipient,), needs_smtputf8=is_wide, is_8bit=not content.isascii()),
        content=content,
        header_message_id=message_id(head),
        submitted_hash=hashlib.sha256(content).digest(),
        wants_express=True,
        kind=Kind.REPORT,
        lifetime=settings.lifetime,
        tells=tells,
    )
