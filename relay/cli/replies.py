"""`relay replies`: what providers said that no rule understands, with how often, so that a rule can be written.

Law: every reply is masked before it is kept; no mailbox and no recipient is in the list.
"""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from relay.cli.asking import running_relay
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import ago, print_json, safe, screen, table

ProviderOption = Annotated[str | None, typer.Option("--provider", help="Only of this provider of the routing.")]


def replies(
    config: ConfigOption = DEFAULT_CONFIG, provider: ProviderOption = None, as_json: JsonOption = False
) -> None:
    """List the replies that no rule understands, those that came last first."""
    with running_relay(config) as relay:
        found = relay.get("replies", {} if provider is None else {"provider": provider})
    if as_json:
        print_json(found)
    else:
        print_replies(screen(), found["items"], datetime.now().astimezone())


def print_replies(console: Console, items: list[Any], now: datetime) -> None:
    """Where each was said, how often, and when last."""
    if not items:
        console.print("every reply so far was understood")
        return
    listed = table("PROVIDER", "STAGE", "TIMES", "LAST", "REPLY", right=("TIMES", "LAST"), fold=("REPLY",))
    for each in items:
        listed.add_row(
            safe(each["provider"]), safe(each["stage"]), safe(each["count"]), safe(ago(each["last_at"], now)),
            safe(f"{each['code']} {each['text']}"),
        )  # fmt: skip
    console.print(listed)
