"""What is said of anything that stands still: why, at which limit or budget of logins, who acts, and when it moves.

Law: a message and its account are told in the same words; nobody has to know the relay's own.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from relay.cli.terminal import clock, read, spoken
from relay.cli.wording import remedy, then, who, why

DEPARTS: frozenset[str | None] = frozenset({None, "limit", "login", "queue"})
"""What a delivery waits for that the forecast knows the end of; behind any other reason its time is that of a try."""

SLOWED_BY: frozenset[str] = frozenset({"rate-limited", "spam-blocked", "too-many-recipients"})
"""Why a mailbox is slowed, which sends all the same."""

NOBODY_YET = "nobody has to do anything before that"
"""After a try somebody may have to."""

LOGINS = {
    "refused-logins": "were refused, and more of them would get it blocked (health.refused_logins); a new password is "
    "tried at once",
    "login": "were tried, and more its provider does not like to see (login_limit)",
}
"""What is said of a budget of logins that is used up."""


def why_of(reason: str | None, account: Any) -> str:
    """Why nothing is there to log in with, and what an admin said of his pause, tell more than the reason."""
    if reason == "no-credentials" and account is not None and account["without"] is not None:
        return f"{account['without']} ({reason})"
    paused = None if account is None else account["paused"]
    if reason == "paused-by-admin" and paused is not None and paused["why"]:
        return f"{why(reason)}: {paused['why']}"
    return why(reason)


def limits_of(reason: str | None, account: Any) -> str:
    """Which limits are used up, where that is what it waits for."""
    if reason != "limit" or account is None:
        return ""
    full = [each for each in account["limits"] if each["used"] >= each["most"]]
    return f": {', '.join(map(limit_of, full))}" if full else ""


def limit_of(each: Any) -> str:
    """How much of a limit is used, and what it is slowed to."""
    slowed = "" if str(each["most"]) == each["limit"].partition("/")[0] else f", slowed to {each['most']}"
    return f"{each['used']} of {each['limit']}{slowed}"


def who_acts(each: Any, account: Any) -> Iterator[str]:
    """Who can mend it, and how."""
    reason = each["reason"]
    if account is None:
        acts, step = who(each["needs"], None, reason), remedy(reason)
    else:
        is_kept_here = account["kept_here"]
        acts = who(each["needs"], account["plan"], reason, is_kept_here=is_kept_here)
        step = remedy(reason, account["sender"], is_kept_here=is_kept_here)
        for known in account["steps"]:
            if known["reason"] == reason:
                step = f"{known['text']} Then: {then(reason, account['sender'], is_kept_here=is_kept_here)}"
        if reason == "retired" and account["contact"]:
            step = f"{step} ({account['contact']})"
    yield f"  Who has to act: {acts}{'' if step is None else f'. What to do: {step}'}."


def logins_of(each: Any, etas: Iterable[str | None], account: Any, now: datetime) -> Iterator[str]:
    """Which budget of logins decides the time, where one does."""
    wait, known = None if account is None else account["login_wait"], [eta for eta in etas if eta is not None]
    if wait is None or not known:
        return
    is_its_turn = each["needs"] is None and each["reason"] not in ("limit", "queue")
    if is_its_turn or read(min(known, key=read)) <= read(wait["until"]):
        when = f"at {clock(wait['until'], now)} (in {spoken(read(wait['until']) - now)})"
        yield f"  Logins: the mailbox may log in again {when}: so many ({wait['limit']}) {LOGINS[wait['budget']]}."


def when_of(known: list[str], now: datetime) -> str:
    """From the first of these instants, which are in order, to the last."""
    first, last = known[0], known[-1]
    if read(last) <= now:
        return "at any moment"
    if first == last:
        return f"at {clock(last, now)} (in {spoken(read(last) - now)})"
    begin = "at once" if read(first) <= now else f"at {clock(first, now)}"
    return f"{begin}, the last at {clock(last, now)} (in {spoken(read(last) - now)})"
