"""The status over HTTP: the relay on one page, and at most a hundred accounts in trouble, the worst first."""

import pytest

from relay.core.remedy import Needs
from relay.core.words import Plan
from relay.store.ports.history import HealthCount, QueueCount
from tests.fakes.reading import MINUTE, NOON, account, provider
from tests.unit.admin.relay_app import Relay


@pytest.fixture
def relay():
    return Relay()


async def test_the_status_is_the_relay_on_one_page(relay):
    relay.readiness.set("routing-edit", "routing.yaml:3:1: error: unknown key")
    relay.reading.counts = [QueueCount("lab", 7, 1, 2, 61.5), QueueCount("none", 0, 0, 0, None)]
    relay.reading.healths = [HealthCount(Plan.PERSONAL, "ok", 2), HealthCount(Plan.LEGACY, "paused", 0)]
    relay.reading.of_providers = [
        provider("lab", health="waiting", reason="network", since=NOON, eta=NOON + MINUTE, needs=Needs.OPS)
    ]
    relay.reading.of_accounts = [account("a@d.test", health="slowed"), account("b@d.test")]
    answer = await relay.ask("/api/v1/status")
    assert answer.status_code == 200
    shown = answer.json()
    (troubled,) = shown.pop("troubled")
    assert (troubled["sender"], troubled["health"]) == ("a@d.test", "slowed")
    assert shown == {
        "ready": True,
        "problems": [
            {
                "what": "routing-edit",
                "text": "routing.yaml:3:1: error: unknown key",
                "since": "2026-11-22T09:35:02.500000Z",
            }
        ],
        "version": "0.1.0",
        "node": "n1",
        "role": "all",
        "started_at": "2026-11-22T12:00:00.000000Z",
        "nodes": [
            {
                "node": "n1",
                "name": "posta-1",
                "role": "all",
                "version": "0.1.0",
                "started_at": "2026-11-22T12:00:00.000000Z",
                "last_seen": "2026-11-22T12:01:00.000000Z",
                "state": "running",
                "listeners": ["smtp 127.0.0.1:2525", "http 127.0.0.1:8025"],
                "sessions": 3,
                "under_way": 2,
            }
        ],
        "listeners": [
            {"what": "smtp", "address": "127.0.0.1:2525"},
            {"what": "http", "address": "127.0.0.1:8025"},
        ],
        "queue": [
            {"provider": "lab", "waiting": 7, "sending": 1, "held": 2, "oldest_seconds": 61.5},
            {"provider": "none", "waiting": 0, "sending": 0, "held": 0, "oldest_seconds": None},
        ],
        "accounts": [{"plan": "personal", "health": "ok", "accounts": 2}],
        "providers": [
            {
                "provider": "lab",
                "health": "waiting",
                "reason": "network",
                "since": "2026-11-22T12:00:00.000000Z",
                "eta": "2026-11-22T12:01:00.000000Z",
                "needs": "ops",
                "sessions": 2,
                "accounts": 0,
                "limits": [{"limit": "100/1s", "used": 7, "most": 100}],
            }
        ],
    }
    assert relay.looks == 1, "it looked before it answered"


async def test_a_hundred_accounts_in_trouble_are_listed_the_worst_first(relay):
    relay.reading.of_accounts = [
        *(account(f"slowed{number}@d.test", health="slowed") for number in range(90)),
        *(account(f"paused{number}@d.test", health="paused") for number in range(60)),
    ]
    troubled = (await relay.ask("/api/v1/status")).json()["troubled"]
    assert [each["health"] for each in troubled] == ["paused"] * 60 + ["slowed"] * 40


async def test_a_retired_account_is_in_trouble_only_with_mail(relay):
    relay.reading.of_accounts = [
        account("a@d.test", health="retired", queued=0),
        account("b@d.test", health="retired", queued=1),
    ]
    troubled = (await relay.ask("/api/v1/status")).json()["troubled"]
    assert [each["sender"] for each in troubled] == ["b@d.test"]


async def test_a_node_that_is_not_ready_says_so(relay):
    relay.readiness.set("disk", "nearly full")
    shown = (await relay.ask("/api/v1/status")).json()
    assert shown["ready"] is False
    assert shown["problems"][0]["text"] == "nearly full"
