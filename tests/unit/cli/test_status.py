"""`relay status`: the relay on one screen of 80 columns, what is wrong first."""

import json
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from relay.cli.asking import RelayApi
from relay.cli.status import drawn as status_of
from relay.cli.status import follow
from relay.core.remedy import Needs
from relay.core.words import Plan
from relay.store.ports.history import HealthCount, QueueCount
from relay.store.ports.nodes import NodeState, Role
from relay.store.ports.reading import LimitView
from tests.fakes.nodes import node
from tests.fakes.reading import MINUTE, NOON, account, provider
from tests.unit.admin.relay_app import Relay
from tests.unit.cli.drawing import NOW, answer, drawn


@pytest.fixture
def relay():
    return Relay()


def shown(relay, *, width=80):
    return drawn(lambda console: console.print(status_of(answer(relay, "status"), NOW)), width=width)


def test_everything_stands_on_one_screen(relay):
    relay.readiness.set("disk", "nearly full")
    reading = relay.reading
    reading.counts = [QueueCount("lab", 12345, 2, 10, 12345.0), QueueCount("none", 0, 0, 3, 400000.0)]
    reading.of_providers = [
        provider("lab"),
        provider(
            "aruba", health="waiting", reason="network", since=NOON, eta=NOON + 30 * MINUTE, limits=(), accounts=5
        ),
    ]
    reading.healths = [HealthCount(Plan.PERSONAL, "ok", 1234), HealthCount(Plan.PERSONAL, "paused", 1)]
    reading.of_accounts = [
        account("m.rossi@studio.it", health="paused", reason="auth-rejected", since=NOON, needs=Needs.OWNER, eta=None),
        account(),
    ]
    assert shown(relay) == (
        "clinic-relay 0.1.0, node n1, up 8 min: NOT READY\n"
        "smtp 127.0.0.1:2525, http 127.0.0.1:8025\n"
        "\n"
        "! disk: nearly full (since 09:35:02 UTC)\n"
        "\n"
        "! provider aruba: waiting since 12:00:00 UTC, network; tried again in 22m\n"
        "\n"
        "PROVIDER HEALTH  WAITING SENDING HELD OLDEST SESSIONS TOTAL LIMITS\n"
        "lab      ok        12345       2   10     3h        2 7 of 100/1s\n"
        "aruba    waiting       0       0    0               2\n"
        "none                   0       0    3     5d\n"
        "\n"
        "ACCOUNTS   OK DOUBTED SLOWED WAITING PAUSED RETIRED\n"
        "personal 1234                             1\n"
        "5 accounts behind a stopped provider\n"
        "\n"
        "NOT OK            HEALTH WHY           SINCE NEXT  QUEUED LIMITS\n"
        "m.rossi@studio.it paused auth-rejected    8m owner      3 20 of 20/10m\n"
    )


def test_nodes_that_share_a_store_are_listed_with_their_state(relay):
    relay.nodes.here = [
        node("n1", role=Role.SUBMISSION),
        node("n2", state=NodeState.DRAINING),
        node("n3", role=Role.DELIVERY, state=NodeState.SILENT),
    ]
    assert (
        "NODE       ROLE       STATE    UP SEEN SESSIONS SENDING VERSION\n"
        "posta-1 n1 submission running  8m   7m        3       2 0.1.0\n"
        "posta-2 n2 all        draining 8m   7m        3       2 0.1.0\n"
        "posta-3 n3 delivery   silent   8m   7m        3       2 0.1.0\n"
    ) in shown(relay)
    relay.nodes.here = [node(f"n{number}") for number in range(30)]
    assert "... and 10 more" in shown(relay)


def test_of_a_node_alone_the_first_line_says_it_all(relay):
    assert "NODE " not in shown(relay)


def test_a_slowed_limit_says_what_it_allows_now(relay):
    slowed = (LimitView("20/m", 4, 5), LimitView("900/calendar-day", 7, 900))
    relay.reading.of_accounts = [account(health="slowed", reason="rate-limited", since=NOON, eta=None, limits=slowed)]
    assert "4 of 20/m (now 5), 7 of 900/calendar-day" in shown(relay, width=200)


def test_a_relay_without_anything_says_so(relay):
    assert "no provider, and nothing is queued" in shown(relay)
    assert "no accounts" in shown(relay)
    assert ": ready" in shown(relay)


def test_80_columns_are_enough(relay):
    relay.reading.of_providers = [
        provider("a-provider-with-a-long-name", health="waiting", reason="network", since=NOON)
    ]
    relay.reading.of_accounts = [
        account("dottoressa.bianchi@studiobianchi.it", health="waiting", reason="too-many-recipients", since=NOON)
    ]
    relay.reading.counts = [QueueCount("a-provider-with-a-long-name", 1_000_000, 20, 100_000, 9e5)]
    relay.reading.healths = [HealthCount(plan, "paused", 100_000) for plan in Plan]
    assert all(len(line) <= 80 for line in shown(relay).splitlines())
    assert "…" not in shown(relay)


def test_more_accounts_in_trouble_than_a_screen_has_room_for_are_cut_and_said(relay):
    relay.reading.of_accounts = [account(f"a{number}@d.test", health="paused") for number in range(30)]
    assert shown(relay).count("paused ") == 20
    assert "... and more" in shown(relay)


def test_json_is_exactly_that_of_the_api(desk):
    desk.relay.reading.of_providers = [provider()]
    assert json.loads(desk.says("status", "--json")) == answer(desk.relay, "status")


@pytest.mark.parametrize("option", [[], ["--json"]])
@pytest.mark.parametrize("wish", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}], ids=" ".join)
def test_watching_needs_a_terminal(desk, option, wish, monkeypatch):
    for name, value in wish.items():
        monkeypatch.setenv(name, value)
    code, out, err = desk.run("status", "--watch", *option)
    assert (code, out) == (2, "")
    assert "--watch needs a terminal" in err


class Steps(httpx.BaseTransport):
    """A relay that goes away and comes back, and a user who then has seen enough."""

    def __init__(self, *steps):
        self._left = list(steps)

    def handle_request(self, request):
        step = self._left.pop(0)
        if isinstance(step, Exception):
            raise step
        return httpx.Response(200, json=step)

    def sleep(self, seconds):
        if not self._left:
            raise KeyboardInterrupt


def test_watching_goes_on_while_the_relay_is_away_and_ends_with_ctrl_c(relay, monkeypatch):
    steps = Steps(answer(relay, "status"), httpx.ConnectError("refused"), answer(relay, "status"))
    monkeypatch.setattr("relay.cli.status.time.sleep", steps.sleep)
    watched = RelayApi(httpx.Client(transport=steps, base_url="http://relay"), "127.0.0.1:8025", Path("token"))
    seen = drawn(lambda console: follow(console, watched), is_terminal=True)
    assert "the relay is not reachable" in seen
    assert seen.count("clinic-relay 0.1.0") == 2


def test_colours_are_for_terminals(relay):
    def draw(console: Console) -> None:
        console.print(status_of(answer(relay, "status"), NOW))

    assert "\x1b[" in drawn(draw, is_terminal=True)
    assert "\x1b[" not in drawn(draw)
