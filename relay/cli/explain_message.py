"""A message in whole sentences: what keeps each of its deliveries, since when, what moves it, and how it ended.

Law: each delivery that is not final is told why, since when, what will move it and when, and who has to act.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from relay.cli.standstill import DEPARTS, NOBODY_YET, limits_of, logins_of, when_of, who_acts, why_of
from relay.cli.terminal import clock, read, spoken
from relay.cli.wording import why

SHOWN: int = 20
"""Groups of deliveries that are explained; a message to a hundred has rarely more than three."""

FINAL = {
    "delivered": "the provider took it over at {at}; whatever it says later goes into the sender's mailbox",
    "bounced": "it failed for good at {at}: {why}. Its sender is sent a report, unless he asked for none; where none "
    "arrives, `/readyz` shows it",
    "cancelled": "an admin took it out of the queue at {at}",
}

OWN_MARK = "-report-"
"""In the id of what the relay itself wrote."""

FINAL_OWN = (
    "it failed for good at {at}: {why}. It is a report or a notice of the relay itself, of which nobody gets a report: "
    "what it told is told once more another way, or `/readyz` shows that it could not be"
)

COMES_BACK = (
    "  Next: it will not leave before its lifetime ends at {at}; it comes back to its sender then, unless that is done."
)
COMES_BACK_DATED = (
    "  Next: it will not leave before the deadline that its sender named, {at}; it comes back to him then, unless that "
    "is done. Where that was foreseen when it was accepted, the answer (250) told him so."
)


def of_message(message: Any, account: Any, now: datetime) -> Iterator[str]:
    """All that there is to say about a message."""
    accepted = clock(message["accepted_at"], now)
    age = spoken(now - read(message["accepted_at"]))
    yield f"Message {message['id']} of {message['account']} was accepted at {accepted}, {age} ago."
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for each in message["deliveries"]:
        groups.setdefault((each["state"], each["reason"], each["needs"]), []).append(each)
    for group in list(groups.values())[:SHOWN]:
        yield ""
        is_own = OWN_MARK in message["id"]
        yield from _of_deliveries(group, account, now, is_dated=message["dated"], is_own=is_own)
    if len(groups) > SHOWN:
        yield f"... and {len(groups) - SHOWN} other groups: relay queue show {message['id']}"


def _of_deliveries(group: list[Any], account: Any, now: datetime, *, is_dated: bool, is_own: bool) -> Iterator[str]:
    first = min(group, key=lambda each: str(each["since"]))
    yield f"To {_recipients(group)}: {first['state']}."
    if first["state"] in FINAL:
        ended = FINAL_OWN if is_own and first["state"] == "bounced" else FINAL[first["state"]]
        said = ended.format(at=clock(first["since"], now), why=_why_ended(first, now))
        yield f"  {said[0].upper()}{said[1:]}."
        yield from _last_word(group, now)
        return
    if first["state"] == "sending":
        yield f"  It is being sent now, since {clock(first['since'], now)}."
    else:
        yield f"  Why: {why_of(first['reason'], account)}{limits_of(first['reason'], account)}."
        yield f"  Since: {clock(first['since'], now)}, {spoken(now - read(first['since']))}."
        yield from _what_moves_it(first, [each["eta"] for each in group], account, now, is_dated=is_dated)
    yield from _last_word(group, now)


def _why_ended(each: Any, now: datetime) -> str:
    """What refused it; or that its deadline was over, and what had held it up."""
    said = why(each["reason"])
    if each["bounces_at"] is None:
        return said
    held_up = "" if each["reason"] == "expired" else f"; what held it up until then: {said}"
    return f"the deadline that its sender had named, {clock(each['bounces_at'], now)}, was over{held_up}"


def _recipients(group: list[Any]) -> str:
    domains = sorted({each["recipient"]["domain"] for each in group})
    where = ", ".join(domains[:5]) + (", ..." if len(domains) > 5 else "")
    return f"a recipient at {where}" if len(group) == 1 else f"{len(group)} recipients at {where}"


def _what_moves_it(first: Any, etas: list[str | None], account: Any, now: datetime, *, is_dated: bool) -> Iterator[str]:
    known = sorted(eta for eta in etas if eta is not None)
    if first["needs"] is None:
        yield from logins_of(first, known, account, now)
        if not known:
            yield "  Next: as soon as what is in its way is gone; nobody has to do anything."
        elif first["reason"] in DEPARTS:
            yield f"  Next: it goes by itself {when_of(known, now)}, if nothing new happens; nobody has to do anything."
        else:
            yield f"  Next: the relay tries again {when_of(known, now)}, and it goes then if that works; {NOBODY_YET}."
        return
    yield from who_acts(first, account)
    yield from logins_of(first, known, account, now)
    if known:
        yield f"  Next: the relay tries again {when_of(known, now)}."
    elif first.get("bounces_at") is not None:
        yield (COMES_BACK_DATED if is_dated else COMES_BACK).format(at=clock(first["bounces_at"], now))
    else:
        yield "  Next: nothing moves it before that."


def _last_word(group: list[Any], now: datetime) -> Iterator[str]:
    """What the provider said last."""
    attempts = [attempt for each in group for attempt in each["attempts"] if attempt["ended_at"] is not None]
    if attempts:
        last = max(attempts, key=lambda each: str(each["ended_at"]))
        said, means = last["reply"] or "no answer", "" if last["class"] is None else f" ({last['class']})"
        times = "once" if len(attempts) == 1 else f"{len(attempts)} times, last"
        yield f"  Tried {times} at {clock(last['started_at'], now)}{means}: {said}"
