"""A notice as a mail (RFC 5322): text alone, said to be made by a machine (RFC 3834), so that nothing answers it.

Law: no value can end its header field; the result is in wire form (CRLF) and 7 bit unless an address is not ASCII.
"""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from relay.core.encoding import as_ascii, cleaned, header_field, phrase, quoted
from relay.core.failuretext import Language
from relay.core.notices import WORDS, NoticeText
from relay.core.words import MessageId


@dataclass(frozen=True, slots=True)
class NoticeHead:
    """From whom to whom, when; `id` is that of the mail, and makes its Message-ID."""

    sender: str
    to: str = field(repr=False)
    hostname: str
    language: Language
    id: MessageId
    date: datetime


def notice_mail(text: NoticeText, head: NoticeHead) -> bytes:
    """The mail, ready to send."""
    fields = [
        header_field("Date", format_datetime(head.date)),
        header_field("From", f"{phrase(WORDS[head.language].sender_name)} <{cleaned(head.sender)}>"),
        header_field("To", f"<{cleaned(head.to)}>"),
        header_field("Message-ID", message_id(head)),
        header_field("Subject", phrase(cleaned(text.subject))),
        header_field("Auto-Submitted", "auto-generated"),
        header_field("Content-Language", str(head.language)),
        header_field("MIME-Version", "1.0"),
        header_field("Content-Type", "text/plain; charset=utf-8"),
        header_field("Content-Transfer-Encoding", "quoted-printable"),
    ]
    body = text.body.rstrip("\n").replace("\n", "\r\n").encode() + b"\r\n"
    return b"".join(fields) + b"\r\n" + quoted(body)


def message_id(head: NoticeHead) -> str:
    """The Message-ID; the same notice to the same reader has the same one."""
    return f"<{as_ascii(head.id)}@{as_ascii(head.hostname)}>"
