"""The words that every station shares: who sends through what, and in which lane.

Law: a mailbox is a login at a provider; limits, sessions, logins and health belong to it and to nothing else.
"""

from enum import StrEnum
from typing import NamedTuple

AccountId = str
"""The sender address of an account, lower case."""

MessageId = str
"""What the client was told in `queued as`: `[A-Za-z0-9-]+`."""

DeliveryId = int
"""One message to one recipient; ids grow in the order of acceptance."""


class MailboxId(NamedTuple):
    """A login at a provider: what the provider counts."""

    provider: str
    username: str


class Lane(StrEnum):
    """Which of an account's two queues a delivery waits in."""

    EXPRESS = "express"
    BULK = "bulk"


class Plan(StrEnum):
    """The group of an account."""

    BUSINESS = "business"
    PREMIUM = "premium"
    PERSONAL = "personal"
    LEGACY = "legacy"


class Stage(StrEnum):
    """Where in an SMTP session a reply was seen; `EOD` is the reply after the final dot."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    EOD = "eod"
