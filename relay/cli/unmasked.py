"""`relay explain MESSAGE --unmasked`: what providers said of a message in their own words, for their support.

Law: it is printed with what a support asks for beside it (sender, recipient's domain, date and time), and the relay
logs who asked for it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from relay.cli.terminal import clock

UnmaskedOption = Annotated[
    bool,
    typer.Option("--unmasked", help="Of a message: print the provider's refusals unmasked, for its support. Logged."),
]

ONE_MESSAGE = "--unmasked is of one message: give its id, `relay queue list --account SENDER` shows them"
NOTHING = "No provider refused it in the last 30 days; for so long the relay keeps what they say in their own words."


def of_replies(found: Any, now: datetime) -> Iterator[str]:
    """The answers, the oldest first."""
    mailbox = "" if found["mailbox"] in (None, found["account"]) else f" through the mailbox {found['mailbox']}"
    yield f"Message {found['id']}, sent as {found['account']}{mailbox}."
    yield "What follows may name patients; the log says who read it."
    if not found["replies"]:
        yield NOTHING
    for each in found["replies"]:
        yield ""
        yield f"{clock(each['at'], now)}, to a recipient at {each['domain']}, {each['stage']}, {each['class']}:"
        yield f"  {each['reply']}"
