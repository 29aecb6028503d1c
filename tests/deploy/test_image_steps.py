"""The steps of the Dockerfile without Docker: the wheel, a file system that nobody can write, a user without rights.

What is not gone through here: Docker itself, its base image, and pip's look-up of the locked packages (they are those
of this environment).
"""

import json
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rules import ROOT
from tests.integration.sandbox_peer import SandboxProcess

USER = 10001
"""The image's own."""

PATIENCE = 120
"""Seconds after which what was waited for does not come: a hang, not a measure."""

READ_ONLY = """
mount --make-rprivate /
mount --bind "$BASE" "$TREE/python"
mount --bind "$PACKAGES" "$TREE/packages"
mount --bind "$TREE/data" "$TREE/data"
mount -o remount,bind,ro "$TREE/python"
mount -o remount,bind,ro "$TREE/packages"
mount -o remount,bind,ro /
exec setpriv --reuid "$USER" --regid "$USER" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""
"""What `docker run --read-only --cap-drop ALL --security-opt no-new-privileges -v data:...` does, by the same means."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount and become another user")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what the builder gets, and of nothing else."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "relay", source / "relay", ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source / "dist")]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=PATIENCE)
    (built,) = (source / "dist").glob("*.whl")
    return built


def test_the_wheel_has_everything_that_the_program_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    source = wheel.parents[1]
    files = {str(file.relative_to(source)) for file in (source / "relay").rglob("*") if file.is_file()}
    assert "relay/store/sql/schema.sql" in files
    assert files <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "tools/", "config/"))]


class Container:
    """The relay as the image runs it."""

    def __init__(self, tree: Path, wheel: Path) -> None:
        self.tree = tree
        for folder in ("python", "packages", "relay", "etc", "data"):
            (tree / folder).mkdir()
        os.chown(tree / "data", USER, USER)
        (tree / "data").chmod(0o700)
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(tree / "relay")
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tree / 'relay'}:{tree / 'packages'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LD_LIBRARY_PATH": str(tree / "python" / "lib"),
            "RELAY_CONFIG": str(tree / "etc" / "relay.yaml"),
        }
        self.process: subprocess.Popen[str] | None = None

    @property
    def python(self) -> str:
        return str(self.tree / "python" / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Runs Python in the container."""
        mounts = {
            "BASE": sys.base_prefix,
            "PACKAGES": sysconfig.get_path("purelib"),
            "TREE": str(self.tree),
            "USER": str(USER),
        }
        return subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", READ_ONLY, "sh", self.python, *arguments],
            env=self.environ | mounts, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def serve(self) -> None:
        self.process = self.start("-c", "from relay.cli import main; main()", "serve")

    def wait_for(self, event: str, **fields: str) -> dict[str, Any]:
        """The next such line of its log."""
        assert self.process is not None
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if line.startswith("{"):
                record: dict[str, Any] = json.loads(line)
                if record["event"] == event and fields.items() <= record.items():
                    return record
        raise AssertionError("".join(said))

    def status(self) -> dict[str, str]:
        """What the kernel says of the process."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def end(self) -> None:
        """Whatever became of it, it is gone after this."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def container(wheel: Path) -> Iterator[Container]:
    with ExitStack() as stack:
        stack.callback(os.umask, os.umask(0o022))  # a builder's: what it makes the image's user can read
        tree = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tree.chmod(0o755)
        made = Container(tree, wheel)
        stack.callback(made.end)
        yield made


def configure(container: Container, provider: int) -> None:
    """The composition's configuration, on this machine's loopback."""
    replaced = {
        "/var/lib/relay-keys": f"{container.tree}/data/keys",
        "/var/lib/relay": f"{container.tree}/data/queue",
        "0.0.0.0:2525": "127.0.0.1:0",
        "127.0.0.1:8025": "127.0.0.1:0",
        "host: sandbox": "host: 127.0.0.1",
        "port: 2526": f"port: {provider}",
        "172.30.57.0/24": "127.0.0.0/8",
    }
    for name in ("relay.yaml", "routing.yaml", "lab-password"):
        text = (ROOT / "deploy" / "compose" / name).read_text()
        for what, by in replaced.items():
            text = text.replace(what, by)
        (container.tree / "etc" / name).write_text(text)


@needs_root
@pytest.mark.needs("unshare", "setpriv")
def test_the_image_works_without_root_on_a_file_system_that_it_cannot_write(container: Container) -> None:
    with ExitStack() as stack:
        sandbox = SandboxProcess()
        stack.callback(sandbox.kill)
        configure(container, sandbox.port)
        container.serve()
        smtp, http = (
            int(container.wait_for("listening", what=what)["address"].rpartition(":")[2]) for what in ("smtp", "http")
        )
        container.wait_for("ready")
        status = container.status()
        assert status["Uid"].split() == [str(USER)] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        with smtplib.SMTP("127.0.0.1", smtp, timeout=PATIENCE) as client:
            client.sendmail("anna@d.test", ["paziente@example.org"], "From: anna@d.test\r\n\r\nBuongiorno\r\n")
        container.wait_for("delivered", account="anna@d.test")
        assert health_check(http) == 0
        assert container.process is not None
        container.process.send_signal(signal.SIGTERM)
        assert container.process.wait(PATIENCE) == 0
    assert {each.name for each in (container.tree / "data").iterdir()} == {"queue", "keys"}


def health_check(port: int) -> int:
    """The exit code of the very command that the Dockerfile names."""
    text = (ROOT / "Dockerfile").read_text().partition("HEALTHCHECK")[2].partition("CMD")[2].partition("\n")[0]
    _, *arguments = json.loads(text)
    environ = {**os.environ, "HEALTH_URL": f"http://127.0.0.1:{port}/healthz"}
    return subprocess.run([sys.executable, *arguments], env=environ, timeout=PATIENCE, check=False).returncode


@needs_root
@pytest.mark.needs("unshare", "setpriv")
def test_nothing_but_the_volume_can_be_written_there(container: Container) -> None:
    tries = [str(container.tree / folder / "x") for folder in ("python", "packages", "relay", "etc", "data")]
    code = (
        "import sys\n"
        "for path in sys.argv[1:]:\n"
        "    try: open(path, 'w').close(); print(path)\n"
        "    except OSError: pass\n"
    )
    running = container.start("-c", code, *tries, "/x", "/etc/x", "/usr/local/lib/x")
    written, complaint = running.communicate(timeout=PATIENCE)
    assert written.split() == [str(container.tree / "data" / "x")], complaint
