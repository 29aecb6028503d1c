"""The relay under measurement: the real process on a configuration of the bench's own.

Law: it runs as it ships: durable, encrypted, with metrics and logs on.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import cpu_seconds_of_tree, free_port, peak_memory, stop, wait_for_port

START_SECONDS = 120
"""For a start with very many accounts on a machine that is not quiet."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay."""

    port: int
    http: int
    pid: int
    folder: Path

    def cpu_seconds(self) -> float:
        """CPU of the process and its children."""
        return cpu_seconds_of_tree(self.pid)

    def peak_memory(self) -> int:
        """The most resident memory so far, bytes."""
        return peak_memory(self.pid)

    def get(self, path: str) -> str:
        """What its HTTP port answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=30) as answer:
            text: str = answer.read().decode()
            return text


def routing(upstream: int, accounts: Sequence[str], **provider: Any) -> dict[str, Any]:
    """A routing with one provider on 127.0.0.1 and accounts that log in as themselves."""
    terms = {"host": "127.0.0.1", "port": upstream, "tls": "none", "auth": "password"} | provider
    return {
        "clients": {"bench": {"networks": ["127.0.0.0/8"], "may_send_as": ["*"]}},
        "providers": {"peer": terms},
        "accounts": {name: {"plan": "personal", "provider": "peer", "password": "bench"} for name in accounts},
    }


@contextmanager
def running(folder: Path, table: Mapping[str, Any], **service: Any) -> Iterator[Relay]:
    """A relay with this routing; stopped when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    port, http = free_port(), free_port()
    config = {
        "hostname": "relay.bench.test",
        "data_dir": str(folder / "var"),
        "submission": {
            "listen": [{"address": f"127.0.0.1:{port}", "tls": "none"}],
            "max_connections_per_ip": 1000,
        }
        | service.pop("submission", {}),
        "http": {"listen": f"127.0.0.1:{http}"},
        "routing": "routing.yaml",
    } | service
    (folder / "relay.yaml").write_text(json.dumps(config))
    (folder / "routing.yaml").write_text(json.dumps(table))
    with (folder / "relay.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from relay.cli import main; main()", "serve", "--config", folder / "relay.yaml"],
            stderr=log,
            stdout=log,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )
    try:
        wait_for_port(port, seconds=START_SECONDS)
        yield Relay(port, http, process.pid, folder)
    finally:
        stop(process, seconds=60)
