"""`relay optout`: a patient's address comes from the command line or from stdin, and is never shown."""

import io
import json

import pytest

from relay.core.suppression import SuppressionKind
from tests.unit.cli.running import Desk

ANNA = "anna@d.test"


def test_it_says_what_it_did(desk: Desk) -> None:
    assert desk.says("optout", "paziente@example.org", "--account", ANNA) == (
        "anna@d.test does not write to this recipient any more\n"
    )
    assert desk.says("optout", "Paziente@Example.org", "--account", ANNA) == "he had opted out before\n"
    assert desk.says("optout", "paziente@example.org", "--account", ANNA, "--remove") == (
        "anna@d.test may write to this recipient again (opted out no more)\n"
    )
    assert desk.says("optout", "paziente@example.org", "--account", ANNA, "--remove") == (
        "nothing kept anna@d.test from writing to this recipient\n"
    )


def test_the_address_may_come_from_stdin_where_no_list_of_processes_shows_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("paziente@example.org\n"))
    desk.says("optout", "-", "--account", ANNA)
    assert desk.relay.suppressions.may_stand(ANNA, "paziente@example.org")
    assert "paziente" not in str(desk.wire.requests[-1].url)


def test_it_lists_by_hash(desk: Desk) -> None:
    desk.relay.suppressions.put(ANNA, "uno@example.org", SuppressionKind.OPTOUT)
    desk.relay.suppressions.put(ANNA, "due@example.org", SuppressionKind.UNKNOWN)
    said = desk.says("optout", "--list", "--account", ANNA)
    assert said.splitlines()[0].split() == ["RECIPIENT", "(HASH)", "WHY", "SINCE", "UNTIL"]
    assert "opted out" in said
    assert "for good" in said
    assert "unknown to his provider" in said
    assert "example" not in said
    found = json.loads(desk.says("optout", "--list", "--account", ANNA, "--json"))
    assert [each["kind"] for each in found["items"]] == ["optout", "unknown"]


def test_nobody_is_said(desk: Desk) -> None:
    assert desk.says("optout", "--list", "--account", ANNA) == "nobody\n"


@pytest.mark.parametrize("asked", [(), ("a@b.test", "--list"), ("--remove",), ("--list", "--remove"), ("nobody",)])
def test_what_makes_no_sense_is_wrong_use(desk: Desk, asked: tuple[str, ...]) -> None:
    code, out, err = desk.run("optout", *asked, "--account", ANNA)
    assert (code, out) == (2, "")
    assert err
    assert desk.relay.suppressions.standing_against == {}


def test_a_list_on_stdin_is_refused_and_nobody_of_it_opted_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("paziente@example.org\naltro@example.org\n"))
    code, out, err = desk.run("optout", "-", "--account", ANNA)
    assert (code, out) == (2, "")
    assert "one recipient at a time" in err
    assert "example.org" not in err


def test_an_empty_stdin_is_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert desk.run("optout", "-", "--account", ANNA)[0] == 2


def test_an_account_that_nobody_knows_is_said(desk: Desk) -> None:
    desk.relay.suppressions.strangers = {"x@d.test"}
    code, _, err = desk.run("optout", "a@b.test", "--account", "x@d.test")
    assert code == 1
    assert "no account" in err
