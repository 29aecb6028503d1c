"""`relay explain MESSAGE_ID|ACCOUNT`: why it is not moving, since when, what will move it and when, and who has to act.

Law: whatever a person has at hand is found: an id, a Message-ID with its brackets or without, or a sender.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from relay.cli.asking import NotFound, RelayApi, ident, running_relay
from relay.cli.ending import WrongUse
from relay.cli.explain_account import of_account
from relay.cli.explain_message import of_message
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import print_json, print_lines, screen
from relay.cli.unmasked import ONE_MESSAGE, UnmaskedOption, of_replies


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
