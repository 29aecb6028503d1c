"""Asking the running relay: the right place, the right token, and a sentence and a code for each thing that fails."""

import json

import httpx
import pytest

from relay.cli.asking import PAGE
from relay.errors import StoreUnavailable
from tests.fakes.reading import message
from tests.unit.admin.relay_app import TOKEN

VERBS = [("status",), ("queue", "list"), ("queue", "show", "aa11"), ("explain", "aa11"), ("explain", "anna@d.test")]
EVERY_VERB = pytest.mark.parametrize("verb", VERBS, ids=" ".join)


@EVERY_VERB
def test_the_token_of_the_data_folder_goes_to_the_address_of_the_config(desk, verb):
    desk.run(*verb)
    (request, *_) = desk.wire.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert str(request.url).startswith("http://127.0.0.1:8025/api/v1/")


@pytest.mark.parametrize(
    ("listen", "asked"),
    [
        ("0.0.0.0:8025", "http://127.0.0.1:8025/"),
        ("[::]:8025", "http://[::1]:8025/"),
        ("[::1]:99", "http://[::1]:99/"),
        ("10.1.2.3:80", "http://10.1.2.3/"),
    ],
)
def test_an_address_that_means_all_is_asked_at_loopback(desk, listen, asked):
    desk.config.write_text(desk.config.read_text().replace("127.0.0.1:8025", listen))
    desk.run("status")
    assert str(desk.wire.requests[0].url).startswith(asked)


def test_no_proxy_of_the_environment_sees_the_token(desk, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    assert desk.run("status")[0] == 0


@EVERY_VERB
@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_relay_that_is_not_there_is_3_and_a_sentence(desk, verb, option):
    desk.wire.trouble = httpx.ConnectError("refused")
    assert desk.run(*verb, *option) == (
        3, "", "relay: the relay is not reachable at 127.0.0.1:8025; is it running? (relay serve)\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (httpx.ReadTimeout("slow"), "did not answer within 30 s"),
        (httpx.ReadError("reset"), "broke off its answer"),
        (httpx.RemoteProtocolError("nonsense"), "broke off its answer"),
    ],
)
def test_a_relay_that_does_not_answer_is_3(desk, trouble, words):
    desk.wire.trouble = trouble
    code, out, err = desk.run("status")
    assert (code, out) == (3, "")
    assert words in err


def test_a_relay_that_never_ran_is_3(desk):
    desk.token.unlink()
    code, out, err = desk.run("status")
    assert (code, out) == (3, "")
    assert "no relay has run with this configuration yet" in err
    assert desk.wire.requests == []


def test_a_token_that_cannot_be_read_is_1(desk):
    desk.token.unlink()
    desk.token.mkdir()
    code, _, err = desk.run("status")
    assert code == 1
    assert "admin.token cannot be read: is a directory; run this as the user that runs the relay" in err


def test_a_file_that_holds_no_token_is_1(desk):
    desk.token.write_bytes(b"\xff\xfe")
    code, _, err = desk.run("status")
    assert code == 1
    assert "it holds no token" in err


@EVERY_VERB
def test_another_token_is_refused_with_1(desk, verb):
    desk.token.write_text("f" * 64)
    code, out, err = desk.run(*verb)
    assert (code, out) == (1, "")
    assert f"refuses the token of {desk.token}" in err
    assert "f" * 64 not in err


def test_something_else_that_listens_there_is_1(desk):
    desk.wire.answers = [httpx.Response(200, text="<html>It works!</html>")]
    code, _, err = desk.run("status")
    assert code == 1
    assert "what listens at 127.0.0.1:8025 is not the relay" in err


@EVERY_VERB
def test_a_store_that_is_away_is_1(desk, verb):
    desk.relay.reading.trouble = StoreUnavailable("the store is away")
    code, out, err = desk.run(*verb)
    assert (code, out) == (1, "")
    assert err == "relay: the relay at 127.0.0.1:8025 cannot answer now: the store is away\n"


def test_a_redirect_is_not_followed(desk):
    desk.wire.answers = [httpx.Response(307, headers={"Location": "http://evil.test/"}, json={})]
    code, _, _ = desk.run("status")
    assert code == 1
    assert len(desk.wire.requests) == 1


def test_a_config_that_cannot_be_opened_is_2(desk):
    code, _, err = desk.run("status", "--config", "nowhere.yaml")
    assert code == 2
    assert err == "relay: nowhere.yaml: cannot be opened: no such file or directory\n"


def test_a_config_that_is_wrong_is_1_with_its_place(desk):
    desk.config.write_text(desk.config.read_text() + "lifetime: 3d\n")
    code, _, err = desk.run("status")
    assert code == 1
    assert "relay.yaml:5:1: error:" in err


def test_lists_are_fetched_page_by_page_to_their_end(desk):
    desk.relay.reading.of_messages = [message(f"m{number}") for number in range(2 * PAGE + 5)]
    code, out, err = desk.run("queue", "list", "--json", "--limit", "5000")
    assert (code, err) == (0, "")
    assert [each["id"] for each in json.loads(out)["items"]] == [f"m{number}" for number in range(2 * PAGE + 5)]
    assert json.loads(out)["next_cursor"] is None
    assert len(desk.wire.requests) == 3


def test_a_list_that_was_cut_says_so(desk):
    desk.relay.reading.of_messages = [message(f"m{number}") for number in range(5)]
    code, out, err = desk.run("queue", "list", "--limit", "3")
    assert code == 0
    assert "m2" in out
    assert "m3" not in out
    assert err == "relay: only the newest 3 messages; there are more (--limit, --account, --state)\n"
    assert json.loads(desk.run("queue", "list", "--limit", "3", "--json")[1])["next_cursor"] is not None
