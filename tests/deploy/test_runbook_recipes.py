"""Every recipe of the runbook for `jq`, run on the log of a real relay, with what else stands in such a log."""

import re
import shlex
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.rules import RUNBOOK
from tests.integration.connected import PROGRAM, FileRefreshTokens
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

RECIPES = re.findall(r"jq -\w+ '[^']+'", RUNBOOK.read_text())
OF_LOG = [each for each in RECIPES if "fromjson" in each]
OF_API = [each for each in RECIPES if "fromjson" not in each]
ANNA, BRUNO, CARLA, NOBODY = "anna@d.test", "bruno@d.test", "carla@d.test", "typo@d.test"
SHUT = "http://127.0.0.1:9/token"
"""Nobody listens there."""
AROUND = "Starting relay.service - The relay...\n", "relay.service: Consumed 1.2s CPU time.\n"
"""What systemd says into the same journal."""

pytestmark = pytest.mark.needs("jq")


class Day:
    """What a relay went through: its log, and what its API says."""

    def __init__(self, path: Path, provider: int) -> None:
        folder = Folder(path, provider=provider)
        folder.routing["clients"]["studio"] = {"password": "geheim", "may_send_as": ["*@d.test"]}
        folder.routing["providers"]["cloud"] = {
            "host": "127.0.0.1",
            "port": provider,
            "tls": "none",
            "auth": "oauth2",
            "oauth": {"client_id": "relay", "token_url": SHUT},
        }
        folder.routing["accounts"][CARLA] = {"provider": "cloud", "password": f"file:{ANNA}.password"}
        folder.write()
        refresh = FileRefreshTokens(path / "refresh.json")
        refresh.write({CARLA: "refresh-token"})
        environ = {"REFRESH_TOKENS": str(path / "refresh.json")}
        relay = RelayProcess(folder.config, environ=environ, program=PROGRAM)
        try:
            relay.wait_until_ready()
            (self.message,) = relay.send(sender=ANNA)
            relay.wait_for("delivered", account=ANNA)
            relay.send(sender=BRUNO)
            relay.wait_for("health_changed", mailbox=BRUNO)
            relay.send(sender=CARLA)
            relay.wait_for("token_refused", mailbox=CARLA)
            self._is_refused(relay.smtp)
            token = (path / "var" / "admin.token").read_text().strip()
            _, self.accounts = relay.get("/api/v1/accounts?health=paused", token=token)
            relay.stop()
        finally:
            relay.kill()
        first, last = AROUND
        self.log = "".join([first, *relay.lines, last])
        assert relay.complaints or "warning:" in self.log, "a log in which every line is JSON proves nothing"

    @staticmethod
    def _is_refused(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            client.ehlo()
            assert client.mail(NOBODY)[0] == 550
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("studio", "wrong")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    path = tmp_path_factory.mktemp("day")
    (path / "users").write_text(f"{ANNA}:pw\n{BRUNO}:another\n")
    provider = SandboxProcess("--users", str(path / "users"))
    try:
        yield Day(path, provider.port)
    finally:
        provider.kill()


def found(recipe: str, text: str) -> list[str]:
    """What a recipe prints; it must come to the end of its input."""
    command = shlex.split(recipe)
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_runbook_has_recipes_for_the_log_and_for_the_api() -> None:
    assert len(OF_LOG) >= 6
    assert len(OF_API) == 1


@pytest.mark.parametrize("recipe", OF_LOG)
def test_a_recipe_finds_what_it_is_for_in_a_log_with_other_lines(recipe: str, day: Day) -> None:
    recipe = recipe.replace("11110731fff5311b1219", day.message).replace("m.rossi@studio.it", ANNA)
    assert found(recipe, day.log)


@pytest.mark.parametrize("recipe", OF_API)
def test_a_recipe_for_an_answer_of_the_api_makes_a_table_of_it(recipe: str, day: Day) -> None:
    (line,) = found(recipe, day.accounts)
    assert line.split("\t")[:4] == [BRUNO, "personal", "lab", "auth-rejected"]


def test_whoever_reads_the_log_finds_the_typing_error_in_a_sender(day: Day) -> None:
    (said,) = found("""jq -R 'fromjson? | select(.event=="refused" and .stage=="mail") | .sender'""", day.log)
    assert said == f'"{NOBODY}"'
