"""The deadline of a message, and whether it can leave before it.

Law: the forecast is asked only for what has a deadline; a store that cannot answer delays nothing and refuses nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from relay.core.deadline import Deadline, Lateness, deadline_of, lateness_of
from relay.core.headers import TopHeader
from relay.core.health import Pause
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account
from relay.core.words import AccountId
from relay.errors import StoreError
from relay.store.ports.foresight import Foresight
from relay.submission.promptly import promptly


@dataclass(frozen=True, slots=True)
class Dated:
    """What is known of the end of a message: its lifetime in microseconds (None: its account's), and whether it would
    leave after it.
    """

    lifetime: int | None = None
    late: Lateness | None = None

    @property
    def is_dated(self) -> bool:
        """Whether its sender named the day."""
        return self.lifetime is not None


UNDATED = Dated()


async def date_message(
    header: TopHeader,
    account: Account,
    client: str,
    *,
    foresight: Foresight | None,
    pause_of: Callable[[AccountId], Pause | None],
    timezone: str,
    now: int,
    patience: float | None = None,
) -> Dated | Refusal:
    """What a message that comes in `now` (wall time, microseconds) has time for.

    `pause_of`: why nothing leaves an account. `patience`: seconds that the store has to answer.
    """
    zone = ZoneInfo(timezone)
    deadline = deadline_of(header, account, zone=zone, now=now)
    if deadline is None or isinstance(deadline, Refusal):
        return UNDATED if deadline is None else deadline
    late = None
    if foresight is not None:
        leaving = foresight.departure(account.sender, client, wants_express=header.wants_express)
        late = await _lateness(deadline, promptly(leaving, patience), zone)
    pause = pause_of(account.sender) if late is not None and not late.leaves else None
    if late is not None and pause is not None:
        late = replace(late, cause=pause.reason)
    if late is not None and account.late == "reject":
        return _too_late(late, account)
    return Dated(deadline.at - now if deadline.is_dated else None, late)


def _too_late(late: Lateness, account: Account) -> Refusal:
    """Why nothing leaves and who has to act, where that is known; else when it would."""
    if late.cause:
        values = {"sender": account.sender, "cause": late.cause, "deadline": late.deadline}
        return Refusal(Reason.TOO_LATE_STOPPED, values, account.sender)
    return Refusal(Reason.TOO_LATE, {"leaves": late.leaves, "deadline": late.deadline}, account.sender)


async def _lateness(deadline: Deadline, leaving: Awaitable[int | None], zone: ZoneInfo) -> Lateness | None:
    try:
        leaves_at = await leaving
    except StoreError:
        return None  # `put` says what is wrong with the store
    return lateness_of(deadline, leaves_at, zone)
