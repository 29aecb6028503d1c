"""`relay sandbox`: runs the provider emulator until it is told to stop.

Law: the first line on stdout says where it listens, and nothing is printed before it does.
"""

import asyncio
import errno
import os
import signal
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from relay.errors import ConfigError, RelayError
from relay.sandbox import CountAt, Fault, Sandbox, SandboxSettings, Tls
from relay.sandbox.sasl import MECHANISMS

_FAULTS = f"KIND:RATE, RATE from 0 to 1, KIND one of {', '.join(Fault)}."
_REPLIES = (
    "STAGE[@USER]:TEXT[*COUNT]: answer the next COUNT (default: all) commands of STAGE (connect ehlo starttls auth "
    "mail rcpt data eod), of USER alone, with TEXT; \\n separates lines. TEXT may be !drop, !hang, !flood or !raw with "
    "bytes to send before."
)


_MECHANISMS = "Offered way of logging in, PLAIN and LOGIN by default; CRAM-MD5, or XOAUTH2 (a password is a token)."


def sandbox(  # noqa: PLR0913 - a command has as many options as it has
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen; port 0 lets the kernel choose.")],
    tls: Annotated[Tls, typer.Option(help="How sessions are encrypted.")] = Tls.NONE,
    certificate: Annotated[Path | None, typer.Option(help="PEM chain; without it one is made with openssl.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM key of --certificate.")] = None,
    users: Annotated[Path | None, typer.Option(help="Lines user:password; read again when it changes.")] = None,
    mechanism: Annotated[list[str] | None, typer.Option(metavar="NAME", help=_MECHANISMS)] = None,
    limit: Annotated[list[str] | None, typer.Option(metavar="N/[K]UNIT", help="Rolling limit per user: 5/1s.")] = None,
    count_at: Annotated[CountAt, typer.Option(help="The command at which a recipient is counted.")] = CountAt.MAIL,
    log: Annotated[Path | None, typer.Option(help="JSON lines of what happened; appended to.")] = None,
    inbox: Annotated[Path | None, typer.Option(help="Folder of accepted messages, one .eml each.")] = None,
    fault: Annotated[list[str] | None, typer.Option(metavar="KIND:RATE", help=_FAULTS)] = None,
    reply: Annotated[list[str] | None, typer.Option(metavar="STAGE:TEXT[*COUNT]", help=_REPLIES)] = None,
    seed: Annotated[int, typer.Option(help="Makes the lots of the faults repeatable.")] = 0,
    slow: Annotated[float, typer.Option(help="Seconds by which the fault `slow` delays a reply.")] = 1.0,
    idle: Annotated[float, typer.Option(help="Seconds after which a silent session ends.")] = 300.0,
    max_size: Annotated[int, typer.Option(help="Largest message in bytes.")] = 100_000_000,
) -> None:
    """Run a mail provider that enforces limits and can lie, for tests and trials."""
    host, port = _address(listen)
    settings = SandboxSettings(
        host=host,
        port=port,
        tls=tls,
        certificate=certificate,
        key=key,
        users_file=users,
        mechanisms=_mechanisms(mechanism),
        limits=tuple(limit or ()),
        count_at=count_at,
        log=log,
        inbox=inbox,
        faults=tuple(fault or ()),
        replies=tuple(reply or ()),
        seed=seed,
        slow_seconds=slow,
        idle_seconds=idle,
        max_size=max_size,
        remember=False,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(settings))
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from None
        except OSError as error:
            what = f"cannot listen at {listen}" if error.filename is None else f"{error.filename} cannot be used"
            typer.echo(f"relay: {what}: {_why(error)}", err=True)
            raise typer.Exit(1) from None
        except RelayError as error:
            typer.echo(f"relay: {error}", err=True)
            raise typer.Exit(1) from None


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process listens there"
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _mechanisms(names: list[str] | None) -> tuple[str, ...]:
    wanted = tuple(name.upper() for name in names or ("PLAIN", "LOGIN"))
    if unknown := [name for name in wanted if name not in MECHANISMS]:
        raise typer.BadParameter(f"not one of {', '.join(MECHANISMS)}: {unknown[0]!r}", param_hint="--mechanism")
    return wanted


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise typer.BadParameter(f"not HOST:PORT: {listen!r}", param_hint="--listen")
    return host.strip("[]"), int(port)


async def _serve(settings: SandboxSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with Sandbox(settings) as running:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        print(f"listening on {host}:{running.port}", flush=True)
        if running.authority:
            print(f"certificate authority {running.authority}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    typer.run(sandbox)
