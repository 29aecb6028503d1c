"""One attempt under way, and the claim that a node is told of it.

Law: a delivery has at most one claim that is not lost; a lost one only holds its slots until its attempt ends.
"""

from dataclasses import dataclass

from relay.core.envelope import Claim, Envelope
from relay.core.lifecycle import State
from relay.core.limits import Instant
from relay.core.words import MailboxId
from relay.errors import CorruptValue
from relay.store.engine.entry import Entry
from relay.store.engine.values import Seals

GONE = Envelope("", ())
"""Of a delivery that became final while an attempt was still under way."""


@dataclass(slots=True)
class Running:
    """One attempt under way."""

    claim: Claim
    entry: Entry
    mailbox: int
    started_at: Instant
    gated_at: Instant | None = None
    lapsed_at: Instant | None = None
    is_lost: bool = False

    @property
    def state(self) -> State:
        """Where its delivery is, while the claim holds it."""
        return State.CLAIMED if self.gated_at is None else State.GATED


def known_claim(entry: Entry, seals: Seals, attempt: int, mailbox: MailboxId, node: str, *, is_probe: bool) -> Claim:
    """A claim of before a start: nobody sends it any more, so an envelope that does not open is no matter here."""
    try:
        return claim_of(entry, seals, attempt, mailbox, node, is_probe=is_probe)
    except CorruptValue:
        entry.envelope = GONE
        return claim_of(entry, seals, attempt, mailbox, node, is_probe=is_probe)


def claim_of(entry: Entry, seals: Seals, attempt: int, mailbox: MailboxId, node: str, *, is_probe: bool) -> Claim:
    """What a node is told of a delivery that it may send. CorruptValue: the envelope does not open."""
    envelope = entry.envelope
    if envelope is None:
        sealed = entry.sealed
        envelope = GONE if sealed is None else seals.open_envelope(sealed, entry.message, entry.ordinal)
        entry.envelope = envelope
    return Claim(
        attempt, entry.delivery, entry.message, mailbox, entry.sender, entry.lane, node, envelope,
        entry.size, entry.tries, entry.doubts, is_probe,
    )  # fmt: skip
