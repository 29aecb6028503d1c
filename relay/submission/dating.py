"""The deadline of a message, and whether it can leave before it.

Law: the forecast is asked only for what has a deadline; a store that cannot answer delays nothing and refuses nothing.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from relay.core.deadline import Deadline, Lateness, deadline_of, lateness_of
from relay.core.headers import TopHeader
from relay.core.refusal import Reason, Refusal
from relay.core.routing import Account
from relay.errors import StoreError
from relay.store.ports.foresight import Foresight


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
    header: TopHeader, account: Account, client: str, *, foresight: Foresight | None, timezone: str, now: int
) -> Dated | Refusal:
    """What a message that comes in `now` (wall time, microseconds) has time for."""
    zone = ZoneInfo(timezone)
    deadline = deadline_of(header, account, zone=zone, now=now)
    if deadline is None or isinstance(deadline, Refusal):
        return UNDATED if deadline is None else deadline
    late = None
    if foresight is not None:
        late = await _lateness(deadline, header, account, client, foresight=foresight, zone=zone)
    if late is not None and account.late == "reject":
        return Refusal(Reason.TOO_LATE, {"leaves": late.leaves, "deadline": late.deadline}, account.sender)
    return Dated(deadline.at - now if deadline.is_dated else None, late)


async def _lateness(
    deadline: Deadline, header: TopHeader, account: Account, client: str, *, foresight: Foresight, zone: ZoneInfo
) -> Lateness | None:
    try:
        leaves_at = await foresight.departure(account.sender, client, wants_express=header.wants_express)
    except StoreError:
        return None  # `put` says what is wrong with the store
    return lateness_of(deadline, leaves_at, zone)
