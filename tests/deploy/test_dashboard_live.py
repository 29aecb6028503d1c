"""Every question of the dashboard, put to a real Prometheus that scraped a real relay: each answer was caused here."""

import asyncio
import json
import signal
import smtplib
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relay import __version__
from relay.sandbox.certificates import make_certificates
from tests.deploy.dashboard import queries
from tests.deploy.prometheus_process import PrometheusProcess, Sample
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ANNA, BRUNO, CARLA, DARIO, ELENA, FABIO = (
    f"{name}@d.test" for name in ("anna", "bruno", "carla", "dario", "elena", "fabio")
)
LISTENER = "127.0.0.1:0"
NOBODY = 1
"""A port at which nobody listens."""
STALL = 1.5
"""Seconds that the process is stopped for; its loop then is late by about as much."""


@dataclass(frozen=True)
class Seen:
    """A sample that must come: with these labels, and such a value."""

    is_right: Callable[[float], bool]
    labels: dict[str, str]

    def __call__(self, sample: Sample) -> bool:
        return self.labels.items() <= sample["metric"].items() and self.is_right(sample["value"])


def some(**labels: str) -> Seen:
    return Seen(lambda value: value > 0, labels)


def just(wanted: float, **labels: str) -> Seen:
    return Seen(lambda value: value == wanted, labels)


def least(wanted: float, **labels: str) -> Seen:
    return Seen(lambda value: value >= wanted, labels)


EXPECTED: dict[str, tuple[Seen, ...]] = {
    "Ready": (just(1),),
    "Waiting": (least(4),),
    "Held": (some(),),
    "Oldest": (some(),),
    "Paused accounts": (some(),),
    "In doubt, 24 h": (some(),),
    "Mails from clients": (some(result="rejected"),),
    "Outcomes": (some(outcome="bounced"),),
    "Queue": (some(state="held"),),
    "Attempts that were not taken": (some(**{"class": "unknown"}),),
    "Mails from clients, by client": (some(client="here"),),
    "Waiting, by provider": (least(4, provider="lab"),),
    "Delay of single mails": (some(), some()),
    "Delay of bursts": (some(), some()),
    "Oldest, by provider": (some(provider="lab"),),
    "Limits keep mail back": (some(provider="lab"),),
    "Fullest mailboxes": (just(1, account=BRUNO),),
    "Longest queues": (some(account=BRUNO),),
    "Accounts, by health": (some(health="paused"),),
    "Accounts that are not ok": (just(1, account=CARLA, health="paused"),),
    "Providers, by health": (just(1, provider="gone", health="waiting"),),
    "In doubt and unknown": (some(provider="drops"), some(provider="odd")),
    "Logins at providers": (some(provider="lab", result="rejected"), some(provider="lab", finding="works")),
    "Sessions with providers": (some(provider="lab"),),
    "Notices": (some(result="unsendable"),),
    "Notices that wait": (some(road="mail"),),
    "Logins of clients": (some(result="rejected"), some(listener=LISTENER)),
    "Store": (some(operation="put"),),
    "Event loop lag": (least(STALL / 2),),
    "Memory": (least(10_000_000),),
    "Disk of the queue": (some(),),
    "Certificates": (least(20 * 86_400, listener=LISTENER),),
    "Routing in force since": (some(),),
    "Nodes": (just(1, role="all", state="running"),),
    "Store reached": (just(1),),
    "Store has to be mended": (just(0, what="durability"),),
    "Versions": (just(1, version=__version__),),
}
AFTER_EDITS = {"Routing": just(0), "Accounts without series": some()}
"""What edits of the routing cause, after all else was seen."""


class World:
    """A relay with providers that do not all behave, and Prometheus beside it."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        users = path / "users"
        users.write_text(
            "".join(f"{account}:{'right' if account == CARLA else 'pw'}\n" for account in (ANNA, BRUNO, CARLA))
        )
        lab = self._provider(stack, "--users", str(users))
        odd = self._provider(stack, "--reply", "rcpt:550 5.1.1 no such user*1", "--reply", "eod:450 zxcv qwpo")
        drops = self._provider(stack, "--fault", "drop-after-dot:1")
        files = asyncio.run(make_certificates(path))
        listen = [{"address": LISTENER, "tls": "implicit"}, {"address": LISTENER, "tls": "none"}]
        tls = {"certificate": str(files.certificate), "key": str(files.key)}
        self.folder = Folder(path, provider=lab, submission={"listen": listen, "tls": tls})
        self._write_routing(odd, drops)
        self.relay = RelayProcess(self.folder.config)
        stack.callback(self.relay.kill)
        self.relay.wait_until_ready()
        self.prometheus = PrometheusProcess(path / "prometheus", self.relay.http)
        stack.callback(self.prometheus.kill)
        self.prometheus.wait_until_scraped()

    @staticmethod
    def _provider(stack: ExitStack, *options: str) -> int:
        running = SandboxProcess(*options)
        stack.callback(running.kill)
        return running.port

    def _write_routing(self, odd: int, drops: int) -> None:
        routing = self.folder.routing
        lab = routing["providers"]["lab"]
        lab["session"] = {"idle": "10m"}
        routing["providers"] |= {
            "odd": {**lab, "port": odd},
            "drops": {**lab, "port": drops},
            "gone": {**lab, "port": NOBODY},
        }
        routing["clients"]["studio"] = {"password": "geheim", "may_send_as": [ANNA]}
        of = {ANNA: "lab", BRUNO: "lab", CARLA: "lab", DARIO: "odd", ELENA: "drops", FABIO: "gone"}
        routing["accounts"] = {
            account: {"provider": provider, "password": f"file:{account}.password"} for account, provider in of.items()
        }
        routing["accounts"][BRUNO]["limits"] = ["2/1h"]
        for account in of:
            self.folder.set_password(account, "pw")
        self.folder.write()

    def cause(self) -> None:
        """What the dashboard has to show."""
        relay = self.relay
        relay.send(6, sender=ANNA)
        relay.send(6, sender=BRUNO)
        for sender in (CARLA, DARIO, ELENA, FABIO):
            relay.send(sender=sender)
        with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
            client.ehlo()
            assert client.mail("nobody@elsewhere.test")[0] == 550
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("studio", "wrong")
        self._speak_no_tls()
        relay.wait_for("bounced", account=DARIO)
        relay.wait_for("left_in_doubt", account=ELENA)
        relay.wait_for("delivered", account=ANNA, times=6)
        self._try_by_hand(ANNA)
        self._stall()

    def _try_by_hand(self, account: str) -> None:
        token = (self.folder.path / "var" / "admin.token").read_text().strip()
        url = f"http://127.0.0.1:{self.relay.http}/api/v1/accounts/{account}/test"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=PATIENCE) as answer:
            assert json.load(answer)["finding"] == "works"

    def _speak_no_tls(self) -> None:
        (first, *_) = [each for each in self.relay.records if each["event"] == "listening" and each["what"] == "smtp"]
        with socket.create_connection(("127.0.0.1", int(first["address"].rpartition(":")[2])), PATIENCE) as client:
            client.sendall(b"EHLO nobody-speaks-tls.example.org\r\n" * 3)
            while client.recv(1000):
                pass

    def _stall(self) -> None:
        self.relay.tell(signal.SIGSTOP)
        try:
            address = ("127.0.0.1", self.relay.smtp)
            with socket.create_connection(address, STALL) as client, pytest.raises(TimeoutError):
                client.recv(1)
        finally:
            self.relay.tell(signal.SIGCONT)

    def edit(self, **changed: Any) -> None:
        """Edits the routing."""
        self.folder.routing |= changed
        self.folder.write()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_every_panel_has_its_expectation() -> None:
    asked: dict[str, int] = {}
    for title, _ in queries():
        asked[title] = asked.get(title, 0) + 1
    assert asked == {title: len(seen) for title, seen in EXPECTED.items()} | dict.fromkeys(AFTER_EDITS, 1)


@pytest.mark.needs("prometheus", "openssl")
def test_every_query_of_the_dashboard_shows_what_happened(world: World) -> None:
    world.cause()
    left = {title: list(seen) for title, seen in EXPECTED.items()}
    for title, query in queries():
        if title in left:
            world.prometheus.wait_for(query, left[title].pop(0))
    _alerts_say_what_they_mean(world.prometheus)
    after = dict(queries())
    many = {f"medico{number}@d.test": {"provider": "lab", "password": "file:nothing"} for number in range(1001)}
    world.edit(accounts=world.folder.routing["accounts"] | many)
    world.prometheus.wait_for(after["Accounts without series"], AFTER_EDITS["Accounts without series"])
    world.folder.replace_routing("clients: [")
    world.prometheus.wait_for(after["Routing"], AFTER_EDITS["Routing"])


def _alerts_say_what_they_mean(prometheus: PrometheusProcess) -> None:
    """A reply that nobody knows calls somebody at once, and the text that he reads is whole."""
    prometheus.wait_for('ALERTS{alertname="RelayUnknownReplies", alertstate="firing"}', some(provider="odd"))
    alerts = prometheus.alerts()
    assert (
        "odd: 1"
        in next(each for each in alerts if each["labels"]["alertname"] == "RelayUnknownReplies")["annotations"][
            "description"
        ]
    )
    for alert in alerts:
        assert not {"<no value>", "<error"} & set(alert["annotations"]["description"].split()), alert
