"""What the engine stands on beside the ledger: the parts that each adapter keeps in its own way.

Law: whatever is called here is part of the transaction under way, and is undone with it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.health import Moment
from relay.core.kinship import Kinship
from relay.core.limits import Instant
from relay.core.rotation import Line as MailboxLine
from relay.core.rotation import ProviderLine
from relay.core.schedule import Schedule
from relay.core.terms import Standing
from relay.core.words import AccountId, DeliveryId, Lane, MailboxId
from relay.store.engine.entry import Entry
from relay.store.engine.running import Running
from relay.store.segments import Place


class Times(Protocol):
    """The clocks of a store, microseconds."""

    def now(self) -> Instant:
        """Relay time of this transaction."""

    def wall(self) -> int:
        """Queue time: what is written down and compared."""

    def shown(self, at: int, /) -> int:
        """The wall time of a moment in queue time: for people."""

    def civil(self) -> int:
        """What the clock on the wall says."""

    def civil_offset(self) -> int:
        """Civil minus relay time."""

    def moment(self) -> Moment:
        """Relay time and queue time."""


@dataclass(slots=True)
class Line:
    """One account: what waits or is being sent, what is held by itself, and a delivery that none is older than."""

    waiting: int
    held: int
    oldest: DeliveryId


class Pending(Protocol):
    """How many deliveries of each account are not final."""

    def __iter__(self) -> Iterator[tuple[int, Line]]: ...

    def look(self, accounts: Iterable[int]) -> None:
        """The lines of these accounts are asked for next, each by itself."""

    def line(self, account: int) -> Line | None:
        """One account; None: it has nothing that is not final."""

    def went(self, account: int, *, was_held: bool) -> None:
        """A delivery is final."""

    def held(self, account: int) -> None:
        """A delivery that waited is held by itself."""

    def released(self, account: int) -> None:
        """A delivery that was held by itself waits again."""

    def recalled(self, account: int, delivery: DeliveryId) -> None:
        """A delivery that was final is held by itself."""

    def accepted_at(self, accounts: list[int]) -> int | None:
        """When the oldest delivery of any of these accounts came in, wall time."""


class Ready(Protocol):
    """The queue of what may be sent."""

    def add(self, entry: Entry) -> None:
        """It may be sent, at its place."""

    def remove(self, entry: Entry) -> None:
        """It was ready and is not any more, and was not granted."""

    def count(self, account: int, sender: AccountId, lane: Lane) -> int:
        """How many deliveries of a lane of an account are ready."""

    def move(self, account: int | None, sender: AccountId, origin: MailboxId | None, target: MailboxId | None) -> None:
        """What is ready of an account follows it; None: its mail goes nowhere."""


class Bodies(Protocol):
    """The bodies of messages."""

    def let_go(self, seq: int, place: Place) -> None:
        """Nothing needs this body any more, once this transaction is durable."""

    def at_hand(self, seq: int) -> bytes | None:
        """A body that is still in memory."""


class Claims(Protocol):
    """Attempts under way."""

    def next_number(self) -> int:
        """The number of an attempt that begins."""

    def get(self, attempt: int) -> Running | None:
        """The attempt, while it is under way."""

    def holder_of(self, delivery: DeliveryId) -> Running | None:
        """The attempt that holds a delivery now."""

    def __iter__(self) -> Iterator[Running]: ...

    def gate(self, running: Running, now: Instant) -> None:
        """The attempt passed the gate."""

    def lose(self, running: Running) -> None:
        """The delivery is not this attempt's any more."""

    def end(self, running: Running, at: Instant | None, now: Instant) -> None:
        """The attempt is over, and its slots count as ended at `at`; None: they return."""

    def begin_trial(self, mailbox: MailboxId, attempt: int, now: Instant) -> None:
        """An attempt of no delivery takes its slots."""

    def end_trial(
        self, mailbox: MailboxId, attempt: int, started: Instant, *, at: Instant | None, now: Instant
    ) -> None:
        """It ended at `at`; None: its slots return."""


class Lanes(Protocol):
    """Which lane a message waits in."""

    def foreseen(self, client: str, account: AccountId, now: Instant, *, wants_express: bool) -> Lane:
        """The lane of a message that would come in now; nothing is remembered of the question."""


class SessionCounts(Protocol):
    """How many sessions each mailbox has, for a process that goes on after a failed commit."""

    def change(self, mailbox: MailboxId, sessions: int, opening: int, /) -> None:
        """This transaction changes the counts by so many."""


class Scheduling(Protocol):
    """The schedule (core/schedule.py says what each word means)."""

    def ready_of(self, mailbox: MailboxId, account: AccountId) -> tuple[int, int]: ...
    def reserve_session(self, mailbox: MailboxId, now: Instant) -> None: ...
    def session_opened(self, mailbox: MailboxId, now: Instant) -> None: ...
    def session_refused(
        self,
        mailbox: MailboxId,
        now: Instant,
        *,
        is_login_sent: bool,
        ends_at: Instant | None = None,
        is_refusal: bool = False,
    ) -> None: ...
    def session_closed(self, mailbox: MailboxId, now: Instant) -> None: ...
    def crowded(self, mailbox: MailboxId, until: Instant, now: Instant, *, is_provider: bool) -> None: ...
    def has_logged_in(self, mailbox: MailboxId, now: Instant) -> bool: ...
    def accuse(self, provider: str, mailboxes: Iterable[MailboxId]) -> None: ...
    def blame_drops(self, provider: str, mailboxes: Sequence[MailboxId]) -> None: ...
    def clear(self, mailbox: MailboxId, now: Instant) -> None: ...
    def set_standing(self, mailbox: MailboxId, standing: Standing, now: Instant) -> None: ...
    def set_provider_standing(self, provider: str, standing: Standing) -> None: ...
    def set_kinship(self, kinship: Kinship, now: Instant) -> None: ...
    def reload(self, mailbox: MailboxId, now: Instant) -> None: ...
    def reload_all(self, mailboxes: Collection[MailboxId], now: Instant) -> None: ...
    def reload_provider(self, name: str, now: Instant) -> None: ...
    def look(self, mailbox: MailboxId) -> MailboxLine: ...
    def host(self, name: str) -> ProviderLine: ...
    def lines(self) -> list[MailboxLine]: ...
    def preview(self, lines: Iterable[MailboxLine]) -> Schedule: ...


__all__ = [
    "Bodies",
    "Claims",
    "Lanes",
    "Line",
    "Pending",
    "Ready",
    "Scheduling",
    "SessionCounts",
    "Times",
]
