"""Whose trouble it is that nobody is let in or lines break: a mailbox's, its provider's, or a single message's.

Law: a provider is never judged by fewer than three different mailboxes, and one that fails a hundred times is one; who
never worked is no witness. Windows are closed; instants are relay time in microseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from relay.core.envelope import LoginFailure
from relay.core.limits import HOUR, MINUTE, Instant
from relay.core.meaning import ReplyClass
from relay.core.words import MailboxId, MessageId

AUTH_OUTAGE = "auth-outage"
"""Why a provider stands still that lets nobody in."""

REFUSED_WITHIN: int = 10 * MINUTE
"""In which so many are refused at AUTH that no password is to blame: people do not change theirs at one time."""

REFUSED_LEAST: int = 3
"""Two doctors may mistype within ten minutes; of three strangers nobody has heard."""

REFUSED_SHARE = Fraction(2, 100)
"""Of the mailboxes that worked: among thousands some passwords change every hour."""

WORKED_WITHIN: int = 24 * HOUR
"""Who was let in so lately has the right password, as far as anybody can know."""

BROKEN_WITHIN: int = 5 * MINUTE
BROKEN_LEAST: int = 3
"""Different mailboxes whose lines break within it have nothing in common but their provider."""

DROPS_LOOKED_AT: int = 10
DROPS_LEAST: int = 3
"""Different mailboxes among the provider's last attempts: a host that takes mail and hangs up before it answers makes
every mail a doubt."""

REMEMBERED: int = 12 * HOUR
"""How far back a mailbox's broken lines are looked at: three of the longest pauses between two tries of a message.
Who breaks again within it, and sent nothing since, is still as ill as he was."""

OUTAGE_PROBES: int = 8
"""So often in a row is an outage probed by those alone that were refused in it, the whole working day: that their
passwords were changed is then the likelier story, and somebody has to hear it."""

TOLD_CLASSES = frozenset({ReplyClass.IP_BLOCKED, ReplyClass.TLS_REQUIRED})
"""Said of all that comes from here. Before anybody has said who he is that is so; said to one mailbox, after its name,
it may be a rule of that mailbox alone (a foreign address, a contract without a relay)."""

TOLD_LEAST: int = 3
"""So many different mailboxes are told so while nobody else is served: then it is their provider's."""

REFUSED_CLASSES = frozenset({ReplyClass.AUTH_REJECTED, ReplyClass.UNKNOWN, ReplyClass.PROTOCOL_ERROR})
"""What a provider that is out of order answers to a right password; that it wants another way of logging in
(`auth-method`), in words, is a change that each owner has to follow, however many it meets at once."""

FAILS_TWICE: int = 2
"""Once is the line; the same message again, while nothing else fails, is that message."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mailbox met trouble."""

    mailbox: MailboxId
    at: Instant


@dataclass(frozen=True, slots=True)
class Refusal:
    """A mailbox was refused at AUTH; `worked_at`: when it had been let in last, None: never, or long ago."""

    mailbox: MailboxId
    at: Instant
    worked_at: Instant | None

    @property
    def is_of_proven(self) -> bool:
        """Whether its password was good so lately that its being wrong is news."""
        return self.worked_at is not None and self.worked_at <= self.at <= self.worked_at + WORKED_WITHIN


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt that a provider ended; `is_dropped`: after the final dot, without a reply."""

    mailbox: MailboxId
    is_dropped: bool


def is_refused_login(failure: LoginFailure) -> bool:
    """Whether a login was refused for good, in words that may be the provider's own trouble."""
    is_final = failure.reply is not None and not failure.reply.is_temporary
    return is_final and failure.is_login_sent and failure.reply_class in REFUSED_CLASSES


def quorum(active: int, *, least: int, share: Fraction) -> int:
    """How many of `active` mailboxes it takes: a share, rounded up, and never fewer than `least`."""
    return max(least, -(-active * share.numerator // share.denominator))


@dataclass(frozen=True, slots=True)
class Past:
    """What a mailbox met before: `outage_at` when it was refused last in an outage, `worked_at` when it was let in."""

    outage_at: Instant | None
    worked_at: Instant | None

    @property
    def is_out(self) -> bool:
        """Whether it was refused in an outage, and never let in after that."""
        return self.outage_at is not None and (self.worked_at is None or self.worked_at <= self.outage_at)


def is_left_over(past: Past, *, at: Instant, over_at: Instant | None) -> bool:
    """Whether a refusal at an instant is the mailbox's own: the outage that it was refused in is over for others."""
    return past.is_out and over_at is not None and over_at <= at <= over_at + REFUSED_WITHIN


def refused_together(refusals: Iterable[Refusal], *, active: int, now: Instant) -> tuple[MailboxId, ...]:
    """The mailboxes whose refusals are an outage of their provider's logins; empty: it is none.

    `active`: how many mailboxes of the provider were let in within `WORKED_WITHIN`.
    """
    proven = [Sighting(each.mailbox, each.at) for each in refusals if each.is_of_proven]
    found = seen_within(proven, REFUSED_WITHIN, now)
    return found if len(found) >= quorum(active, least=REFUSED_LEAST, share=REFUSED_SHARE) else ()


def broken_together(sightings: Iterable[Sighting], *, now: Instant) -> tuple[MailboxId, ...]:
    """The mailboxes whose broken lines are their provider's trouble; empty: each has its own."""
    found = seen_within(sightings, BROKEN_WITHIN, now)
    return found if len(found) >= BROKEN_LEAST else ()


def is_served(others: int, broken: Sequence[MailboxId]) -> bool:
    """Whether a provider is well in spite of lines that break: as many `others` were served since the first did."""
    return others >= len(broken)


def is_told_by_all(told: int, mailboxes: int) -> bool:
    """Whether it is the provider's what so many of its `mailboxes` were told, and nobody else was served since."""
    return told >= min(TOLD_LEAST, mailboxes)


def is_dropping(last: Sequence[Sent]) -> bool:
    """Whether a provider loses what it was given, by its attempts in the order of their starts, the newest last."""
    dropped = {each.mailbox for each in last[-DROPS_LOOKED_AT:] if each.is_dropped}
    return len(dropped) >= DROPS_LEAST


def dropped_last(last: Sequence[Sent]) -> tuple[MailboxId, ...]:
    """Of the mailboxes that lost what was given, those that got nothing through since."""
    newest = {each.mailbox: each.is_dropped for each in last[-DROPS_LOOKED_AT:]}
    return tuple(sorted(mailbox for mailbox, is_dropped in newest.items() if is_dropped))


def is_of_message(broken: Sequence[MessageId]) -> bool:
    """Whether a line broke for one message alone: `broken` are the mailbox's messages whose attempts it broke.

    In their order, the message in question last: nothing else may have failed since its failure before.
    """
    return len(broken) >= FAILS_TWICE and len({*broken[-FAILS_TWICE:]}) == 1


def seen_within(sightings: Iterable[Sighting], width: int, now: Instant) -> tuple[MailboxId, ...]:
    """The different mailboxes seen in the closed window that ends now, sorted."""
    return tuple(sorted({each.mailbox for each in sightings if now - width <= each.at <= now}))
