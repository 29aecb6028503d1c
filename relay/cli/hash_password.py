"""`relay hash-password`: makes the hash that goes into `clients:`.

Law: the password is read from the terminal without echo, or from stdin; it is never an argument and never shown.
"""

import os
import sys
from getpass import getpass

import typer

from relay.cli.frame import ExitCode
from relay.submission.passwords import SALT_BYTES, hashed

MOST: int = 8_192
"""Characters of a password that are read: a longer one fits into no AUTH command (12 KiB, base64)."""


def hash_password() -> None:
    """Read a password from the terminal or stdin and print its hash."""
    password = _from_terminal() if sys.stdin.isatty() else _from_stdin()
    if not password:
        _give_up("no password was given")
    typer.echo(hashed(password, os.urandom(SALT_BYTES)))


def _from_stdin() -> str:
    password = sys.stdin.read(MOST + 3).rstrip("\r\n")
    if "\n" in password or "\r" in password:
        _give_up("there is more than one line on stdin: which of them is the password?")
    if len(password) > MOST:
        _give_up("that is too long for a password")
    return password


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
