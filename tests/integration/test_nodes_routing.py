"""Two nodes with a copy of the routing each, on one Redis: one routing in force, and what one is told holds on both."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from relay.sandbox.judge import logins
from tests.fakes.redisservers import Server, binary, until
from tests.integration.relay_process import PATIENCE, PROGRAM, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ANNA, BRUNO, CARLA = "anna@d.test", "bruno@d.test", "carla@d.test"
RIGHT, WRONG = "la parola giusta", "la parola sbagliata"


class House:
    """A Redis, a provider that knows who may log in, and two machines."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path, self.stack = path, stack
        self.users = dict.fromkeys((ANNA, BRUNO, CARLA), RIGHT)
        self.provider_knows(ANNA, RIGHT)
        self.log = path / "provider.jsonl"
        self.provider = SandboxProcess("--users", str(path / "users"), "--log", str(self.log))
        stack.callback(self.provider.kill)
        self.redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(self.redis.close)
        self.redis.start()
        self.folders = {name: self._folder(name) for name in ("one", "two")}
        self.relays: dict[str, RelayProcess] = {}
        self.program = PROGRAM

    def _folder(self, name: str) -> Folder:
        path = self.path / name
        path.mkdir()
        keys, health = str(self.path / "keys"), {"second_refusal": "1s", "refused_logins": "100/1h"}
        folder = Folder(path, provider=self.provider.port, store=self.redis.address, keys_dir=keys, health=health)
        folder.routing["providers"]["lab"]["linger"] = "1s"
        folder.routing["accounts"] = {
            ANNA: {"provider": "lab", "password": "env:ANNA"},
            BRUNO: {"provider": "lab", "password": "secret:bruno"},
        }
        folder.write()
        return folder

    def provider_knows(self, user: str, password: str) -> None:
        """Somebody changed a password there."""
        self.users[user] = password
        beside = self.path / "users.new"
        beside.write_text("".join(f"{name}:{known}\n" for name, known in self.users.items()))
        beside.rename(self.path / "users")

    def start(self, name: str, *options: str, **environ: str) -> RelayProcess:
        relay = self.relays[name] = RelayProcess(
            self.folders[name].config, *options, environ=environ, program=self.program
        )
        self.stack.callback(relay.kill)
        return relay.wait_until_ready()

    def add(self, name: str, account: str, **more: Any) -> None:
        """Somebody edits the routing of one node."""
        folder = self.folders[name]
        folder.routing["accounts"][account] = {"provider": "lab", "password": RIGHT, **more}
        folder.write()

    def copy(self, origin: str, target: str) -> None:
        """And copies it to another."""
        self.folders[target].replace_routing((self.folders[origin].path / "routing.yaml").read_text())

    def ident(self, name: str) -> str:
        return (self.folders[name].path / "var" / "node").read_text().strip()

    def tell(self, name: str, account: str, order: str, **body: str) -> str:
        """What an admin says of an account to one node; the sentence that he is answered."""
        token = (self.folders[name].path / "var" / "admin.token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.relays[name].http}/api/v1/accounts/{account}/{order}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def shown(self, name: str, account: str) -> Any:
        token = (self.folders[name].path / "var" / "admin.token").read_text().strip()
        return json.loads(self.relays[name].get(f"/api/v1/accounts/{account}", token=token)[1])

    def problems(self, name: str) -> dict[str, str]:
        """What a node says that is wrong with its routing; it is ready all the same."""
        code, answer = self.relays[name].get("/readyz")
        assert code == 200, answer
        problems = json.loads(answer)["problems"]
        return {each["what"]: each["text"] for each in problems if each["what"].startswith("routing")}

    def refused_logins(self) -> list[str]:
        return list(logins(map(json.loads, self.log.read_text().splitlines()), refused_only=True))


def troubles(relay: RelayProcess) -> list[str]:
    """What it complained of, but for the password that nobody has set yet."""
    said = [line["what"] for line in relay.records if line["event"] == "trouble"]
    return [what for what in said if what != f"no-credentials: {BRUNO}"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(tmp_path, stack)


def test_one_routing_is_in_force_whichever_file_is_edited(house: House) -> None:
    one = house.start("one", ANNA=RIGHT)
    two = house.start("two", "--role", "submission")
    assert two.wait_for("routing_applied")["version"] == 1, "equal files make one version"
    assert house.problems("two") == {}

    house.add("one", CARLA)
    assert two.wait_for("routing_applied", version=2)["by"] == house.ident("one"), "who takes nothing notices too"
    (ident,) = two.send(sender=CARLA)
    one.wait_for("delivered", id=ident)
    assert [troubles(one), troubles(two)] == [[], []], "that is how edits go"
    told = house.problems("two")["routing-files"]
    assert f"(version 2, by node {house.ident('one')}): edit or copy them; accounts.{CARLA} is missing here" in told
    house.copy("one", "two")
    until(lambda: house.problems("two") == {}, "the same file is no difference")

    assert two.stop() == 0
    house.add("one", CARLA, aliases=["c@d.test"])
    one.wait_for("routing_applied", version=3)
    two = house.start("two", "--role", "submission")
    assert two.wait_for("routing_applied")["version"] == 3, "an old file is no edit"
    assert "edit or copy them" in two.wait_for("trouble", what="routing-files")["text"]
    assert one.count("routing_applied") == 3
    house.copy("one", "two")
    until(lambda: house.problems("two") == {}, "and is mended by a copy")
    assert [one.count("failed"), two.count("failed")] == [0, 0]


def test_what_one_node_is_told_of_an_account_holds_on_the_other(house: House) -> None:
    one = house.start("one", ANNA=RIGHT)
    two = house.start("two", "--role", "submission")
    (ident,) = two.send(sender=BRUNO)
    house.tell("two", BRUNO, "password", password=RIGHT)
    one.wait_for("delivered", id=ident)

    house.tell("one", ANNA, "pause", why="prova")
    until(lambda: house.shown("two", ANNA)["health"] == house.shown("one", ANNA)["health"], "paused on both")
    (ident,) = two.send(sender=ANNA)
    house.tell("two", ANNA, "resume")
    one.wait_for("delivered", id=ident)

    house.provider_knows(BRUNO, WRONG)
    house.tell("one", BRUNO, "password", password="neither nor")
    one.wait_for("health_changed", mailbox=BRUNO)
    (ident,) = two.send(sender=BRUNO)
    house.tell("one", BRUNO, "password", password=WRONG)
    one.wait_for("delivered", id=ident)
    assert [one.count("failed"), two.count("failed")] == [0, 0]


def test_who_lacks_a_secret_leaves_its_mailbox_to_the_others(house: House) -> None:
    one, two = house.start("one", ANNA=RIGHT), house.start("two")
    assert f"{ANNA} at lab: env:ANNA is not set" in house.problems("two")["routing-secrets"]
    for ident in two.send(3, sender=ANNA):
        one.wait_for("delivered", id=ident)
    assert two.count("session_opened", mailbox=ANNA) == 0

    assert two.stop() == 0
    two = house.start("two", ANNA=RIGHT)
    assert house.problems("two") == {}, "now both have it"
    assert one.stop() == 0
    house.provider_knows(ANNA, "nuova")
    one = house.start("one", ANNA="nuova")
    for ident in two.send(3, sender=ANNA):
        one.wait_for("delivered", id=ident)
    said = two.wait_for("trouble", what="routing-secrets")["text"]
    assert f"{ANNA} at lab: its secret here is another one than the one in force" in said
    assert house.problems("one") == {}
    assert house.refused_logins() == [], "the newest change counts, and nobody tries the old one"
    assert [one.count("failed"), two.count("failed")] == [0, 0]


def test_a_secret_that_no_node_has_any_more_is_told_of_and_its_mail_goes_when_one_has_it_again(house: House) -> None:
    house.program = f"from relay.app import announcing; announcing.EVERY = 1.0; {PROGRAM}"
    one, two = house.start("one", ANNA=RIGHT), house.start("two")
    assert one.stop() == 0
    (ident,) = two.send(sender=ANNA)
    until(lambda: house.shown("two", ANNA)["reason"] == "no-node-logs-in", "one may come back with it")
    shown = house.shown("two", ANNA)
    assert (shown["needs"], shown["eta"]) == ("ops", None), "but nothing goes by itself"
    one = house.start("one")
    until(lambda: house.shown("two", ANNA)["reason"] == "no-credentials", "nobody is waited for any more")

    def stranded() -> int:
        return sum(node.count("account_stranded", account=ANNA, reason="no-credentials") for node in (one, two))

    until(lambda: stranded() > 0, "its owner is told, whoever noticed")
    until(lambda: house.problems("one") == house.problems("two") == {}, "and it is nobody's to leave to another")
    assert stranded() == 1, "and once"
    assert two.stop() == 0
    two = house.start("two", ANNA=RIGHT)
    two.wait_for("delivered", id=ident)
    until(lambda: ANNA in house.problems("one").get("routing-secrets", ""), "the other one leaves it to this one")
    assert [one.count("failed"), two.count("failed")] == [0, 0]


def test_it_is_said_that_no_node_delivers_until_one_does(house: House) -> None:
    """Mail is taken and is safe; but it goes at no time by itself, and somebody has to start a node."""
    house.program = f"from relay.app import announcing; announcing.EVERY = 1.0; {PROGRAM}"
    two = house.start("two", "--role", "submission", ANNA=RIGHT)
    (ident,) = two.send(sender=ANNA)
    text = two.wait_for("trouble", what="delivery")["text"]
    assert text.startswith("no node delivers: mail is taken, is safe in the store, and waits")
    assert json.loads(two.get("/readyz")[1])["ready"], "to take it is right"
    shown = house.shown("two", ANNA)
    assert (shown["reason"], shown["needs"], shown["eta"]) == ("no-node", "ops", None)
    one = house.start("one", "--role", "delivery", ANNA=RIGHT)
    one.wait_for("delivered", id=ident)
    two.wait_for("trouble_over", what="delivery")
    assert [one.count("failed"), two.count("failed")] == [0, 0]
