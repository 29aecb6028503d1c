"""What the call centre does with a real relay: lists who has to move, pauses, resumes, tests, sets passwords."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ports import free_ports
from tests.integration.relay_process import PATIENCE, ROOT, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess
from tests.misfortune.certificates import make

ANNA, BRUNO, CARLA, DARIO, ELENA, FRIDA, GINO = (
    f"{name}@d.test" for name in ("anna", "bruno", "carla", "dario", "elena", "frida", "gino")
)
OLD, SILENT = "old@d.test", "silent@d.test"
RIGHT, WRONG = "la parola giusta", "la parola sbagliata"
NOT_YOURS = "mail@elena@d.test:553 5.7.1 <elena@d.test>: Sender address rejected: not owned by user elena@d.test*1"


class Clinic:
    """Doctors behind a real relay, each with another trouble, and a command line."""

    def __init__(self, path: Path, stack: ExitStack, **environ: str) -> None:
        self.path, self.stack = path, stack
        self.users = dict.fromkeys((ANNA, BRUNO, ELENA, FRIDA, GINO, OLD, SILENT), RIGHT)
        self.provider_knows(GINO, RIGHT)
        self.log = path / "provider.jsonl"
        self.provider = self._sandbox("--users", str(path / "users"), "--log", str(self.log), "--reply", NOT_YOURS)
        files = make(path)
        shown = ["--certificate", str(files.certificate), "--key", str(files.key)]
        strange = self._sandbox("--tls", "starttls", *shown)
        (nobody,) = free_ports(1)
        self.folder = Folder(path, provider=self.provider.port)
        lab = self.folder.routing["providers"]["lab"] | {"limits": ["20/1h"], "linger": "2m"}
        self.folder.routing["providers"] = {
            "lab": lab,
            "dead": {**lab, "port": nobody},
            "strange": {**lab, "host": "localhost", "port": strange.port, "tls": "starttls"},
        }
        self.folder.routing["plans"] = {"legacy": {"retires": "2099-10-31"}}
        owner = {"name": "Dr. O. Vecchio", "phone": "0974 123456"}
        moving = {"plan": "legacy", "provider": "lab", "owner": owner}
        self.folder.routing["accounts"] = {
            ANNA: {"provider": "lab", "aliases": ["segreteria@d.test"]},
            BRUNO: {"provider": "lab"},
            CARLA: {"provider": "dead"},
            DARIO: {"provider": "strange"},
            ELENA: {"provider": "lab"},
            FRIDA: {"provider": "lab", "password": "secret:frida"},
            GINO: {"provider": "lab"},
            OLD: moving,
            SILENT: moving,
        }
        for name, account in self.folder.routing["accounts"].items():
            account.setdefault("password", f"file:{name}.password")
            self.folder.set_password(name, WRONG if name in (BRUNO, GINO) else RIGHT)
        self.folder.write()
        self.relay = self.start(**environ)

    def _sandbox(self, *options: str) -> SandboxProcess:
        sandbox = SandboxProcess(*options)
        self.stack.callback(sandbox.kill)
        return sandbox

    def start(self, **environ: str) -> RelayProcess:
        """A relay that is ready; the kernel chose its port, so that is written where the command looks."""
        self.folder.service["http"] = {"listen": "127.0.0.1:0"}
        self.folder.config.write_text(json.dumps(self.folder.service))
        relay = RelayProcess(self.folder.config, environ=environ)
        self.stack.callback(relay.kill)
        relay.wait_until_ready()
        self.folder.service["http"] = {"listen": f"127.0.0.1:{relay.http}"}
        self.folder.config.write_text(json.dumps(self.folder.service))
        return relay

    def command(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """`relay WORDS`, with what is typed on stdin."""
        command = [sys.executable, "-c", "from relay.cli import main; main()", *words]
        command += ["--config", str(self.folder.config)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, input=typed, capture_output=True, text=True, timeout=2 * PATIENCE, env=environ, check=False
        )

    def provider_knows(self, user: str, password: str) -> None:
        """Somebody changed a password there."""
        self.users[user] = password
        beside = self.path / "users.new"
        beside.write_text("".join(f"{name}:{known}\n" for name, known in self.users.items()))
        beside.rename(self.path / "users")

    def account(self, *words: str, code: int = 0, typed: str = "") -> str:
        """What `relay account WORDS` says, and ends with this code."""
        done = self.command("account", *words, typed=typed)
        assert (done.returncode, done.stderr) == (code, ""), done
        return done.stdout

    def shown(self, sender: str) -> Any:
        """The account as the API has it."""
        return json.loads(self.account("show", sender, "--json"))

    def heard(self, sender: str, event: str) -> list[Any]:
        """What the provider saw of one mailbox."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return [line for line in lines if line["user"] == sender and line["event"] == event]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with ExitStack() as stack:
        yield Clinic(tmp_path_factory.mktemp("clinic"), stack)


# test


def test_a_mailbox_that_works_is_said_to_by_any_of_its_addresses(clinic: Clinic) -> None:
    said = clinic.account("test", "Segreteria@D.test")
    assert said == f"All is well: the login of {ANNA} at lab works, and mail from {ANNA} is taken.\n"
    assert [each["from"] for each in clinic.heard(ANNA, "mail")] == [ANNA]
    assert [each["rcpt"] for each in clinic.heard(ANNA, "rcpt")] == [ANNA]
    assert clinic.heard(ANNA, "delivered") == [], "nothing is sent"
    (limit,) = clinic.shown(ANNA)["limits"]
    assert (limit["limit"], limit["used"]) == ("20/h", 1), "and it counts"
    assert clinic.relay.wait_for("account_tested", account=ANNA)["by"] == "admin"


def test_a_wrong_password_is_found_out_once_however_often_somebody_clicks(clinic: Clinic) -> None:
    said = clinic.account("test", BRUNO, code=1)
    assert said.startswith(f"The login of {BRUNO} at lab does not work: user name or password is refused (auth-reject")
    assert clinic.shown(BRUNO)["health"] == "paused"
    for _ in range(3):
        again = clinic.account("test", BRUNO, code=1)
        assert "was not tried: this password was refused already" in again
        assert "try again at " in again
    assert len(clinic.heard(BRUNO, "auth")) == 1
    clinic.folder.set_password(BRUNO, RIGHT)
    clinic.folder.write()
    clinic.relay.wait_for("health_changed", mailbox=BRUNO, health="untried")
    assert clinic.account("test", BRUNO).startswith("All is well")
    assert clinic.shown(BRUNO)["health"] == "ok"


def test_a_provider_that_is_down_is_not_the_doctors_fault(clinic: Clinic) -> None:
    said = clinic.account("test", CARLA, code=1)
    assert said.startswith("dead cannot be tried: it cannot be reached, or does not answer (network)")


def test_a_certificate_that_nobody_vouches_for_is_named(clinic: Clinic) -> None:
    said = clinic.account("test", DARIO, code=1)
    assert said.startswith("strange cannot be tried: nobody here knows who signed its certificate (tls-untrusted)")


def test_a_sender_who_is_refused_pauses_and_a_trial_that_works_ends_the_pause(clinic: Clinic) -> None:
    said = clinic.account("test", ELENA, code=1)
    assert f"works, but mail from {ELENA} is not taken: the mailbox may not send as this address" in said
    shown = clinic.shown(ELENA)
    assert (shown["health"], shown["reason"]) == ("paused", "sender-refused")
    assert "elena@d.test" not in shown["last_reply"]["reply"], "replies are masked"
    assert clinic.account("test", ELENA).startswith("All is well")
    assert clinic.shown(ELENA)["health"] == "ok"
    assert [each["health"] for each in clinic.shown(ELENA)["history"]][:2] == ["ok", "paused"]


def test_a_session_that_idles_makes_room_for_a_trial(clinic: Clinic) -> None:
    (ident,) = clinic.relay.send(sender=ANNA)
    clinic.relay.wait_for("delivered", id=ident)
    assert clinic.account("test", ANNA).startswith("All is well")


# pause, resume, fixed


def test_a_paused_account_keeps_its_mail_until_it_is_resumed(clinic: Clinic) -> None:
    said = clinic.account("pause", ANNA, "--why", "cambia casella")
    assert said == f"Mail of {ANNA} is kept back from now on.\n"
    (ident,) = clinic.relay.send(sender=ANNA)
    (other,) = clinic.relay.send(sender=OLD)
    clinic.relay.wait_for("delivered", id=other)
    shown = clinic.shown(ANNA)
    assert (shown["health"], shown["reason"], shown["queued"]) == ("paused", "paused-by-admin", 1)
    assert shown["paused"]["why"] == "cambia casella"
    assert "Paused by an admin since" in clinic.account("show", ANNA)
    assert clinic.account("resume", ANNA) == f"Mail of {ANNA} goes on.\n"
    clinic.relay.wait_for("delivered", id=ident)
    said_by = [each["what"] for each in clinic.relay.records if each["event"] == "account_changed"]
    assert said_by[:2] == ["paused by admin", "resumed by admin"]
    assert clinic.account("resume", ANNA) == f"Nobody had paused {ANNA}.\n"


def test_resume_says_what_it_does_not_mend_and_fixed_tries_at_once(clinic: Clinic) -> None:
    (ident,) = clinic.relay.send(sender=GINO)
    clinic.relay.wait_for("health_changed", mailbox=GINO, health="auth-rejected")
    clinic.account("pause", GINO)
    said = clinic.account("resume", GINO)
    assert said.endswith(f"is stopped (auth-rejected); once that is mended: `relay account fixed {GINO}`.\n")
    clinic.provider_knows(GINO, WRONG)
    said = clinic.account("fixed", GINO)
    assert said == f"The mailbox {GINO} at lab is tried at once; what waits goes out if it works.\n"
    clinic.relay.wait_for("delivered", id=ident)
    clinic.relay.wait_for("account_changed", account=GINO, what="fixed by admin")
    assert "admin" in [each["by"] for each in clinic.shown(GINO)["history"]]
    assert clinic.account("fixed", GINO) == f"Nothing had stopped the mailbox {GINO} at lab.\n"


def test_resume_says_that_the_provider_is_stopped(clinic: Clinic) -> None:
    clinic.relay.send(sender=CARLA)
    clinic.relay.wait_for("login_failed", mailbox=CARLA)
    said = clinic.account("resume", CARLA)
    assert said == f"Nobody had paused {CARLA}. But dead is stopped (network), and is tried again by itself.\n"


def test_an_account_that_nobody_knows_is_a_typing_error(clinic: Clinic) -> None:
    done = clinic.command("account", "test", "ana@d.test")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"did you mean {ANNA}?\n")


# the work list


def test_the_work_list_has_who_still_has_to_move(clinic: Clinic) -> None:
    (ident,) = clinic.relay.send(sender=OLD)
    clinic.relay.wait_for("delivered", id=ident)
    lines = clinic.account("list", "--plan", "legacy").splitlines()
    assert [line.split()[0] for line in lines[1:]] == [OLD, SILENT]
    assert "Dr. O. Vecchio" in lines[1]
    assert "2099-10-31" in lines[1]
    items = json.loads(clinic.account("list", "--plan", "legacy", "--json"))["items"]
    old, silent = items
    assert old["sent_30d"] >= 1
    assert old["last_sent_at"] is not None
    assert (silent["sent_30d"], silent["last_sent_at"]) == (0, None)
    assert old["owner"]["phone"] == "0974 123456"


# passwords


def test_a_new_password_is_tried_at_once_and_nobody_else_reads_it(clinic: Clinic) -> None:
    (ident,) = clinic.relay.send(sender=FRIDA)
    assert clinic.shown(FRIDA)["reason"] == "no-credentials"
    said = clinic.account("set-password", FRIDA, "--stdin", typed=f"{WRONG}\n", code=1)
    assert "user name or password is refused" in said
    said = clinic.account("set-password", FRIDA, typed=f"{RIGHT}\n")
    assert "All is well" in said
    clinic.relay.wait_for("delivered", id=ident)
    done = clinic.command("account", "set-password", ANNA, typed=f"{RIGHT}\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"`password: secret:{ANNA}`" in done.stderr
    for secret in (RIGHT, WRONG):
        assert not any(secret in line for line in clinic.relay.lines)
        assert secret not in json.dumps(clinic.shown(FRIDA))


# a crash


def test_a_kill_in_the_middle_of_a_trial_leaves_its_slot_and_its_login_counted(tmp_path: Path) -> None:
    with ExitStack() as stack:
        clinic = Clinic(tmp_path, stack, RELAY_CRASH_AT="note-durable:2")
        done = clinic.command("account", "test", ANNA)
        assert done.returncode == 3
        assert clinic.relay.wait() == -9
        assert len(clinic.heard(ANNA, "auth")) == 1
        assert clinic.heard(ANNA, "mail") == [], "it died with the slot in its hand"
        clinic.start()
        (limit,) = clinic.shown(ANNA)["limits"]
        assert limit["used"] == 1
        assert clinic.account("test", ANNA).startswith("All is well")
        (limit,) = clinic.shown(ANNA)["limits"]
        assert limit["used"] == 2
