"""`relay explain MESSAGE_ID|ACCOUNT`: why it is not moving, since when, what will move it and when, and who has to act.

Law: each delivery that is not final gets all of these in whole sentences; nobody has to know the relay's own words.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.padding import Padding

from relay.cli.asking import NotFound, RelayApi, ident, running_relay
from relay.cli.ending import WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import clock, print_json, read, safe, screen, spoken
from relay.cli.unmasked import ONE_MESSAGE, UnmaskedOption, of_replies
from relay.cli.wording import remedy, then, who, why

SHOWN: int = 20
"""Groups of deliveries that are explained; a message to a hundred has rarely more than three."""

DEPARTS: frozenset[str | None] = frozenset({None, "limit", "login", "queue"})
"""What a delivery waits for that the forecast knows the end of; behind any other reason its time is that of a try."""

SLOWED_BY: frozenset[str] = frozenset({"rate-limited", "spam-blocked", "too-many-recipients"})
"""Why a mailbox is slowed, which sends all the same."""

NOBODY_YET = "nobody has to do anything before that"
"""After a try somebody may have to."""

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


def explain(
    what: Annotated[str, typer.Argument(metavar="MESSAGE_ID|ACCOUNT", help="An id, a Message-ID, or a sender.")],
    config: ConfigOption = DEFAULT_CONFIG,
    unmasked: UnmaskedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say why a message or an account is not moving, since when, and what will move it."""
    with running_relay(config) as relay:
        kind, found = find(relay, what)
        if unmasked:
            return _unmasked(relay, kind, found, as_json=as_json)
        account = found if kind == "account" or as_json else _account_of(relay, found["account"])
    if as_json:
        return print_json(found)
    now = datetime.now().astimezone()
    return print_lines(screen(), of_account(found, now) if kind == "account" else of_message(found, account, now))


def _unmasked(relay: RelayApi, kind: str, found: Any, *, as_json: bool) -> None:
    if kind != "message":
        raise WrongUse(ONE_MESSAGE)
    said = relay.get(f"messages/{quote(found['id'], safe='')}/unmasked")
    return print_json(said) if as_json else print_lines(screen(), of_replies(said, datetime.now().astimezone()))


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Sentences; one that begins with blanks keeps them where it is folded."""
    for line in lines:
        if not line:
            console.print()
            continue
        indent = len(line) - len(line.lstrip())
        console.print(Padding(safe(line.strip()), (0, 0, 0, indent), expand=False))


def find(relay: RelayApi, what: str) -> tuple[str, Any]:
    """What is meant: an id of ours has no @, a Message-ID has angle brackets, a sender has neither."""
    if "@" not in what:
        return "message", relay.get(f"messages/{ident(what, 'message')}")
    if not what.startswith("<"):
        try:
            return "account", relay.get(f"accounts/{quote(what, safe='')}")
        except NotFound:
            pass
    for named in (what, f"<{what}>") if not what.startswith("<") else (what,):
        items = relay.get("messages", {"message_id": named, "limit": "1"})["items"]
        if items:
            return "message", relay.get(f"messages/{items[0]['id']}")
    if what.startswith("<"):
        raise NotFound(f"there is no message of the Message-ID {what}")
    raise NotFound(f"there is no account of the sender {what}, and no message of this Message-ID")


def _account_of(relay: RelayApi, sender: str) -> Any:
    try:
        return relay.get(f"accounts/{quote(sender, safe='')}")
    except NotFound:
        return None


# a message


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
        yield f"  Why: {_why(first['reason'], account)}{_of_limits(first['reason'], account)}."
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


def _of_limits(reason: str | None, account: Any) -> str:
    """Which limits are used up, where that is what it waits for."""
    if reason != "limit" or account is None:
        return ""
    full = [each for each in account["limits"] if each["used"] >= each["most"]]
    return f": {', '.join(map(_limit, full))}" if full else ""


def _limit(each: Any) -> str:
    slowed = "" if str(each["most"]) == each["limit"].partition("/")[0] else f", slowed to {each['most']}"
    return f"{each['used']} of {each['limit']}{slowed}"


def _what_moves_it(first: Any, etas: list[str | None], account: Any, now: datetime, *, is_dated: bool) -> Iterator[str]:
    known = sorted(eta for eta in etas if eta is not None)
    if first["needs"] is None:
        yield from _of_logins(first, known, account, now)
        if not known:
            yield "  Next: as soon as what is in its way is gone; nobody has to do anything."
        elif first["reason"] in DEPARTS:
            yield f"  Next: it goes by itself {_when(known, now)}, if nothing new happens; nobody has to do anything."
        else:
            yield f"  Next: the relay tries again {_when(known, now)}, and it goes then if that works; {NOBODY_YET}."
        return
    yield from _who_acts(first, account)
    yield from _of_logins(first, known, account, now)
    if known:
        yield f"  Next: the relay tries again {_when(known, now)}."
    elif first.get("bounces_at") is not None:
        yield (COMES_BACK_DATED if is_dated else COMES_BACK).format(at=clock(first["bounces_at"], now))
    else:
        yield "  Next: nothing moves it before that."


def _why(reason: str | None, account: Any) -> str:
    """Why nothing is there to log in with, and what an admin said of his pause, tell more than the reason."""
    if reason == "no-credentials" and account is not None and account["without"] is not None:
        return f"{account['without']} ({reason})"
    paused = None if account is None else account["paused"]
    if reason == "paused-by-admin" and paused is not None and paused["why"]:
        return f"{why(reason)}: {paused['why']}"
    return why(reason)


def _who_acts(each: Any, account: Any) -> Iterator[str]:
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


LOGINS = {
    "refused-logins": "were refused, and more of them would get it blocked (health.refused_logins); a new password is "
    "tried at once",
    "login": "were tried, and more its provider does not like to see (login_limit)",
}


def _of_logins(each: Any, etas: Iterable[str | None], account: Any, now: datetime) -> Iterator[str]:
    """Which budget of logins decides the time, where one does."""
    wait, known = None if account is None else account["login_wait"], [eta for eta in etas if eta is not None]
    if wait is None or not known:
        return
    is_its_turn = each["needs"] is None and each["reason"] not in ("limit", "queue")
    if is_its_turn or read(min(known, key=read)) <= read(wait["until"]):
        when = f"at {clock(wait['until'], now)} (in {spoken(read(wait['until']) - now)})"
        yield f"  Logins: the mailbox may log in again {when}: so many ({wait['limit']}) {LOGINS[wait['budget']]}."


def _when(known: list[str], now: datetime) -> str:
    first, last = known[0], known[-1]
    if read(last) <= now:
        return "at any moment"
    if first == last:
        return f"at {clock(last, now)} (in {spoken(read(last) - now)})"
    begin = "at once" if read(first) <= now else f"at {clock(first, now)}"
    return f"{begin}, the last at {clock(last, now)} (in {spoken(read(last) - now)})"


def _last_word(group: list[Any], now: datetime) -> Iterator[str]:
    """What the provider said last."""
    attempts = [attempt for each in group for attempt in each["attempts"] if attempt["ended_at"] is not None]
    if attempts:
        last = max(attempts, key=lambda each: str(each["ended_at"]))
        said, means = last["reply"] or "no answer", "" if last["class"] is None else f" ({last['class']})"
        times = "once" if len(attempts) == 1 else f"{len(attempts)} times, last"
        yield f"  Tried {times} at {clock(last['started_at'], now)}{means}: {said}"


# an account


def of_account(account: Any, now: datetime) -> Iterator[str]:
    """All that there is to say about an account."""
    yield _introduction(account)
    since = account["since"]
    span = "" if since is None else f" since {clock(since, now)}, {spoken(now - read(since))}"
    health = f"{account['health']}{span}"
    if account["health"] == "ok" and account["since"] is not None:
        health = f"the mailbox is ok, but its provider {account['provider']} is stopped{span}"
    yield f"  Health: {health}{'' if account['queued'] else '; nothing is queued'}."
    if account["reason"] is not None:
        is_slowed = account["health"] == "slowed" and account["reason"] in SLOWED_BY
        label = "Why it is slowed" if is_slowed else "Why it waits"
        yield f"  {label}: {_why(account['reason'], account)}{_of_limits(account['reason'], account)}."
    if account["needs"] is not None:
        yield from _who_acts(account, account)
    yield from _of_logins(account, [account["eta"]], account, now)
    if account["eta"] is not None and account["needs"] is not None:
        yield f"  Next: the relay tries again {_when([account['eta']], now)}."
    elif account["eta"] is not None:
        yield _drained(account, now)
    elif account["needs"] is not None and (account["queued"] or account["health"] != "retired"):
        yield "  Next: it goes by itself as soon as that is done."
    elif account["queued"]:
        yield "  Next: as soon as what is in its way is gone; nobody has to do anything."
    yield from _last_of_account(account["last_reply"], now)
    if account["limits"]:
        yield f"  Limits in use: {', '.join(map(_limit, account['limits']))}."
    if account["queued"]:
        yield f"  Each message: relay queue list --account {account['sender']}"


def _last_of_account(said: Any, now: datetime) -> Iterator[str]:
    if said is not None:
        yield f"  Its provider said last, {clock(said['at'], now)} ({said['class']}): {said['reply']}"


def _introduction(account: Any) -> str:
    plan = "in no plan any more" if account["plan"] is None else account["plan"]
    through = "no mailbox" if account["mailbox"] is None else f"{account['mailbox']} at {account['provider']}"
    count = account["queued"]
    queued = "no delivery is" if not count else "1 delivery is" if count == 1 else f"{count} deliveries are"
    return f"{account['sender']} ({plan}) sends through {through}; {queued} queued."


def _drained(account: Any, now: datetime) -> str:
    """When its queue is empty: nothing leaves what is stopped before a try has worked."""
    leaves = f"the last of what is queued now leaves {_when([account['eta']], now)}"
    if account["reason"] in DEPARTS or (account["health"] == "slowed" and account["reason"] in SLOWED_BY):
        return f"  Next: {leaves}, if nothing new happens."
    tried_at = account["tried_at"]
    again = "" if tried_at is None else f" {_when([tried_at], now)}"
    return f"  Next: the relay tries again{again}; if that works, {leaves}. {NOBODY_YET[0].upper()}{NOBODY_YET[1:]}."
