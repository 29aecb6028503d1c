"""A process that is stopped (SIGSTOP) beyond its lease and goes on sends nothing of what it had begun.

The provider's side is the judge: it has the mail once, from a later attempt, wherever on the way the process stood.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relay.core.limits import SECOND
from tests.crash.stopping import LEASE
from tests.integration.sandbox_peer import SandboxProcess

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("where", "first"), [("before-mail", []), ("before-dot", ["dropped mail"])])
def test_a_process_that_stood_still_beyond_its_lease_sends_nothing_more(
    tmp_path: Path, where: str, first: list[str]
) -> None:
    sandbox = SandboxProcess("--inbox", str(tmp_path / "inbox"))
    command = [sys.executable, "-m", "tests.crash.stopping", str(tmp_path / "data"), str(sandbox.port), where]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status), "it ended instead"
            time.sleep(1.2 * LEASE / SECOND)  # the machine's own clock has to go on
            assert list((tmp_path / "inbox").glob("*.eml")) == []
            process.send_signal(signal.SIGCONT)
            said = process.stdout.read().split("\n")
        assert process.returncode == 0
    finally:
        sandbox.kill()
    attempts = [line.removeprefix("attempted ") for line in said if line.startswith("attempted")]
    assert list(dict.fromkeys(attempts)) == [*first, "delivered mail"]
    assert ("doubt 1" in said) is (where == "before-dot"), "the store cannot know that the dot was not sent"
    assert len(list((tmp_path / "inbox").glob("*.eml"))) == 1, "once, and from the later attempt"
