"""A provider refuses passwords that were right a moment ago: nobody is paused, nobody else waits, and it heals."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.sandbox import read_log
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

DOCTORS = ("anna@d.test", "bruno@d.test", "vendor@d.test")
DORA = "dora@d.test"
WORKED, REFUSED = len(DOCTORS), 4


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[RelayProcess, Path]]:
    """Each login counts, for a session carries one message: three work, four are refused, then all work again."""
    with ExitStack() as stack:
        log = tmp_path / "provider.jsonl"
        answers = (f"auth:235 2.7.0 ok*{WORKED}", f"auth:535 5.7.8 Authentication failed*{REFUSED}")
        sick = SandboxProcess("--log", str(log), *(part for text in answers for part in ("--reply", text)))
        stack.callback(sick.kill)
        well = SandboxProcess()
        stack.callback(well.kill)
        folder = Folder(tmp_path, provider=sick.port, health={"probe": ["3s"]})
        folder.routing["providers"]["lab"] |= {"session": {"messages": 1}}
        folder.routing["providers"]["well"] = {"host": "127.0.0.1", "port": well.port, "tls": "none"}
        folder.routing["accounts"][DORA] = {"provider": "well", "password": f"file:{DORA}.password"}
        folder.set_password(DORA, "pw")
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        yield relay.wait_until_ready(), log


def test_three_right_passwords_that_are_refused_pause_nobody(lab: tuple[RelayProcess, Path], tmp_path: Path) -> None:
    relay, log = lab
    for doctor in DOCTORS:
        relay.send(sender=doctor)
        relay.wait_for("delivered", account=doctor)
    for doctor in DOCTORS:
        relay.send(sender=doctor)
    relay.wait_for("health_changed", provider="lab", mailbox=None, health="auth-outage")
    relay.send(sender=DORA)
    relay.wait_for("delivered", account=DORA)
    assert relay.count("delivered") == WORKED + 1, "a doctor at another provider does not wait for it"
    for doctor in DOCTORS:
        relay.wait_for("delivered", times=2, account=doctor)
    logins = [(record["user"], (record["reply"] or "")[:3]) for record in read_log(log) if record["event"] == "auth"]
    assert [answer for _, answer in logins[: WORKED + REFUSED]] == ["235"] * WORKED + ["535"] * REFUSED
    assert {user for user, answer in logins if answer == "535"} == {*DOCTORS}
    token = (tmp_path / "var" / "admin.token").read_text().strip()
    for doctor in DOCTORS:
        account = json.loads(relay.get(f"/api/v1/accounts/{doctor}", token=token)[1])
        assert (account["health"], account["reason"]) == ("ok", None)
    paused = [record for record in relay.records if record["event"] == "health_changed" and record["mailbox"]]
    assert {record["health"] for record in paused} <= {"ok", "auth-rejected", "untried"}
    assert relay.metric('relay_accounts{health="paused",plan="personal"}') in (None, 0.0)
