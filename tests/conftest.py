"""What every room of the tests shares: the `needs` marker, the Hypothesis profiles and the seeds of the simulation.

A test says which programs of the system it talks to, and is never skipped for a missing one where CI=true.
"""

import gc
import os
import shutil
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

# Debian keeps servers (smtp-sink, redis-server, ...) where the path of an ordinary user does not look.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# What a terminal, a CI service, systemd or somebody's own relay may have set: a test that is about it sets it itself.
SET_BY_OTHERS = (
    "COLORTERM", "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LINES", "NO_COLOR", "PY_COLORS", "TERMINAL_WIDTH",
    "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "RELAY_CONFIG",
    "RELAY_CRASH_AT", "RELAY_KEY",
    "PYTHONDONTWRITEBYTECODE",  # each relay of hundreds would compile itself anew
)  # fmt: skip

MOST_WORKERS = 2
"""Processes that share the tests of `make test`: while one waits, for a window of a limit or a server, the other works.
More would start more relays and servers at once than was tried.
"""

# A proxy is for the world outside; tests talk to this machine.
HERE = "localhost,127.0.0.1,::1"

# How fast an example runs says something about the machine, not about the relay.
_TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Named, the folder of failed examples may be one in which nothing can be written; not named, that is a warning.
_EXAMPLES = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".hypothesis" / "examples")
settings.register_profile("dev", _TIMELESS, max_examples=100, database=_EXAMPLES)
settings.register_profile("ci", _TIMELESS, max_examples=200, derandomize=True, print_blob=True)
settings.register_profile("long", _TIMELESS, max_examples=5000, database=_EXAMPLES)


def is_ci() -> bool:
    """Whether nobody is there to read why a test was skipped."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("simulation", "the simulated world")
    group.addoption("--seeds", type=int, default=None, metavar="N", help="how many seeds to run")
    group.addoption("--seed", type=int, default=None, metavar="N", help="run this seed alone: replays a failure")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(tool, ...): programs of the system that the test talks to")
    if not config.getoption("--hypothesis-profile", default=None):
        settings.load_profile("ci" if is_ci() else "dev")
    for name in SET_BY_OTHERS:
        os.environ.pop(name, None)
    os.environ |= {"TERM": "xterm", "NO_PROXY": HERE, "no_proxy": HERE}
    socket.getfqdn = _without_dns
    known = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*known, *(folder for folder in SYSTEM_FOLDERS if folder not in known)])


def _without_dns(name: str = "") -> str:
    """What smtplib calls itself by: the library would ask the DNS, which hangs where nobody answers."""
    return name or "localhost"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: never more workers than cores, so that none waits for another; 0 is this process alone."""
    cores = len(os.sched_getaffinity(0))
    return min(cores, MOST_WORKERS) if cores > 1 else 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = [tool for mark in item.iter_markers("needs") for tool in mark.args if shutil.which(tool) is None]
    if not missing:
        return
    reason = f"needs {', '.join(missing)}, not installed here: `make tools` installs what it can (root and apt)"
    if is_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_runtest_teardown() -> None:
    gc.enable()  # `relay check` does without until its process ends, and here it runs in ours
