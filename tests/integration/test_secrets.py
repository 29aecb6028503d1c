"""Stored secrets with the real relay: set and used at once, never sent elsewhere, and rotated under load."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.relay_process import PATIENCE, ROOT, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ANNA, BRUNO = "anna@d.test", "bruno@d.test"
RIGHT = "la parola giusta"


def relay_command(config: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`relay WORDS`, with what is typed on stdin."""
    command = [sys.executable, "-c", "from relay.cli import main; main()", *words, "--config", str(config)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=PATIENCE, env=environ, check=False
    )


class House:
    """A relay whose account anna has her password in the store, and two providers that know who may log in."""

    def __init__(self, path: Path) -> None:
        users = path / "users"
        users.write_text(f"{ANNA}:{RIGHT}\n{BRUNO}:{RIGHT}\n")
        self.provider = SandboxProcess("--users", str(users), "--log", str(path / "first.jsonl"))
        self.other = SandboxProcess("--log", str(path / "other.jsonl"))
        self.path = path
        self.folder = Folder(path, provider=self.provider.port)
        self.folder.routing["accounts"] = {
            ANNA: {"provider": "lab", "password": "secret:anna"},
            BRUNO: {"provider": "lab", "password": "file:bruno@d.test.password"},
        }
        self.folder.set_password(BRUNO, RIGHT)
        self.folder.write()
        self.relays: list[RelayProcess] = []

    def start(self) -> RelayProcess:
        """A relay that is ready; the kernel chose its port, so that is written where the command looks."""
        self._listen(0)
        relay = RelayProcess(self.folder.config)
        self.relays.append(relay)
        self._listen(relay.wait_until_ready().http)
        return relay

    def _listen(self, port: int) -> None:
        self.folder.service["http"] = {"listen": f"127.0.0.1:{port}"}
        self.folder.config.write_text(json.dumps(self.folder.service))

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return relay_command(self.folder.config, *words, typed=typed)

    def keep(self, value: str, *more: str, name: str = "anna") -> None:
        done = self.run("secret", "set", name, *more, typed=value)
        assert done.returncode == 0, done.stderr

    def listed(self) -> list[dict[str, object]]:
        done = self.run("keys", "list", "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, object]] = json.loads(done.stdout)["items"]
        return found

    def users_of_other(self) -> set[str]:
        """Who has tried to log in at the other provider."""
        lines = (self.path / "other.jsonl").read_text().splitlines()
        return {record["user"] for record in map(json.loads, lines) if record["user"]}

    def close(self) -> None:
        for relay in self.relays:
            relay.kill()
        self.provider.kill()
        self.other.kill()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_a_secret_that_is_set_is_used_at_once_and_after_a_restart(house: House) -> None:
    relay = house.start()
    (waiting,) = relay.send()
    house.keep(RIGHT)
    relay.wait_for("delivered", id=waiting)
    assert house.run("secret", "set", "anna", "--force", typed=RIGHT).stdout == "secret:anna was this already\n"
    assert relay.stop() == 0
    again = house.start()
    (later,) = again.send()
    again.wait_for("delivered", id=later)


def test_a_wrong_secret_is_replaced_and_the_mail_leaves(house: House) -> None:
    relay = house.start()
    house.keep("la parola sbagliata")
    (waiting,) = relay.send()
    relay.wait_for("login_failed")
    house.keep(RIGHT, "--force")
    relay.wait_for("delivered", id=waiting)
    assert relay.count("login_failed") == 1


def test_the_password_of_an_account_is_not_overwritten_as_if_it_belonged_to_nobody(house: House) -> None:
    """Untried, a slip would stop the mailbox at its next mail."""
    relay = house.start()
    house.keep(RIGHT)
    relay.wait_for("delivered", id=relay.send()[0])
    done = house.run("secret", "set", "anna", typed="la parola sbagliata")
    assert done.returncode == 1
    assert f"relay account set-password {ANNA}" in done.stderr
    relay.wait_for("delivered", id=relay.send()[0])
    assert not relay.count("login_failed")


def test_a_password_set_for_an_account_is_tried_and_the_mail_leaves(house: House) -> None:
    relay = house.start()
    (waiting,) = relay.send()
    done = house.run("account", "set-password", ANNA, typed=f"{RIGHT}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    relay.wait_for("delivered", id=waiting)
    elsewhere = house.run("account", "set-password", BRUNO, typed=f"{RIGHT}\n")
    assert elsewhere.returncode == 1
    assert f"password: secret:{BRUNO}" in elsewhere.stderr


def test_another_host_does_not_get_the_password(house: House) -> None:
    relay = house.start()
    house.keep(RIGHT)
    (first,) = relay.send()
    relay.wait_for("delivered", id=first)
    house.folder.routing["providers"]["lab"]["port"] = house.other.port
    house.folder.write()
    said = relay.wait_for("trouble", what=f"no-credentials: {ANNA}", times=2)["text"]
    assert str(house.other.port) in said
    assert "set-password" in said
    (kept_back,) = relay.send()
    (bruno,) = relay.send(sender=BRUNO)
    relay.wait_for("delivered", id=bruno)
    assert house.users_of_other() == {BRUNO}
    assert not relay.count("delivered", id=kept_back)
    house.keep(RIGHT, "--force")
    relay.wait_for("delivered", id=kept_back)


def test_a_secret_of_a_mailbox_is_nobody_elses(house: House) -> None:
    relay = house.start()
    house.keep(RIGHT)
    relay.wait_for("delivered", id=relay.send()[0])
    house.folder.routing["accounts"][BRUNO]["password"] = "secret:anna"
    house.folder.write()
    said = relay.wait_for("trouble", what=f"no-credentials: {BRUNO}")["text"]
    assert f"the login {ANNA}" in said


def test_a_rotation_under_load_loses_nothing_and_a_restart_opens_with_both_keys(house: House) -> None:
    relay = house.start()
    house.keep(RIGHT)
    before = relay.send(20)
    done = house.run("keys", "rotate")
    assert done.returncode == 0, done.stderr
    said = relay.wait_for("keys_changed", what="rotated")
    assert (said["key"], said["place"]) == (house.listed()[1]["id"], house.listed()[1]["place"])
    assert said["resealed"], "secrets and routing"
    after = relay.send(20)
    for ident in (*before, *after):
        relay.wait_for("delivered", id=ident)
    first, second = house.listed()
    assert (first["encrypts"], second["encrypts"]) == (False, True)
    assert first["needed_by"] == ["mail"]
    refused = house.run("keys", "retire", str(first["id"]))
    assert refused.returncode == 1
    assert "still needed by mail" in refused.stderr
    relay.kill()
    again = house.start()
    assert house.listed() == [first, second]
    (later,) = again.send(to="un.altro@example.org")
    again.wait_for("delivered", id=later)
    assert again.stop() == 0


def test_a_key_that_is_missing_is_named(house: House) -> None:
    relay = house.start()
    house.keep(RIGHT)
    house.run("keys", "rotate")
    places = [Path(str(key["place"])) for key in house.listed()]
    assert relay.stop() == 0
    for place in places:
        aside = place.rename(place.with_suffix(".aside"))
        refused = RelayProcess(house.folder.config)
        assert refused.wait() == 1
        assert place.name.removesuffix(".key").rpartition("-")[2] in "".join(refused.lines)
        refused.kill()
        aside.rename(place)
    house.start()


def test_a_secret_that_does_not_open_is_named_by_the_check_and_can_be_set_again(house: House) -> None:
    relay = house.start()
    house.keep(RIGHT)
    relay.wait_for("delivered", id=relay.send()[0])
    assert relay.stop() == 0
    assert house.run("queue", "check").returncode == 0
    with closing(sqlite3.connect(house.path / "var" / "relay.db")) as connection, connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM secrets").fetchall()
        connection.execute("UPDATE secrets SET sealed = ?", (bytes([*sealed[:-1], sealed[-1] ^ 1]),))
    found = house.run("queue", "check")
    assert found.returncode == 1
    assert "problem: secret:anna cannot be opened" in found.stdout
    assert "relay account set-password" in found.stdout
    assert RIGHT not in found.stdout + found.stderr
    again = house.start()
    again.wait_for("trouble", what=f"no-credentials: {ANNA}")
    (waiting,) = again.send()
    house.keep(RIGHT)
    again.wait_for("delivered", id=waiting)
    assert again.stop() == 0
    assert house.run("queue", "check").returncode == 0


def test_the_process_leaves_no_core_and_its_memory_is_its_own(house: House) -> None:
    relay = house.start()
    process = Path("/proc") / str(relay.process.pid)
    (core,) = [line.split() for line in (process / "limits").read_text().splitlines() if "core file" in line]
    assert core[4:6] == ["0", "0"]
    assert (process / "environ").stat().st_uid == 0, "not the relay's own user's: nobody of his may read it"
