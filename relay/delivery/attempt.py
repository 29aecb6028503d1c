"""One attempt of one delivery over one session, from the claim to its result.

Law: it always ends in a result, whatever breaks; once the gate has said yes, only a reply can end it as anything but in
doubt. Neither MAIL nor the final dot is written once this node's lease has run out.
"""

import asyncio
from typing import Protocol

from relay.core.envelope import Claim, Result, Verdict
from relay.core.meaning import ReplyClass
from relay.core.retry import reconsidered
from relay.core.words import Stage
from relay.delivery.fence import BEFORE_DOT, BEFORE_MAIL, Holds, always_holds
from relay.delivery.observer import Observer
from relay.delivery.pool import OpenSession
from relay.errors import CorruptValue, MessageUnreadable, StoreError


class ContentAndGate(Protocol):
    """What an attempt asks of the store."""

    async def content(self, claim: Claim) -> bytes:
        """The message in wire form."""

    async def gate(self, claim: Claim) -> bool:
        """The last check before the final dot."""


class Attempt:
    """A claim on its way over a session."""

    def __init__(
        self,
        claim: Claim,
        opened: OpenSession,
        store: ContentAndGate,
        observe: Observer,
        *,
        holds: Holds = always_holds,
    ) -> None:
        self.claim = claim
        self.opened = opened
        self.has_missed_store = False
        """The store could not do what was asked of it: no time to ask for more work."""
        self._store = store
        self._observe = observe
        self._holds = holds
        self._task: asyncio.Task[object] | None = None
        self._is_begun = False
        self._is_gated = False
        self._is_aborted = False
        self._is_over = False

    @property
    def is_gated(self) -> bool:
        """Whether the final dot may have been written."""
        return self._is_gated

    @property
    def is_held(self) -> bool:
        """Whether its claim is still this node's, by the node's own clock."""
        return self._holds(0)

    def abort(self) -> bool:
        """Breaks it off where it stands; False: it has its result already, or was broken off before."""
        if self._is_over or self._is_aborted:
            return False
        self._is_aborted = True
        if self._task is not None:
            self._task.cancel()
        return True

    async def run(self) -> Result:
        """Sends the message in the task that calls this; raises only a cancellation that is not `abort`'s."""
        self._task = asyncio.current_task()
        try:
            return await self._send()
        except asyncio.CancelledError:
            if not self._is_aborted:
                raise
            if self._task is not None:
                self._task.uncancel()
            return self._cut_short(Verdict.DROPPED)
        except CorruptValue as error:
            self._observe.broken("content", error, self.claim)
            return corrupt()
        except StoreError as error:
            return self._without_store(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the claim has to be settled
            self._observe.broken("attempt", error, self.claim)
            return self._cut_short(Verdict.DEFERRED)
        finally:
            self._is_over = True

    async def _send(self) -> Result:
        if self._is_aborted:
            return self._cut_short(Verdict.DROPPED)
        content = await self._store.content(self.claim)
        if not self._holds(BEFORE_MAIL):
            return self._cut_short(Verdict.DROPPED)
        self._is_begun = True
        result = await self.opened.session.transmit(self.claim.envelope, content, self._gate)
        if result.is_provider:
            self.opened.is_spoilt = True  # what is said of the whole host would be said of the next message as well
        return reconsidered(result, self.claim.tries)

    async def _gate(self) -> bool:
        """Whether the dot may go: the lease lasts when the store is asked, and still when its answer is read."""
        is_open = self._holds(BEFORE_DOT) and await self._store.gate(self.claim)
        self._is_gated = is_open and self._holds(BEFORE_DOT)
        return self._is_gated

    def _without_store(self, error: StoreError) -> Result:
        """A store that is away leaves the delivery its place; a message that cannot be read lets others pass."""
        self.has_missed_store = True
        self._observe.store_failed("gate" if self._is_begun else "content", error)
        return self._cut_short(Verdict.DEFERRED if isinstance(error, MessageUnreadable) else Verdict.DROPPED)

    def _cut_short(self, verdict: Verdict) -> Result:
        """Nobody read how it ended: it counts as begun, and as in doubt once it was gated."""
        self.opened.is_spoilt = self.opened.is_spoilt or self._is_begun
        return Result(
            Verdict.IN_DOUBT if self._is_gated else verdict,
            ReplyClass.UNKNOWN,
            Stage.EOD if self._is_gated else Stage.DATA if self._is_begun else Stage.MAIL,
            None,
            is_mail_written=self._is_begun,
            is_end_known=not self._is_begun,
        )


def corrupt() -> Result:
    """The result of a claim whose message does not open: held until somebody restores it."""
    return Result(Verdict.CORRUPT, ReplyClass.UNKNOWN, Stage.MAIL, None, is_mail_written=False, is_end_known=True)


def without_session() -> Result:
    """The result of a claim whose session is gone: nothing happened to the delivery."""
    return Result(Verdict.DROPPED, ReplyClass.UNKNOWN, Stage.MAIL, None, is_mail_written=False, is_end_known=True)
