"""Keys and secrets over HTTP: what may be known of them is shown, and a value goes in and never comes out."""

import pytest

from relay.errors import StoreKeyError
from tests.fakes.keepers import FIRST, SECOND
from tests.unit.admin.openapi_check import Document
from tests.unit.admin.relay_app import TOKEN, Relay

VALUE = "canarino di nascosto"


@pytest.fixture
def relay() -> Relay:
    return Relay()


async def test_the_list_of_keys_says_what_still_needs_the_old_one(relay: Relay) -> None:
    answer = await relay.get("/api/v1/keys", token=TOKEN)
    first, second = answer.json()["items"]
    assert first == {
        "id": FIRST.id,
        "place": "/keys/relay.key",
        "since": None,
        "encrypts": False,
        "needed_by": ["mail"],
    }
    assert (second["encrypts"], second["since"]) == (True, "2026-11-22T09:35:02.000000Z")


async def test_a_rotation_says_where_the_new_key_is(relay: Relay) -> None:
    answer = await relay.get("/api/v1/keys/rotate", token=TOKEN, method="POST")
    assert answer.json() == {"id": SECOND.id, "place": SECOND.place, "encrypted_anew": 7}


async def test_a_rotation_that_needs_another_key_says_so(relay: Relay) -> None:
    relay.keys.failure = StoreKeyError("RELAY_KEY holds no key that is new to this store")
    answer = await relay.get("/api/v1/keys/rotate", token=TOKEN, method="POST")
    assert (answer.status_code, answer.json()["detail"]) == (409, "RELAY_KEY holds no key that is new to this store")


async def test_a_key_is_retired_only_when_nothing_needs_it(relay: Relay) -> None:
    path = f"/api/v1/keys/{FIRST.id}/retire"
    refused = await relay.get(path, token=TOKEN, method="POST")
    assert (refused.status_code, refused.json()["detail"]) == (409, f"the key {FIRST.id} is still needed by mail")
    assert (await relay.get("/api/v1/keys/nokey/retire", token=TOKEN, method="POST")).status_code == 404
    relay.keys.needs = ()
    assert (await relay.get(path, token=TOKEN, method="POST")).json() == {"id": FIRST.id, "place": FIRST.place}
    assert relay.keys.retired == [FIRST.id]


async def test_the_list_of_secrets_has_names_and_uses_and_no_value(relay: Relay) -> None:
    relay.secrets.kept["m.rossi"] = VALUE
    answer = await relay.get("/api/v1/secrets", token=TOKEN)
    rossi, hook = answer.json()["items"]
    assert (rossi["kind"], rossi["host"], rossi["login"]) == ("mailbox", "smtps.aruba.it", "m.rossi@studio.test")
    assert (hook["name"], hook["kind"], hook["host"]) == ("hook", None, None)
    assert VALUE not in answer.text


async def test_a_value_goes_in_and_never_comes_out(relay: Relay) -> None:
    answers = [
        await relay.get("/api/v1/secrets/m.rossi%40x.it", token=TOKEN, method="PUT", json=body)
        for body in ({"value": VALUE}, {"value": VALUE}, {"valeu": VALUE}, {"value": [VALUE]}, VALUE)
    ]
    assert relay.secrets.kept == {"m.rossi@x.it": VALUE}
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 400]
    assert [answer.json()["is_new"] for answer in answers[:2]] == [True, False]
    assert not any(VALUE in answer.text for answer in answers)


async def test_what_an_account_logs_in_with_is_set_for_the_account_where_it_is_tried(relay: Relay) -> None:
    relay.secrets.kept["m.rossi"] = VALUE
    relay.secrets.users = ["m.rossi@studio.test", "b.bianchi@studio.test"]
    path = "/api/v1/secrets/m.rossi"
    refused = await relay.get(path, token=TOKEN, method="PUT", json={"value": "sbagliata"})
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "secret:m.rossi is what m.rossi@studio.test and 1 more logs in with: relay account set-password "
        "m.rossi@studio.test keeps it and tries it at once; to replace it untried: force=true (relay secret set "
        "--force)"
    )
    assert relay.secrets.kept == {"m.rossi": VALUE}
    forced = await relay.get(f"{path}?force=true", token=TOKEN, method="PUT", json={"value": "un'altra"})
    assert (forced.status_code, relay.secrets.kept) == (200, {"m.rossi": "un'altra"})


@pytest.mark.parametrize("name", ["hook", "new"])
async def test_what_is_for_no_mailbox_yet_is_set_by_its_name(relay: Relay, name: str) -> None:
    """The key of a webhook, and the first value of what the routing names already."""
    relay.secrets.users = ["m.rossi@studio.test"]
    answer = await relay.get(f"/api/v1/secrets/{name}", token=TOKEN, method="PUT", json={"value": VALUE})
    assert (answer.status_code, relay.secrets.kept) == (200, {name: VALUE})


async def test_a_value_that_cannot_be_meant_is_refused(relay: Relay) -> None:
    answer = await relay.get("/api/v1/secrets/bad", token=TOKEN, method="PUT", json={"value": VALUE})
    assert (answer.status_code, answer.json()["detail"]) == (400, "it holds control characters")


async def test_a_secret_is_forgotten_once(relay: Relay) -> None:
    relay.secrets.kept["hook"] = VALUE
    answers = [await relay.get("/api/v1/secrets/hook", token=TOKEN, method="DELETE") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 404]


async def test_nobody_without_the_token_does_anything(relay: Relay) -> None:
    answers = [
        await relay.get("/api/v1/keys/rotate", method="POST"),
        await relay.get("/api/v1/secrets", method="GET"),
        await relay.get("/api/v1/secrets/hook", method="PUT", json={"value": VALUE}),
        await relay.get("/api/v1/secrets/hook", method="DELETE"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert relay.secrets.kept == {}


@pytest.mark.parametrize("path", ["/api/v1/keys", "/api/v1/secrets"])
async def test_every_list_is_as_described(relay: Relay, path: str) -> None:
    document = Document((await relay.get("/api/v1/openapi.json", token=TOKEN)).json())
    assert document.complaints(path, await relay.get(path, token=TOKEN)) == []
    assert document.complaints(path, await relay.get(path)) == []
