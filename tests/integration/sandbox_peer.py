"""Python's own SMTP client, and the sandbox as a process, for tests that look at a provider from outside."""

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a blocking client gives up: a hang, not a measure."""

MESSAGE = b"Message-ID: <1@x>\r\nSubject: ciao\r\n\r\n.dot\r\n..\r\n\xe8 bytes \xff\r\n"


@contextmanager
def connect(port: int, *, user: str = "mario", password: str = "pw") -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.login(user, password)
        yield client


def send(port: int, *, count: int = 1, user: str = "mario", password: str = "pw") -> None:
    with connect(port, user=user, password=password) as client:
        for number in range(count):
            client.sendmail("d@x.test", ["p@y.test"], MESSAGE.replace(b"<1@x>", f"<{user}-{number}@x>".encode()))


class SandboxProcess:
    """A sandbox process, started as a user would."""

    def __init__(self, *options: str, listen: str = "127.0.0.1:0") -> None:
        command = [sys.executable, "-c", "from relay.cli import main; main()", "sandbox", "--listen", listen, *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().decode()
        self.port = int(self.first_line.rpartition(":")[2] or 0)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(how)
        _, complaint = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, complaint.decode()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
