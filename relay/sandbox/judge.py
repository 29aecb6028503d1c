"""Judges a log: the worst rolling window, what was lost, what came twice, how many sessions there were at once.

Law: pure, and shares no code with any limiter, neither the relay's nor the sandbox's own; windows are closed, and time
is the steady clock `m`, which no step of the wall clock moves.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from relay.sandbox.journal import Record
from relay.sandbox.settings import CountAt

Key = tuple[str | None, str | None]
"""A delivery as the provider knows it: header Message-ID and recipient."""


def sent(records: Iterable[Record], *, at: CountAt = CountAt.MAIL) -> dict[str, list[float]]:
    """The instants, in order, at which each user's recipients reached the provider.

    Everything that was tried counts, refused or not: at MAIL each MAIL once (and each further RCPT of its transaction),
    at RCPT each RCPT, at the final dot each recipient of a message that was taken.
    """
    counters: dict[CountAt, Callable[[Iterable[Record]], Iterable[Record]]] = {
        CountAt.MAIL: _at_mail,
        CountAt.RCPT: lambda records: (record for record in records if _is_tried(record, "rcpt")),
        CountAt.EOD: lambda records: (record for record in records if record["event"] == "delivered"),
    }
    return _by_user(counters[at](records))


def logins(records: Iterable[Record], *, refused_only: bool = False) -> dict[str, list[float]]:
    """The instants at which each user tried to log in."""
    return _by_user(
        record
        for record in records
        if record["event"] == "auth" and not (refused_only and (record["reply"] or "").startswith("2"))
    )


def worst_window(instants: Sequence[float], seconds: float) -> int:
    """The most instants in any closed window of `seconds`; `instants` in order."""
    worst = first = 0
    for last, instant in enumerate(instants):
        while instants[first] < instant - seconds:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def worst_windows(instants: dict[str, list[float]], seconds: float) -> dict[str, int]:
    """The worst closed window of each user."""
    return {user: worst_window(own, seconds) for user, own in instants.items()}


def worst_total(instants: dict[str, list[float]], seconds: float) -> int:
    """The worst closed window of all users together, as a provider's total is counted."""
    return worst_window(sorted(instant for own in instants.values() for instant in own), seconds)


def copies(records: Iterable[Record]) -> Counter[Key]:
    """How often each delivery was taken."""
    return Counter((record["id"], record["rcpt"]) for record in records if record["event"] == "delivered")


def lost(records: Iterable[Record], expected: Iterable[Key]) -> set[Key]:
    """The expected deliveries that were never taken."""
    return set(expected) - copies(records).keys()


def lost_ids(records: Iterable[Record], expected: Iterable[str]) -> set[str]:
    """The expected Message-IDs that reached nobody."""
    return set(expected) - {message_id for message_id, _ in copies(records) if message_id is not None}


def doubled(records: Iterable[Record]) -> dict[Key, int]:
    """The deliveries that were taken more than once, and how often."""
    return {key: many for key, many in copies(records).items() if many > 1}


def most_sessions(records: Iterable[Record]) -> dict[str, int]:
    """The most sessions that each user had open at once, from login to disconnect, in the log of one run."""
    owner: dict[int, str] = {}
    now: Counter[str] = Counter()
    most: dict[str, int] = {}
    for record in records:
        if record["event"] == "auth" and (record["reply"] or "").startswith("2") and record["user"] is not None:
            owner[record["session"]] = user = record["user"]
            now[user] += 1
            most[user] = max(most.get(user, 0), now[user])
        elif record["event"] == "disconnect" and record["session"] in owner:
            now[owner.pop(record["session"])] -= 1
    return most


def _at_mail(records: Iterable[Record]) -> Iterable[Record]:
    """Each MAIL pays for one recipient; the second and later ones of a transaction count when they come."""
    named: Counter[int] = Counter()
    for record in records:
        if _is_tried(record, "mail"):
            named[record["session"]] = 0
            yield record
        elif _is_tried(record, "rcpt"):
            named[record["session"]] += 1
            if named[record["session"]] > 1:
                yield record


def _is_tried(record: Record, stage: str) -> bool:
    return record["stage"] == stage and record["event"] in {"mail", "rcpt", "over-limit", "refused"}


def _by_user(records: Iterable[Record]) -> dict[str, list[float]]:
    instants: dict[str, list[float]] = {}
    for record in records:
        instants.setdefault(record["user"] or "", []).append(record["m"])
    return {user: sorted(own) for user, own in instants.items()}
