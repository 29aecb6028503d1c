"""What Python reads of the server's schedule is what core's has: mailboxes, witnesses, forecasts.

Law: what is read is core's own objects, so that every judgement on them is the one that core would make.
"""

from typing import Any

from relay.core.forecast import Place as Position
from relay.core.forecast import forecast
from relay.core.limits import HOUR, MINUTE
from relay.core.rotation import Line
from relay.core.words import Lane
from relay.store.redis.packing import Packed
from relay.store.redis.schedule import RedisSchedule
from tests.contract.redis.schedule.place import MAILBOXES, PROVIDERS
from tests.contract.redis.schedule.twins import Twins

Noted = list[tuple[str, Packed]]


def read(twins: Twins, noted: Noted | None = None) -> RedisSchedule:
    """The schedule of an operation."""

    def record(name: str, args: Packed) -> None:
        if noted is not None:
            noted.append((name, args))

    return RedisSchedule(twins.place, twins.player.read, record)


def compare_reading(twins: Twins) -> None:
    """Every mailbox and provider as it is read, and when its next mail would leave."""
    seen, core, now = read(twins), twins.core, twins.place.now
    twins.core.grant(now, {}, 0)
    twins.player.grant(now, {}, 0)
    for mailbox in MAILBOXES:
        assert told(seen.look(mailbox), now) == told(core.look(mailbox), now), mailbox
        for account, lane in _waiting(core.look(mailbox)):
            place = Position(mailbox, account, lane)
            assert forecast(seen, place, now=now) == forecast(core, place, now=now), place
    for name in PROVIDERS:
        assert _seen(seen.host(name).witnesses) == _seen(core.host(name).witnesses)
        for mailbox in MAILBOXES:
            if mailbox.provider == name:
                known, right = seen.host(name).totals, core.host(name).totals
                assert known.has_room(mailbox, now) == right.has_room(mailbox, now)
                assert known.opens_at(mailbox, now) == right.opens_at(mailbox, now)
    busy = {line.mailbox for line in core.lines() if line.ready}
    assert {line.mailbox for line in read(twins).lines()} == busy


def _waiting(line: Line) -> list[tuple[str, Lane]]:
    return [
        (account, lane) for account, counts in line.ready.items() for lane, n in zip(Lane, counts, strict=True) if n
    ]


def told(line: Line, now: int) -> dict[str, Any]:
    """All that a judgement looks at."""
    later = (now, now + 1, now + MINUTE, now + HOUR)
    return {
        "ready": list(line.ready.items()),
        "counts": (line.express, line.bulk, line.sessions, line.opening, line.alarm, line.turn is None),
        "crowded": max(now, line.crowded_until),
        "slots": [(window.in_flight, [window.used(at) for at in later]) for window in line.ledger.windows],
        "opens": [line.ledger.opens_at(at, line.terms.express_share) for at in later],
        "elsewhere": (line.ledger.in_flight, line.ledger.elsewhere),
        "logins": [(line.logins.used(at), line.refusals.used(at)) for at in later],
        "may": (line.may_send(now), line.may_log_in(now), line.logs_in_at(now), line.sends_at(now)),
        "provider": (line.provider.sessions, line.provider.opening, len(line.provider.busy)),
    }


def _seen(witnesses: Any) -> tuple[Any, ...]:
    told = {mailbox: (each.began, each.is_at_login) for mailbox, each in witnesses.told.items()}
    broken = {mailbox: (each.last_at, each.is_own) for mailbox, each in witnesses.broken.items()}
    alone = {m: (witnesses.is_alone(m), witnesses.drops_alone(m)) for m in MAILBOXES}
    return set(witnesses.accused), set(witnesses.droppers), told, broken, alone
