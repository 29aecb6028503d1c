"""From the final dot to the reply: a message is checked, completed and handed to the store.

Law: nothing is accepted before `put` has returned, and whoever asked for it may be gone by then: the message is safe.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from relay.core.admission import Admitted, admit_authors, is_null_taken, is_refused_while_paused, sent_as
from relay.core.completion import Stamp, completed
from relay.core.content import read_lines, unstuffed
from relay.core.deadline import Lateness
from relay.core.envelope import Envelope, NewMessage
from relay.core.headers import TopHeader, read_header
from relay.core.health import Pause
from relay.core.instants import exact
from relay.core.limits import SECOND
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account, Routing
from relay.core.words import AccountId, MessageId
from relay.errors import StoreError, StoreFull
from relay.store.ports import Intake
from relay.store.ports.foresight import Foresight
from relay.store.ports.unheard import Sending, Unheard
from relay.submission.dating import Dated, date_message
from relay.submission.gathering import Gathering
from relay.submission.handing import Handing
from relay.submission.recipients import NOTHING_STANDS, Recipients
from relay.submission.resubmission import Resubmissions, Told, UnderWay
from relay.submission.settings import SubmissionSettings
from relay.submission.transaction import Transaction

PauseOf = Callable[[AccountId], Pause | None]
"""Why and since when an account is paused; None: it is not."""


def never_paused(_: AccountId) -> None:
    """Of a relay that does not look."""


@dataclass(frozen=True, slots=True)
class Enquiries:
    """What is asked beside the handing over; whoever does not ask finds nothing in the way."""

    pause_of: PauseOf = never_paused
    foresight: Foresight | None = None
    """When a message would leave; None: none is ever late."""
    recipients: Recipients = NOTHING_STANDS
    unheard: Unheard | None = None
    """What was accepted and not heard; None: it is not remembered."""


NOTHING_ASKED = Enquiries()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that is safe; `size` octets as submitted."""

    message: NewMessage
    size: int
    is_mended: bool
    sending: Sending
    late: Lateness | None = None
    """It would leave after its deadline."""
    renamed: str | None = None
    """The old address that its account stands in for, where one was rewritten."""


class Acceptance:
    """Takes messages in; one for all connections."""

    def __init__(
        self,
        intake: Intake,
        settings: SubmissionSettings,
        *,
        new_id: Callable[[], str],
        wall_clock: Callable[[], float],
        enquiries: Enquiries = NOTHING_ASKED,
    ) -> None:
        self._intake = intake
        self._enquiries = enquiries
        self.recipients = replace(enquiries.recipients, patience=settings.store_patience)
        self.resubmissions = Resubmissions(enquiries.unheard, patience=settings.store_patience)
        self._handing = Handing(intake, self.resubmissions, patience=settings.store_patience)
        self._settings = settings
        self._new_id = new_id
        self._wall_clock = wall_clock

    def no_room(self) -> Refusal | None:
        """Why no mail is accepted at all: the disk is nearly full; or the store, where it is elsewhere, is away."""
        if self._intake.has_space():
            return None
        return Refusal(Reason.STORE_FULL if self._settings.store_patience is None else Reason.STORE_AWAY)

    def today(self, timezone: str) -> date:
        """The present day there."""
        return datetime.fromtimestamp(self._wall_clock(), UTC).astimezone(ZoneInfo(timezone)).date()

    async def accept(
        self, transaction: Transaction, gathered: Gathering, *, has_left: Callable[[], bool]
    ) -> Accepted | Told | Refusal:
        """Stores the message, or says why not; one that was stored before and never heard of is told once more.

        `has_left`: whether the client waits for the answer no more.
        """
        content = unstuffed(gathered.raw())
        size = len(content)
        if size > self._settings.max_message_size:
            return self.too_large()
        lines = read_lines(content, transaction.client.bare_newline)
        if isinstance(lines, Reason):
            return Refusal(lines)
        header = read_header(lines.content)
        if isinstance(header, Reason):
            return Refusal(header)
        admitted = admit_authors(
            transaction.routing, transaction.client, header, account=transaction.account, today=self.today
        )
        if isinstance(admitted, Refusal):
            return admitted
        digest = gathered.digest()
        sending = Sending(
            transaction.client.name, admitted.account.sender, frozenset(transaction.recipients), digest,
            is_named=bool(header.first(b"message-id")),
        )  # fmt: skip
        try:
            first = await self.resubmissions.first_of(sending)
        except StoreError as error:
            return Refusal(Reason.STORE_AWAY, cause=str(error))
        if first is not None:
            return Told(first, sending, is_again=True)
        under_way, accepted = self.resubmissions.begin(sending, has_left), None
        try:
            stored = await self._store(transaction, header, admitted, sending=sending, under_way=under_way)
            accepted = None if isinstance(stored, Refusal) else stored[0].id
        finally:
            if not under_way.is_followed:
                self.resubmissions.end(sending, under_way, accepted)
        if isinstance(stored, Refusal):
            return stored
        message, dated = stored
        return Accepted(message, size, lines.is_mended, sending, dated.late, _renamed(transaction, admitted))

    async def _store(
        self,
        transaction: Transaction,
        header: TopHeader,
        admitted: Admitted,
        *,
        sending: Sending,
        under_way: UnderWay,
    ) -> tuple[NewMessage, Dated] | Refusal:
        """What may be sent is stored."""
        paused = self._paused(transaction.routing, admitted.account)
        if paused is not None:
            return paused
        refused = await self.recipients.refusal_at_dot(
            transaction, admitted.account, is_put_aside=header.puts_suppression_aside
        )
        if refused is not None:
            return refused
        dated = await self._date(transaction, header, admitted.account)
        if isinstance(dated, Refusal):
            return dated
        message = self._message(transaction, header, admitted, dated=dated, sending=sending)
        refused = self.too_large_upstream(transaction.routing, admitted.account, len(message.content))
        if refused is not None:
            return refused
        try:
            await self._handing.put(message, sending, under_way)
        except StoreFull as error:
            return Refusal(Reason.STORE_FULL, cause=str(error))
        except StoreError as error:
            return Refusal(Reason.STORE_AWAY, cause=str(error))
        return message, dated

    def _now(self) -> int:
        return int(self._wall_clock() * SECOND)

    async def _date(self, transaction: Transaction, header: TopHeader, account: Account) -> Dated | Refusal:
        timezone = transaction.routing.provider_of(account.mailbox).timezone
        return await date_message(
            header, account, transaction.client.name,
            foresight=self._enquiries.foresight, pause_of=self._enquiries.pause_of, timezone=timezone, now=self._now(),
            patience=_a_part_of(self._settings.store_patience),
        )  # fmt: skip

    def _paused(self, routing: Routing, account: Account) -> Refusal | None:
        """Why mail of this account is put off: nothing has left its mailbox for too long."""
        pause = self._enquiries.pause_of(account.sender)
        if pause is None or not is_refused_while_paused(account, pause, self._now()):
            return None
        zone = ZoneInfo(routing.provider_of(account.mailbox).timezone)
        since = datetime.fromtimestamp(pause.since / SECOND, UTC).astimezone(zone)
        values = {"sender": account.sender, "since": exact(since), "cause": pause.reason}
        return Refusal(Reason.MAILBOX_PAUSED, values, account.sender)

    def too_large(self) -> Refusal:
        """With the bound that was passed."""
        return Refusal(Reason.MESSAGE_TOO_LARGE, {"most": str(self._settings.max_message_size)})

    def too_large_upstream(self, routing: Routing, account: Account | None, size: int) -> Refusal | None:
        """With the bound of the account's provider, where so many octets pass it: its sender still sees the error."""
        if account is None:
            return None
        most = routing.provider_of(account.mailbox).message_size
        if most is None or size <= most:
            return None
        return Refusal(Reason.MESSAGE_TOO_LARGE, {"most": str(most)}, account.sender)

    def _message(
        self, transaction: Transaction, header: TopHeader, admitted: Admitted, *, dated: Dated, sending: Sending
    ) -> NewMessage:
        account = admitted.account
        sender = sent_as(account, transaction.sender)
        is_stood_for = not sender and not is_null_taken(account, transaction.routing)
        if is_stood_for:
            sender = account.sender
        message_id: MessageId = self.resubmissions.id_of(sending) or self._new_id()
        stamp = Stamp(self._settings.hostname, transaction.protocol, message_id, self._wall_clock())
        done = completed(header, stamp, sender=sender, changes=admitted.changes)
        return NewMessage(
            id=message_id,
            client=transaction.client.name,
            account=account.sender,
            envelope=_envelope(transaction, sender, header, is_reported=not is_stood_for),
            content=done.content,
            header_message_id=done.message_id,
            submitted_hash=sending.submitted_hash,
            wants_express=header.wants_express,
            lifetime=dated.lifetime,
            is_dated=dated.is_dated,
        )


def _a_part_of(patience: float | None) -> float | None:
    """What a forecast may take, so that handing over has nearly all of it."""
    return None if patience is None else patience / 3


def _envelope(transaction: Transaction, sender: str, header: TopHeader, *, is_reported: bool) -> Envelope:
    """What goes upstream: BODY=8BITMIME and SMTPUTF8 where the octets need them, whatever the client declared.

    Of what came from `<>` nobody may hear, whatever stands in its place (RFC 3461, 5.1).
    """
    recipients = tuple(
        each if is_reported else replace(each, notify=("NEVER",)) for each in transaction.recipients.values()
    )
    parameters = transaction.parameters
    is_8bit = not header.content.isascii()
    needs_smtputf8 = parameters.has_smtputf8 and not (
        sender.isascii()
        and all(recipient.address.isascii() for recipient in recipients)
        and (not is_8bit or header.content[: header.end].isascii())
    )
    return Envelope(
        sender=sender,
        recipients=recipients,
        envid=parameters.envid,
        ret=parameters.ret,
        needs_smtputf8=needs_smtputf8,
        is_8bit=is_8bit,
    )


def _renamed(transaction: Transaction, admitted: Admitted) -> str | None:
    """The old address of a message: that of MAIL FROM, or else some of its header's."""
    account, sender = admitted.account, transaction.sender
    if sent_as(account, sender) != sender:
        return sender
    return next(iter(account.replaces), None) if admitted.changes else None
