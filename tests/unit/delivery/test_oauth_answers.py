"""What an authorization server's answer means: who is to blame, who mends it, and never a word of its text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from relay.core.meaning import Fault
from relay.core.remedy import Needs, needs_of
from relay.delivery.oauth_answers import (
    ASSUMED_SECONDS,
    LONGEST_SECONDS,
    RETRY_AFTER_MOST,
    TOKEN_LENGTH,
    Blame,
    Grant,
    Refusal,
    read_answer,
)

GRANTED = {"token_type": "Bearer", "access_token": "at", "expires_in": 3599, "refresh_token": "rt"}


def read(status: int, body: Any, retry_after: str | None = None) -> Grant | Refusal:
    return read_answer(status, json.dumps(body).encode(), retry_after)


def refused(status: int, body: Any, retry_after: str | None = None) -> Refusal:
    found = read(status, body, retry_after)
    assert isinstance(found, Refusal)
    return found


def said_by_microsoft(error: str, code: int, **more: Any) -> dict[str, Any]:
    described = f"AADSTS{code}: Something about it.\r\nTrace ID: 255d1aef-8c98-452f-ac51-23d051240864"
    return {"error": error, "error_description": described, "error_codes": [code], **more}


# grants


def test_a_grant_is_token_lifetime_and_the_renewed_refresh_token() -> None:
    assert read(200, GRANTED) == Grant("at", 3599.0, "rt")


def test_google_keeps_the_refresh_token() -> None:
    assert read(200, {"access_token": "at", "expires_in": 3599, "token_type": "Bearer", "scope": "x"}) == Grant(
        "at", 3599.0, None
    )


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("3599", 3599.0),
        (None, ASSUMED_SECONDS),
        ("soon", ASSUMED_SECONDS),
        (True, ASSUMED_SECONDS),
        (-5, ASSUMED_SECONDS),
        (10**9, LONGEST_SECONDS),
        (0, 0.0),
    ],
)
def test_a_lifetime_is_read_and_bounded(told: Any, seconds: float) -> None:
    found = read(200, {**GRANTED, "expires_in": told})
    assert isinstance(found, Grant)
    assert found.seconds == seconds


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "a\r\nMAIL FROM:<x>"},
        {"access_token": "a\1b"},
        {"access_token": "è"},
        {"access_token": "a" * (TOKEN_LENGTH + 1)},
        {"access_token": 7},
        {"token_type": "mac"},
        {"refresh_token": ["x"]},
        {"refresh_token": "a\0"},
    ],
)
def test_a_grant_that_no_login_could_use_is_none(change: dict[str, Any]) -> None:
    found = refused(200, {**GRANTED, **change})
    assert (found.blame, found.fault) == (Blame.TIME, Fault.OAUTH_UNREAD)


def test_no_token_shows_in_a_grants_repr() -> None:
    shown = repr(Grant("ACCESS", 1.0, "REFRESH"))
    assert "ACCESS" not in shown
    assert "REFRESH" not in shown


# the owner's permission


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"error": "invalid_grant"}, Fault.OAUTH_CONSENT),
        ({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, Fault.OAUTH_CONSENT),
        (said_by_microsoft("invalid_grant", 65001, suberror="consent_required"), Fault.OAUTH_CONSENT),
        (said_by_microsoft("invalid_grant", 70000), Fault.OAUTH_CONSENT),
        (said_by_microsoft("invalid_grant", 70008), Fault.OAUTH_CONSENT),
        (said_by_microsoft("invalid_grant", 700082), Fault.OAUTH_CONSENT),
        (said_by_microsoft("invalid_grant", 50173), Fault.OAUTH_PASSWORD_CHANGED),
        (said_by_microsoft("invalid_grant", 50133), Fault.OAUTH_PASSWORD_CHANGED),
        (said_by_microsoft("invalid_grant", 50132, suberror="bad_token"), Fault.OAUTH_PASSWORD_CHANGED),
        (said_by_microsoft("invalid_grant", 99999, suberror="user_password_expired"), Fault.OAUTH_PASSWORD_CHANGED),
        (said_by_microsoft("interaction_required", 50076, suberror="basic_action"), Fault.OAUTH_SIGN_IN),
        (said_by_microsoft("interaction_required", 99999), Fault.OAUTH_SIGN_IN),
        (said_by_microsoft("invalid_grant", 50079), Fault.OAUTH_SIGN_IN),
        ({"error": "invalid_grant", "error_subtype": "invalid_rapt"}, Fault.OAUTH_SIGN_IN),
        ({"error": "login_required"}, Fault.OAUTH_SIGN_IN),
        ({"error": "consent_required"}, Fault.OAUTH_CONSENT),
        (said_by_microsoft("invalid_grant", 50057), Fault.OAUTH_BLOCKED),
        (said_by_microsoft("interaction_required", 53003, suberror="message_only"), Fault.OAUTH_BLOCKED),
        ({"error": "admin_policy_enforced"}, Fault.OAUTH_BLOCKED),
    ],
)
def test_a_lost_permission_says_what_the_owner_has_to_do(body: dict[str, Any], fault: Fault) -> None:
    found = refused(400, body)
    assert (found.blame, found.fault) == (Blame.GRANT, fault)
    assert needs_of(fault) is Needs.OWNER


def test_a_number_that_nobody_knows_leaves_the_meaning_to_the_name() -> None:
    """Microsoft changes its numbers: they may say who mends it, never whether mail stops."""
    found = refused(400, said_by_microsoft("invalid_grant", 123456789))
    assert (found.blame, found.fault) == (Blame.GRANT, Fault.OAUTH_CONSENT)


# the relay itself


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_client"},
        said_by_microsoft("invalid_client", 7000215),
        said_by_microsoft("invalid_client", 7000222),
        said_by_microsoft("unauthorized_client", 7000112),
        said_by_microsoft("invalid_request", 90002),
        {"error": "deleted_client"},
        {"error": "unsupported_grant_type"},
    ],
)
def test_a_client_that_is_not_known_is_the_relays_own_trouble(body: dict[str, Any]) -> None:
    found = refused(401, body)
    assert (found.blame, found.fault) == (Blame.CLIENT, Fault.OAUTH_CLIENT)
    assert needs_of(found.fault) is Needs.ADMIN


@pytest.mark.parametrize("error", ["unauthorized_client", "invalid_scope", "invalid_request"])
def test_what_may_be_either_is_left_to_who_knows_whom_it_served(error: str) -> None:
    assert refused(400, {"error": error}).blame is Blame.CLIENT_OR_GRANT


# what passes


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_out_of_order_blames_nobody(status: int) -> None:
    found = read_answer(status, b"<html>busy</html>")
    assert found == Refusal(Blame.TIME, Fault.OAUTH_UNREACHABLE, f"http {status}")


def test_even_if_it_says_that_the_permission_is_bad() -> None:
    assert refused(503, {"error": "invalid_grant"}).blame is Blame.TIME


@pytest.mark.parametrize(
    "body", [{"error": "temporarily_unavailable"}, said_by_microsoft("invalid_grant", 90033), {"error": "slow_down"}]
)
def test_what_is_said_to_pass_passes(body: dict[str, Any]) -> None:
    found = refused(400, body)
    assert (found.blame, found.fault) == (Blame.TIME, Fault.OAUTH_UNREACHABLE)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        (" 5 ", 5.0),
        ("0", 0.0),
        ("999999", RETRY_AFTER_MOST),
        ("9" * 40, None),
        ("-3", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None),
        ("²", None),
        (None, None),
    ],
)
def test_a_pause_that_is_asked_for_is_read_and_bounded(header: str | None, seconds: float | None) -> None:
    assert refused(429, {}, header).retry_after == seconds


# nonsense


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>login to the wifi</html>"),
        (200, b"[]"),
        (200, b"\xff\xfe"),
        (200, b"[" * 100_000),
        (302, b""),
        (400, b"no"),
        (404, b"<html>"),
        (400, b'{"error": "something_new"}'),
        (400, b'{"error": {"code": 190}}'),
        (400, b"{}"),
    ],
)
def test_nonsense_is_tried_again_and_told_to_ops(status: int, body: bytes) -> None:
    found = read_answer(status, body)
    assert isinstance(found, Refusal)
    assert (found.blame, found.fault) == (Blame.TIME, Fault.OAUTH_UNREAD)
    assert needs_of(found.fault) is Needs.OPS


def test_what_is_kept_of_an_answer_are_names_and_numbers() -> None:
    body = said_by_microsoft("invalid_grant", 50173, suberror="bad_token", hint="SECRET")
    body["error_description"] += " for user mario.bianchi@example.it with SECRET"
    assert refused(400, body).said == "invalid_grant bad_token AADSTS50173"
    assert refused(400, {"error": "SECRET\r\nX: y"}).said == "http 400"


@given(some.integers(100, 599), some.binary(max_size=200), some.one_of(some.none(), some.text(max_size=12)))
def test_no_answer_breaks_it(status: int, body: bytes, header: str | None) -> None:
    assert isinstance(read_answer(status, body, header), Refusal)


_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=9),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
)


@given(
    some.sampled_from([200, 400, 401]),
    some.dictionaries(
        some.sampled_from([*GRANTED, "error", "error_codes", "error_description", "suberror", "error_subtype"]), _JSON
    ),
)
def test_no_object_breaks_it_either(status: int, body: dict[str, Any]) -> None:
    found = read(status, body)
    assert isinstance(found, Refusal) or body["access_token"] == found.access_token
