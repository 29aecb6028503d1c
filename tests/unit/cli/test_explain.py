"""`relay explain`: why, since when, what will move it and when, and who has to act, in whole sentences."""

import json

import pytest

from relay.admin import Access
from relay.app.unsent import NO_NODE, NO_NODE_AS_IT
from relay.cli.explain_account import of_account
from relay.cli.explain_message import of_message
from relay.cli.terminal import print_lines
from relay.cli.unmasked import NOTHING, of_replies
from relay.cli.wording import REMEDY, WHY, remedy, who, why
from relay.core.meaning import Fault, ReplyClass
from relay.core.remedy import REMEDIES, Needs
from relay.core.words import Plan, Stage
from relay.store.ports.reading import LimitView, LoginWait, Particulars, PausedView, SaidView
from relay.store.ports.riddles import SaidVerbatim
from tests.fakes.reading import MINUTE, NOON, account, attempt, delivery, message
from tests.unit.admin.relay_app import Relay
from tests.unit.cli.drawing import NOW, answer, drawn

OWNER_ACTS = (
    "  Who has to act: the owner of the mailbox: the doctor. What to do: put the right password where the "
    "routing's `password:` points; it is tried within seconds."
)
HELD = delivery(state="held", reason="auth-rejected", needs=Needs.OWNER, eta=None)


@pytest.fixture
def relay():
    relay = Relay()
    relay.reading.of_accounts = [account()]
    return relay


def explained(relay, *deliveries, **changes):
    """The sentences about a message."""
    relay.reading.of_messages = [message(deliveries=deliveries, **changes)]
    sender = answer(relay, "accounts/anna@d.test")
    return list(of_message(answer(relay, "messages/aa11"), sender if "sender" in sender else None, NOW))


def about(relay, **changes):
    """The sentences about an account."""
    relay.reading.of_accounts = [account(**changes)]
    return list(of_account(answer(relay, "accounts/anna@d.test"), NOW))


# messages


def test_a_message_behind_a_limit_goes_by_itself_at_a_time(relay):
    assert explained(relay, delivery()) == [
        "Message aa11 of anna@d.test was accepted at 12:00:00 UTC, 8 min ago.",
        "",
        "To a recipient at example.org: waiting.",
        "  Why: the mailbox has sent as much as a limit allows for now (limit): 20 of 20/10m.",
        "  Since: 12:00:00 UTC, 8 min.",
        "  Next: it goes by itself at 12:12:00 UTC (in 4 min), if nothing new happens; nobody has to do anything.",
    ]


def test_what_outlives_its_time_says_when_it_bounces_and_what_helps(relay):
    outlived = delivery(needs=Needs.ADMIN, eta=None, bounces_at=NOON + 60 * MINUTE)
    acts = f"  Who has to act: an admin, in the routing. What to do: {remedy('limit')}."
    assert explained(relay, outlived)[5:] == [
        acts,
        (
            "  Next: it will not leave before its lifetime ends at 13:00:00 UTC; "
            "it comes back to its sender then, unless that is done."
        ),
    ]


def test_what_misses_the_deadline_of_its_sender_says_so_and_that_he_was_told(relay):
    outlived = delivery(needs=Needs.ADMIN, eta=None, bounces_at=NOON + 60 * MINUTE)
    assert explained(relay, outlived, is_dated=True)[-1] == (
        "  Next: it will not leave before the deadline that its sender named, 13:00:00 UTC; it comes back to him then, "
        "unless that is done. Where that was foreseen when it was accepted, the answer (250) told him so."
    )


def test_a_slowed_limit_says_what_it_allows_now(relay):
    relay.reading.of_accounts = [account(limits=(LimitView("20/10m", 5, 5), LimitView("100/h", 7, 100)))]
    assert "(limit): 5 of 20/10m, slowed to 5." in explained(relay, delivery())[3]


def test_a_message_that_somebody_has_to_mend_says_who_and_what(relay):
    lines = explained(relay, HELD)
    assert lines[3:] == [
        "  Why: the provider refuses user name or password of this mailbox (auth-rejected).",
        "  Since: 12:00:00 UTC, 8 min.",
        OWNER_ACTS,
        "  Next: nothing moves it before that.",
    ]


def test_what_is_probed_meanwhile_says_when(relay):
    lines = explained(relay, delivery(reason="auth-rejected", needs=Needs.OWNER, eta=NOON + 60 * MINUTE))
    assert lines[-1] == "  Next: the relay tries again at 13:00:00 UTC (in 52 min)."


@pytest.mark.parametrize(
    ("plan", "owner"), [(Plan.PERSONAL, "the doctor"), (Plan.BUSINESS, "the vendor"), (Plan.PREMIUM, "the vendor")]
)
def test_the_owner_is_named_by_his_part(relay, plan, owner):
    relay.reading.of_accounts = [account(plan=plan)]
    assert f"Who has to act: the owner of the mailbox: {owner}." in "\n".join(explained(relay, HELD))


def test_a_message_without_account_still_says_who(relay):
    relay.reading.of_accounts = []
    lines = explained(relay, delivery(state="held", reason="no-account", needs=Needs.ADMIN, eta=None))
    assert "  Why: no account of the routing has this sender any more (no-account)." in lines
    assert "Who has to act: an admin, in the routing. What to do: put the account" in "\n".join(lines)


def test_recipients_that_wait_for_the_same_are_told_of_together(relay):
    lines = explained(
        relay,
        delivery(eta=NOON + 12 * MINUTE),
        delivery(eta=NOON + 20 * MINUTE, recipient_domain="b.test", since=NOON + MINUTE),
        HELD,
    )
    assert "To 2 recipients at b.test, example.org: waiting." in lines
    assert "To a recipient at example.org: held." in lines
    said = "  Next: it goes by itself at 12:12:00 UTC, the last at 12:20:00 UTC (in 12 min), if nothing new happens; "
    assert f"{said}nobody has to do anything." in lines


@pytest.mark.parametrize(
    ("eta", "words"),
    [
        (NOON, "it goes by itself at any moment"),
        (None, "as soon as what is in its way is gone; nobody has to do anything"),
    ],
)
def test_what_is_due_or_has_no_time_is_said_too(relay, eta, words):
    assert words in explained(relay, delivery(eta=eta))[-1]


def test_of_a_report_that_failed_no_other_one_is_promised(relay):
    ended = delivery(state="bounced", reason="recipient-unknown", eta=None)
    relay.reading.of_messages = [message(deliveries=(ended,))]
    said = " ".join(of_message({**answer(relay, "messages/aa11"), "id": "aa11-report-7-1"}, None, NOW))
    assert "of which nobody gets a report" in said
    assert "is sent a report" not in said


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("delivered", None, "The provider took it over at 12:00:00 UTC"),
        (
            "bounced",
            "recipient-unknown",
            ": there is no such recipient (recipient-unknown). Its sender is sent a report, unless he asked for none",
        ),
        ("cancelled", None, "An admin took it out of the queue at 12:00:00 UTC"),
    ],
)
def test_what_is_over_says_how_it_ended_and_nothing_more(relay, state, reason, words):
    lines = explained(relay, delivery(state=state, reason=reason, eta=None))
    assert words in lines[3]
    assert len(lines) == 4


def test_what_missed_its_deadline_says_that_it_was_its_own_and_what_held_it_up(relay):
    over = {"state": "bounced", "eta": None, "bounces_at": NOON + 5 * MINUTE, "since": NOON + 6 * MINUTE}
    (said,) = explained(relay, delivery(reason="ip-blocked", **over), is_dated=True)[3:]
    assert said.startswith(
        "  It failed for good at 12:06:00 UTC: the deadline that its sender had named, 12:05:00 UTC, was over; what "
        "held it up until then: the provider refuses connections from this machine's address (ip-blocked). "
    )
    (said,) = explained(relay, delivery(reason="expired", **over), is_dated=True)[3:]
    assert "12:05:00 UTC, was over. " in said


def test_what_is_being_sent_says_so(relay):
    assert explained(relay, delivery(state="sending", reason=None, eta=None))[3] == (
        "  It is being sent now, since 12:00:00 UTC."
    )


def test_what_the_provider_said_last_is_said(relay):
    tries = (attempt(), attempt(started_at=NOON + MINUTE, ended_at=NOON + 2 * MINUTE, reply="451 4.7.1 later"))
    lines = explained(relay, delivery(reason="greylisted", attempts=tries))
    assert lines[-1] == "  Tried 2 times, last at 12:01:00 UTC (greylisted): 451 4.7.1 later"
    lines = explained(relay, delivery(reason="network", attempts=(attempt(reply=None, reply_class="network"),)))
    assert lines[-1] == "  Tried once at 12:00:00 UTC (network): no answer"


# accounts


def test_an_account_that_is_well_says_where_it_stands(relay):
    assert about(relay, reason="limit") == [
        "anna@d.test (personal) sends through anna@d.test at lab; 3 deliveries are queued.",
        "  Health: ok.",
        "  Why it waits: the mailbox has sent as much as a limit allows for now (limit): 20 of 20/10m.",
        "  Next: the last of what is queued now leaves at 12:12:00 UTC (in 4 min), if nothing new happens.",
        "  Limits in use: 20 of 20/10m.",
        "  Each message: relay queue list --account anna@d.test",
    ]


def test_an_account_with_nothing_to_do_says_so(relay):
    lines = about(relay, queued=0, eta=None, limits=())
    assert lines == [
        "anna@d.test (personal) sends through anna@d.test at lab; no delivery is queued.",
        "  Health: ok; nothing is queued.",
    ]


def test_a_paused_account_says_since_when_why_and_who(relay):
    lines = about(relay, health="paused", reason="auth-rejected", since=NOON, needs=Needs.OWNER, eta=None, queued=1)
    assert lines[0].endswith("1 delivery is queued.")
    assert lines[1:5] == [
        "  Health: paused since 12:00:00 UTC, 8 min.",
        "  Why it waits: the provider refuses user name or password of this mailbox (auth-rejected).",
        OWNER_ACTS,
        "  Next: it goes by itself as soon as that is done.",
    ]


def test_an_account_at_a_provider_that_is_stopped_does_not_begin_with_ok(relay):
    lines = about(relay, reason="tls-expired", since=NOON, needs=Needs.OPS, eta=None)
    assert lines[1] == "  Health: the mailbox is ok, but its provider lab is stopped since 12:00:00 UTC, 8 min."


def test_a_retired_account_without_mail_is_promised_nothing(relay):
    lines = about(relay, health="retired", reason="retired", needs=Needs.ADMIN, queued=0, eta=None)
    assert not any("goes by itself" in line for line in lines)


@pytest.mark.parametrize(
    ("reason", "needs", "acts", "todo"),
    [
        ("auth-rejected", Needs.OWNER, "the doctor", "relay account set-password anna@d.test;"),
        ("no-credentials", Needs.ADMIN, "told the password by the owner", "relay account set-password anna@d.test;"),
        ("no-token", Needs.ADMIN, "act: an admin.", "relay account set-password --oauth anna@d.test."),
        ("oauth-consent", Needs.OWNER, "the doctor", "relay account set-password --oauth anna@d.test."),
    ],
)
def test_who_has_his_password_kept_here_is_not_sent_to_the_routing(relay, reason, needs, acts, todo):
    relay.clerk.has = Access(is_kept_here=True)
    (line,) = [
        each
        for each in about(relay, health="paused", reason=reason, since=NOON, needs=needs, eta=None)
        if "Who has to act" in each
    ]
    assert acts in line
    assert todo in line
    assert "password:" not in line


@pytest.mark.parametrize(
    ("reason", "is_kept_here", "follows"),
    [
        ("auth-method", True, "relay account set-password anna@d.test."),
        ("auth-method", False, "put it where the routing's `password:` points."),
        ("oauth-consent", True, "relay account set-password --oauth anna@d.test."),
        ("sender-refused", True, "relay account fixed anna@d.test."),
    ],
)
def test_the_owners_step_is_that_of_his_provider_in_the_relays_language_and_what_follows(
    relay, reason, is_kept_here, follows
):
    relay.clerk.has = Access(is_kept_here=is_kept_here, steps={reason: "Crei una password per le app."})
    held = delivery(state="held", reason=reason, needs=Needs.OWNER, eta=None)
    said = f"What to do: Crei una password per le app. Then: {follows}"
    assert any(line.endswith(said) for line in explained(relay, held))
    lines = about(relay, health="paused", reason=reason, since=NOON, needs=Needs.OWNER, eta=None)
    assert any(line.endswith(said) for line in lines)


def test_what_is_kept_back_says_what_is_different(relay):
    why_not = "secret:anna is kept back: it was set for smtp.a, and this would send it to smtp.b"
    relay.clerk.has = Access(is_kept_here=True, without=why_not)
    held = delivery(state="held", reason="no-credentials", needs=Needs.ADMIN, eta=None)
    relay.reading.of_accounts = [account(reason="no-credentials", health="paused", needs=Needs.ADMIN, eta=None)]
    assert f"  Why: {why_not} (no-credentials)." in explained(relay, held)
    lines = about(relay, reason="no-credentials", health="paused", needs=Needs.ADMIN, eta=None)
    assert f"  Why it waits: {why_not} (no-credentials)." in lines


def test_a_pause_of_an_admin_is_ended_by_a_verb_and_not_in_the_routing(relay):
    lines = about(relay, health="paused", reason="paused-by-admin", needs=Needs.ADMIN, eta=None)
    (acts,) = [line for line in lines if "Who has to act" in line]
    assert acts.endswith(
        "an admin. What to do: let it go again when its time has come: relay account resume anna@d.test."
    )


def test_a_pause_of_an_admin_says_his_reason(relay):
    particulars = Particulars(paused=PausedView(NOON, "cambia casella"))
    lines = about(
        relay, health="paused", reason="paused-by-admin", needs=Needs.ADMIN, eta=None, particulars=particulars
    )
    (why,) = [line for line in lines if "Why it waits" in line]
    assert why.endswith("(paused-by-admin): cambia casella.")


def test_a_retired_account_has_two_ways_out_and_what_it_has_queued_still_leaves(relay):
    relay.clerk.has = Access(contact="Assistenza 0974 000000")
    text = "\n".join(about(relay, health="retired", reason="retired", needs=Needs.ADMIN))
    assert "what is queued still leaves (retired)" in text
    assert "a business mailbox (Mail Plus) or to the doctor's own mailbox (Assistenza 0974 000000)." in text


def test_an_account_that_is_gone_says_so(relay):
    lines = about(relay, plan=None, mailbox=None, reason="no-account", needs=Needs.ADMIN, eta=None, limits=())
    assert lines[0] == "anna@d.test (in no plan any more) sends through no mailbox; 3 deliveries are queued."
    assert "an admin, in the routing" in "\n".join(lines)


def test_an_account_without_a_time_says_what_it_waits_for(relay):
    lines = about(relay, health="waiting", reason="outage", since=NOON, eta=None)
    assert "  Next: as soon as what is in its way is gone; nobody has to do anything." in lines


# a try is no departure

TRIED = "nobody has to do anything before that."


@pytest.mark.parametrize("reason", ["auth-rejected", "quota-exceeded", "network", "auth-outage", "greylisted"])
def test_a_message_that_is_only_tried_is_not_promised_to_go(relay, reason):
    assert explained(relay, delivery(reason=reason))[-1] == (
        f"  Next: the relay tries again at 12:12:00 UTC (in 4 min), and it goes then if that works; {TRIED}"
    )


@pytest.mark.parametrize("reason", ["limit", "login", "queue"])
def test_what_waits_only_for_its_turn_goes_by_itself(relay, reason):
    assert "  Next: it goes by itself at 12:12:00 UTC" in explained(relay, delivery(reason=reason))[-1]


@pytest.mark.parametrize(
    ("health", "reason"), [("doubted", "auth-rejected"), ("waiting", "quota-exceeded"), ("ok", "network")]
)
def test_an_account_that_is_only_tried_says_when_and_that_mail_leaves_if_that_works(relay, health, reason):
    tried = Particulars(tried_at=NOON + 10 * MINUTE)
    (line,) = [each for each in about(relay, health=health, reason=reason, particulars=tried) if "Next:" in each]
    assert line == (
        "  Next: the relay tries again at 12:10:00 UTC (in 2 min); if that works, the last of what is queued now "
        f"leaves at 12:12:00 UTC (in 4 min). N{TRIED[1:]}"
    )
    (line,) = [each for each in about(relay, health=health, reason=reason) if "Next:" in each]
    assert line.startswith("  Next: the relay tries again; if that works, the last of what is queued"), "no time known"


def test_of_mailbox_and_provider_the_later_try_counts(relay):
    relay.reading.of_accounts = [account(particulars=Particulars(tried_at=NOON, host_tried_at=NOON + MINUTE))]
    assert answer(relay, "accounts/anna@d.test")["tried_at"] == "2026-11-22T12:01:00.000000Z"


def test_a_slowed_account_sends_and_does_not_wait(relay):
    lines = about(relay, health="slowed", reason="rate-limited", since=NOON)
    assert "  Next: the last of what is queued now leaves at 12:12:00 UTC (in 4 min), if nothing new happens." in lines
    for queued in (0, 3):
        lines = about(relay, health="slowed", reason="rate-limited", since=NOON, queued=queued)
        assert any(line.startswith("  Why it is slowed: ") for line in lines)
        assert not any("Why it waits" in line for line in lines)


# words


def test_every_reason_that_the_relay_knows_has_a_sentence():
    known = {*map(str, ReplyClass), *map(str, Fault), *REMEDIES} - {ReplyClass.DELIVERED}
    assert known <= set(WHY)
    assert set(REMEDIES) - set(REMEDY) == set(), "who has to act is told what to do"
    outlived, nodes = {"limit", "login", "too-many-connections", "retired"}, {NO_NODE, NO_NODE_AS_IT}
    assert set(REMEDY) == set(REMEDIES) | outlived | nodes, "and nobody else is, but where time alone does not help"


def test_a_reason_without_a_sentence_is_named_and_nothing_is_left_unsaid():
    assert why("sunspots") == "the relay calls it sunspots"
    assert why(None) == "nothing is in its way"
    assert remedy("sunspots") is None
    assert who("somebody", None) == "somebody"
    assert {who(each, "personal") for each in Needs} == {
        "the owner of the mailbox: the doctor", "an admin, in the routing", "whoever runs the relay",
    }  # fmt: skip


def test_folded_lines_keep_their_indent():
    text = drawn(lambda console: print_lines(console, ["Top.", "", "  " + "word " * 30]))
    assert text.splitlines()[0] == "Top."
    assert all(line.startswith("  word") and len(line) <= 80 for line in text.splitlines()[2:])
    assert len(text.splitlines()) > 3


# what is meant


@pytest.fixture
def known(desk):
    desk.relay.reading.of_messages = [message()]
    desk.relay.reading.of_accounts = [account()]
    return desk


def test_an_id_means_a_message_and_a_sender_an_account(known):
    assert known.says("explain", "aa11").startswith("Message aa11 of anna@d.test")
    assert known.says("explain", "ANNA@d.test").startswith("anna@d.test (personal)")


@pytest.mark.parametrize("ident", ["<rx-1@studio>", "rx-1@studio"])
def test_a_message_id_of_the_sender_is_found_with_and_without_brackets(known, ident):
    assert known.says("explain", ident).startswith("Message aa11 of")
    assert {each.message_id for each in known.relay.reading.asked if hasattr(each, "message_id")} <= {
        "<rx-1@studio>", "rx-1@studio",
    }  # fmt: skip


@pytest.mark.parametrize("what", ["zz99", "nobody@d.test", "<nobody@d.test>"])
def test_what_there_is_none_of_is_1(desk, what):
    code, out, err = desk.run("explain", what)
    assert (code, out) == (1, "")
    assert err.startswith("relay: there is no ")
    assert "@" not in what or what in err, "which of many was meant"


@pytest.mark.parametrize("what", ["a/b", "a/b?c", "../status", "é"])
@pytest.mark.parametrize("verb", [("explain",), ("queue", "show"), ("keys", "retire")])
def test_what_is_no_id_asks_for_no_other_path(desk, verb, what):
    code, out, err = desk.run(*verb, what)
    assert (code, out) == (1, "")
    assert err.startswith(f"relay: there is no {'key' if verb[0] == 'keys' else 'message'} ")
    assert "path" not in err


def test_json_is_exactly_that_of_the_api(known):
    assert json.loads(known.says("explain", "aa11", "--json")) == answer(known.relay, "messages/aa11")
    assert json.loads(known.says("explain", "anna@d.test", "--json")) == answer(known.relay, "accounts/anna@d.test")


# a budget of logins that is used up

SPENT = Particulars(login_wait=LoginWait("refused-logins", "3/h", NOON + 61 * MINUTE))
AGAIN_AT = "  Logins: the mailbox may log in again at 13:01:00 UTC (in 53 min): so many (3/h) were refused"


def test_a_doubted_mailbox_names_the_budget_that_decides_its_time(relay):
    lines = about(
        relay, health="doubted", reason="auth-rejected", since=NOON, eta=NOON + 61 * MINUTE, particulars=SPENT
    )
    assert any(line.startswith(AGAIN_AT) and "health.refused_logins" in line for line in lines)


def test_a_paused_mailbox_names_the_budget_too_and_the_time_is_that_of_the_api(relay):
    eta = NOON + 61 * MINUTE
    lines = about(
        relay, health="paused", reason="auth-rejected", since=NOON, needs=Needs.OWNER, eta=eta, particulars=SPENT
    )
    assert any(line.startswith(AGAIN_AT) for line in lines)
    assert "  Next: the relay tries again at 13:01:00 UTC (in 53 min)." in lines


def test_a_message_of_such_a_mailbox_says_the_same(relay):
    relay.reading.of_accounts = [account(health="doubted", reason="auth-rejected", particulars=SPENT)]
    lines = explained(relay, delivery(reason="auth-rejected", eta=NOON + 61 * MINUTE))
    assert any(line.startswith(AGAIN_AT) for line in lines)


@pytest.mark.parametrize(("reason", "needs", "eta"), [("limit", None, 70), ("auth-rejected", Needs.OWNER, 360)])
def test_a_budget_that_decides_no_time_is_not_spoken_of(relay, reason, needs, eta):
    lines = about(relay, reason=reason, since=NOON, needs=needs, eta=NOON + eta * MINUTE, particulars=SPENT)
    assert not any(line.startswith("  Logins:") for line in lines)


def test_what_has_ended_shows_what_its_provider_said(relay):
    refused = attempt(ended_at=NOON, stage="eod", reply_class="spam-blocked", reply="554 5.7.1 spam from ***")
    bounced = delivery(state="bounced", reason="spam-blocked", eta=None, attempts=(refused,))
    assert explained(relay, bounced)[-1] == "  Tried once at 12:00:00 UTC (spam-blocked): 554 5.7.1 spam from ***"


def test_an_account_shows_what_its_provider_said_last(relay):
    said = SaidView(NOON, "eod", "spam-blocked", "554 5.7.1 spam from ***")
    found = about(relay, particulars=Particulars(last_reply=said))
    assert "  Its provider said last, 12:00:00 UTC (spam-blocked): 554 5.7.1 spam from ***" in found


def test_unmasked_it_is_as_the_support_of_a_provider_asks_for_it(relay):
    relay.reading.of_messages = [message()]
    said = SaidVerbatim(NOON, "example.org", Stage.EOD, "spam-blocked", "554 5.7.1 spam from anna to p@example.org")
    relay.riddles.verbatim["aa11"] = [said]
    found = list(of_replies(answer(relay, "messages/aa11/unmasked"), NOW))
    assert found[0] == "Message aa11, sent as anna@d.test."
    assert found[-2:] == [
        "12:00:00 UTC, to a recipient at example.org, eod, spam-blocked:",
        "  554 5.7.1 spam from anna to p@example.org",
    ]
    relay.riddles.verbatim.clear()
    assert list(of_replies(answer(relay, "messages/aa11/unmasked"), NOW))[-1] == NOTHING
