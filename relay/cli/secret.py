"""`relay secret`: secrets that the relay keeps, by name; for an account there is `relay account set-password`.

Law: a value is typed without being shown, or read from stdin; it is never an argument, which everybody on the machine
could read, and never printed.
"""

import sys
from typing import Annotated
from urllib.parse import quote

import typer

from relay.cli.asking import running_relay
from relay.cli.ending import WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import print_json

StdinOption = Annotated[bool, typer.Option("--stdin", help="Read it from stdin instead of the terminal.")]
OverOption = Annotated[bool, typer.Option("--force", help="Also over the password of an account, untried.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Also one that is in use.")]
NameArgument = Annotated[str, typer.Argument(help="As the configuration says after `secret:`.")]

LONGEST: int = 65_537
"""Characters read from stdin: one more than any secret has, so that a file handed in by mistake is refused."""


def list_secrets(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say which secrets there are, and what each is for."""
    with running_relay(config) as relay:
        answer = relay.get("secrets")
    if as_json:
        print_json(answer)
        return
    for each in answer["items"]:
        use = " ".join(filter(None, [each["kind"] or "not used yet", each["login"], each["host"]]))
        typer.echo(f"{each['name']}  {use}  set {each['changed_at'][:10]}")


def set_secret(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    stdin: StdinOption = False,
    force: OverOption = False,
) -> None:
    """Keep a secret that belongs to no account; it is asked for, or read from stdin."""
    value = _read() if stdin else typed("Secret")
    with running_relay(config) as relay:
        answer = relay.put(f"secrets/{quote(name, safe='')}{'?force=true' if force else ''}", {"value": value})
    typer.echo(f"secret:{name} is kept" if answer["is_new"] else f"secret:{name} was this already")
    if answer["warning"] is not None:
        typer.echo(f"relay: warning: {answer['warning']}", err=True)


def drop(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG, force: ForceOption = False) -> None:
    """Forget a secret; one that is in use only with --force."""
    with running_relay(config) as relay:
        relay.delete(f"secrets/{quote(name, safe='')}{'?force=true' if force else ''}")
    typer.echo(f"secret:{name} is forgotten")


def typed(what: str) -> str:
    """A secret from the terminal, twice and unseen, or from stdin without its line end. WrongUse: there is none."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=True))
    return _read()


def _read() -> str:
    value = sys.stdin.read(LONGEST).removesuffix("\n").removesuffix("\r")
    if not value:
        raise WrongUse("there is nothing on stdin")
    return value
