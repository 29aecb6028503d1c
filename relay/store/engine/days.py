"""Civil days as a provider's time zone has them, by number: days since 1970.

Law: what is asked of one moment is answered by the wall clock as it is shown, for all in the same way.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from relay.core.limits import SECOND, Instant
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.store.engine.ground import Times

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()


def zone_of(routing: Routing, mailbox: MailboxId | None) -> ZoneInfo:
    """The time zone of a mailbox's provider; UTC where the routing has none."""
    provider = None if mailbox is None else routing.providers.get(mailbox.provider)
    return ZoneInfo("UTC" if provider is None else provider.timezone)


def day_of(civil: int, zone: ZoneInfo) -> int:
    """The number of the day of a moment (wall time, microseconds)."""
    return datetime.fromtimestamp(civil // SECOND, zone).date().toordinal() - _EPOCH


def begins_at(day: int, zone: ZoneInfo, clock: Times) -> Instant:
    """When a day begins, relay time."""
    date = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date()
    midnight = datetime(date.year, date.month, date.day, tzinfo=zone)
    return round(midnight.timestamp() * SECOND) - clock.civil_offset()
