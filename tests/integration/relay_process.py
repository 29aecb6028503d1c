"""The relay as a process, started as a user would, on ports that the kernel chooses; its log is what tests wait for."""

import json
import os
import signal
import smtplib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
"""Seconds after which what was waited for does not come: a hang, not a measure."""

PROGRAM = "from relay.cli import main; main()"
"""What a user starts; a test may put something before it."""

HASTY = {"second_refusal": "1s", "probe": ["1s"], "refused_logins": "100/1h"}
"""Of a relay that is killed on purpose: a first login that a crash cut off is soon tried again."""

Record = Mapping[str, Any]


class Folder:
    """A folder with a configuration that tests edit."""

    def __init__(self, path: Path, *, provider: int, **service: object) -> None:
        self.path = path
        self.config = path / "relay.yaml"
        self.service: dict[str, Any] = {
            "hostname": "relay.example.it",
            "data_dir": "var",
            "keys_dir": "keys",
            "submission": {"listen": [{"address": "127.0.0.1:0", "tls": "none"}]},
            "http": {"listen": "127.0.0.1:0"},
            "routing": "routing.yaml",
            **service,
        }
        self.routing: dict[str, Any] = {
            "clients": {"here": {"networks": ["127.0.0.0/8"], "may_send_as": ["*@d.test"]}},
            "providers": {"lab": {"host": "127.0.0.1", "port": provider, "tls": "none", "connections": 2}},
            "accounts": {
                name: {"provider": "lab", "password": f"file:{name}.password"}
                for name in ("anna@d.test", "bruno@d.test", "vendor@d.test")
            },
        }
        for name in self.routing["accounts"]:
            self.set_password(name, "pw")
        self.write()

    def set_password(self, account: str, password: str) -> None:
        (self.path / f"{account}.password").write_text(password)

    def write(self) -> None:
        """Writes both files; JSON is YAML."""
        self.config.write_text(json.dumps(self.service))
        self.replace_routing(json.dumps(self.routing))

    def replace_routing(self, text: str) -> None:
        """Renames over the routing, as a careful editor does."""
        beside = self.path / "routing.yaml.new"
        beside.write_text(text)
        beside.rename(self.path / "routing.yaml")


class RelayProcess:
    """`relay serve`, and what it says."""

    def __init__(
        self, config: Path, *options: str, environ: Mapping[str, str] | None = None, program: str = PROGRAM
    ) -> None:
        command = [
            sys.executable,
            "-c",
            program,
            "serve",
            "--config",
            str(config),
            *options,
        ]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        )
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._may_read = threading.Event()
        self._may_read.set()
        self._is_silent = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._records: list[Record] = []
        self._read_lines = 0
        self._ports: dict[str, int] = {}

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self.lines.append(line.decode())
                self._said.notify_all()
            self._may_read.wait()
        with self._said:
            self._is_silent = True
            self._said.notify_all()

    def stop_reading(self) -> None:
        """From the next line on nobody reads its log."""
        self._may_read.clear()

    # what it says

    @property
    def records(self) -> list[Record]:
        """The log so far; each line is read once, for many ask again and again."""
        with self._said:
            new = self.lines[self._read_lines :]
            self._read_lines += len(new)
            self._records += [json.loads(line) for line in new if line.startswith("{")]
            return list(self._records)

    @property
    def complaints(self) -> list[str]:
        """What it said that is not its log, and not that a test's keys lie beside its data."""
        others = [line.rstrip("\n") for line in self.lines if not line.startswith("{")]
        return [line for line in others if "the keys are on the disk of data_dir" not in line]

    def wait_until(self, has_come: Callable[["RelayProcess"], bool]) -> None:
        """Waits until what it said makes this true."""
        with self._said:
            assert self._said.wait_for(lambda: has_come(self) or self._is_silent, PATIENCE), "".join(self.lines)
            assert has_come(self), "".join(self.lines)

    def count(self, event: str, **fields: object) -> int:
        """How often it said this."""
        return sum(
            record["event"] == event and all(record[key] == value for key, value in fields.items())
            for record in self.records
        )

    def wait_for(self, event: str, *, times: int = 1, **fields: object) -> Record:
        """Waits for the `times`-th such line; the last one of them."""
        self.wait_until(lambda process: process.count(event, **fields) >= times)
        return [each for each in self.records if each["event"] == event and fields.items() <= each.items()][-1]

    # what it does

    def wait_until_ready(self) -> "RelayProcess":
        """Itself, ready; one that does not become so is gone."""
        try:
            self.wait_for("ready")
        except BaseException:
            self.kill()
            raise
        return self

    def _port(self, what: str) -> int:
        if what not in self._ports:
            self._ports[what] = int(self.wait_for("listening", what=what)["address"].rpartition(":")[2])
        return self._ports[what]

    @property
    def smtp(self) -> int:
        return self._port("smtp")

    @property
    def http(self) -> int:
        return self._port("http")

    def send(self, count: int = 1, *, sender: str = "anna@d.test", to: str = "paziente@example.org") -> list[str]:
        """Hands in mails over one connection; the ids that it was told."""
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=PATIENCE) as client:
            client.ehlo()
            return [self._send_one(client, number, sender, to) for number in range(count)]

    @staticmethod
    def _send_one(client: smtplib.SMTP, number: int, sender: str, to: str) -> str:
        client.mail(sender)
        client.rcpt(to)
        content = f"From: {sender}\r\nTo: {to}\r\nSubject: Ricetta segreta {number}\r\n\r\nBuongiorno {number}\r\n"
        code, reply = client.data(content)
        assert code == 250, reply
        return reply.decode().rpartition(" ")[2]

    def get(self, path: str, *, token: str | None = None) -> tuple[int, str]:
        """Status and body of an answer of the HTTP side."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, series: str) -> float | None:
        """The value of one series, written as Prometheus does."""
        found = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(f"{series} ")]
        return float(found[0].rpartition(" ")[2]) if found else None

    # its end

    def tell(self, how: signal.Signals) -> None:
        self.process.send_signal(how)

    def wait(self) -> int:
        """Waits for its end; the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.tell(how)
        return self.wait()

    def kill(self) -> None:
        """Whatever became of it, it is gone after this."""
        if self.process.poll() is None:
            self.process.kill()
        self._may_read.set()
        self.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
