"""The command line's frame: which verbs there are, and how each of them ends.

Law: only the verb that was asked for is loaded, so that `relay check` does not wait for what `relay serve` needs.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from relay import __version__
from relay.cli.ending import ExitCode as ExitCode
from relay.cli.ending import WrongUse, code_of
from relay.errors import RelayError

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: `home` is MODULE:FUNCTION below relay.cli; without it, and without verbs below, it is not there yet."""

    name: str
    help: str
    home: str | None = None
    verbs: tuple["Verb", ...] = ()
    asks_secret: bool = False
    """A word too many may be that secret."""


QUEUE = (
    Verb("list", "List what is queued, and why it waits.", "queue:list_queue"),
    Verb("show", "Show a message with every attempt.", "queue:show"),
    Verb("check", "Say whether the queue is whole: on disk while stopped, on Redis at any time.", "queue_check:check"),
    Verb("migrate", "Move the store to Redis, or back; every relay has to be stopped.", "queue_migrate:migrate"),
    Verb("retry", "Try a message now."),
    Verb("hold", "Keep a message until it is released."),
    Verb("release", "Let a held message go."),
    Verb("cancel", "Take a message out of the queue."),
)


KEYS = (
    Verb("list", "List the keys that encrypt the store, and what needs the older ones.", "keys:list_keys"),
    Verb("rotate", "Encrypt with a new key from now on; the relay goes on meanwhile.", "keys:rotate"),
    Verb("retire", "Do without an older key, if nothing needs it any more.", "keys:retire"),
)


SECRETS = (
    Verb("list", "List the secrets that the relay keeps, without their values.", "secret:list_secrets"),
    Verb("set", "Keep a secret of no account; it is asked for, or from stdin.", "secret:set_secret", asks_secret=True),
    Verb("drop", "Forget a secret.", "secret:drop"),
)


ACCOUNT = (
    Verb("list", "List accounts; with `--plan legacy` who has not moved yet.", "account:list_accounts"),
    Verb("show", "Show all that is known of an account.", "account:show"),
    Verb("pause", "Keep an account's mail back.", "account_orders:pause"),
    Verb("resume", "Let an account's mail go again.", "account_orders:resume"),
    Verb("fixed", "Say that an account's mailbox is mended.", "account_orders:fixed"),
    Verb("test", "Log in with an account's mailbox now, and say what is wrong.", "account_orders:try_now"),
    Verb(
        "set-password",
        "Set what an account's mailbox logs in with, and try it.",
        "account_orders:set_password",
        asks_secret=True,
    ),
    Verb("connect", "Connect an account with its provider."),
    Verb("add", "Add an account."),
    Verb("move", "Move an account to another mailbox."),
    Verb("remove", "Remove an account."),
    Verb("set-limits", "Change an account's limits."),
    Verb("import", "Take accounts over from a list."),
)


VERBS = (
    Verb("serve", "Run the relay.", "serve:serve"),
    Verb("check", "Say everything that is wrong with the configuration.", "check:check"),
    Verb("plan", "Say what an edit of the routing would change."),
    Verb("status", "Show the relay on one screen.", "status:status"),
    Verb("queue", "List, show, check and move what is queued.", verbs=QUEUE),
    Verb("account", "List, show, pause, resume, test or change accounts.", verbs=ACCOUNT),
    Verb("replies", "List the replies of providers that no rule understands.", "replies:replies"),
    Verb("notices", "List what somebody has to know of, and when he was told.", "notices:notices"),
    Verb("recipients", "List recipients that get many mails a day.", "recipients:recipients"),
    Verb("optout", "Have an account write to a recipient no more.", "optout:optout"),
    Verb("explain", "Say why a message or an account is not moving.", "explain:explain"),
    Verb("classify", "Say what a provider's reply means.", "classify:classify_reply"),
    Verb("simulate", "Run traffic through a simulated world."),
    Verb("sandbox", "Run a mail provider that enforces limits and can lie.", "sandbox:sandbox"),
    Verb("secret", "Keep secrets that belong to no account, and list all.", verbs=SECRETS),
    Verb("keys", "List, rotate and retire the keys that encrypt the store.", verbs=KEYS),
    Verb(
        "hash-password", "Make a hash for `clients:` from a password.", "hash_password:hash_password", asks_secret=True
    ),
)


class _AskingCommand(TyperCommand):
    """A verb that asks for a secret: a word that it does not know may be one, and is not said again."""

    allow_extra_args = True
    ignore_unknown_options = True

    def invoke(self, ctx: Any) -> Any:
        """Part of click."""
        if ctx.args:
            raise WrongUse(
                "something behind it is not understood, and not repeated here: is it a secret? One is asked for, or "
                "read from stdin; as an argument everybody on this machine can read it"
            )
        return super().invoke(ctx)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process with its code."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(asked))


def run(arguments: list[str]) -> int:
    """Runs the command; its exit code."""
    try:
        _app(_words(arguments))(arguments, prog_name="relay")
    except SystemExit as end:
        return _one_of_four(end.code)
    except RelayError as error:
        return _said(str(error), code_of(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        return ExitCode.PROBLEM
    except Exception as error:  # noqa: BLE001 - the last one that can turn it into a sentence
        from relay.observe import where  # noqa: PLC0415 - it loads all metrics, and no verb that works needs it

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


def _words(arguments: Sequence[str]) -> list[str]:
    """What was typed besides options: it begins with the verb, and below a group with the group's verb."""
    return [argument for argument in arguments if not argument.startswith("-")]


def _app(asked: Sequence[str]) -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(help="A mail relay that sends each account through its own mailbox, within every limit.")(_options)
    _add(app, VERBS, asked)
    return app


def _add(app: typer.Typer, verbs: Sequence[Verb], asked: Sequence[str], before: str = "") -> None:
    """Adds verbs; of those with a home only the one that was asked for is loaded."""
    for verb in verbs:
        is_asked = verb.name in asked[:1]
        if verb.verbs:
            group = typer.Typer(no_args_is_help=True, add_completion=False, help=verb.help)
            _add(group, verb.verbs, asked[1:] if is_asked else (), f"{before}{verb.name} ")
            app.add_typer(group, name=verb.name)
        elif verb.home is None:
            settings = {"allow_extra_args": True, "ignore_unknown_options": True}
            added = app.command(
                verb.name, help=f"{verb.help} (not there yet)", context_settings=settings, add_help_option=False
            )
            added(_absent(f"{before}{verb.name}"))
        else:
            name = f"{before}{verb.name}"
            kind = _AskingCommand if verb.asks_secret else None
            app.command(verb.name, help=verb.help, cls=kind)(_loaded(verb.home) if is_asked else _absent(name))


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


def _absent(name: str) -> Command:
    def absent() -> None:
        typer.echo(f"relay: `relay {name}` is not there yet", err=True)
        raise typer.Exit(ExitCode.WRONG_USE)

    return absent
