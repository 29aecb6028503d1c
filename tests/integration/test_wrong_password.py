"""One wrong password with thirty mails queued, through the real relay: one refused login, others go on, it heals."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from relay.sandbox import judge
from relay.sandbox.journal import Record, read_log
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ANNA, BRUNO = "anna@d.test", "bruno@d.test"
MAILS = 30
QUIET = timedelta(minutes=5)
"""No second refused login before this."""


class Practice:
    """Two doctors at one provider, one of whose passwords is about to be wrong."""

    def __init__(self, path: Path) -> None:
        self.users = path / "users"
        self.let_in(anna="new")
        self.log = path / "provider.jsonl"
        self.sandbox = SandboxProcess("--users", str(self.users), "--log", str(self.log))
        self.folder = Folder(path, provider=self.sandbox.port)
        self.token = path / "var" / "admin.token"

    def let_in(self, *, anna: str) -> None:
        """Which password the provider takes of her; renamed over, so that it is never half there."""
        beside = self.users.with_suffix(".new")
        beside.write_text(f"{ANNA}:{anna}\n{BRUNO}:pw\nvendor@d.test:pw\n")
        beside.rename(self.users)

    def seen(self) -> list[Record]:
        """What the provider saw so far."""
        return list(read_log(self.log))

    def refused_logins(self) -> int:
        """How often her login was refused."""
        return len(judge.logins(self.seen(), refused_only=True).get(ANNA, ()))


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    made = Practice(tmp_path)
    yield made
    made.sandbox.kill()


@pytest.fixture
def relay(practice: Practice) -> Iterator[RelayProcess]:
    process = RelayProcess(practice.folder.config).wait_until_ready()
    yield process
    process.kill()


def next_try(relay: RelayProcess, practice: Practice) -> timedelta:
    """In how long her mailbox is tried again, counted from the refusal."""
    refused = relay.wait_for("login_failed", mailbox=ANNA)["time"]
    eta = account_of(relay, practice)["eta"]
    return datetime.fromisoformat(str(eta)) - datetime.fromisoformat(refused)


def account_of(relay: RelayProcess, practice: Practice) -> dict[str, object]:
    """Her account as admins see it."""
    status, body = relay.get(f"/api/v1/accounts/{ANNA}", token=practice.token.read_text().strip())
    assert status == 200, body
    answer: dict[str, object] = json.loads(body)
    return answer


def correct(practice: Practice) -> None:
    """The right password, in routing.yaml itself."""
    practice.folder.routing["accounts"][ANNA]["password"] = "new"
    practice.folder.write()


def test_one_login_is_refused_the_neighbour_goes_on_and_all_arrive_once_after_the_edit(
    practice: Practice, relay: RelayProcess
) -> None:
    theirs = relay.send(MAILS, sender=ANNA)
    relay.wait_for("login_failed", mailbox=ANNA)
    his = relay.send(MAILS, sender=BRUNO)
    relay.wait_for("delivered", account=BRUNO, times=MAILS)
    account = account_of(relay, practice)
    assert (account["health"], account["reason"], account["needs"]) == ("paused", "auth-rejected", "owner")
    assert account["queued"] == MAILS
    assert practice.refused_logins() == 1
    assert next_try(relay, practice) >= QUIET
    correct(practice)
    relay.wait_for("delivered", account=ANNA, times=MAILS)
    assert practice.refused_logins() == 1
    assert {record["id"] for record in relay.records if record["event"] == "delivered"} == {*theirs, *his}
    assert not judge.doubled(practice.seen())
    assert account_of(relay, practice)["health"] == "ok"


def test_a_password_that_worked_is_doubted_first_and_tried_once_more_after_five_minutes(
    practice: Practice, relay: RelayProcess
) -> None:
    practice.let_in(anna="pw")
    relay.send(sender=ANNA)
    relay.wait_for("delivered", account=ANNA)
    practice.sandbox.stop()
    practice.let_in(anna="new")
    practice.sandbox = SandboxProcess(
        "--users", str(practice.users), "--log", str(practice.log), listen=f"127.0.0.1:{practice.sandbox.port}"
    )
    relay.send(MAILS, sender=ANNA)
    relay.wait_for("login_failed", mailbox=ANNA, reason="auth-rejected")
    relay.wait_for("health_changed", mailbox=ANNA, health="auth-rejected")
    account = account_of(relay, practice)
    assert (account["health"], account["reason"]) == ("doubted", "auth-rejected")
    assert practice.refused_logins() == 1
    correct(practice)
    relay.wait_for("delivered", account=ANNA, times=MAILS + 1)
    assert practice.refused_logins() == 1
