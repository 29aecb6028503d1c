"""A real HAProxy with a file that is shipped, on ports that nobody uses; what it says of its servers is waited for."""

import socket
import subprocess
import threading
from pathlib import Path

from tests.deploy.rules import ROOT
from tests.fakes.redisservers import until

FILES = ROOT / "deploy" / "haproxy"
PATIENCE = 60.0
"""Seconds after which what was waited for does not come: a hang, not a measure."""


class HaproxyProcess:
    """Runs `file`, with each key of `places` replaced by its value: where it listens, and where the nodes are."""

    def __init__(self, folder: Path, file: str, places: dict[str, str]) -> None:
        text = (FILES / file).read_text()
        for shipped, here in places.items():
            assert text.count(shipped) == 1, shipped
            text = text.replace(shipped, here)
        path = folder / f"{len(list(folder.glob('*.cfg')))}-{file}"
        asked = path.with_suffix(".sock")
        path.write_text(f"{text}\nglobal\n    stats socket {asked}\n")
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(
            ["haproxy", "-f", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        until(lambda: _answers(asked), "HAProxy listens")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()

    def wait_for(self, words: str) -> None:
        """Waits until a line has these words."""
        with self._said:
            assert self._said.wait_for(lambda: any(words in line for line in self.lines), PATIENCE), self.lines

    def kill(self) -> None:
        """It is gone after this."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _answers(path: Path) -> bool:
    """Whether it has bound its ports: it answers questions only after that."""
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
        asking.sendall(b"show info\n")
        return bool(asking.recv(1))
