"""`relay account pause|resume|fixed|test|set-password`: what is said about an account, and the sentence that answers.

Law: a password is read from the terminal without echo, or from stdin; it is never an argument and never shown.
"""

import sys
from getpass import getpass
from typing import Annotated, Any
from urllib.parse import quote

import typer

from relay.cli.account import AccountArgument
from relay.cli.asking import running_relay
from relay.cli.ending import ExitCode, WrongUse
from relay.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from relay.cli.terminal import clean, print_json

TRYING: float = 130.0
"""Seconds for an answer that waits for a provider: the relay itself gives up on it after ninety."""

MOST: int = 65_536
"""Characters of a password or token that are read."""

WhyOption = Annotated[str, typer.Option("--why", help="For colleagues; shown with the account.")]
StdinOption = Annotated[bool, typer.Option("--stdin", help="Read it from stdin instead of the terminal.")]
OAuthOption = Annotated[bool, typer.Option("--oauth", help="It is a refresh token (OAuth2), not a password.")]


def pause(
    account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, why: WhyOption = "", as_json: JsonOption = False
) -> None:
    """Keep an account's mail back; that of other accounts of its mailbox goes on."""
    _told(_said("pause", account, config=config, body={"why": why}), as_json)


def resume(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Let an account's mail go again; a mailbox that is stopped needs `fixed`."""
    _told(_said("resume", account, config=config), as_json)


def fixed(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say that an account's mailbox is mended: it is tried at once."""
    _told(_said("fixed", account, config=config), as_json)


def try_now(account: AccountArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Log in now, say MAIL and RCPT with the own address, and say what is right or wrong and what to do."""
    answer = _said("test", account, config=config, patience=TRYING)
    _told(answer, as_json, is_good=answer["ok"])


def set_password(
    account: AccountArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    stdin: StdinOption = False,
    oauth: OAuthOption = False,
    as_json: JsonOption = False,
) -> None:
    """Set what an account's mailbox logs in with, and try it at once."""
    secret = _from_stdin() if stdin or not sys.stdin.isatty() else _from_terminal("token" if oauth else "password")
    key = "refresh_token" if oauth else "password"
    answer = _said("password", account, config=config, body={key: secret}, patience=TRYING)
    _told(answer, as_json, is_good=answer["test"] is None or answer["test"]["ok"])


def _said(
    what: str, account: str, *, config: Any, body: dict[str, object] | None = None, patience: float | None = None
) -> Any:
    path = f"accounts/{quote(account, safe='')}/{what}"
    with running_relay(config) as relay:
        return relay.post(path, body) if patience is None else relay.post(path, body, patience=patience)


def _told(answer: Any, as_json: bool, *, is_good: bool = True) -> None:
    """The sentence; what is not good ends as a problem."""
    if as_json:
        print_json(answer)
    else:
        typer.echo(clean(answer["text"]))
    if not is_good:
        raise typer.Exit(ExitCode.PROBLEM)


def _from_stdin() -> str:
    try:
        secret = sys.stdin.read(MOST + 3).rstrip("\r\n")
        secret.encode()
    except UnicodeError:
        raise WrongUse("what stdin gives is not UTF-8 (Latin-1, perhaps): write the password in UTF-8") from None
    if "\n" in secret or "\r" in secret:
        raise WrongUse("there is more than one line on stdin: which of them is the password?")
    if not secret or len(secret) > MOST:
        raise WrongUse("no password was given" if not secret else "that is too long for a password")
    return secret


def _from_terminal(what: str) -> str:
    """A password is asked twice, since nobody sees what is typed; a token is pasted."""
    try:
        secret = getpass(f"New {what}: ")
        if secret and what == "password" and getpass("Again: ") != secret:
            raise WrongUse("the two are not the same")
    except (EOFError, KeyboardInterrupt):
        secret = ""
    if not secret:
        raise WrongUse(f"no {what} was given")
    return secret
