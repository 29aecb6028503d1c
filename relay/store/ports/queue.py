"""The queue's port: messages come in, deliveries are taken, gated and settled.

Law: `put` returns only after a durable commit; a claim is durable before it is handed out; `settle` writes outcome,
end of attempt, next try and what follows from it in one transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from relay.core.envelope import Claim, NewMessage, Result, Taken, Verdict
from relay.core.health import Pause
from relay.core.limits import Instant
from relay.core.words import AccountId, MailboxId


class Intake(Protocol):
    """Where submission hands a message over."""

    async def put(self, message: NewMessage) -> None:
        """Durable on return; the same id again changes nothing. StoreFull, StoreUnavailable: nothing was accepted.

        Express is what asks for it, and a client's first three messages of an account within a minute.
        """

    def has_space(self) -> bool:
        """Whether mail may be accepted at all (the disk is not nearly full, the store is not away)."""


class Pauses(Protocol):
    """Where submission asks whether an account is paused, and delivery what its mailbox's logins have shown."""

    def pause_of(self, account: AccountId) -> Pause | None:
        """Why nothing leaves it before somebody acts, and since when (wall time); None: it is not paused.

        A person paused it, its mailbox has no credentials or is paused, or its provider is, until somebody acts; of
        several what began first. What time alone heals is no pause. Answers at once: it is asked for each message.
        """

    def has_worked(self, mailbox: MailboxId) -> bool:
        """Whether a login with this credential has worked before. Answers at once."""


class Queue(Protocol):
    """Where delivery gets its work."""

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        """Claims at most `most`, at most `idle[m]` per mailbox, in the schedule's order; never waits.

        One take of n gives what n takes of 1 give; so claims and sessions to open are together at most `most`.
        Inside an account express goes before bulk, inside a lane the oldest delivery first; the accounts of a mailbox
        take turns. Renews the node's lease. `wake_at` is never later than the instant at which the same take would
        give more, and it is that instant where nothing is under way and one limit alone bars the way. StaleRouting:
        this node has to reload the routing first.
        """

    async def content(self, claim: Claim) -> bytes:
        """The message in wire form (CRLF lines, not dot-stuffed). CorruptValue: it does not open."""

    async def gate(self, claim: Claim) -> bool:
        """The last check before the final dot; False: this node no longer holds the delivery.

        It does not where its lease ended, though nobody else took the delivery yet, or where the delivery is final.
        """

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Records how the attempt ended, once: as what, beside what others met; None: too late, and not a fact.

        A late `delivered` is a fact and is accepted. What the bounce guard takes to be the mailbox's is held or aside.
        The attempt's slots return if MAIL was not written; else it ends now, or after linger if the end is not known.
        Deferred: again after the delay for its tries, or what the reply asked for if that is longer. Held, dropped: at
        its place again. In doubt: again after linger, the first time, unless its account holds what is in doubt.
        """

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        """Renews the node's lease; returns the claims that are no longer its own, until they are settled.

        When a lease ends, what was claimed waits again at once, and its attempts end then, plus linger; what passed the
        gate is in doubt after gate + final time-out + linger.
        """

    async def recover(self, node: str) -> int:
        """After a start under the node's own lock: its old attempts end; the number of those in doubt.

        They end now plus linger. What was claimed waits again at once; what passed the gate is in doubt. The node's
        sessions are gone, and what it reserved of them.
        """

    async def wait(self, mark: int, until: Instant | None) -> None:
        """Returns when anything changed since `mark`, or at `until` (relay time)."""

    def now(self) -> Instant:
        """Relay time."""
