"""`make run` starts the provider, then the relay, says where things are, and stops both in order, whatever happens.

The `relay` command is a stand-in here that writes down what is done to it.
"""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.ports import free_ports

ROOT = Path(__file__).parents[2]
STAND_IN = """#!{python}
import http.server, os, pathlib, signal, socket, sys, threading
here = pathlib.Path(__file__).parent
verb, arguments = sys.argv[1], sys.argv[2:]

def note(text):
    with (here / "notes").open("a") as notes:
        print(verb, text, file=notes)

def stop(number, _):
    note("stopped by " + signal.Signals(number).name)
    if not (here / "stubborn").exists():
        os._exit(0)

signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
(here / ("pid-" + verb)).write_text(str(os.getpid()))
note("started " + " ".join(arguments))
if (here / ("dies-" + verb)).exists():
    sys.exit(7)
if verb == "sandbox":
    listener = socket.create_server(("127.0.0.1", {provider}))
    while True:
        peer, _ = listener.accept()
        peer.sendall(b"220 sandbox\\r\\n")
        peer.close()
class Readyz(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Readyz.asked += 1
        self.send_response(200 if Readyz.asked > 2 and self.path == "/readyz" else 503)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", {http}), Readyz).serve_forever()
"""


class Stage:
    """A folder with a config, a stand-in for the relay, and the starter's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smtp, self.http, self.provider = free_ports(3)
        (folder / "relay.yaml").write_text(
            f"submission: {{listen: [{{address: '127.0.0.1:{self.smtp}', tls: none}}]}}\n"
            f"http: {{listen: '127.0.0.1:{self.http}'}}\nrouting: routing.yaml\n"
        )
        (folder / "routing.yaml").write_text(
            "providers:\n  aruba: {profile: aruba}\n"
            f"  lab: {{host: 127.0.0.1, port: {self.provider}, limits: [5/1s, 20/10s]}}\n"
            "accounts: {m.rossi@lab.test: {provider: lab}}\n"
        )
        relay = folder / "relay"
        relay.write_text(STAND_IN.format(python=sys.executable, provider=self.provider, http=self.http))
        relay.chmod(relay.stat().st_mode | stat.S_IXUSR)

    async def start(self) -> asyncio.subprocess.Process:
        """Starts tools/run.py on this stage."""
        options = {"--config": "relay.yaml", "--relay": "relay", "--folder": "var"}
        arguments = [word for name, file in options.items() for word in (name, str(self.folder / file))]
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, ROOT / "tools" / "run.py", *arguments, stderr=asyncio.subprocess.PIPE
        )
        return self.process

    async def read_until(self, text: str) -> str:
        """What the starter says up to the line that contains `text`."""
        assert self.process.stderr is not None
        said = ""
        while text not in said:
            line = await self.process.stderr.readline()
            assert line, f"ended without saying {text!r}: {said}"
            said += line.decode()
        return said

    async def finish(self) -> tuple[int, str]:
        """Exit code and the rest of what it says."""
        _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()

    def notes(self) -> list[str]:
        """What was done to the stand-ins, in order."""
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.start()
    yield stage
    if stage.process.returncode is None:
        stage.process.kill()
        await stage.process.wait()


async def test_whoever_kills_the_relay_is_told_which_process_it_is(stage: Stage) -> None:
    said = await stage.read_until("Ctrl-C")
    file, pid = stage.folder / "var" / "relay.pid", (stage.folder / "pid-serve").read_text()
    assert file.read_text().strip() == pid
    assert f"process    {pid} (in {file})" in said
    os.kill(int(pid), signal.SIGKILL)
    code, _ = await stage.finish()
    assert code == 1
    assert not file.exists(), "a number that is used again would kill somebody else"


async def test_it_says_where_things_are_and_one_line_to_try(stage: Stage) -> None:
    said = await stage.read_until("Ctrl-C")
    assert f"SMTP       127.0.0.1:{stage.smtp}" in said
    assert f"http://127.0.0.1:{stage.http}/readyz" in said
    assert str(stage.folder / "var" / "inbox") in said
    assert f"swaks --server 127.0.0.1:{stage.smtp} --from m.rossi@lab.test" in said


async def test_the_provider_enforces_the_limits_of_the_routing(stage: Stage) -> None:
    await stage.read_until("Ctrl-C")
    provider, relay = stage.notes()
    assert f"sandbox started --listen 127.0.0.1:{stage.provider} --limit 5/1s --limit 20/10s --inbox" in provider
    assert relay == f"serve started --config {stage.folder / 'relay.yaml'}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_the_relay_first_and_the_provider_last(stage: Stage, number: signal.Signals) -> None:
    await stage.read_until("Ctrl-C")
    stage.process.send_signal(number)
    code, _ = await stage.finish()
    assert code == 0
    assert stage.notes()[2:] == [f"serve stopped by {number.name}", f"sandbox stopped by {number.name}"]


async def test_a_second_signal_kills_what_does_not_stop(stage: Stage) -> None:
    await stage.read_until("Ctrl-C")
    (stage.folder / "stubborn").touch()
    stage.process.send_signal(signal.SIGINT)
    await stage.read_until("Ctrl-C again")
    stage.process.send_signal(signal.SIGINT)
    code, said = await stage.finish()
    assert code == 0
    assert "relay serve does not stop; killing it" in said


@pytest.mark.parametrize(("verb", "other"), [("serve", ["sandbox stopped by SIGTERM"]), ("sandbox", [])])
async def test_a_child_that_dies_at_start_is_named_and_the_other_stopped(
    tmp_path: Path, verb: str, other: list[str]
) -> None:
    stage = Stage(tmp_path)
    (tmp_path / f"dies-{verb}").touch()
    await stage.start()
    code, said = await stage.finish()
    assert code == 1
    assert f"relay {verb} ended with exit code 7 before it was ready" in said
    assert [note for note in stage.notes() if "stopped" in note] == other
    assert "Traceback" not in said


async def test_a_child_that_dies_later_is_named_and_the_other_stopped(stage: Stage) -> None:
    await stage.read_until("Ctrl-C")
    os.kill(int((stage.folder / "pid-sandbox").read_text()), signal.SIGKILL)
    code, said = await stage.finish()
    assert code == 1
    assert "relay sandbox was ended by SIGKILL; stopping the other" in said
    assert stage.notes()[2:] == ["serve stopped by SIGTERM"]


@pytest.mark.parametrize("which", ["smtp", "http", "provider"])
async def test_a_taken_port_is_named_and_nothing_started(tmp_path: Path, which: str) -> None:
    stage = Stage(tmp_path)
    with socket.create_server(("127.0.0.1", getattr(stage, which))):
        await stage.start()
        code, said = await stage.finish()
    assert code == 1
    assert f"already in use: 127.0.0.1:{getattr(stage, which)}" in said
    assert stage.notes() == []


async def test_a_config_that_is_none_is_said_without_a_traceback(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    (tmp_path / "routing.yaml").write_text("accounts: [")
    await stage.start()
    code, said = await stage.finish()
    assert code == 1
    assert "relay check --config" in said
    assert "Traceback" not in said
