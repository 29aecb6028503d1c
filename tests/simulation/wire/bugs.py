"""Planted bugs on the wire: ways in which submission and delivery could be wrong, each of which the world has to find.

Law: a bug changes one decision of the shipped code and nothing of the world.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from relay.core.envelope import NewMessage
from relay.core.meaning import Failure
from relay.core.refusal import Refusal
from relay.core.words import MailboxId
from relay.delivery import judging
from relay.delivery import transaction as upstream_transaction
from relay.delivery.commands import Offer, data_of, mail_command
from relay.delivery.judging import Judge
from relay.delivery.smtp import SmtpUpstream
from relay.delivery.transaction import SmtpSession
from relay.delivery.wire import Wire, WireFailed
from relay.submission import acceptance, incoming, receiving
from relay.submission.connection import Connection
from relay.submission.gathering import Gathering
from relay.submission.wire import ClientGone
from tests.simulation.wire.world import WatchedIntake

Patch = pytest.MonkeyPatch


def answered_before_put(patch: Patch) -> None:
    """250 is said while the store is still taking the message."""
    honest = WatchedIntake.put

    async def put(self: WatchedIntake, message: NewMessage) -> None:
        self.under_way = asyncio.create_task(honest(self, message))  # type: ignore[attr-defined]

    patch.setattr(WatchedIntake, "put", put)


def dots_not_stuffed(patch: Patch) -> None:
    """The body goes out as it is."""
    patch.setattr(upstream_transaction, "data_of", lambda content: content)


def dots_not_unstuffed(patch: Patch) -> None:
    """The body is stored as it came."""
    patch.setattr(acceptance, "unstuffed", lambda raw: raw)


def dot_before_gate(patch: Patch) -> None:
    """The dot is written with the body, and the gate is asked afterwards."""
    patch.setattr(upstream_transaction, "data_of", lambda content: data_of(content) + b".\r\n")
    patch.setattr(upstream_transaction, "_DOT", b"")


def reads_the_reply_before(patch: Patch) -> None:
    """What nobody asked for is kept, and taken for the answer to what is asked next."""

    def data_received(self: Wire, data: bytes) -> None:
        if self.failure is None:
            self._replies.extend(self._reader.feed(data))
            self._wanted = 0
            self._wake()

    patch.setattr(Wire, "data_received", data_received)


def kept_after_a_time_out(patch: Patch) -> None:
    """A session on which no answer came in time is used again."""
    honest = Wire.fail

    def fail(self: Wire, failure: Failure) -> None:
        if failure is Failure.TIMEOUT and self._waiter is not None and not self._waiter.done():
            self._wanted = 0
            self._waiter.set_exception(WireFailed(failure))
        else:
            honest(self, failure)

    patch.setattr(Wire, "fail", fail)
    patch.setattr(Wire, "data_received", _patient(Wire.data_received))


def _patient(honest: Callable[[Wire, bytes], None]) -> Callable[[Wire, bytes], None]:
    """Takes a late answer for the one that is awaited."""

    def data_received(self: Wire, data: bytes) -> None:
        if self._wanted or self.failure is not None:
            honest(self, data)

    return data_received


def size_ignored(patch: Patch) -> None:
    """Mail is sent whatever size the provider takes."""
    patch.setattr(Offer, "obstacle", lambda *_: None)


def extensions_ignored(patch: Patch) -> None:
    """Parameters are used without having been offered."""

    def with_body(*values: Any) -> bytes:
        line = mail_command(*values)
        return line if b"BODY" in line else line.replace(b"\r\n", b" BODY=8BITMIME\r\n")

    patch.setattr(upstream_transaction, "mail_command", with_body)


def pipelined_unasked(patch: Patch) -> None:
    """Commands go out together, whether the provider can or not."""

    async def introduce(self: SmtpSession, commands: Any, progress: Any) -> Any:
        return await self._introduce_at_once(commands, progress)

    patch.setattr(SmtpSession, "_introduce", introduce)


def logged_in_as_another(patch: Patch) -> None:
    """The mailbox that logged in first is good enough for all."""
    honest = SmtpUpstream.open

    async def open_(self: SmtpUpstream, mailbox: MailboxId) -> SmtpSession:
        first = self.__dict__.setdefault("first", mailbox)
        return await honest(self, first if first.provider == mailbox.provider else mailbox)

    patch.setattr(SmtpUpstream, "open", open_)


def hung_up_counts_as_ended(patch: Patch) -> None:
    """After a lost connection the slot is given back at once, without linger."""
    honest = judging._result

    def result(*values: Any, **more: Any) -> Any:
        return honest(*values, **{**more, "is_end_known": True})

    patch.setattr(judging, "_result", result)


def doubt_taken_for_a_refusal(patch: Patch) -> None:
    """A connection lost after the dot is simply tried again."""
    honest = Judge.of_loss

    def of_loss(self: Judge, failure: Failure, progress: Any) -> Any:
        progress.is_past_gate = False
        return honest(self, failure, progress)

    patch.setattr(Judge, "of_loss", of_loss)


def end_missed_between_blocks(patch: Patch) -> None:
    """CRLF.CRLF is looked for in each piece that comes in, not across two."""
    patch.setattr(incoming, "_KEPT_BACK", 0)


def octets_lost_between_blocks(patch: Patch) -> None:
    """What is kept back at the end of a block is thrown away."""
    honest = incoming.Incoming.data

    def data(self: incoming.Incoming, blocks: list[bytes]) -> bool:
        before = len(blocks)
        is_ended = honest(self, blocks)
        if len(blocks) > before and not is_ended:
            blocks[-1] = blocks[-1][:-1]
        return is_ended

    patch.setattr(incoming.Incoming, "data", data)


def half_a_message_taken(patch: Patch) -> None:
    """Who hangs up inside DATA has said all that he wanted to say."""
    honest = Gathering.read

    async def read(self: Gathering, wire: Any) -> Any:
        try:
            return await honest(self, wire)
        except ClientGone:
            blocks: list[bytes] = [bytes(wire._hearing.incoming._buffer)]
            return self._keep(blocks)

    patch.setattr(Gathering, "read", read)


def half_close_taken_for_a_hang_up(patch: Patch) -> None:
    """Who says nothing more is not answered any more."""

    def eof_received(self: Connection) -> bool:
        self._hearing.end()
        return False

    patch.setattr(Connection, "eof_received", eof_received)


def another_messages_id(patch: Patch) -> None:
    """The client is told the id of the message before."""
    receive = receiving.receive

    async def told(wire: Any, desk: Any, **values: Any) -> Any:
        answer = await receive(wire, desk, **values)
        before = desk.__dict__.get("before", answer)
        desk.__dict__["before"] = answer
        return answer if isinstance(answer, Refusal) else before

    patch.setattr("relay.submission.session.receive", told)


BUGS: Mapping[str, Callable[[Patch], None]] = {
    bug.__name__: bug
    for bug in (
        answered_before_put,
        dots_not_stuffed,
        dots_not_unstuffed,
        dot_before_gate,
        reads_the_reply_before,
        kept_after_a_time_out,
        size_ignored,
        extensions_ignored,
        pipelined_unasked,
        logged_in_as_another,
        hung_up_counts_as_ended,
        doubt_taken_for_a_refusal,
        end_missed_between_blocks,
        octets_lost_between_blocks,
        half_a_message_taken,
        half_close_taken_for_a_hang_up,
        another_messages_id,
    )
}
