"""The balancer that is shipped, in front of real relays: clients keep their addresses, and go to a node that works."""

import smtplib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.deploy.haproxy_process import FILES, HaproxyProcess
from tests.fakes.redisservers import until
from tests.integration.ports import free_ports
from tests.integration.relay_process import PATIENCE, Folder, Record, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

PRACTICE, STRANGER = "127.0.0.7", "127.0.0.8"
"""Addresses of this machine from which a client may call; only the first one is known."""

BEHIND = {"address": "127.0.0.1:0", "tls": "none", "plaintext": "allow", "trust_networks": True}

pytestmark = pytest.mark.needs("haproxy")


class Busy(BaseHTTPRequestHandler):
    """What a node says that drains, or whose store is away."""

    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Nobody reads it."""


class World:
    """Two relays, each with a store of its own here, what opens their /readyz, and a balancer in front of both."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self.stack = stack
        provider = SandboxProcess()
        stack.callback(provider.kill)
        self.nodes = [self._node(path / name, provider.port) for name in ("one", "two")]

    def _node(self, path: Path, provider: int) -> RelayProcess:
        path.mkdir()
        listen = [{**BEHIND, "proxy_protocol": ["127.0.0.1"]}]
        folder = Folder(path, provider=provider, submission={"listen": listen})
        folder.routing["clients"] = {"practice": {"networks": [PRACTICE], "may_send_as": ["*@d.test"]}}
        folder.write()
        relay = RelayProcess(folder.config)
        self.stack.callback(relay.kill)
        return relay

    def watch(self, relay: RelayProcess) -> int:
        """The port at which watch.cfg opens what a node says of itself."""
        (port,) = free_ports(1)
        places = {"bind :8404": f"bind 127.0.0.1:{port}", "127.0.0.1:8025": f"127.0.0.1:{relay.http}"}
        self.stack.callback(HaproxyProcess(self.path, "watch.cfg", places).kill)
        return port

    def balance(self, *watches: int) -> tuple[HaproxyProcess, int]:
        """The balancer and its port."""
        (port,) = free_ports(1)
        places = {"bind :2525": f"bind 127.0.0.1:{port}"}
        for number, (relay, watch) in enumerate(zip(self.nodes, watches, strict=True), 1):
            shipped = f"relay-{number} relay-{number}:2525 check port 8404"
            places[shipped] = f"relay-{number} 127.0.0.1:{relay.smtp} check port {watch}"
        balancer = HaproxyProcess(self.path, "balancer.cfg", places)
        self.stack.callback(balancer.kill)
        return balancer, port


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests of the room, as relays take a second to start; the one that stops a node is the last."""
    with ExitStack() as stack:
        made = World(tmp_path_factory.mktemp("world"), stack)
        for relay in made.nodes:
            relay.wait_until_ready()
        yield made


def send(port: int, *, address: str = PRACTICE) -> tuple[int, bytes]:
    """Hands in a mail from this address; what was said to MAIL, or in the end."""
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE, source_address=(address, 0)) as client:
        client.ehlo()
        code, reply = client.mail("anna@d.test")
        if code != 250:
            return code, reply
        client.rcpt("paziente@example.org")
        return client.data("From: anna@d.test\r\nSubject: prova\r\n\r\nBuongiorno\r\n")


def said(world: World, event: str) -> list[Record]:
    """What either node has said of this."""
    return [each for relay in world.nodes for each in relay.records if each["event"] == event]


def ask(port: int, path: str, method: str = "GET") -> int:
    """The status of an answer."""
    try:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("file", sorted(FILES.glob("*.cfg")), ids=lambda file: file.name)
def test_haproxy_takes_the_file(file: Path) -> None:
    done = subprocess.run(["haproxy", "-c", "-f", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mail_arrives_and_the_relay_knows_who_handed_it_in(world: World) -> None:
    _, port = world.balance(*[world.watch(relay) for relay in world.nodes])
    assert send(port)[0] == 250
    until(lambda: said(world, "delivered") != [], "the mail arrives")
    assert send(port, address=STRANGER)[0] == 530
    until(lambda: said(world, "refused") != [], "the refusal is told")
    assert {each["peer"] for each in said(world, "refused")} == {STRANGER}


def test_clients_go_to_the_node_that_can_do_its_work(world: World) -> None:
    busy = HTTPServer(("127.0.0.1", 0), Busy)
    world.stack.callback(busy.server_close)
    thread = Thread(target=busy.serve_forever)
    thread.start()
    world.stack.callback(thread.join)
    world.stack.callback(busy.shutdown)
    first, second = world.nodes
    balancer, port = world.balance(busy.server_port, world.watch(second))
    balancer.wait_for("Server nodes/relay-1 is DOWN")
    before = first.count("accepted"), second.count("accepted")
    assert [send(port)[0] for _ in range(4)] == [250] * 4
    second.wait_for("accepted", times=before[1] + 4)
    assert first.count("accepted") == before[0]


def test_what_a_node_opens_is_its_state_and_nothing_else(world: World) -> None:
    port = world.watch(world.nodes[0])
    assert {path: ask(port, path) for path in ("/readyz", "/healthz", "/metrics")} == {
        "/readyz": 200,
        "/healthz": 200,
        "/metrics": 200,
    }
    for path in ("/", "/api/v1/status", "/readyz/../api/v1/status", "//api/v1/status", "/metrics/"):
        assert ask(port, path) == 404, path
    assert ask(port, "/readyz", "POST") == 404


def test_a_node_that_stops_costs_no_client_his_connection(world: World) -> None:
    _, port = world.balance(*[world.watch(relay) for relay in world.nodes])
    assert world.nodes[0].stop() == 0
    assert [send(port)[0] for _ in range(4)] == [250] * 4
