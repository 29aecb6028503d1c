"""The command line's frame: which verbs there are, and how each of them ends.

Law: only the verb that was asked for is loaded, so that `relay check` does not wait for what `relay serve` needs.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import Any

import typer

from relay import __version__
from relay.errors import RelayError
from relay.observe import where

Command = Callable[..., Any]


class ExitCode(IntEnum):
    """How the command ended."""

    DONE = 0
    PROBLEM = 1
    WRONG_USE = 2
    UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: `home` is MODULE:FUNCTION below relay.cli, None while it is not there yet."""

    name: str
    help: str
    home: str | None = None


VERBS = (
    Verb("serve", "Run the relay.", "serve:serve"),
    Verb("check", "Say everything that is wrong with the configuration.", "check:check"),
    Verb("plan", "Say what an edit of the routing would change."),
    Verb("status", "Show the relay on one screen."),
    Verb("queue", "List, show, retry, hold, release or cancel what waits."),
    Verb("account", "List, show, pause, resume, test or change accounts."),
    Verb("explain", "Say why a message or an account is not moving."),
    Verb("classify", "Say what a provider's reply means."),
    Verb("simulate", "Run traffic through a simulated world."),
    Verb("sandbox", "Run a mail provider that enforces limits and can lie.", "sandbox:sandbox"),
    Verb("hash-password", "Make a hash for `clients:` from a password.", "hash_password:hash_password"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process with its code."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(asked))


def run(arguments: list[str]) -> int:
    """Runs the command; its exit code."""
    try:
        _app(_verb_asked(arguments))(arguments, prog_name="relay")
    except SystemExit as end:
        return _one_of_four(end.code)
    except RelayError as error:
        return _said(str(error), ExitCode.PROBLEM)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        return ExitCode.PROBLEM
    except Exception as error:  # noqa: BLE001 - the last one that can turn it into a sentence
        return _said(f"a defect of the relay, please report it: {where(error)}", ExitCode.PROBLEM)
    return ExitCode.DONE


def _one_of_four(code: object) -> ExitCode:
    """Interrupted is 130 for the library; here it is a problem like any other."""
    if code is None:
        return ExitCode.DONE
    return ExitCode(code) if isinstance(code, int) and code in set(ExitCode) else ExitCode.PROBLEM


def _said(text: str, code: ExitCode) -> ExitCode:
    typer.echo(f"relay: {text}", err=True)
    return code


def _verb_asked(arguments: Sequence[str]) -> str | None:
    return next((argument for argument in arguments if not argument.startswith("-")), None)


def _app(asked: str | None) -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(help="A mail relay that sends each account through its own mailbox, within every limit.")(_options)
    for verb in VERBS:
        if verb.home is None:
            settings = {"allow_extra_args": True, "ignore_unknown_options": True}
            app.command(verb.name, help=verb.help, context_settings=settings, add_help_option=False)(_absent(verb))
        else:
            app.command(verb.name, help=verb.help)(_loaded(verb.home) if verb.name == asked else _absent(verb))
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"clinic-relay {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Say which relay this is.", callback=_say_version, is_eager=True
    ),
) -> None:
    """What stands before the verb."""


def _loaded(home: str) -> Command:
    module, _, function = home.partition(":")
    command: Command = getattr(import_module(f"relay.cli.{module}"), function)
    return command


def _absent(verb: Verb) -> Command:
    def absent() -> None:
        typer.echo(f"relay: `relay {verb.name}` is not there yet", err=True)
        raise typer.Exit(ExitCode.WRONG_USE)

    return absent
