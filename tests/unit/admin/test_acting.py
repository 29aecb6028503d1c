"""What admins say about accounts over HTTP: whom it reaches, what is answered, and what nobody hears back."""

import pytest

from relay.admin.bodies import BODY_MOST
from relay.core import tested as findings
from relay.core.health import HealthEvent, HealthState
from relay.core.reply import Reply
from relay.core.routing import Owner
from relay.core.tested import Finding
from relay.core.words import Plan, Stage
from relay.errors import StoreUnavailable, UnknownAccount
from relay.store.ports.healths import HealthChange
from relay.store.ports.reading import AccountQuery, Particulars, SentView
from tests.fakes.clerk import BOX
from tests.fakes.reading import NOON, account
from tests.unit.admin.openapi_check import Document
from tests.unit.admin.relay_app import TOKEN, Relay

ANNA = "/api/v1/accounts/anna@d.test"
SECRET = "molto-segreta-42"


@pytest.fixture
def relay() -> Relay:
    return Relay()


async def document_of(relay: Relay) -> Document:
    return Document((await relay.ask("/api/v1/openapi.json")).json())


@pytest.mark.parametrize(
    ("order", "body", "told"),
    [
        ("pause", {"why": "ferie"}, ("pause", "anna@d.test", "ferie", "admin")),
        ("pause", None, ("pause", "anna@d.test", "", "admin")),
        ("resume", None, ("resume", "anna@d.test", "admin")),
        ("fixed", None, ("fixed", "anna@d.test", "admin")),
        ("test", None, ("test", "anna@d.test", "admin")),
        ("password", {"password": SECRET}, ("password", "anna@d.test", SECRET, "password", "admin")),
        ("password", {"refresh_token": SECRET}, ("password", "anna@d.test", SECRET, "refresh-token", "admin")),
    ],
)
@pytest.mark.parametrize("sender", ["anna@d.test", "ANNA@d.test", "old@D.test"])
async def test_an_order_reaches_the_clerk_by_whatever_address(relay, order, body, told, sender):
    answer = await relay.order(f"/api/v1/accounts/{sender}/{order}", body)
    assert answer.status_code == 200
    assert relay.clerk.told == [told]
    assert (await document_of(relay)).complaints(f"/api/v1/accounts/{{sender}}/{order}", answer) == []
    assert SECRET not in answer.text


@pytest.mark.parametrize("order", ["pause", "resume", "fixed", "test", "password"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_an_order_is_only_said_and_never_asked_for(relay, order, method):
    answer = await relay.get(f"{ANNA}/{order}", token=TOKEN, method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["detail"].endswith("it takes POST")
    assert relay.clerk.told == []


async def test_a_trial_is_answered_with_all_that_was_found(relay):
    relay.clerk.tested = findings.Tested(
        "anna@d.test", BOX, Finding.NOT_NOW, "limit", until=NOON, reply=Reply(450, None, "slow")
    )
    answer = await relay.order(f"{ANNA}/test", None)
    assert answer.json() == {
        "sender": "anna@d.test",
        "ok": False,
        "finding": "not-now",
        "reason": "limit",
        "stage": None,
        "reply": "450 slow",
        "until": "2026-11-22T12:00:00.000000Z",
        "text": "All is well.",
    }


async def test_a_password_that_is_not_known_to_work_in_time_says_so(relay):
    relay.clerk.is_slow = True
    body = (await relay.order(f"{ANNA}/password", {"password": SECRET})).json()
    assert (body["changed"], body["test"]) == (True, None)
    relay.clerk.is_slow = False
    relay.clerk.tested = findings.Tested("anna@d.test", BOX, Finding.WORKS, stage=Stage.RCPT)
    assert (await relay.order(f"{ANNA}/password", {"password": SECRET})).json()["test"]["ok"] is True


# who is not there


@pytest.mark.parametrize("order", ["pause", "resume", "fixed", "test", "password"])
async def test_whom_nobody_knows_is_404_with_whom_was_perhaps_meant(relay, order):
    body = {"password": SECRET} if order == "password" else None
    answer = await relay.order(f"/api/v1/accounts/ana@d.test/{order}", body)
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("did you mean anna@d.test?")
    assert "did you mean" not in (await relay.order(f"/api/v1/accounts/x@y.z/{order}", body)).json()["detail"]
    assert relay.clerk.told == []


async def test_an_account_that_is_shown_is_guessed_at_too(relay):
    assert (await relay.ask("/api/v1/accounts/ana@d.test")).json()["detail"].endswith("did you mean anna@d.test?")


async def test_an_account_that_goes_in_this_moment_is_404(relay):
    relay.clerk.trouble = UnknownAccount()
    assert (await relay.order(f"{ANNA}/resume", None)).status_code == 404
    assert relay.failures == []


async def test_a_store_that_is_away_is_503(relay):
    relay.clerk.trouble = StoreUnavailable()
    assert (await relay.order(f"{ANNA}/resume", None)).status_code == 503


async def test_what_cannot_be_done_is_409_and_says_what_to_do(relay):
    relay.clerk.refusal = "write `password: secret:anna` into the routing"
    answer = await relay.order(f"{ANNA}/password", {"password": SECRET})
    assert (answer.status_code, answer.json()["detail"]) == (409, relay.clerk.refusal)
    assert (await document_of(relay)).complaints("/api/v1/accounts/{sender}/password", answer) == []


# what a body may be


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": None},
        {"password": SECRET, "refresh_token": SECRET},
        {"password": [SECRET]},
        {"password": {"value": SECRET}},
        {"pasword": SECRET},
        {SECRET: "x"},
        {"password": "x", SECRET: "x"},
        SECRET,
        [SECRET],
        None,
    ],
)
async def test_what_is_no_password_is_refused_and_never_given_back(relay, body):
    answer = await relay.order(f"{ANNA}/password", body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert relay.clerk.told == []


async def posted(relay, path: str, content: bytes = b"", **headers: str):
    """As something else than a program of ours asks."""
    import httpx

    transport = httpx.ASGITransport(relay.app, raise_app_exceptions=False, client=("127.0.0.1", 40000))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025") as client:
        given = {"Authorization": f"Bearer {TOKEN}", **named}
        return await client.request("POST", path, headers=given, content=content)


@pytest.mark.parametrize("broken", [b"{", b'{"password": "' + SECRET.encode(), b"\xff\xfe", SECRET.encode()])
async def test_what_is_no_json_is_refused_and_never_given_back(relay, broken):
    answer = await posted(relay, f"{ANNA}/password", broken, content_type="application/json")
    assert answer.status_code == 400
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"]
)
async def test_what_a_form_of_another_site_can_send_is_415_with_or_without_a_body(relay, kind):
    for content in (b"", b'{"password": "x"}'):
        answer = await posted(relay, f"{ANNA}/pause", content, content_type=kind)
        assert answer.status_code == 415
        assert answer.headers["content-type"] == "application/problem+json"
    assert relay.clerk.told == []


async def test_a_body_of_no_type_is_415_and_none_needs_none(relay):
    assert (await posted(relay, f"{ANNA}/resume", b"{}")).status_code == 415
    assert (await posted(relay, f"{ANNA}/resume")).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://evil.example"},
                {"Origin": "null"}]
)  # fmt: skip
async def test_a_page_of_another_site_is_refused_even_with_the_token(relay, headers):
    assert (await posted(relay, f"{ANNA}/pause", **headers)).status_code == 403
    assert relay.clerk.told == []


@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "same-origin", "Origin": "http://127.0.0.1:8025"}, {"Sec_Fetch_Site": "none"}]
)
async def test_our_own_pages_and_programs_may_ask(relay, headers):
    assert (await posted(relay, f"{ANNA}/pause", **headers)).status_code == 200


async def test_a_body_that_is_too_large_is_413_whatever_it_says_of_its_length(relay):
    async def endless():
        while True:
            yield b"x" * 65_536

    answer = await posted(relay, f"{ANNA}/password", b"x" * (BODY_MOST + 1), content_type="application/json")
    assert answer.status_code == 413
    answer = await posted(relay, f"{ANNA}/password", endless(), content_type="application/json")
    assert answer.status_code == 413
    assert relay.clerk.told == []


async def test_a_why_is_bounded(relay):
    assert (await relay.order(f"{ANNA}/pause", {"why": "x" * 1001})).status_code == 400


@pytest.mark.parametrize("order", ["pause", "resume", "fixed", "test", "password"])
async def test_without_the_token_nothing_is_done(relay, order):
    body = {"password": SECRET}
    answer = await relay.get(f"{ANNA}/{order}", method="POST", json=body)
    assert answer.status_code == 401
    assert relay.clerk.told == []


async def test_a_parameter_that_an_order_does_not_know_is_refused(relay):
    assert (await relay.order(f"{ANNA}/resume?why=x", None)).status_code == 400
    assert relay.clerk.told == []


# what is shown


async def test_an_account_is_shown_with_its_history(relay):
    relay.reading.of_accounts = [account()]
    relay.healths.changes = [
        HealthChange(NOON, HealthState.PAUSED, "auth-rejected", HealthEvent.NEVER_WORKED, "535 no", "admin")
    ]
    assert (await relay.ask(ANNA)).json()["history"] == [
        {
            "at": "2026-11-22T12:00:00.000000Z",
            "health": "paused",
            "reason": "auth-rejected",
            "cause": "never-worked",
            "reply": "535 no",
            "by": "admin",
        }
    ]


async def test_how_much_each_sends_is_asked_for_or_comes_with_the_legacy_plan(relay):
    known = Particulars(owner=Owner("Dr. X", "x@y.z", "1"), sent=SentView(NOON, 3, 9))
    relay.reading.of_accounts = [account(plan=Plan.LEGACY, particulars=known)]
    (item,) = (await relay.ask("/api/v1/accounts?plan=legacy")).json()["items"]
    assert (item["sent_7d"], item["sent_30d"], item["last_sent_at"]) == (3, 9, "2026-11-22T12:00:00.000000Z")
    assert item["owner"] == {"name": "Dr. X", "email": "x@y.z", "phone": "1"}
    await relay.ask("/api/v1/accounts?sent=true")
    await relay.ask("/api/v1/accounts?plan=legacy&sent=false")
    await relay.ask("/api/v1/accounts")
    assert [each.with_sent for each in relay.reading.asked if isinstance(each, AccountQuery)] == [
        True, True, False, False,
    ]  # fmt: skip


async def test_the_status_page_names_no_owner(relay):
    known = Particulars(owner=Owner("Dr. Nome Cognome", "x@y.z", "0974"))
    relay.reading.of_accounts = [account(health="paused", particulars=known)]
    assert "Cognome" not in (await relay.ask("/api/v1/status")).text
