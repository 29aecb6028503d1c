"""The log: one line per event, the id where a reader expects it, and nobody's patient in it."""

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.envelope import Claim, Envelope, Recipient, Result, Verdict
from relay.core.reply import read_reply
from relay.core.words import Lane, MailboxId, Stage
from relay.observe import Log, as_json, as_text, silence_libraries, where
from relay.observe.log import SILENCED

MAILBOX = MailboxId("aruba", "m.rossi@studiorossi.it")
PATIENT = "paziente.segreto@example.com"
CLAIM = Claim(
    attempt=7,
    delivery=3,
    message="A1",
    mailbox=MAILBOX,
    account="m.rossi@studiorossi.it",
    lane=Lane.EXPRESS,
    node="n1",
    envelope=Envelope("m.rossi@studiorossi.it", (Recipient(PATIENT),)),
    size=4000,
    tries=1,
    doubts=0,
)


class Lines:
    """Remembers what was logged at a clock that stands still."""

    def __init__(self, at=1_795_340_102.25, form=as_json):
        self.lines: list[str] = []
        self.at = at
        self.log = Log(self.lines.append, lambda: self.at, form=form)

    @property
    def last(self):
        return json.loads(self.lines[-1])


@pytest.fixture
def lines():
    return Lines()


def _accept(log, **changed):
    fields = {"client": "studio-rossi", "account": "m.rossi@studiorossi.it", "size": 4000, "recipients": 2}
    log.accepted("A1", **{**fields, "seconds": 0.0123, **changed})


def test_every_line_begins_with_time_event_and_id(lines):
    _accept(lines.log)
    lines.log.stopping(cause="SIGTERM")
    for line in lines.lines:
        assert list(json.loads(line))[:3] == ["time", "event", "id"]
    assert lines.lines[0].startswith('{"time":"2026-11-22T09:35:02.250Z","event":"accepted","id":"A1",')


def test_what_belongs_to_no_message_has_no_id(lines):
    lines.log.stopping(cause="SIGTERM")
    assert lines.last["id"] is None


def test_the_time_follows_the_clock_over_a_second_and_a_step_back(lines):
    stamps = []
    for at in (100.5, 101.0, 86_399.75, 100.5):
        lines.at = at
        lines.log.stopping(cause="test")
        stamps.append(lines.last["time"])
    assert stamps == [
        "1970-01-01T00:01:40.500Z",
        "1970-01-01T00:01:41.000Z",
        "1970-01-01T23:59:59.750Z",
        "1970-01-01T00:01:40.500Z",
    ]


def test_an_attempt_is_logged_by_its_verdict_without_its_patient(lines):
    reply = read_reply(550, f"5.1.1 <{PATIENT}> no such user")
    result = Result(Verdict.BOUNCED, "recipient-unknown", Stage.RCPT, reply, is_mail_written=True, is_end_known=True)
    lines.log.attempted("A1", CLAIM, result, seconds=0.25)
    assert lines.last["event"] == "bounced"
    assert lines.last["class"] == "recipient-unknown"
    assert lines.last["stage"] == "rcpt"
    assert lines.last["reply"] == "550 5.1.1 <address> no such user"
    assert PATIENT not in lines.lines[-1]


def test_a_refusal_that_quotes_the_patient_is_masked(lines):
    lines.log.refused(None, client="studio-rossi", peer="10.0.0.7", stage="rcpt", reply=f"553 5.1.3 {PATIENT}: bad")
    assert PATIENT not in lines.lines[-1]
    assert lines.last["reply"] == "553 5.1.3 <address>: bad"


@given(st.text())
def test_one_event_is_one_json_line_whatever_a_peer_says(text):
    lines = Lines()
    lines.log.refused(None, client=None, peer="10.0.0.7", stage="auth", reply=text)
    (line,) = lines.lines
    assert len(line.splitlines()) == 1
    assert line.endswith("\n")
    assert json.loads(line)["event"] == "refused"


@given(st.text())
def test_a_terminal_gets_one_line_without_control_characters(text):
    lines = Lines(form=as_text)
    lines.log.trouble(what=text, text=text)
    (line,) = lines.lines
    assert line.endswith("\n")
    assert line[:-1].isprintable()


def test_text_for_a_terminal_leaves_out_what_is_empty():
    lines = Lines(form=as_text)
    lines.log.refused(None, client=None, peer="10.0.0.7", stage="auth", reply="535 5.7.8 no")
    assert lines.lines == ['09:35:02 refused peer=10.0.0.7 stage=auth reply="535 5.7.8 no"\n']


def test_a_refused_edit_gives_one_line_per_problem(lines):
    lines.log.routing_refused(["routing.yaml:1:1: error: a", "routing.yaml:2:1: error: b"], running=4)
    assert [json.loads(line)["problem"][-1] for line in lines.lines] == ["a", "b"]
    assert lines.last["running"] == 4


def test_an_unforeseen_error_is_named_by_type_and_place_never_by_its_text(lines):
    def fail():
        raise ValueError(f"cannot parse {PATIENT}")

    try:
        fail()
    except ValueError as error:
        lines.log.failed(what="dispatcher", error=error)
    assert PATIENT not in lines.lines[-1]
    assert lines.last["error"].startswith("ValueError at test_log.py:")


def test_an_error_without_a_trace_is_named_by_its_type():
    assert where(KeyError("x")) == "KeyError"


@pytest.fixture
def silenced() -> Iterator[None]:
    """Silence is for the life of a process, and that of the tests goes on: another test may ask what a library logs."""
    loggers = [logging.getLogger(name) for name in SILENCED]
    before = [(each.handlers, each.level, each.propagate) for each in loggers]
    silence_libraries()
    yield
    for each, (handlers, level, propagate) in zip(loggers, before, strict=True):
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


@pytest.mark.usefixtures("silenced")
@pytest.mark.parametrize("name", ["mail.log", "aiosmtplib", "uvicorn.error", "uvicorn.access", "asyncio"])
def test_loggers_of_libraries_say_nothing(name, capsys):
    logging.getLogger(name).critical("to %s", PATIENT)
    captured = capsys.readouterr()
    assert PATIENT not in captured.err + captured.out
