"""Terms, standings and kinship as the Lua schedule reads them: plain lists of numbers and names.

Law: nothing is left to a float: a share is two whole numbers, and a calendar is its midnights.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from relay.core.kinship import Kinship
from relay.core.limits import Limit
from relay.core.terms import MailboxTerms, ProviderTerms, Standing

Packed = list[Any]

DAYS_BEFORE: int = 4
"""An attempt may have begun so long ago and still count on a day that is not over."""

DAYS_AFTER: int = 400
"""A calendar is handed in anew at every start and every edit; one that ends opens no day any more."""


def pack_terms(terms: MailboxTerms) -> Packed:
    """What binds a mailbox."""
    share = terms.express_share
    return [
        _limits(terms.limits), terms.weight, terms.connections, _limit(terms.login_limit),
        share.numerator, share.denominator, _limit(terms.refused_logins),
    ]  # fmt: skip


def pack_provider_terms(terms: ProviderTerms) -> Packed:
    """What binds all mailboxes of a provider, but for its calendar."""
    return [_limits(terms.total_limits), terms.total_connections]


def pack_standing(standing: Standing) -> Packed:
    """Of a mailbox or a provider."""
    return [
        standing.is_stopped, standing.probe_at, standing.is_proven, standing.slow, standing.logs_in_at,
        standing.is_fresh, standing.is_barred, standing.is_for_proven, standing.is_one_by_one,
    ]  # fmt: skip


def pack_kinship(kinship: Kinship) -> Packed:
    """Of every entry that has kin: its name, theirs, and those of them that the routing has no more."""
    names = sorted({name for names in kinship.places.values() for name in names})
    return [
        [name, list(kinship.others_of(name)), list(kinship.gone_of(name))] for name in names if kinship.has_kin(name)
    ]


def midnights(zone: tzinfo, civil: int) -> list[int]:
    """When the days of a provider's calendar begin, around a civil instant; microseconds since 1970 UTC."""
    today = datetime.fromtimestamp(civil / 1_000_000, zone).date()
    days = (today + timedelta(days=late) for late in range(-DAYS_BEFORE, DAYS_AFTER + 1))
    return [round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1_000_000) for day in days]


def _limits(limits: Iterable[Limit]) -> Packed:
    return [_limit(limit) for limit in limits]


def _limit(limit: Limit) -> Packed:
    return [limit.count, limit.width]
