"""`relay queue list|show`: what is not final, why it waits and what moves it, on 80 columns, and never a control."""

import json

import pytest

from relay.cli.queue import NOT_FINAL, print_list, print_message
from relay.core.remedy import Needs
from tests.fakes.reading import MINUTE, NOON, account, attempt, delivery, message
from tests.unit.admin.relay_app import Relay
from tests.unit.cli.drawing import NOW, answer, drawn

HELD = delivery(state="held", reason="auth-rejected", needs=Needs.OWNER, eta=None)


@pytest.fixture
def relay():
    return Relay()


def listed(relay, *, width=80, states=NOT_FINAL):
    items = answer(relay, "messages")["items"]
    return drawn(lambda console: print_list(console, items, frozenset(map(str, states)), NOW), width=width)


def test_each_line_says_why_since_when_and_what_moves_it(relay):
    relay.reading.of_messages = [message("a" * 20), message("b" * 20, account="m.rossi@d.test", deliveries=(HELD,))]
    assert listed(relay) == (
        "MESSAGE              ACCOUNT        STATE   WHY           SINCE NEXT\n"
        "aaaaaaaaaaaaaaaaaaaa anna@d.test    waiting limit            8m in 4m\n"
        "bbbbbbbbbbbbbbbbbbbb m.rossi@d.test held    auth-rejected    8m owner"
    )


def test_80_columns_hold_the_longest_words_and_nothing_is_cut_off(relay):
    deliveries = (delivery(reason="recipient-mailbox-full", since=NOON - 10**13, eta=NOON + 10**13),)
    relay.reading.of_messages = [
        message("a" * 20, account="dottoressa.bianchi@studiobianchi.it", deliveries=deliveries)
    ]
    shown = listed(relay)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "…" not in shown
    assert "a" * 20 in shown
    assert "in 116d" in shown
    whole = "".join(line[21:].split(" ")[0] for line in shown.splitlines()[1:])
    assert whole == "dottoressa.bianchi@studiobianchi.it"


def test_a_wide_screen_and_a_pipe_show_where_to(relay):
    relay.reading.of_messages = [message(deliveries=(delivery(), delivery(), HELD))]
    assert "example.org" not in listed(relay)
    wide = listed(relay, width=1000).splitlines()
    assert [line.split()[2:5] for line in wide] == [
        ["TO", "STATE", "WHY"], ["2", "recipients", "waiting"], ["example.org", "held", "auth-rejected"],
    ]  # fmt: skip


def test_deliveries_in_other_states_stay_out(relay):
    done = delivery(state="delivered", reason=None, eta=None)
    relay.reading.of_messages = [message(deliveries=(done, HELD))]
    assert "delivered" not in listed(relay)
    assert "held" not in listed(relay, states=("delivered",))


def test_nothing_is_said_in_words(relay):
    assert listed(relay) == "nothing is queued"
    assert listed(relay, states=("bounced",)) == "nothing"


def test_what_is_due_moves_now(relay):
    relay.reading.of_messages = [message(deliveries=(delivery(eta=NOON),))]
    assert listed(relay).endswith("8m now")


def test_by_default_what_is_not_final_is_asked_for(desk):
    desk.says("queue", "list")
    assert desk.relay.reading.asked[0].states == {"waiting", "sending", "held"}
    desk.relay.reading.of_messages = [message(deliveries=(HELD,))]
    desk.says("queue", "list", "--state", "bounced", "--state", "held", "--account", "ANNA@d.test")
    assert desk.relay.reading.asked[1].states == {"bounced", "held"}
    assert desk.relay.reading.asked[1].account == "anna@d.test"


def test_an_account_that_nobody_knows_is_a_typing_error_and_one_without_mail_is_not(desk):
    desk.relay.reading.of_accounts = [account("anna@d.test")]
    assert "nothing is queued" in desk.says("queue", "list", "--account", "anna@d.test")
    code, out, err = desk.run("queue", "list", "--account", "typo@x.it")
    assert (code, out) == (1, "")
    assert "there is no account of this sender" in err


def test_a_state_that_is_none_is_told_those_that_there_are(desk):
    code, _, err = desk.run("queue", "list", "--state", "bogus")
    assert code == 2
    assert "'waiting'" in err
    assert "Value error" not in err


def test_json_is_exactly_that_of_the_api(desk):
    desk.relay.reading.of_messages = [message(deliveries=(HELD, delivery(attempts=(attempt(),))))]
    assert json.loads(desk.says("queue", "list", "--json")) == answer(desk.relay, "messages")
    assert json.loads(desk.says("queue", "show", "aa11", "--json")) == answer(desk.relay, "messages/aa11")


def test_a_message_is_shown_with_every_attempt_and_what_was_said(relay):
    relay.reading.of_messages = [
        message(deliveries=(HELD, delivery(attempts=(attempt(), attempt(started_at=NOON + MINUTE, ended_at=None)))))
    ]
    shown = drawn(lambda console: print_message(console, answer(relay, "messages/aa11"), NOW))
    assert shown == (
        "message aa11 of anna@d.test, from client studio, 4321 bytes\n"
        "accepted 12:00:00 UTC; waiting\n"
        "\n"
        "1. to example.org: held since 12:00:00 UTC, auth-rejected; to act: owner\n"
        "\n"
        "2. to example.org: waiting since 12:00:00 UTC, limit; next 12:12:00 UTC (in 4m)\n"
        "   12:00:00 UTC  rcpt  greylisted  450 4.2.0 <…@example.org> greylisted\n"
        "   12:01:00 UTC  under way  rcpt  greylisted  450 4.2.0 <…@example.org>\ngreylisted"
    )


def test_a_message_that_is_not_there_is_1(desk):
    code, out, err = desk.run("queue", "show", "zz99")
    assert (code, out) == (1, "")
    assert err == "relay: there is no message of this id; its history may be over\n"


@pytest.mark.parametrize("ident", ["../status", "a/b", "?x", "%2e"])
def test_what_cannot_be_an_id_asks_for_no_other_path(desk, ident):
    code, _, err = desk.run("queue", "show", ident)
    assert (code, err) == (1, f"relay: there is no message {ident!r}\n")
    assert list(desk.wire.requests) == []


HOSTILE = "450 \x1b[2J\x1b]0;x\x07 \u202eevil\u2066 \x9b31m [red]markup[/red] \r\nnew :smile:"


@pytest.mark.parametrize("verb", [("queue", "show", "aa11"), ("explain", "aa11"), ("queue", "list"), ("status",)])
@pytest.mark.parametrize("option", [[], ["--json"]])
def test_no_character_that_a_terminal_obeys_comes_through_whoever_wrote_it(desk, verb, option):
    spoiled = delivery(reason=HOSTILE, recipient_domain=HOSTILE, attempts=(attempt(reply=HOSTILE, stage=HOSTILE),))
    desk.relay.reading.of_messages = [message(account=HOSTILE, client=HOSTILE, deliveries=(spoiled,))]
    desk.relay.readiness.set(HOSTILE, HOSTILE)
    shown = desk.says(*verb, *option)
    assert all(line.isprintable() for line in shown.split("\n"))
    if not option:
        assert "[red]markup[/red]" in shown
        assert ":smile:" in shown
