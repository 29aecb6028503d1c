"""`relay keys` and `relay secret`: what they say, and that no value is ever an argument or shown."""

import io
import json

import pytest

from relay.cli import secret
from relay.store.ports.keys import Needs
from tests.fakes.keepers import FIRST, SECOND
from tests.unit.cli.running import Desk

VALUE = "canarino di nascosto"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{VALUE}\n"))


def test_the_list_of_keys_says_what_needs_which(desk: Desk) -> None:
    desk.relay.keys.needs = (Needs.MAIL, Needs.REPLIES)
    assert desk.says("keys", "list") == (
        f"{FIRST.id}  the first  "
        "needed by mail, and what is kept of it for 90 days; replies of providers, for 30 days\n"
        "    /keys/relay.key\n"
        f"{SECOND.id}  since 2026-11-22  encrypts\n"
        f"    {SECOND.place}\n"
    )
    desk.relay.keys.needs = ()
    assert f"nothing needs it: relay keys retire {FIRST.id}" in desk.says("keys", "list")


def test_a_rotation_says_what_to_do_now(desk: Desk) -> None:
    said = desk.says("keys", "rotate")
    assert f"key {SECOND.id} encrypts from now on: {SECOND.place}" in said
    assert "back the new key up now" in said


def test_a_key_is_retired_or_it_is_said_why_not(desk: Desk) -> None:
    assert desk.run("keys", "retire", FIRST.id) == (1, "", f"relay: the key {FIRST.id} is still needed by mail\n")
    desk.relay.keys.needs = ()
    assert "/keys/relay.key may be removed" in desk.says("keys", "retire", FIRST.id)


def test_a_secret_is_read_from_stdin_and_never_shown(desk: Desk, typed: None) -> None:
    assert desk.says("secret", "set", "m.rossi@x.it") == "secret:m.rossi@x.it is kept\n"
    assert desk.relay.secrets.kept == {"m.rossi@x.it": VALUE}
    assert VALUE not in str(desk.wire.requests[-1].url)


def test_the_password_of_an_account_is_replaced_by_its_name_only_on_purpose(desk: Desk, typed: None) -> None:
    desk.relay.secrets.kept["m.rossi"] = "la vecchia"
    desk.relay.secrets.users = ["m.rossi@studio.test"]
    code, said, err = desk.run("secret", "set", "m.rossi")
    assert (code, said, desk.relay.secrets.kept) == (1, "", {"m.rossi": "la vecchia"})
    assert "relay account set-password m.rossi@studio.test" in err


def test_on_purpose_it_is_replaced(desk: Desk, typed: None) -> None:
    desk.relay.secrets.kept["m.rossi"] = "la vecchia"
    desk.relay.secrets.users = ["m.rossi@studio.test"]
    assert desk.says("secret", "set", "m.rossi", "--force") == "secret:m.rossi is kept\n"
    assert desk.relay.secrets.kept == {"m.rossi": VALUE}


def test_even_at_a_terminal_it_is_read_from_stdin_if_one_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `relay account set-password --stdin`."""
    line = io.StringIO(f"{VALUE}\n")
    line.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", line)
    assert desk.says("secret", "set", "hook", "--stdin") == "secret:hook is kept\n"
    assert desk.relay.secrets.kept == {"hook": VALUE}


def test_one_that_was_there_is_said_to_have_been(desk: Desk, typed: None) -> None:
    desk.relay.secrets.kept["hook"] = VALUE
    assert desk.says("secret", "set", "hook") == "secret:hook was this already\n"


def test_nothing_on_stdin_is_no_secret(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert desk.run("secret", "set", "hook") == (2, "", "relay: there is nothing on stdin\n")
    assert desk.relay.secrets.kept == {}


def test_at_a_terminal_it_is_asked_for_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[object] = []

    def prompt(what: str, **how: bool) -> str:
        asked.append((what, how))
        return VALUE

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    assert secret.typed("Secret") == VALUE
    assert asked == [("Secret", {"hide_input": True, "confirmation_prompt": True})]


def test_the_list_of_secrets_has_no_values(desk: Desk) -> None:
    desk.relay.secrets.kept["m.rossi"] = VALUE
    assert desk.says("secret", "list") == (
        "m.rossi  mailbox m.rossi@studio.test smtps.aruba.it  set 2026-11-22\nhook  not used yet  set 2026-11-22\n"
    )


def test_a_secret_in_use_is_forgotten_only_on_purpose(desk: Desk) -> None:
    desk.relay.secrets.kept["hook"] = VALUE
    desk.relay.secrets.users = [f"{number}@x.test" for number in range(7)]
    code, _, err = desk.run("secret", "drop", "hook")
    assert code == 1
    assert "in use by 0@x.test, 1@x.test, 2@x.test, 3@x.test, 4@x.test and 2 more; " in err
    assert "--force" in err
    assert "hook" in desk.relay.secrets.kept
    assert desk.says("secret", "drop", "hook", "--force") == "secret:hook is forgotten\n"
    assert desk.relay.secrets.kept == {}


def test_a_value_that_does_not_serve_its_use_is_kept_with_a_warning(desk: Desk, typed: None) -> None:
    desk.relay.secrets.warning = "nothing is signed with it"
    assert desk.run("secret", "set", "hook") == (
        0, "secret:hook is kept\n", "relay: warning: nothing is signed with it\n"
    )  # fmt: skip


def test_a_secret_is_forgotten_once(desk: Desk) -> None:
    desk.relay.secrets.kept["hook"] = VALUE
    assert desk.says("secret", "drop", "hook") == "secret:hook is forgotten\n"
    assert desk.run("secret", "drop", "hook")[0] == 1


@pytest.mark.parametrize(
    "words", [("keys", "list"), ("keys", "rotate"), ("keys", "retire", FIRST.id), ("secret", "list")]
)
def test_scripts_get_the_apis_json(desk: Desk, words: tuple[str, ...]) -> None:
    desk.relay.keys.needs = ()
    assert isinstance(json.loads(desk.says(*words, "--json")), dict)
