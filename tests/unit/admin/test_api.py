"""The HTTP side: health for this machine, the rest for admins, and every error a problem document."""

import httpx
import pytest
from fastapi import FastAPI

from relay.admin import AdminSources, Part, Readiness, admin_app

TOKEN = "0123456789abcdef0123456789abcdef"
HERE = ("127.0.0.1", 40000)
ELSEWHERE = ("10.0.0.9", 40000)
OPEN = ["/healthz", "/readyz", "/metrics"]


class Relay:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.now = 1_795_340_102.5
        self.readiness = Readiness(lambda: self.now)
        self.looks = 0
        self.failures: list[Exception] = []
        self.app: FastAPI = admin_app(
            AdminSources("0.1.0", TOKEN, self.readiness, self.look, self.metrics, self.failures.append)
        )

    async def look(self) -> None:
        self.looks += 1

    async def metrics(self) -> bytes:
        return b"relay_build_info 1\n"

    async def get(self, path, *, peer=HERE, token=None, method="GET"):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=peer)
        async with httpx.AsyncClient(transport=transport, base_url="http://relay") as client:
            return await client.request(method, path, headers=headers)


@pytest.fixture
def relay():
    return Relay()


async def test_the_process_lives(relay):
    answer = await relay.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_node_that_can_work_is_ready(relay):
    answer = await relay.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "problems": []}
    assert relay.looks == 1, "it looked before it answered"


@pytest.mark.parametrize("part", list(Part))
async def test_a_node_that_cannot_work_says_so_and_since_when(relay, part):
    relay.readiness.set(part, "no space left for mail")
    answer = await relay.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "problems": [{"what": part, "text": "no space left for mail", "since": "2026-11-22T09:35:02.500000Z"}],
    }


async def test_other_peoples_troubles_are_listed_and_leave_the_node_ready(relay):
    relay.readiness.set("routing-edit", "routing.yaml:3:1: error: unknown key")
    answer = await relay.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert [each["what"] for each in answer.json()["problems"]] == ["routing-edit"]


async def test_metrics_come_in_prometheus_text(relay):
    answer = await relay.get("/metrics")
    assert answer.text == "relay_build_info 1\n"
    assert answer.headers["content-type"].startswith("text/plain; version=")


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("peer", [HERE, ("::1", 1)])
async def test_health_and_metrics_are_open_to_this_machine(relay, path, peer):
    assert (await relay.get(path, peer=peer)).status_code == 200


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("peer", [ELSEWHERE, ("not-an-address", 1), None])
async def test_health_and_metrics_are_closed_to_others_without_the_token(relay, path, peer):
    assert (await relay.get(path, peer=peer)).status_code == 401
    assert (await relay.get(path, peer=peer, token=TOKEN)).status_code == 200


@pytest.mark.parametrize("token", [None, "", "x", TOKEN[:-1], TOKEN + "0", TOKEN.upper()])
async def test_the_api_is_closed_without_the_token_even_from_here(relay, token):
    for path in ("/api/v1/openapi.json", "/", "/api/v1/messages", "/docs", "/healthz/", "/metrics/../api"):
        answer = await relay.get(path, token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_api_describes_itself_to_an_admin(relay):
    answer = await relay.get("/api/v1/openapi.json", token=TOKEN)
    assert answer.status_code == 200
    assert set(answer.json()["paths"]) == {"/healthz", "/readyz", "/metrics"}
    assert "503" in answer.json()["paths"]["/readyz"]["get"]["responses"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/metrics", 405)])
async def test_every_error_is_a_problem_document(relay, method, path, status):
    answer = await relay.get(path, token=TOKEN, method=method)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert answer.json()["status"] == status


async def test_a_defect_is_told_to_the_log_and_not_to_the_client(relay):
    @relay.app.get("/broken")
    async def broken() -> None:
        raise ValueError("paziente.segreto@example.com")

    answer = await relay.get("/broken", token=TOKEN)
    assert answer.status_code == 500
    assert "segreto" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [type(error) for error in relay.failures] == [ValueError]


async def test_a_wrong_query_is_a_problem_document(relay):
    @relay.app.get("/list")
    async def listed(limit: int) -> int:
        return limit

    answer = await relay.get("/list?limit=many", token=TOKEN)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("query.limit:")
    assert (await relay.get("/list?limit=3", token=TOKEN)).text == "3"
