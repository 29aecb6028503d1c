"""`relay recipients` shows who gets many mails a day, and nobody's address."""

import json

from tests.unit.cli.running import Desk


def test_it_lists_day_account_and_domain(desk: Desk) -> None:
    said = desk.says("recipients", "--account", "anna@d.test")
    assert [line.rstrip() for line in said.splitlines()] == [
        "DAY        MAILS ACCOUNT     TO (DOMAIN, HASH)",
        f"2026-11-22    31 anna@d.test example.org {'00ff' * 4}",
    ]
    assert desk.relay.recipients.asked == [("anna@d.test", 10, 1000)]


def test_it_prints_the_json_of_the_api(desk: Desk) -> None:
    assert json.loads(desk.says("recipients", "--json", "--least", "30"))["items"][0]["messages"] == 31


def test_nobody_is_said(desk: Desk) -> None:
    desk.relay.recipients.found = []
    assert desk.says("recipients") == "nobody gets that many\n"


def test_what_the_relay_does_not_count_is_wrong_use(desk: Desk) -> None:
    code, out, err = desk.run("recipients", "--least", "3")
    assert (code, out) == (2, "")
    assert "10" in err
