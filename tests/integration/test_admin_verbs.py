"""What admins ask a real relay, over HTTP and with the `relay` command: why mail waits, until when, who has to act."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from relay.cli.frame import run
from tests.integration.relay_process import PATIENCE, ROOT, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess
from tests.unit.admin.openapi_check import Document

LIMIT = 5
"""Recipients in an hour: whoever hands in more waits for the rest of the test."""

JITTER = timedelta(seconds=1)
"""By as much may one moment differ in two answers: the store tells moments by the wall clock of each answer."""

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

Says = Callable[..., str]


def started(folder: Folder, stack: ExitStack) -> RelayProcess:
    """A relay that is ready; the kernel chose its ports, so they are written where the command looks."""
    relay = RelayProcess(folder.config)
    stack.callback(relay.kill)
    relay.wait_until_ready()
    folder.service["http"] = {"listen": f"127.0.0.1:{relay.http}"}
    folder.config.write_text(json.dumps(folder.service))
    return relay


class Clinic:
    """Anna, whose 30 mails are too many for her limit, and Bruno, whose password is wrong, behind a real relay."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        users = path / "users"
        users.write_text("anna@d.test:pw\nvendor@d.test:pw\nbruno@d.test:another\n")
        provider = SandboxProcess("--inbox", str(path / "inbox"), "--users", str(users))
        stack.callback(provider.kill)
        self.folder = Folder(path, provider=provider.port)
        self.folder.routing["providers"]["lab"]["limits"] = [f"{LIMIT}/1h"]
        self.folder.routing["accounts"]["bruno@d.test"]["plan"] = "business"
        self.folder.write()
        self.relay = started(self.folder, stack)
        self.annas = self.relay.send(30)
        (self.brunos,) = self.relay.send(sender="bruno@d.test")
        self.relay.wait_for("delivered", times=LIMIT)
        self.relay.wait_for("login_failed", mailbox="bruno@d.test")
        self.token = (path / "var" / "admin.token").read_text().strip()

    def api(self, path: str) -> Any:
        """The JSON of an answer."""
        status, body = self.relay.get(f"/api/v1/{path}", token=self.token)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with ExitStack() as stack:
        yield Clinic(tmp_path_factory.mktemp("clinic"), stack)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def says(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> Says:
    """What a verb prints that does its work."""

    def ask(*verb: str) -> str:
        code = run([*verb, "--config", str(clinic.folder.config)])
        said = capsys.readouterr()
        assert (code, said.err) == (0, "")
        return said.out

    return ask


def are_the_same(one: Any, other: Any) -> bool:
    """Whether two answers say the same, but for what differs from answer to answer."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(are_the_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(are_the_same, one, other))
    if MOMENT.fullmatch(str(one)) and MOMENT.fullmatch(str(other)):
        return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) <= JITTER
    return bool(one == other)


# a limit


def test_mail_behind_a_limit_is_listed_with_why_and_when_it_leaves(clinic: Clinic, says: Says) -> None:
    lines = says("queue", "list", "--account", "anna@d.test").splitlines()[1:]
    assert [line.split()[0] for line in lines] == clinic.annas[: LIMIT - 1 : -1], "newest first, none delivered"
    for line in lines:
        assert re.search(r" anna@d.test example.org +waiting limit +\d+[sm] in ([1-6]h|[56]\dm)", line)


def test_a_message_behind_a_limit_is_explained(clinic: Clinic, says: Says) -> None:
    said = says("explain", clinic.annas[-1])
    assert f"Message {clinic.annas[-1]} of anna@d.test was accepted at" in said
    assert f"has sent as much as a limit allows for now (limit): {LIMIT} of {LIMIT}/h." in said
    assert re.search(r"Next: it goes by itself at \d.* \(in 5 h\), if nothing new happens; nobody has to do", said)
    assert "Who has to act" not in said


def test_an_account_behind_a_limit_is_explained(says: Says) -> None:
    said = says("explain", "anna@d.test")
    assert "anna@d.test (personal) sends through anna@d.test at lab; 25 deliveries are queued." in said
    assert f"allows for now (limit): {LIMIT} of {LIMIT}/h." in said
    assert re.search(r"Next: the last of what is queued now leaves at \d.* \(in 5 h\)", said)


def test_the_times_of_a_burst_are_those_of_the_law(clinic: Clinic) -> None:
    waiting = [clinic.api(f"messages/{ident}") for ident in clinic.annas[LIMIT:]]
    etas = [datetime.fromisoformat(each["deliveries"][0]["eta"]) for each in waiting]
    assert all(then - JITTER <= after for then, after in pairwise(etas)), "in the order of acceptance"
    for later in range(LIMIT, len(etas)):
        assert etas[later] - etas[later - LIMIT] >= timedelta(hours=1) - JITTER, (
            "never more than the limit in its window"
        )
    assert etas[0] > datetime.now(UTC) + timedelta(minutes=50)
    assert etas[-1] < datetime.now(UTC) + timedelta(hours=5, minutes=1), "and no later than the limit makes it"


# a wrong password


@pytest.mark.parametrize("what", ["the message", "bruno@d.test"])
def test_a_wrong_password_is_explained_with_the_owner_who_has_to_mend_it(clinic: Clinic, says: Says, what: str) -> None:
    said = says("explain", clinic.brunos if what == "the message" else what)
    assert "the provider refuses user name or password of this mailbox (auth-rejected)" in said
    assert "Who has to act: the owner of the mailbox: the vendor." in said
    assert "  Next: the relay tries again at" in said


def test_the_account_of_a_wrong_password_is_found_by_its_health(clinic: Clinic) -> None:
    (account,) = clinic.api("accounts?health=paused")["items"]
    assert (account["sender"], account["reason"], account["needs"]) == ("bruno@d.test", "auth-rejected", "owner")


# the whole


def test_the_status_shows_the_queue_and_who_is_in_trouble(clinic: Clinic, says: Says) -> None:
    screen = says("status")
    assert ": ready\n" in screen
    assert f"smtp 127.0.0.1:{clinic.relay.smtp}, http 127.0.0.1:{clinic.relay.http}\n" in screen
    assert re.search(r"\nlab +ok +25 +0 +1 ", screen)
    assert re.search(r"\nbusiness +1 *\n", screen)
    assert re.search(r"\nbruno@d.test +paused +auth-rejected +\d+[sm] owner +1 0 of 5/h", screen)


def test_every_answer_of_a_real_relay_is_as_its_description_says(clinic: Clinic) -> None:
    document = Document(clinic.api("openapi.json"))
    for path, asked in (
        ("/api/v1/status", "status"),
        ("/api/v1/messages", "messages?limit=7"),
        ("/api/v1/messages/{id}", f"messages/{clinic.annas[0]}"),
        ("/api/v1/messages/{id}", f"messages/{clinic.annas[-1]}"),
        ("/api/v1/messages/{id}", f"messages/{clinic.brunos}"),
        ("/api/v1/accounts", "accounts"),
        ("/api/v1/accounts/{sender}", "accounts/bruno@d.test"),
    ):
        assert document.complaints_of(path, 200, clinic.api(asked)) == []


def test_lists_are_walked_page_by_page(clinic: Clinic) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = clinic.api(f"messages?limit=7&cursor={cursor}")
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [clinic.brunos, *clinic.annas[::-1]]
    assert clinic.relay.get("/api/v1/messages?cursor=yesterday", token=clinic.token)[0] == 400


def test_json_on_the_command_line_is_that_of_the_api(clinic: Clinic, says: Says) -> None:
    shown = json.loads(says("queue", "show", clinic.annas[0], "--json"))
    assert are_the_same(shown, clinic.api(f"messages/{clinic.annas[0]}"))
    assert [each["class"] for each in shown["deliveries"][0]["attempts"]] == ["delivered"]
    listed = json.loads(says("queue", "list", "--state", "delivered", "--json"))
    assert are_the_same(listed, clinic.api("messages?state=delivered"))
    assert {each["id"] for each in listed["items"]} == set(clinic.annas[:LIMIT])
    assert set(json.loads(says("status", "--json"))) == set(clinic.api("status"))


def test_neither_api_nor_command_names_a_patient(clinic: Clinic, says: Says) -> None:
    said = [says("queue", "list"), says("queue", "show", clinic.annas[0]), says("explain", clinic.annas[-1])]
    said += [json.dumps(clinic.api(path)) for path in ("messages", f"messages/{clinic.annas[0]}", "accounts", "status")]
    for text in said:
        for trace in ("paziente", "Ricetta", "segreta", "Buongiorno"):
            assert trace not in text


# what changes a clinic has one of its own


def test_a_password_that_was_mended_moves_the_mail_and_the_account_is_well(
    tmp_path: Path, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic = Clinic(tmp_path, stack)
    clinic.folder.set_password("bruno@d.test", "another")
    clinic.relay.wait_for("delivered", id=clinic.brunos)
    assert clinic.api("accounts/bruno@d.test")["health"] == "ok"
    assert run(["explain", clinic.brunos, "--config", str(clinic.folder.config)]) == 0
    assert "The provider took it over at" in capsys.readouterr().out


def test_a_token_that_was_changed_is_refused_until_the_relay_reads_it(
    tmp_path: Path, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path, provider=1)
    relay = started(folder, stack)
    token_file = tmp_path / "var" / "admin.token"
    token_file.write_text("f" * 64)
    assert relay.get("/api/v1/status", token="f" * 64)[0] == 401
    assert run(["status", "--config", str(folder.config)]) == 1
    assert f"refuses the token of {token_file}" in capsys.readouterr().err


def test_a_relay_that_was_stopped_is_not_reachable(tmp_path: Path, stack: ExitStack) -> None:
    """The command as a user runs it, in a process of its own."""
    folder = Folder(tmp_path, provider=1)
    assert started(folder, stack).stop() == 0
    command = [sys.executable, "-c", "from relay.cli import main; main()"]
    for verb in (["status"], ["explain", "anna@d.test", "--json"]):
        done = subprocess.run(
            [*command, *verb, "--config", str(folder.config)],
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert re.fullmatch(r"relay: the relay is not reachable at 127\.0\.0\.1:\d+; .*\n", done.stderr)
