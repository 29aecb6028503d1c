"""What the stations tell becomes log lines and metrics, and nobody's patient comes along."""

import hashlib
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay.app.observation import DeliveryObserver, NoticeObserver, StoreListener, SubmissionObserver
from relay.app.restraint import LINES_OF_ONE, WINDOW_SECONDS
from relay.core.circle import Reader
from relay.core.envelope import Claim, Envelope, LoginFailure, NewMessage, Recipient, Result, Verdict
from relay.core.notice import Notice, NoticeType
from relay.core.refusal import Reason
from relay.core.reply import Reply
from relay.core.routing import Account, Client, Provider, Routing
from relay.core.words import Lane, MailboxId, Plan, Stage
from relay.errors import StoreFull
from relay.observe import Census, Log, Metrics, NodeState, Told
from relay.store.ports.events import EventKind, StoreEvent

DOCTOR, PATIENT = "m.rossi@studiorossi.it", "anna.verdi@example.com"
MESSAGE = NewMessage(
    id="A1",
    client="studio-rossi",
    account=DOCTOR,
    envelope=Envelope(DOCTOR, (Recipient(PATIENT), Recipient(PATIENT))),
    content=b"Subject: Ricetta\r\n\r\n",
    header_message_id="<1@x>",
    submitted_hash=hashlib.sha256().digest(),
)
MAILBOX = MailboxId("aruba", DOCTOR)
ROUTING = Routing(
    clients={"studio-rossi": Client("studio-rossi", ("*",))},
    providers={"aruba": Provider("aruba", "smtps.aruba.it", 465)},
    accounts={DOCTOR: Account(DOCTOR, Plan.BUSINESS, MAILBOX)},
)
CLAIM = Claim(5, 3, "A1", MAILBOX, DOCTOR, Lane.BULK, "n", Envelope(DOCTOR, (Recipient(PATIENT),)), 4000, 1, 0)


class Heard:
    """Log and metrics that can be read back."""

    def __init__(self):
        self.lines: list[str] = []
        self.now = 0.0
        self.log = Log(self.lines.append, lambda: 0.0)
        self.metrics = Metrics("0")
        self.metrics.routing_applied(ROUTING, 0.0)
        self.submission = SubmissionObserver(self.log, self.metrics, clock=lambda: self.now)
        self.delivery = DeliveryObserver(self.log, self.metrics)
        self.owed = 0
        self.changed = 0
        self.store = StoreListener(self.log, self.metrics, something_owed=self.owe, way_changed=self.change)

    def owe(self):
        self.owed += 1

    def change(self):
        self.changed += 1

    def counted(self, name, *labels):
        """The series of a metric that are not nought: labels to value."""
        families = text_string_to_metric_families(self.metrics.render(Census(), NodeState()).decode())
        samples = [sample for family in families for sample in family.samples]
        found = [each for each in samples if each.name == name and each.value]
        return {tuple(each.labels[label] for label in labels): each.value for each in found}

    def submissions(self):
        return self.counted("relay_submissions_total", "client", "result")

    @property
    def last(self):
        return json.loads(self.lines[-1])


@pytest.fixture
def heard():
    return Heard()


@pytest.mark.parametrize("kind", [EventKind.HEALTH, EventKind.STRANDED, EventKind.SAID, EventKind.ROUTING])
def test_whatever_may_open_a_road_wakes_what_waits_for_one(heard, kind):
    heard.store(StoreEvent(kind, 0, account="anna@d.test", reason="resumed by admin"))
    assert (heard.changed, heard.owed) == (1, 0)


def test_an_accepted_mail_is_one_line_and_one_count(heard):
    heard.submission.accepted(MESSAGE, size=4000, seconds=0.012, is_mended=False)
    assert heard.last | {"time": ""} == {
        "time": "", "event": "accepted", "id": "A1", "client": "studio-rossi", "account": DOCTOR, "size": 4000,
        "recipients": 2, "ms": 12.0,
    }  # fmt: skip
    assert heard.submissions() == {("studio-rossi", "accepted"): 1}
    assert PATIENT not in "".join(heard.lines)


@pytest.mark.parametrize(
    ("stage", "reason", "counted"),
    [
        (Stage.MAIL, Reason.SENDER_FOREIGN, {("studio-rossi", "rejected"): 1}),
        (Stage.EOD, Reason.STORE_FULL, {("studio-rossi", "deferred"): 1}),
        (Stage.EOD, Reason.MESSAGE_TOO_LARGE, {("studio-rossi", "rejected"): 1}),
        (Stage.RCPT, Reason.RECIPIENT_SYNTAX, {}),
        (Stage.AUTH, Reason.LOGIN_WRONG, {}),
    ],
)
def test_a_refused_mail_is_counted_and_a_refused_recipient_or_login_is_logged(heard, stage, reason, counted):
    heard.submission.refused(
        "studio-rossi",
        account="anna@d.test",
        peer="10.0.0.7",
        stage=stage,
        reason=reason,
        reply=f"{reason.code} {PATIENT}",
    )
    assert heard.submissions() == counted
    assert heard.last["event"] == "refused"
    assert heard.last["account"] == "anna@d.test"
    assert heard.last["reply"] == f"{reason.code} <address>"


def test_what_the_store_said_stands_beside_the_reply(heard):
    heard.submission.refused(
        "studio-rossi", account=None, peer="10.0.0.7", stage=Stage.EOD, reason=Reason.STORE_AWAY, reply="451 4.3.0",
        cause="the store did not answer within 0.9 s",
    )  # fmt: skip
    assert heard.last["cause"] == "the store did not answer within 0.9 s"


def test_the_sender_as_which_a_client_may_not_send_is_said_and_that_of_a_stranger_is_not(heard):
    said = {"account": None, "peer": "10.0.0.7", "stage": Stage.MAIL, "reason": Reason.SENDER_UNKNOWN, "reply": "550"}
    heard.submission.refused("studio-rossi", sender="typo@studiorossi.it", **said)
    assert heard.last["sender"] == "typo@studiorossi.it"
    heard.submission.refused(None, sender="typo@studiorossi.it", **said)
    assert "typo" not in heard.lines[-1]
    heard.submission.refused("studio-rossi", sender="x" * 5000 + "@d.test", **said)
    assert len(heard.last["sender"]) == 320


def test_strangers_cause_few_lines_and_what_is_unsaid_is_counted(heard):
    for _ in range(1000):
        heard.submission.turned_away("127.0.0.1:2525", peer="198.51.100.1", reason=Reason.FULL)
        heard.submission.handshake_failed("127.0.0.1:2525", peer="198.51.100.1", cause="no TLS")
        said = {"peer": "198.51.100.1", "stage": Stage.AUTH, "reason": Reason.LOGIN_WRONG, "reply": "535"}
        heard.submission.refused(None, account=None, **said)
    assert len(heard.lines) == LINES_OF_ONE
    heard.submission.refused("studio-rossi", account=None, **said)
    assert len(heard.lines) == LINES_OF_ONE + 1, "a client is always heard"
    heard.now += WINDOW_SECONDS
    heard.submission.turned_away("127.0.0.1:2525", peer="10.0.0.1", reason=Reason.FULL)
    unsaid, last = (json.loads(line) for line in heard.lines[-2:])
    assert (unsaid["event"], unsaid["count"]) == ("left_unsaid", 3000 - LINES_OF_ONE)
    assert last["peer"] == "10.0.0.1"


def test_a_connection_that_is_turned_away_is_logged(heard):
    heard.submission.turned_away("127.0.0.1:2525", peer="10.0.0.7", reason=Reason.FULL)
    assert heard.last["reply"] == "421 4.3.2 full"


def test_connections_and_logins_say_nothing_about_mail(heard):
    heard.submission.connected("127.0.0.1:2525", peer="10.0.0.7")
    heard.submission.logged_in("studio-rossi", peer="10.0.0.7")
    heard.submission.disconnected("127.0.0.1:2525", peer="10.0.0.7")
    assert heard.lines == []
    assert heard.submissions() == {}


def test_logins_of_clients_are_counted_by_what_they_were_told(heard):
    heard.submission.logged_in("studio-rossi", peer="10.0.0.7")
    heard.submission.refused(
        None, account=None, peer="10.0.0.7", stage=Stage.AUTH, reason=Reason.LOGIN_WRONG, reply="535 5.7.8 no"
    )
    assert heard.counted("relay_client_logins_total", "result") == {("accepted",): 1, ("rejected",): 1}


def test_a_defect_is_logged_by_its_place(heard):
    heard.submission.failed(ValueError(PATIENT))
    assert heard.last["error"] == "ValueError"


# delivery


def result(verdict, reply_class="delivered", reply=None):
    return Result(verdict, reply_class, Stage.EOD, reply, is_mail_written=True, is_end_known=True)


def test_an_attempt_is_one_line_and_one_count(heard):
    heard.delivery.attempted(CLAIM, result(Verdict.DELIVERED), seconds=0.2, is_recorded=True)
    assert heard.last["event"] == "delivered"
    assert heard.last["id"] == "A1"
    assert heard.counted("relay_attempts_total", "provider", "class") == {("aruba", "delivered"): 1}
    assert heard.counted("relay_deliveries_total", "outcome") == {}, "the store says when it is durable"
    assert PATIENT not in "".join(heard.lines)


def test_a_session_that_ended_without_a_word_is_no_reply_that_nobody_understands(heard):
    """Somebody is called for those, and finds none in `relay replies`."""
    for reply_class in ("unknown", "in-doubt"):
        heard.delivery.attempted(CLAIM, result(Verdict.IN_DOUBT, reply_class), seconds=0.2, is_recorded=True)
    assert heard.counted("relay_attempts_total", "provider", "class") == {("aruba", "no-reply"): 2}
    heard.delivery.attempted(CLAIM, result(Verdict.DEFERRED, "network"), seconds=0.2, is_recorded=True)
    assert heard.counted("relay_attempts_total", "provider", "class")["aruba", "network"] == 1


def test_an_attempt_that_stops_its_mailbox_leaves_its_delivery_held(heard):
    heard.delivery.attempted(CLAIM, result(Verdict.HELD, "sender-refused"), seconds=0.2, is_recorded=True)
    assert heard.counted("relay_deliveries_total", "plan", "outcome") == {("business", "held"): 1}


def test_sessions_and_logins_are_counted(heard):
    heard.delivery.session_opened(MAILBOX, seconds=0.1)
    assert heard.counted("relay_upstream_sessions", "provider") == {("aruba",): 1}
    heard.delivery.session_closed(MAILBOX, messages=7)
    assert heard.counted("relay_upstream_sessions", "provider") == {}
    assert heard.counted("relay_upstream_logins_total", "provider", "result") == {("aruba", "accepted"): 1}
    assert heard.last["messages"] == 7


@pytest.mark.parametrize(
    ("reply", "is_login_sent", "answer"),
    [
        (Reply(535, "5.7.8", "no"), True, "rejected"),
        (Reply(454, "4.7.0", "later"), True, "deferred"),
        (None, False, "deferred"),
        (Reply(554, None, "go away"), False, "deferred"),
    ],
)
def test_a_login_is_rejected_only_by_a_final_answer_to_it(heard, reply, is_login_sent, answer):
    failure = LoginFailure("auth-rejected", Stage.AUTH, reply, is_provider=False, is_login_sent=is_login_sent)
    heard.delivery.login_failed(MAILBOX, failure)
    assert heard.counted("relay_upstream_logins_total", "result") == {(answer,): 1}
    assert heard.last["event"] == "login_failed"


def test_trouble_of_delivery_is_logged_without_the_text_of_unforeseen_errors(heard):
    heard.delivery.store_failed("settle", StoreFull())
    assert heard.last["text"] == "no space is left for mail"
    heard.delivery.broken("task", ValueError(PATIENT), CLAIM)
    assert (heard.last["id"], heard.last["error"]) == ("A1", "ValueError")
    heard.delivery.claim_lost(CLAIM)
    assert heard.last["event"] == "claim_lost"
    assert PATIENT not in "".join(heard.lines)


# the store


def told(kind, reason=None, **changed):
    fields = {"message": "A1", "delivery": 3, "account": DOCTOR, "mailbox": MAILBOX, "lane": Lane.EXPRESS}
    return StoreEvent(kind, at=5_000_000, reason=reason, accepted_at=3_000_000, **{**fields, **changed})


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (EventKind.DELIVERED, "delivered"),
        (EventKind.DEFERRED, "deferred"),
        (EventKind.BOUNCED, "bounced"),
        (EventKind.HELD, "held"),
    ],
)
def test_an_outcome_counts_when_it_is_durable(heard, kind, outcome):
    heard.store(told(kind))
    assert heard.counted("relay_deliveries_total", "provider", "plan", "outcome") == {("aruba", "business", outcome): 1}


def test_the_delay_is_from_acceptance_to_delivery(heard):
    heard.store(told(EventKind.DELIVERED))
    assert heard.counted("relay_delivery_delay_seconds_sum", "provider", "lane") == {("aruba", "express"): 2}


@pytest.mark.parametrize("kind", [EventKind.ACCEPTED, EventKind.RETURNED, EventKind.ROUTING, EventKind.HEALTH])
def test_other_events_are_no_outcomes(heard, kind):
    heard.store(told(kind))
    assert heard.counted("relay_deliveries_total", "outcome") == {}


def test_a_bounce_wakes_whoever_reports_it(heard):
    heard.store(told(EventKind.DELIVERED))
    assert heard.owed == 0
    heard.store(told(EventKind.BOUNCED, "recipient-unknown"))
    assert heard.owed == 1


def test_what_no_attempt_says_is_said(heard):
    heard.store(told(EventKind.BOUNCED, "expired"))
    heard.store(told(EventKind.HELD, "in-doubt"))
    heard.store(told(EventKind.IN_DOUBT))
    assert [json.loads(line)["event"] for line in heard.lines] == ["given_up", "delivery_held", "left_in_doubt"]
    assert {json.loads(line)["id"] for line in heard.lines} == {"A1"}
    assert heard.counted("relay_in_doubt_total", "provider") == {("aruba",): 1}


def test_an_account_that_is_gone_counts_as_none(heard):
    heard.store(told(EventKind.BOUNCED, "expired", mailbox=None, account="gone@x.it"))
    assert heard.counted("relay_deliveries_total", "provider", "plan") == {("none", "none"): 1}


def test_a_change_of_health_is_logged_for_a_mailbox_and_for_a_provider(heard):
    heard.store(StoreEvent(EventKind.HEALTH, 0, mailbox=MAILBOX, reason="auth-rejected"))
    assert (heard.last["provider"], heard.last["mailbox"], heard.last["health"]) == ("aruba", DOCTOR, "auth-rejected")
    heard.store(StoreEvent(EventKind.HEALTH, 0, provider="aruba", reason="network"))
    assert (heard.last["provider"], heard.last["mailbox"], heard.last["health"]) == ("aruba", None, "network")


@pytest.mark.parametrize("about", [{"provider": "aruba"}, {"mailbox": MailboxId("aruba", "m.rossi@studiorossi.it")}])
def test_a_health_that_changes_may_open_a_way_for_a_report(about):
    heard = Heard()
    heard.store(StoreEvent(EventKind.HEALTH, 0, reason="ok", **about))
    assert (heard.changed, heard.owed) == (1, 0)


def test_another_routing_may_open_a_road_for_a_notice():
    routed = []
    listener = StoreListener(
        Log(lambda _: None, lambda: 0.0),
        Metrics("0"),
        something_owed=lambda: None,
        routed=lambda: routed.append(1),
    )
    listener(StoreEvent(EventKind.ROUTING, 0, reason="2"))
    listener(StoreEvent(EventKind.HEALTH, 0, reason="ok", provider="aruba"))
    assert routed == [1]


NOTICE = Notice("c1-1-1", NoticeType.STOPPED, 0, "aruba", DOCTOR, (DOCTOR,), "auth-rejected")


@pytest.mark.parametrize(("done", "road"), [(Told.MAILED, "mail"), (Told.POSTED, "webhook"), (Told.UNSENDABLE, None)])
def test_what_became_of_a_notice_is_one_line_and_one_count(done, road):
    metrics = Metrics("0")
    lines: list[str] = []
    observe = NoticeObserver(Log(lines.append, lambda: 0.0), metrics)
    observe(NOTICE, done, reader=Reader.DOCTOR, letter="c1-report-notice-0", why="stopped")
    line = json.loads(lines[0])
    assert (line["event"], line["id"], line["notice"]) == ("notice", "c1-report-notice-0", "c1-1-1")
    assert (line["type"], line["result"], line["reader"], line["road"]) == ("mailbox.stopped", done, "doctor", road)
    assert (line["mailbox"], line["account"], line["reason"], line["why"]) == (
        DOCTOR,
        DOCTOR,
        "auth-rejected",
        "stopped",
    )
    text = metrics.render(None, NodeState(is_ready=True, free_bytes=0)).decode()
    assert f'relay_notices_total{{result="{done}",type="mailbox.stopped"}} 1.0' in text


def test_every_result_of_a_notice_is_there_from_the_start_so_that_the_first_is_an_increase():
    metrics = Metrics("0")
    metrics.routing_applied(Routing(), 0.0)
    text = metrics.render(None, NodeState(is_ready=True, free_bytes=0)).decode()
    for done in Told:
        assert f'relay_notices_total{{result="{done}",type="mailbox.stopped"}} 0.0' in text
