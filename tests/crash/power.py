"""Power that is cut: what was not synced is gone, as shim.c says, and the next life finds the rest.

Law: the shim alone says what was synced; nothing of the relay is asked.
"""

import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


def built(folder: Path) -> Path:
    """The shim, compiled."""
    made = folder / "shim.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(made), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return made


class Power:
    """A disk under `root`, and the socket that its machine is plugged into."""

    def __init__(self, root: Path, shim: Path) -> None:
        self._root = root
        self._shadow = root.with_name("shadow")
        self._lie = root.with_name("lie")
        self._fail = root.with_name("fail")
        self._shim = shim

    @property
    def environ(self) -> Mapping[str, str]:
        """What a process on this disk is started with."""
        return {
            "LD_PRELOAD": str(self._shim),
            "SHIM_ROOT": str(self._root),
            "SHIM_SHADOW": str(self._shadow),
            "SHIM_LIE": str(self._lie),
            "SHIM_FAIL": str(self._fail),
        }

    def switch_syncing_off(self, of: str) -> None:
        """From now on syncing a path that holds `of` does nothing ("/": all)."""
        _put(self._lie, of)

    def break_syncing(self, of: str) -> None:
        """From now on syncing a path that holds `of` fails with EIO."""
        _put(self._fail, of)

    def switch_syncing_on(self) -> None:
        """It works again."""
        self._lie.unlink(missing_ok=True)
        self._fail.unlink(missing_ok=True)

    def cut(self, process: "subprocess.Popen[bytes]") -> None:
        """The process is gone at once, and so is what was not synced."""
        process.send_signal(signal.SIGKILL)
        process.wait()
        (top,) = (name for name in self._shadow.glob("d-*") if self._is_top(name))
        survived = self._root.with_name("survived")
        self._restore(top, survived)
        shutil.rmtree(self._root)
        survived.rename(self._root)
        shutil.rmtree(self._shadow)

    def _is_top(self, listing: Path) -> bool:
        found = self._root.stat()
        return listing.name.startswith(f"d-{found.st_ino}-")

    def _restore(self, listing: Path, to: Path) -> None:
        to.mkdir(mode=0o700)
        for line in listing.read_text().splitlines() if listing.exists() else ():
            kind, key, name = line.split(" ", 2)
            if kind == "d":
                self._restore(self._shadow / f"d-{key}", to / name)
                continue
            kept = self._shadow / f"f-{key}"
            (to / name).write_bytes(kept.read_bytes() if kept.exists() else b"")
            (to / name).chmod(0o600)


def _put(file: Path, text: str) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.rename(file)
