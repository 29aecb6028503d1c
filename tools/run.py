"""`make run`: the relay on its config and a sandbox provider behind it, in one terminal, until Ctrl-C.

The relay stops first and the provider last, so that what is being sent arrives; when one of them dies, both stop.
"""

import argparse
import asyncio
import contextlib
import ctypes
import http.client
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
READY_WITHIN = 60.0  # seconds; a first start makes keys and the store, a later one recovers the queue
ASK_AGAIN = 0.05  # seconds between two looks at a child that is starting
STOP_WITHIN = 45.0  # seconds; the relay's own drain is 30 s
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class StarterError(Exception):
    """why it cannot start, in a sentence for whoever typed `make run`"""


@dataclass(frozen=True, slots=True)
class Place:
    """A TCP address."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """The place that `HOST:PORT` names."""
        host, _, port = text.rpartition(":")
        return cls(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def is_taken(self) -> bool:
        """Whether somebody listens here."""
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Scene:
    """What the config says about who listens where, and as whom one may try it."""

    smtp: Place
    http: Place
    provider: Place
    limits: tuple[str, ...]
    sender: str


def read_scene(config: Path) -> Scene:
    """The scene of a relay.yaml and the routing beside it; its provider is the first one on loopback."""
    try:
        service = yaml.safe_load(config.read_text())
        routing = yaml.safe_load((config.parent / service["routing"]).read_text())
        provider = next(entry for entry in routing["providers"].values() if is_loopback(entry.get("host", "")))
        return Scene(
            smtp=Place.parse(service["submission"]["listen"][0]["address"]),
            http=Place.parse(service.get("http", {}).get("listen", "127.0.0.1:8025")),
            provider=Place(provider["host"], int(provider.get("port", 587))),
            limits=tuple(provider.get("limits", ())),
            sender=next(iter(routing["accounts"])),
        )
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError, StopIteration) as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise StarterError(
            f"{config} and its routing do not describe a relay with a provider on loopback ({what}); "
            f"`relay check --config {config}` says more"
        ) from error


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


class Child:
    """One of the two processes."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        self.ended = asyncio.ensure_future(process.wait())

    @classmethod
    async def start(cls, command: list[str]) -> "Child":
        """Starts `relay VERB ...` in a session of its own: Ctrl-C reaches the starter alone, which keeps the order."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
        )
        return cls(f"relay {command[1]}", process)

    async def stop(self, asked: "Asked") -> None:
        """Asks it to stop as the user did, and waits; kills it when its time is over or the user is in a hurry."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(asked.by)
        hurried = asyncio.ensure_future(asked.to_hurry.wait())
        await asyncio.wait({self.ended, hurried}, timeout=STOP_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not self.ended.done():
            say(f"{self.name} does not stop; killing it. Nothing accepted is lost: the next start recovers it.")
            self.process.kill()
            await self.ended

    @property
    def end(self) -> str:
        """How it ended: by itself, or by whose signal."""
        code = self.ended.result()
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


class Asked:
    """What the user asked for: the first SIGINT or SIGTERM stops, a second one hurries."""

    def __init__(self) -> None:
        self.to_stop, self.to_hurry = asyncio.Event(), asyncio.Event()
        self.by = signal.SIGTERM
        """The signal that asked to stop; the children get the same, so that their logs name it."""

    def listen(self) -> None:
        """Hears the signals from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._heard, number)

    def _heard(self, number: signal.Signals) -> None:
        if self.to_stop.is_set():
            self.to_hurry.set()
        else:
            self.by = number
            self.to_stop.set()


def die_with_parent() -> None:
    """Has the kernel stop a child whose starter was killed; elsewhere than on Linux it is left alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def is_greeting(place: Place) -> bool:
    """Whether an SMTP server greets here."""
    try:
        reader, writer = await asyncio.open_connection(place.host, place.port)
    except OSError:
        return False
    try:
        return (await reader.readline()).startswith(b"220")
    except OSError:
        return False
    finally:
        writer.close()


async def is_ready(place: Place) -> bool:
    """Whether GET /readyz says 200 here."""
    return await asyncio.to_thread(_get_readyz, place) == http.client.OK


def _get_readyz(place: Place) -> int | None:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


async def wait_until_up(child: Child, place: Place, has_come_up: Callable[[Place], Awaitable[bool]]) -> None:
    """Waits for a child's own sign that it works; raises when it ends or takes too long instead."""
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not child.ended.done():
                if await has_come_up(place):
                    return
                await asyncio.sleep(ASK_AGAIN)
    except TimeoutError:
        raise StarterError(f"{child.name} is not ready at {place} after {READY_WITHIN:.0f} s") from None
    raise StarterError(f"{child.name} {child.end} before it was ready")


@contextlib.contextmanager
def pid_file(folder: Path, child: Child) -> Iterator[None]:
    """While it runs, `relay.pid` says which process the relay is: whoever kills one kills the right one."""
    file = folder / "relay.pid"
    file.write_text(f"{child.process.pid}\n")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def welcome(scene: Scene, folder: Path) -> str:
    """Where things are, and two lines to try."""
    to = "patient@example.org"
    mail = f"printf 'Subject: Ricetta\\n\\nBuongiorno\\n' | curl --crlf -T - smtp://{scene.smtp}"
    return f"""
  SMTP       {scene.smtp}
  readiness  http://{scene.http}/readyz
  metrics    http://{scene.http}/metrics
  provider   {scene.provider} (sandbox, {", ".join(scene.limits) or "no limit"})
  delivered  {folder / "inbox"}
  log        {folder / "sandbox.jsonl"} (what the provider saw)
  process    {(folder / "relay.pid").read_text().strip()} (in {folder / "relay.pid"})

  Try one of
    swaks --server {scene.smtp} --from {scene.sender} --to {to}
    {mail} --mail-from {scene.sender} --mail-rcpt {to}

  Ctrl-C drains and stops.
"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def commands(relay: str, config: Path, scene: Scene, folder: Path) -> Iterator[list[str]]:
    """The command lines of the provider and of the relay."""
    limits = [argument for limit in scene.limits for argument in ("--limit", limit)]
    kept = ["--inbox", str(folder / "inbox"), "--log", str(folder / "sandbox.jsonl")]
    yield [relay, "sandbox", "--listen", str(scene.provider), *limits, *kept]
    yield [relay, "serve", "--config", str(config)]


async def bring_up(children: list[Child], scene: Scene, provider: list[str], relay: list[str]) -> None:
    """Starts the provider, then the relay, each when the one before works; what was started is in `children`."""
    children.append(await Child.start(provider))
    await wait_until_up(children[-1], scene.provider, is_greeting)
    children.append(await Child.start(relay))
    await wait_until_up(children[-1], scene.http, is_ready)


async def play(scene: Scene, *, relay: str, config: Path, folder: Path) -> None:
    """Runs both until a signal; raises StarterError when one of them does not run as long."""
    taken = [place for place in (scene.smtp, scene.provider, scene.http) if place.is_taken()]
    if taken:
        raise StarterError(f"already in use: {', '.join(map(str, taken))}. Is another `make run` running?")
    asked = Asked()
    asked.listen()
    children: list[Child] = []
    stopping = asyncio.ensure_future(asked.to_stop.wait())
    rising = asyncio.ensure_future(bring_up(children, scene, *commands(relay, config, scene, folder)))
    try:
        await asyncio.wait({stopping, rising}, return_when=asyncio.FIRST_COMPLETED)
        if rising.done():
            rising.result()
            with pid_file(folder, children[-1]):
                say(welcome(scene, folder))
                ends = (child.ended for child in children)
                await asyncio.wait({stopping, *ends}, return_when=asyncio.FIRST_COMPLETED)
        died = [child for child in children if child.ended.done()]
        if died and not asked.to_stop.is_set():
            raise StarterError(f"{died[0].name} {died[0].end}; stopping the other")
        say("Stopping: the relay finishes what it is sending. Ctrl-C again kills it.")
    finally:
        stopping.cancel()
        rising.cancel()
        await asyncio.wait({rising})
        for child in reversed(children):
            await child.stop(asked)


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and runs; the exit code says whether it ran until it was asked to stop."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__.partition("\n")[0])
    parser.add_argument("--config", type=Path, default=ROOT / "config" / "relay.yaml")
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="where delivered mails and the log go")
    parser.add_argument("--relay", default=str(Path(sys.executable).with_name("relay")), help="the relay command")
    asked: Any = parser.parse_args(arguments)
    try:
        scene = read_scene(asked.config)
        asked.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        asyncio.run(play(scene, relay=asked.relay, config=asked.config, folder=asked.folder))
    except StarterError as error:
        say(f"make run: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
