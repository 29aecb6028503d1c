"""Whom an account does not write to, over HTTP: said, taken back and listed, and never with an address."""

import pytest

from relay.core.suppression import SuppressionKind
from relay.errors import StoreUnavailable
from tests.unit.admin.relay_app import Relay

ANNA = "anna@d.test"
PATH = f"/api/v1/accounts/{ANNA}/optouts"
PATIENT = {"recipient": "paziente@example.org"}


@pytest.fixture
def relay() -> Relay:
    return Relay()


async def test_an_opt_out_is_said_once(relay: Relay) -> None:
    assert (await relay.order(PATH, PATIENT)).json() == {"is_new": True}
    assert (await relay.order(PATH, PATIENT)).json() == {"is_new": False}
    assert relay.suppressions.may_stand(ANNA, "paziente@example.org")


async def test_it_is_taken_back_with_what_else_stands(relay: Relay) -> None:
    relay.suppressions.put(ANNA, "paziente@example.org", SuppressionKind.UNKNOWN)
    await relay.order(PATH, PATIENT)
    assert (await relay.order(f"{PATH}/remove", PATIENT)).json() == {"lifted": ["optout", "unknown"]}
    assert (await relay.order(f"{PATH}/remove", PATIENT)).json() == {"lifted": []}


async def test_it_is_listed_without_an_address_page_after_page(relay: Relay) -> None:
    relay.suppressions.put(ANNA, "uno@example.org", SuppressionKind.OPTOUT)
    relay.suppressions.put(ANNA, "due@example.org", SuppressionKind.UNKNOWN)
    first = (await relay.ask(f"{PATH}?limit=1")).json()
    assert first["items"] == [
        {
            "recipient": {"hash": f"{1:064x}"},
            "kind": "optout",
            "since": "2026-11-02T10:00:00.000000Z",
            "until": None,
        }
    ]
    second = (await relay.ask(f"{PATH}?limit=1&cursor={first['next_cursor']}")).json()
    assert [each["kind"] for each in second["items"]] == ["unknown"]
    assert second["items"][0]["until"] == "2026-11-16T10:00:00.000000Z"
    assert second["next_cursor"] is None
    assert "example.org" not in str(first) + str(second)


@pytest.mark.parametrize("body", [{"recipient": "nobody"}, {"recipient": ""}, {}, {"recipient": "a@b.c", "x": 1}, None])
async def test_what_is_no_address_is_refused_and_not_given_back(relay: Relay, body: object) -> None:
    for path in (PATH, f"{PATH}/remove"):
        answer = await relay.order(path, body)
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "nobody" not in answer.text
    assert relay.suppressions.asked == []


async def test_an_account_that_nobody_knows_is_404(relay: Relay) -> None:
    relay.suppressions.strangers = {"x@d.test"}
    path = "/api/v1/accounts/x@d.test/optouts"
    for answer in (
        await relay.ask(path),
        await relay.order(path, PATIENT),
        await relay.order(f"{path}/remove", PATIENT),
    ):
        assert answer.status_code == 404
        assert "no account of this address" in answer.json()["detail"]


async def test_a_cursor_that_nobody_gave_out_is_wrong(relay: Relay) -> None:
    assert (await relay.ask(f"{PATH}?cursor=zz")).status_code == 400


async def test_a_store_that_is_away_is_503(relay: Relay) -> None:
    relay.suppressions.trouble = StoreUnavailable()
    assert (await relay.order(PATH, PATIENT)).status_code == 503


async def test_nobody_opts_anybody_out_without_a_token(relay: Relay) -> None:
    assert (await relay.get(PATH, method="POST", json=PATIENT)).status_code == 401
    assert relay.suppressions.asked == []


async def test_an_account_with_a_slash_in_its_address_has_its_own(relay: Relay) -> None:
    assert (await relay.order("/api/v1/accounts/a%2Fb@d.test/optouts", PATIENT)).json() == {"is_new": True}
    assert relay.suppressions.may_stand("a/b@d.test", "paziente@example.org")
