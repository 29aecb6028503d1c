"""`relay status`: the relay on one screen.

Law: what is wrong stands first, and everything fits on a screen of 80 columns.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from relay.cli.asking import RelayApi, running_relay
from relay.cli.ending import WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.queue import next_of
from relay.cli.terminal import (
    ago,
    ahead,
    clock,
    coloured,
    is_watched,
    print_json,
    read,
    safe,
    screen,
    short,
    spoken,
    table,
)
from relay.core.shown import AccountHealth
from relay.errors import RelayError

EVERY: float = 2.0
"""Seconds between two looks: what moves in between nobody can read anyway."""

TROUBLED: int = 20
"""Accounts that are listed: with the rest they fill a screen."""

NODES: int = 20
"""Nodes that are listed."""

NODE_COLOURS: Mapping[str, str] = MappingProxyType({"running": "green", "draining": "yellow", "silent": "bold red"})

PROVIDERS = "providers"
"""The problem that names the providers that are stopped: here each of them has a line of its own."""

HEALTHS = tuple(AccountHealth)


def status(
    config: ConfigOption = DEFAULT_CONFIG,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every 2 s, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the relay on one screen: listeners, queue, providers, accounts by health, limits in use."""
    console = screen()
    if watch and (as_json or not is_watched()):
        raise WrongUse("--watch needs a terminal, and goes without --json")
    with running_relay(config) as relay:
        if watch:
            follow(console, relay)
        elif as_json:
            print_json(relay.get("status"))
        else:
            console.print(drawn(relay.get("status"), datetime.now().astimezone()))


def follow(console: Console, relay: RelayApi) -> None:
    """Shows it again and again, until Ctrl-C; a relay that is away for a while comes back on the screen by itself."""
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(_look(relay), refresh=True)
                time.sleep(EVERY)
        except KeyboardInterrupt:
            return


def _look(relay: RelayApi) -> RenderableType:
    try:
        return drawn(relay.get("status"), datetime.now().astimezone())
    except RelayError as error:
        return safe(error, "bold red")


def drawn(shown: Any, now: datetime) -> RenderableType:
    """The screen."""
    parts = [
        _headline(shown, now),
        *_problems(shown, now),
        *_stopped(shown, now),
        *([_nodes(shown, now)] if len(shown["nodes"]) > 1 else []),
        _queues(shown, now),
        _accounts(shown),
    ]
    if shown["troubled"]:
        parts.append(_troubled(shown, now))
    return Group(*(line for part in parts for line in (part, Text())))


def _headline(shown: Any, now: datetime) -> Text:
    up = spoken(now - read(shown["started_at"]))
    ready = safe("ready", "bold green") if shown["ready"] else safe("NOT READY", "bold red")
    listeners = ", ".join(f"{each['what']} {each['address']}" for each in shown["listeners"])
    role = "" if shown["role"] == "all" else f" ({shown['role']})"
    return Text.assemble(
        safe(f"clinic-relay {shown['version']}, node {shown['node']}{role}, up {up}: "), ready, "\n", safe(listeners)
    )


def _nodes(shown: Any, now: datetime) -> RenderableType:
    """The nodes of the same store, those that are not well in colour."""
    listed = table(
        "NODE", "ROLE", "STATE", "UP", "SEEN", "SESSIONS", "SENDING", "VERSION",
        right=("UP", "SEEN", "SESSIONS", "SENDING"), fold=("NODE",),
    )  # fmt: skip
    for each in islice(shown["nodes"], NODES):
        listed.add_row(
            safe(f"{each['name']} {each['node']}"),
            safe(each["role"]),
            safe(each["state"], NODE_COLOURS.get(each["state"], "")),
            safe(ago(each["started_at"], now)),
            safe(ago(each["last_seen"], now)),
            safe(each["sessions"]),
            safe(each["under_way"]),
            safe(each["version"]),
        )
    more = len(shown["nodes"]) - NODES
    return Group(listed, *([] if more <= 0 else [safe(f"... and {more} more")]))


def _problems(shown: Any, now: datetime) -> list[Text]:
    return [
        safe(f"! {each['what']}: {each['text']} (since {clock(each['since'], now)})", "red")
        for each in shown["problems"]
        if each["what"] != PROVIDERS
    ]


def _queues(shown: Any, now: datetime) -> RenderableType:
    counts = {each["provider"]: each for each in shown["queue"]}
    providers = {each["provider"]: each for each in shown["providers"]}
    drawn_table = table(
        "PROVIDER", "HEALTH", "WAITING", "SENDING", "HELD", "OLDEST", "SESSIONS", "TOTAL LIMITS",
        right=("WAITING", "SENDING", "HELD", "OLDEST", "SESSIONS"), fold=("PROVIDER", "TOTAL LIMITS"),
    )  # fmt: skip
    for name in [*providers, *(counts.keys() - providers.keys())]:
        count = counts.get(name, {"waiting": 0, "sending": 0, "held": 0, "oldest_seconds": None})
        provider = providers.get(name, {"health": "", "sessions": "", "limits": []})
        drawn_table.add_row(
            safe(name),
            coloured(provider["health"]),
            *(safe(count[state]) for state in ("waiting", "sending", "held")),
            safe(_age(count["oldest_seconds"])),
            safe(provider["sessions"]),
            safe(_limits(provider["limits"])),
        )
    return drawn_table if drawn_table.row_count else Text("no provider, and nothing is queued")


def _age(seconds: float | None) -> str:
    return "" if seconds is None else short(timedelta(seconds=seconds))


def _limits(limits: list[Any]) -> str:
    return ", ".join(_limit(each) for each in limits)


def _limit(each: Any) -> str:
    """What it allows now stands beside what it says, where the mailbox is slowed."""
    slowed = "" if str(each["most"]) == each["limit"].partition("/")[0] else f" (now {each['most']})"
    return f"{each['used']} of {each['limit']}{slowed}"


def _stopped(shown: Any, now: datetime) -> list[Text]:
    """Each provider whose host is in trouble, in a line."""
    lines = []
    for each in shown["providers"]:
        if _is_stopped(each):
            since = "" if each["since"] is None else f" since {clock(each['since'], now)}"
            then = "" if each["eta"] is None else f"; tried again {ahead(each['eta'], now)}"
            text = f"! provider {each['provider']}: {each['health']}{since}, {each['reason']}{then}"
            lines.append(safe(text, "bold red"))
    return lines


def _is_stopped(provider: Any) -> bool:
    return bool(provider["health"] != "ok")


def _behind(shown: Any) -> list[Text]:
    """How many accounts cannot send whatever their own health, which the table of healths does not show."""
    many = sum(each["accounts"] for each in shown["providers"] if _is_stopped(each))
    return [safe(f"{many} account{'' if many == 1 else 's'} behind a stopped provider", "red")] if many else []


def _accounts(shown: Any) -> RenderableType:
    counts: dict[str, dict[str, int]] = {}
    for each in shown["accounts"]:
        counts.setdefault(each["plan"], {})[each["health"]] = each["accounts"]
    if not counts:
        return Text("no accounts")
    drawn_table = table("ACCOUNTS", *(health.upper() for health in HEALTHS), right=tuple(map(str.upper, HEALTHS)))
    for plan, of_plan in counts.items():
        drawn_table.add_row(safe(plan), *(safe(of_plan.get(health) or "") for health in HEALTHS))
    return Group(drawn_table, *_behind(shown))


def _troubled(shown: Any, now: datetime) -> RenderableType:
    listed = table(
        "NOT OK", "HEALTH", "WHY", "SINCE", "NEXT", "QUEUED", "LIMITS",
        right=("SINCE", "QUEUED"), fold=("NOT OK", "WHY", "LIMITS"),
    )  # fmt: skip
    for each in islice(shown["troubled"], TROUBLED):
        listed.add_row(
            safe(each["sender"]),
            coloured(each["health"]),
            safe(each["reason"] or ""),
            safe("" if each["since"] is None else ago(each["since"], now)),
            next_of(each, now),
            safe(each["queued"]),
            safe(_limits(each["limits"])),
        )
    more = len(shown["troubled"]) - TROUBLED
    hidden = [] if more <= 0 else [safe("... and more; about each of them: relay explain SENDER")]
    return Group(listed, *hidden)
