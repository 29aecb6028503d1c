"""CRAM-MD5 and XOAUTH2 as a provider speaks them, only where it was told to."""

import hmac
import json
from base64 import b64decode, b64encode

import pytest

from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of, records

ALL = ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2")


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.fixture
def peer() -> Peer:
    peer = Peer(provider_of(FakeWorld(), users={"mario": "pw"}, mechanisms=ALL))
    peer.say("EHLO x")
    return peer


def response(challenge: str, password: str) -> str:
    asked = b64decode(challenge.removeprefix("334 "))
    return b64("mario " + hmac.digest(password.encode(), asked, "md5").hex())


def token(word: str) -> str:
    return b64(f"user=mario\1auth=Bearer {word}\1\1")


def test_they_are_offered_on_request_alone() -> None:
    peer = Peer(provider_of(FakeWorld()))
    assert "AUTH PLAIN LOGIN\r\n" in peer.say("EHLO x")
    assert peer.codes("AUTH CRAM-MD5", "AUTH XOAUTH2 " + token("pw")) == ["504", "504"]
    offering = Peer(provider_of(FakeWorld(), mechanisms=("XOAUTH2",)))
    assert "AUTH XOAUTH2\r\n" in offering.say("EHLO x")
    assert offering.say("AUTH PLAIN " + b64("\0mario\0pw")).startswith("504")


@pytest.mark.parametrize(("password", "code"), [("pw", "235"), ("other", "535")])
def test_cram_md5_proves_a_password_without_saying_it(peer: Peer, password: str, code: str) -> None:
    challenge = peer.say("AUTH CRAM-MD5").strip()
    assert peer.say(response(challenge, password))[:3] == code
    (record,) = records(peer.provider, "auth")
    assert record["user"] == "mario"


def test_each_challenge_is_another_one(peer: Peer) -> None:
    other = Peer(peer.provider, 2)
    other.say("EHLO x")
    assert peer.say("AUTH CRAM-MD5") != other.say("AUTH CRAM-MD5")


@pytest.mark.parametrize("lines", [["AUTH CRAM-MD5 " + b64("mario x")], ["AUTH CRAM-MD5", b64("mario")]])
def test_cram_md5_out_of_form_is_refused(peer: Peer, lines: list[str]) -> None:
    assert [peer.say(line) for line in lines][-1].startswith("501")


def test_a_token_logs_in(peer: Peer) -> None:
    assert peer.say("AUTH XOAUTH2 " + token("pw")).startswith("235")


def test_a_wrong_token_is_told_as_a_challenge_before_it_is_refused(peer: Peer) -> None:
    challenge = peer.say("AUTH XOAUTH2 " + token("old")).strip()
    assert json.loads(b64decode(challenge.removeprefix("334 ")))["status"] == "400"
    assert peer.say("").startswith("535")
    assert [record["reply"][:3] for record in records(peer.provider, "auth") if record["reply"]] == ["535"]
    assert peer.login().startswith("235"), "the session goes on"


def test_a_token_out_of_form_is_refused(peer: Peer) -> None:
    assert peer.say("AUTH XOAUTH2 " + b64("mario pw")).startswith("501")
