"""`relay account ...`: the list, the call centre's work list, one account, and what is said about it."""

import io
import json
from dataclasses import replace
from datetime import date

import pytest

from relay.cli import account_orders
from relay.cli.account import lines_of, print_list, print_work
from relay.core import tested as findings
from relay.core.health import HealthEvent, HealthState
from relay.core.remedy import Needs
from relay.core.reply import Reply
from relay.core.routing import Owner
from relay.core.tested import Finding
from relay.core.words import Plan, Stage
from relay.store.ports.healths import HealthChange
from relay.store.ports.reading import Particulars, PausedView, SaidView, SentView
from tests.fakes.clerk import BOX
from tests.fakes.reading import MINUTE, NOON, account
from tests.unit.admin.relay_app import Relay
from tests.unit.cli.drawing import NOW, answer, drawn

OWNER = Owner("Dr. M. Rossi", "rossi@other.example", "0974 123456")
DAY = 24 * 60 * MINUTE
WRONG = findings.Tested(
    "anna@d.test", BOX, Finding.LOGIN_FAILED, "auth-rejected", Stage.AUTH, Reply(535, "5.7.8", "no")
)


@pytest.fixture
def relay():
    return Relay()


def legacy(sender, *, month=0, last=None):
    known = Particulars(owner=OWNER, retires=date(2027, 10, 31), sent=SentView(last, month // 4, month))
    return account(sender, plan=Plan.LEGACY, particulars=known, queued=0, eta=None)


# lists


def test_a_list_says_how_each_is_and_what_moves_it(relay):
    relay.reading.of_accounts = [
        account(),
        account("bruno@d.test", health="paused", reason="auth-rejected", since=NOON, needs=Needs.OWNER, eta=None),
    ]
    items = answer(relay, "accounts")["items"]
    assert drawn(lambda console: print_list(console, items, NOW)) == (
        "ACCOUNT      PLAN     HEALTH WHY           SINCE QUEUED NEXT\n"
        "anna@d.test  personal ok                              3 in 4m\n"
        "bruno@d.test personal paused auth-rejected    8m      3 owner"
    )


def test_a_list_says_since_when_an_admin_keeps_mail_back(relay):
    view = account(health="paused", reason="paused-by-admin", needs=Needs.ADMIN, eta=None)
    relay.reading.of_accounts = [replace(view, particulars=Particulars(stranded_at=NOON))]
    assert answer(relay, "accounts")["items"][0]["since"] == "2026-11-22T12:00:00.000000Z"


def test_the_work_list_says_who_sends_most_when_last_until_when_and_whom_to_call(relay):
    relay.reading.of_accounts = [
        legacy("a@d.test"), legacy("b@d.test", month=40, last=NOON - DAY), legacy("c@d.test", month=400, last=NOON),
    ]  # fmt: skip
    items = answer(relay, "accounts?plan=legacy")["items"]
    shown = drawn(lambda console: print_work(console, items, NOW), width=100).splitlines()
    assert shown[0].split() == ["ACCOUNT", "LAST", "SENT", "7", "DAYS", "30", "DAYS", "RETIRES", "OWNER", "PHONE"]
    assert [line.split()[0] for line in shown[1:]] == ["c@d.test", "b@d.test", "a@d.test"]
    assert shown[1].split()[1:6] == ["8m", "ago", "100", "400", "2027-10-31"]
    assert "Dr. M. Rossi 0974 123456" in shown[1]
    assert "not in 90d" in shown[3]


def test_legacy_is_asked_with_how_much_each_sends(desk):
    desk.relay.reading.of_accounts = [legacy("anna@d.test", month=40, last=NOON)]
    assert "0974 123456" in desk.says("account", "list", "--plan", "legacy")
    assert "QUEUED" in desk.says("account", "list")
    assert "30 DAYS" in desk.says("account", "list", "--sent", "--health", "ok")
    asked = [(each.plan, each.health, each.with_sent) for each in desk.relay.reading.asked]
    assert asked == [(Plan.LEGACY, None, True), (None, None, False), (None, "ok", True)]


@pytest.mark.parametrize(("option", "value"), [("--plan", "golden"), ("--health", "sick")])
def test_a_word_that_is_none_is_told_those_that_there_are(desk, option, value):
    code, _, err = desk.run("account", "list", option, value)
    assert code == 2
    assert "paused" in err or "legacy" in err


def test_nobody_is_said_in_words(desk):
    assert desk.says("account", "list") == "no account\n"
    assert desk.says("account", "list", "--plan", "legacy") == "no account\n"


def test_a_list_that_was_cut_says_so(desk):
    desk.relay.reading.of_accounts = [account(f"a{number}@d.test") for number in range(3)]
    code, _, err = desk.run("account", "list", "--limit", "2")
    assert (code, err) == (0, "relay: only the first 2 accounts; there are more (--limit)\n")


def test_json_is_exactly_that_of_the_api(desk):
    desk.relay.reading.of_accounts = [legacy("anna@d.test", month=1, last=NOON)]
    assert json.loads(desk.says("account", "list", "--json")) == answer(desk.relay, "accounts")
    assert json.loads(desk.says("account", "show", "ANNA@d.test", "--json")) == answer(
        desk.relay, "accounts/anna@d.test"
    )
    assert json.loads(desk.says("account", "pause", "anna@d.test", "--json")) == {
        "sender": "anna@d.test", "changed": True, "text": "pause is done.",
    }  # fmt: skip


# one account


def test_an_account_is_shown_with_all_that_is_known_of_it(relay):
    known = Particulars(
        owner=OWNER, aliases=("segreteria@d.test",),
        replaces={"old@x.it": date(2027, 12, 31), "older@x.it": date(2026, 11, 21)},
        retires=date(2027, 10, 31), paid_until=date(2026, 12, 31), paused=PausedView(NOON, "cambia casella"),
        sent=SentView(NOON - 60 * MINUTE, 12, 40), last_reply=SaidView(NOON, "mail", "rate-limited", "450 slow down"),
    )  # fmt: skip
    view = account(health="paused", reason="paused-by-admin", needs=Needs.ADMIN, eta=None)
    relay.reading.of_accounts = [replace(view, particulars=known)]
    relay.healths.changes = [
        HealthChange(NOON, HealthState.PAUSED, "auth-rejected", HealthEvent.NEVER_WORKED, "535 no", None)
    ]
    said = list(lines_of(answer(relay, "accounts/anna@d.test"), NOW))
    assert said[0].startswith("anna@d.test (personal) sends through anna@d.test at lab; 3 deliveries are queued.")
    text = "\n".join(said)
    for line in (
        "Paused by an admin since 12:00:00 UTC: cambia casella.",
        "Owner: Dr. M. Rossi, rossi@other.example, 0974 123456.",
        "Retires: 2027-10-31 is the last day on which it works.",
        "Paid until: 2026-12-31.",
        "Also sends as: segreteria@d.test.",
        "Replaces: old@x.it, until 2027-12-31.",
        "Replaces: older@x.it, until 2026-11-21, which is over: mail from it is refused.",
        "Handed in: last 68m ago; 12 in 7 days, 40 in 30 days.",
        "Last answer of the provider, 12:00:00 UTC, mail: 450 slow down",
        "12:00:00 UTC  paused, auth-rejected (never-worked): 535 no",
    ):
        assert line in text


def test_a_paid_term_that_is_over_is_said_to_be(relay):
    relay.reading.of_accounts = [replace(account(), particulars=Particulars(paid_until=date(2026, 11, 21)))]
    said = "\n".join(lines_of(answer(relay, "accounts/anna@d.test"), NOW))
    assert "Paid until: 2026-11-21, which is over: its provider may stop it." in said


def test_who_is_not_there_is_asked_whether_another_was_meant(desk):
    code, out, err = desk.run("account", "show", "ana@d.test")
    assert (code, out) == (1, "")
    assert err.endswith("did you mean anna@d.test?\n")
    code, _, err = desk.run("account", "pause", "ana@d.test")
    assert (code, err) == (
        1, "relay: there is no account of this sender in the routing; did you mean anna@d.test?\n"
    )  # fmt: skip


# orders


def test_orders_reach_the_clerk_with_who_said_them_and_are_answered_with_his_sentence(desk):
    assert desk.says("account", "pause", "Old@d.test", "--why", "ferie") == "pause is done.\n"
    assert desk.says("account", "resume", "anna@d.test") == "resume is done.\n"
    assert desk.says("account", "fixed", "anna@d.test") == "fixed is done.\n"
    assert desk.relay.clerk.told == [
        ("pause", "anna@d.test", "ferie", "admin"), ("resume", "anna@d.test", "admin"),
        ("fixed", "anna@d.test", "admin"),
    ]  # fmt: skip


def test_a_trial_that_works_is_0_and_one_that_does_not_is_1(desk):
    assert desk.says("account", "test", "anna@d.test") == "All is well.\n"
    desk.relay.clerk.tested = WRONG
    code, out, err = desk.run("account", "test", "anna@d.test")
    assert (code, out, err) == (1, "All is well.\n", "")
    code, out, _ = desk.run("account", "test", "anna@d.test", "--json")
    assert code == 1
    assert (json.loads(out)["finding"], json.loads(out)["reply"]) == ("login-failed", "535 5.7.8 no")


@pytest.mark.parametrize("option", [["--stdin"], []])
def test_a_password_is_read_from_stdin_and_stands_in_no_output(desk, monkeypatch, option):
    monkeypatch.setattr("sys.stdin", io.StringIO("molto segreta \r\n"))
    said = desk.says("account", "set-password", "anna@d.test", *option)
    assert said == "password is done.\n"
    assert desk.relay.clerk.told == [("password", "anna@d.test", "molto segreta ", "password", "admin")]
    (request,) = desk.wire.requests
    assert "segreta" not in str(request.url)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_password_that_is_not_utf8_is_refused_in_a_sentence(desk, monkeypatch, errors):
    typed = io.TextIOWrapper(io.BytesIO("perch\u00e9\n".encode("latin-1")), encoding="utf-8", errors=errors)
    monkeypatch.setattr("sys.stdin", typed)
    code, out, err = desk.run("account", "set-password", "anna@d.test", "--stdin")
    assert code == 2
    assert "not UTF-8" in err
    assert "perch" not in out + err
    assert desk.relay.clerk.told == []


@pytest.mark.parametrize(
    "typed", [["segreta"], ["--stdin", "segreta"], ["--password=segreta"], ["--pasword", "segreta"]]
)
def test_a_password_that_was_typed_behind_it_is_refused_and_not_said_again(desk, monkeypatch, typed):
    monkeypatch.setattr("sys.stdin", io.StringIO("another\n"))
    code, out, err = desk.run("account", "set-password", "anna@d.test", *typed)
    assert code == 2
    assert "segreta" not in out + err
    assert "stdin" in err
    assert desk.wire.requests == []


def test_a_refresh_token_is_said_to_be_one(desk, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("1//token\n"))
    desk.says("account", "set-password", "anna@d.test", "--oauth")
    assert desk.relay.clerk.told == [("password", "anna@d.test", "1//token", "refresh-token", "admin")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_at_a_terminal_it_is_asked_twice_without_echo(desk, monkeypatch):
    typed = iter(["uno", "uno", "uno", "due", ""])
    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return next(typed)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(account_orders, "getpass", getpass)
    desk.says("account", "set-password", "anna@d.test")
    assert asked == ["New password: ", "Again: "]
    assert desk.run("account", "set-password", "anna@d.test")[0] == 2
    assert desk.run("account", "set-password", "anna@d.test")[0] == 2
    assert len(desk.relay.clerk.told) == 1


@pytest.mark.parametrize("given", ["", "\n", "x" * 70_000, "xxx1\nxxx2\n", "xxx1\r\nxxx2", "\nxxx1\n"])
def test_what_is_no_password_is_not_sent(desk, monkeypatch, given):
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    code, _, err = desk.run("account", "set-password", "anna@d.test")
    assert code == 2
    assert "xxx" not in err
    assert desk.wire.requests == []


def test_a_password_that_is_kept_elsewhere_is_a_problem_with_what_to_write(desk, monkeypatch):
    desk.relay.clerk.refusal = "write `password: secret:anna` into the routing"
    monkeypatch.setattr("sys.stdin", io.StringIO("segreta\n"))
    code, _, err = desk.run("account", "set-password", "anna@d.test")
    assert (code, err) == (1, "relay: write `password: secret:anna` into the routing\n")


def test_a_password_that_does_not_work_is_a_problem_and_one_that_nobody_knows_of_yet_is_none(desk, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a\n"))
    desk.relay.clerk.is_slow = True
    assert desk.run("account", "set-password", "anna@d.test")[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("b\n"))
    desk.relay.clerk.is_slow, desk.relay.clerk.tested = False, WRONG
    assert desk.run("account", "set-password", "anna@d.test")[0] == 1
