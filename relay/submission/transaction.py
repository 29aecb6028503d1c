"""What MAIL and RCPT say: one transaction from its sender to its last recipient.

Law: a transaction lives under the routing that was in force at its MAIL; what can never be delivered is refused here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from relay.core.address import is_address, read_path
from relay.core.admission import admit_sender
from relay.core.envelope import Recipient
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account, Client, Routing
from relay.submission.parameters import MailParameters, read_mail_parameters, read_recipient_parameters


@dataclass(slots=True)
class Transaction:
    """What the client has said so far."""

    routing: Routing
    client: Client
    sender: str = field(repr=False)
    account: Account | None
    """None: the sender is empty, header From has to find it."""
    parameters: MailParameters
    protocol: str
    """How it came, for Received."""
    begun: float
    """Seconds of the loop's clock."""
    recipients: dict[str, Recipient] = field(default_factory=dict, repr=False)
    """By address: one named twice gets the message once."""
    doubtful: dict[str, None] = field(default_factory=dict, repr=False)
    """Recipients that the header of the message decides on."""
    named: int = 0
    """How many RCPT were taken."""


def read_mail(argument: bytes) -> tuple[str, MailParameters] | Refusal:
    """Sender and parameters of a MAIL command; the sender may be empty."""
    path = _path(argument, "FROM:")
    if path is None:
        return usage("MAIL FROM:<address>")
    sender, rest = path
    parameters = read_mail_parameters(rest)
    if isinstance(parameters, Refusal):
        return parameters
    reason = _flaw(sender, Reason.SENDER_SYNTAX, has_smtputf8=parameters.has_smtputf8) if sender else None
    return (sender, parameters) if reason is None else Refusal(reason)


def account_of(
    routing: Routing, client: Client, sender: str, *, today: Callable[[str], date]
) -> Account | Refusal | None:
    """The account that a transaction begins with; None: its sender is empty."""
    return admit_sender(routing, client, sender, today=today) if sender else None


def read_recipient(transaction: Transaction, argument: bytes, *, most: int) -> Recipient | Refusal:
    """Whom an RCPT command names, if there are not already `most`."""
    path = _path(argument, "TO:")
    if path is None:
        return usage("RCPT TO:<address>")
    address, rest = path
    parameters = read_recipient_parameters(rest)
    if isinstance(parameters, Refusal):
        return parameters
    reason = _flaw(address, Reason.RECIPIENT_SYNTAX, has_smtputf8=transaction.parameters.has_smtputf8)
    if reason is None and transaction.named >= most:
        reason = Reason.RECIPIENTS_TOO_MANY
    if reason is not None:
        return Refusal(reason)
    return Recipient(address, parameters.notify, parameters.orcpt)


def add_recipient(transaction: Transaction, recipient: Recipient) -> None:
    """One more; who is named twice gets the message once."""
    transaction.named += 1
    transaction.recipients.setdefault(recipient.address, recipient)


def usage(text: str) -> Refusal:
    """A command that is not spelled as it should be."""
    return Refusal(Reason.COMMAND_SYNTAX, {"usage": text})


def _path(argument: bytes, keyword: str) -> tuple[str, str] | None:
    """Address and parameters after FROM: or TO:; octets that are not UTF-8 make an address that is none."""
    text = argument.decode(errors="surrogateescape").strip()
    if text[: len(keyword)].upper() != keyword:
        return None
    return read_path(text[len(keyword) :])


def _flaw(address: str, reason: Reason, *, has_smtputf8: bool) -> Reason | None:
    """Why an address cannot be taken."""
    if not is_address(address):
        return reason
    return None if has_smtputf8 or address.isascii() else Reason.ADDRESS_NEEDS_SMTPUTF8
