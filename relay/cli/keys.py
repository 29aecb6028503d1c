"""`relay keys`: which keys the store needs, a turn to a new one, and the end of an old one.

Law: it asks the running relay, because a clinic's relay does not stop for a new key; no key is ever shown.
"""

from typing import Annotated, Any

import typer

from relay.cli.asking import ident, running_relay
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import print_json

_NEEDS = {
    "secrets": "secrets",
    "routing": "the routing",
    "mail": "mail, and what is kept of it for 90 days",
    "replies": "replies of providers, for 30 days",
}


def list_keys(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say which keys the store needs, and what still needs the older ones."""
    with running_relay(config) as relay:
        answer = relay.get("keys")
    if as_json:
        print_json(answer)
        return
    for key in answer["items"]:
        typer.echo(f"{key['id']}  {_since(key)}  {_state(key)}\n    {key['place']}")


def rotate(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Encrypt with a new key from now on; the relay goes on meanwhile."""
    with running_relay(config) as relay:
        answer = relay.post("keys/rotate")
    if as_json:
        print_json(answer)
        return
    typer.echo(f"key {answer['id']} encrypts from now on: {answer['place']}")
    typer.echo(f"{answer['encrypted_anew']} secrets and parts of the routing are encrypted anew; mail keeps its key")
    typer.echo("back the new key up now, apart from the data; the old one is needed until `relay keys list` says so")


def retire(
    key: Annotated[str, typer.Argument(help="Its id, as `relay keys list` has it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Do without an older key, if nothing needs it any more."""
    with running_relay(config) as relay:
        answer = relay.post(f"keys/{ident(key, 'key')}/retire")
    if as_json:
        print_json(answer)
        return
    typer.echo(f"the store does without key {answer['id']}; {answer['place']} may be removed")
    typer.echo("keep a copy as long as you keep backups of the data made before now: they cannot be read without it")


def _since(key: Any) -> str:
    return f"since {key['since'][:10]}" if key["since"] else "the first"


def _state(key: Any) -> str:
    if key["encrypts"]:
        return "encrypts"
    if not key["needed_by"]:
        return f"nothing needs it: relay keys retire {key['id']}"
    return "needed by " + "; ".join(_NEEDS.get(need, need) for need in key["needed_by"])
