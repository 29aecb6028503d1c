"""The description of the API is true: every answer, good or bad, is what the OpenAPI document says of it."""

from itertools import product
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.core.remedy import Needs
from relay.core.suppression import SuppressionKind
from relay.core.words import Plan
from relay.errors import StoreUnavailable
from relay.store.ports.history import HealthCount, QueueCount
from tests.fakes.reading import NOON, account, attempt, delivery, message, provider
from tests.unit.admin.openapi_check import Document
from tests.unit.admin.relay_app import ELSEWHERE, TOKEN, Relay

PATHS = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/status",
    "/api/v1/messages",
    "/api/v1/messages/{id}/unmasked",
    "/api/v1/messages/{id}",
    "/api/v1/accounts",
    "/api/v1/accounts/{sender}",
    "/api/v1/recipients",
    "/api/v1/accounts/{sender}/pause",
    "/api/v1/accounts/{sender}/resume",
    "/api/v1/accounts/{sender}/fixed",
    "/api/v1/accounts/{sender}/test",
    "/api/v1/accounts/{sender}/password",
    "/api/v1/replies",
    "/api/v1/accounts/{sender}/optouts",
    "/api/v1/accounts/{sender}/optouts/remove",
}


KEPT = {
    "/api/v1/keys",
    "/api/v1/keys/rotate",
    "/api/v1/keys/{id}/retire",
    "/api/v1/secrets",
    "/api/v1/secrets/{name}",
}
"""Of keys and secrets: see test_keys_and_secrets."""

BOARD = {"/api/v1/notices", "/api/v1/notices/dead", "/api/v1/notices/dead/{id}/retry"}
"""See test_notices."""

ORDERS: dict[str, object] = {
    "/api/v1/accounts/{sender}/pause": {"why": "ferie"},
    "/api/v1/accounts/{sender}/password": {"password": "segreta"},
    "/api/v1/accounts/{sender}/optouts": {"recipient": "paziente@example.org"},
    "/api/v1/accounts/{sender}/optouts/remove": {"recipient": "paziente@example.org"},
}
"""What is said to paths that are told to do something."""


@pytest.fixture
def relay():
    relay = Relay()
    relay.readiness.set("accounts", "mail is not moving: 1 paused of 2 accounts")
    states = ("waiting", "sending", "held", "delivered", "bounced", "cancelled")
    every = [
        delivery(state=state, reason=reason, needs=needs, eta=eta, attempts=(attempt(), attempt(reply=None)))
        for state, reason, needs, eta in product(states, (None, "limit"), (None, *Needs), (None, NOON))
    ]
    relay.reading.of_messages = [message(deliveries=tuple(every)), message("bb22", state="held")]
    relay.reading.of_accounts = [
        account(health="paused", reason="auth-rejected", since=NOON, needs=Needs.OWNER, eta=None),
        account("bruno@d.test", plan=Plan.LEGACY, health="retired"),
        account("gone@d.test", plan=None, mailbox=None, limits=()),
    ]
    relay.reading.of_providers = [
        provider(),
        provider("aruba", health="paused", reason="network", since=NOON, eta=NOON),
    ]
    relay.reading.counts = [QueueCount("lab", 7, 1, 2, 61.5), QueueCount("aruba", 0, 0, 0, None)]
    for kind in SuppressionKind:
        relay.suppressions.put("anna@d.test", f"{kind}@example.org", kind)
    relay.reading.healths = [HealthCount(plan, "ok", 2) for plan in Plan]
    return relay


async def document_of(relay) -> Document:
    return Document((await relay.ask("/api/v1/openapi.json")).json())


async def test_it_names_every_path_and_no_other(relay):
    assert set((await document_of(relay)).paths) == PATHS | KEPT | BOARD


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        *((path, path) for path in sorted(PATHS) if "{" not in path),
        ("/api/v1/messages", "/api/v1/messages?limit=1"),
        ("/api/v1/messages/{id}", "/api/v1/messages/aa11"),
        ("/api/v1/accounts/{sender}", "/api/v1/accounts/anna@d.test"),
        ("/api/v1/accounts/{sender}", "/api/v1/accounts/gone@d.test"),
        ("/api/v1/accounts/{sender}/optouts", "/api/v1/accounts/anna@d.test/optouts?limit=1"),
    ],
)
async def test_every_good_answer_is_as_described(relay, path, asked):
    answer = await relay.ask(asked)
    assert answer.status_code == 200
    assert (await document_of(relay)).complaints(path, answer) == []


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/api/v1/messages", "/api/v1/messages?limit=0", 400),
        ("/api/v1/messages", "/api/v1/messages?cursor=x", 400),
        ("/api/v1/accounts", "/api/v1/accounts?nonsense=1", 400),
        ("/api/v1/messages/{id}", "/api/v1/messages/zz", 404),
        ("/api/v1/accounts/{sender}", "/api/v1/accounts/zz", 404),
    ],
)
async def test_every_refusal_is_as_described(relay, path, asked, status):
    answer = await relay.ask(asked)
    assert answer.status_code == status
    document = await document_of(relay)
    assert str(status) in document.paths[path]["get"]["responses"], "not only by default"
    assert document.complaints(path, answer) == []


@pytest.mark.parametrize("path", sorted(ORDERS))
async def test_every_order_is_answered_as_described(relay, path):
    document, asked = await document_of(relay), path.replace("{sender}", "anna@d.test")
    answer = await relay.order(asked, ORDERS[path])
    assert answer.status_code == 200
    assert document.complaints(path, answer) == []
    refused = await relay.order(asked, {"nonsense": 1})
    assert refused.status_code == 400
    assert "400" in document.paths[path]["post"]["responses"]
    assert document.complaints(path, refused) == []


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_401_503_and_500_are_as_described(relay, path):
    document = await document_of(relay)
    asked = path.replace("{id}", "aa11").replace("{sender}", "anna@d.test")
    order, method = ORDERS.get(path), "POST" if "get" not in document.paths[path] else "GET"
    assert document.complaints(path, await relay.get(asked, peer=ELSEWHERE, method=method, json=order)) == []
    if path.startswith("/api/"):
        for trouble, status in ((StoreUnavailable("away"), 503), (ValueError("defect"), 500)):
            relay.reading.trouble = relay.suppressions.trouble = relay.recipients.trouble = trouble
            relay.clerk.trouble = relay.riddles.trouble = trouble
            answer = await relay.get(asked, token=TOKEN, method=method, json=order)
            assert answer.status_code == status
            assert document.complaints(path, answer) == []


async def test_a_node_that_is_not_ready_answers_as_described(relay):
    relay.readiness.set("store", "away")
    answer = await relay.ask("/readyz")
    assert answer.status_code == 503
    assert (await document_of(relay)).complaints("/readyz", answer) == []


async def test_it_says_what_needs_the_token_and_what_does_not_from_here(relay):
    document = await document_of(relay)
    for path, operations in document.paths.items():
        for method, operation in operations.items():
            security = operation["security"]
            is_open = (await relay.get(path, method=method.upper())).status_code != 401
            assert ({} in security) == is_open
            assert {"token": []} in security


async def test_every_operation_and_parameter_is_explained(relay):
    every = [(path, each) for path, found in (await document_of(relay)).paths.items() for each in found.values()]
    for path, operation in every:
        assert operation["summary"], path
        assert operation["description"], path
        assert "422" not in operation["responses"], "it is never answered"
        for parameter in operation.get("parameters", ()):
            assert parameter["schema"], (path, parameter["name"])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda body: body.pop("size"), "no size"),
        (lambda body: body.update(subject="x"), "unknown key subject"),
        (lambda body: body.update(size="4"), "is no integer"),
        (lambda body: body.update(state="stuck"), "is not in"),
        (lambda body: body.update(accepted_at="2026-11-22 12:00"), "is no date-time"),
        (lambda body: body["deliveries"][0].update(needs="patient"), "is none of"),
    ],
)
async def test_the_check_itself_sees_an_answer_that_is_not_as_described(relay, spoil, complaint):
    answer = await relay.ask("/api/v1/messages/bb22")
    body = answer.json()
    spoil(body)
    answer.json = lambda: body
    (found,) = (await document_of(relay)).complaints("/api/v1/messages/{id}", answer)
    assert complaint in found
    assert TOKEN not in found


NAMES = st.sampled_from(
    ["limit", "cursor", "state", "account", "message_id", "health", "plan", "queued", ""]
) | st.text(max_size=5)
VALUES = st.sampled_from(["", "1", "0", "-1", "1e9", "held", "ok", "personal", "true", "at-1", "at-²", "a@b", "<a@b>"])
QUESTIONS = st.lists(st.tuples(NAMES, VALUES | st.text(st.characters(codec="utf-8"), max_size=10)), max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["/api/v1/messages", "/api/v1/accounts", "/api/v1/status"]), question=QUESTIONS)
async def test_whatever_is_asked_the_answer_is_as_described_and_never_a_defect(relay, path, question):
    answer = await relay.ask(f"{path}?{urlencode(question)}")
    assert answer.status_code in (200, 400)
    assert (await document_of(relay)).complaints(path, answer) == []
    assert relay.failures == []
