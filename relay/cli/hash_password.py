"""`relay hash-password`: makes the hash that goes into `clients:`.

Law: the password is read from the terminal without echo, or from stdin; it is never an argument and never shown.
"""

import os
import sys
from getpass import getpass

import typer

from relay.cli.frame import ExitCode
from relay.submission.passwords import SALT_BYTES, hashed


def hash_password() -> None:
    """Read a password from the terminal or stdin and print its hash."""
    password = _from_terminal() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not password:
        _give_up("no password was given")
    typer.echo(hashed(password, os.urandom(SALT_BYTES)))


def _from_terminal() -> str:
    """Asked twice, since nobody sees what is typed."""
    try:
        password = getpass("Password: ")
        if password and getpass("Again: ") != password:
            _give_up("the two are not the same")
    except (EOFError, KeyboardInterrupt):
        _give_up("no password was given")
    return password


def _give_up(problem: str) -> None:
    typer.echo(f"relay hash-password: {problem}", err=True)
    raise typer.Exit(ExitCode.WRONG_USE)
