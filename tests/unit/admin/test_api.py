"""The HTTP side: health for this machine, the rest for admins, and every error a problem document."""

import pytest

from relay.admin import Part
from tests.unit.admin.relay_app import ELSEWHERE, HERE, TOKEN, Relay

OPEN = ["/healthz", "/readyz", "/metrics"]


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


@pytest.mark.parametrize("host", ["relay.example.it", "evil.test:8025", "localhost.evil.test", "1.2.3.4.evil.test"])
@pytest.mark.parametrize("path", OPEN)
async def test_a_page_from_elsewhere_in_a_browser_here_reads_nothing_by_a_name_that_leads_here(relay, path, host):
    answer = await relay.get(path, host=host)
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await relay.get(path, host=host, token=TOKEN)).status_code == 200, "the token is nothing that a page has"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8025", "localhost.", "127.0.0.1", "[::1]:8025", "10.0.0.1:1"])
async def test_this_machine_is_asked_by_localhost_or_an_address(relay, host):
    assert (await relay.get("/metrics", host=host)).status_code == 200


@pytest.mark.parametrize(
    ("path", "token"), [("/healthz", None), ("/api/v1/status", None), ("/api/v1/status", TOKEN), ("/nothing", TOKEN)]
)
async def test_every_answer_tells_browsers_to_keep_and_run_nothing_of_it(relay, path, token):
    headers = (await relay.get(path, token=token)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert not [name for name in headers if name.startswith("access-control-")]


async def test_a_path_is_itself_and_never_redirects(relay):
    assert (await relay.ask("/api/v1/messages/")).status_code == 404
    assert (await relay.ask("/api/v1/status/")).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_what_reads_takes_nothing_else(relay, method):
    answer = await relay.get("/api/v1/messages", token=TOKEN, method=method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert "GET" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/status", "/nothing"])
async def test_a_monitor_may_ask_with_head(relay: Relay, path: str) -> None:
    asked, told = await relay.get(path, token=TOKEN), await relay.get(path, token=TOKEN, method="HEAD")
    assert (told.status_code, told.headers["content-type"]) == (asked.status_code, asked.headers["content-type"])
    assert told.content == b""
    assert told.headers["cache-control"] == "no-store"


async def test_head_shows_no_more_than_get_to_who_has_no_token(relay: Relay) -> None:
    assert (await relay.get("/api/v1/status", method="HEAD")).status_code == 401


async def test_the_status_takes_no_parameter_and_says_so(relay: Relay) -> None:
    answer = await relay.ask("/api/v1/status?watch=1")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "watch: not a parameter of this path; there is none"
