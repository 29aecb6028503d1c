"""`relay classify`: one reply, or one a line, each with one answer."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.cli.classify import read_text
from relay.cli.frame import ExitCode, run
from relay.core.meaning import Action, ReplyClass, Scope
from relay.core.words import Stage
from tests.replies import LABELLED, samples


@pytest.fixture
def ask(capsys, monkeypatch):
    """What it answers, line by line; `said` goes to stdin."""

    def answers(*arguments: str, said: bytes = b"") -> list[dict[str, Any]]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(said)))
        assert run(["classify", *arguments]) == ExitCode.DONE
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return answers


def test_a_reply_has_class_scope_action_and_a_wait_in_seconds(ask):
    text = "450 4.7.1 iemL1p01Z0hMcT901emQ77 policy violation, wait 5 minutes"
    assert ask("--provider", "aruba", "--stage", "eod", text) == [
        {"class": "rate-limited", "scope": "mailbox", "action": "slow", "retry_after": 300}
    ]
    assert ask("--provider", "generic", "--stage", "rcpt", "550 5.1.1 user unknown") == [
        {"class": "recipient-unknown", "scope": "recipient", "action": "bounce", "retry_after": None}
    ]


def test_lines_are_separated_by_newlines_or_by_backslash_n(ask):
    lines = ["550-5.1.1 The email account that you tried to reach does not", "550 5.1.1 exist"]
    for separator in ("\\n", "\n", "\r\n"):
        (found,) = ask("--provider", "gmail", "--stage", "rcpt", separator.join(lines))
        assert found["class"] == "recipient-unknown"


@pytest.mark.parametrize("name", ["generic", "ionos", "no-such-provider", ""])
def test_a_name_without_a_profile_is_generic(name, ask):
    (found,) = ask("--provider", name, "--stage", "mail", "550 SENDER REJECTED")
    assert found["class"] == "sender-refused"


@pytest.mark.parametrize(("name", "is_told"), [("ionos", True), ("", True), ("generic", False), ("hotmail", False)])
def test_a_name_without_a_profile_is_told_once_beside_the_answers(name, is_told, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"550 no\n550 no\n")))
    assert run(["classify", "--provider", name, "--stage", "rcpt"]) == ExitCode.DONE
    shown = capsys.readouterr()
    assert shown.err.splitlines() == ([f"There is no profile {name!r}: judged as generic."] if is_told else [])
    assert [json.loads(line)["class"] for line in shown.out.splitlines()] == ["recipient-refused"] * 2


def test_a_profile_has_rules_of_its_own(ask):
    (found,) = ask("--provider", "register", "--stage", "mail", "550 SENDER REJECTED")
    assert found == {"class": "account-blocked", "scope": "mailbox", "action": "pause", "retry_after": 4 * 3600}


def test_without_a_text_each_line_of_stdin_is_answered(ask):
    said = "\n".join(sample.text for sample in samples(LABELLED) if sample.provider == "gmail").encode()
    wanted = [sample for sample in samples(LABELLED) if sample.provider == "gmail"]
    assert len(ask("--provider", "gmail", "--stage", "eod", said=said)) == len(wanted)


def test_whatever_comes_in_has_an_answer(ask):
    said = b"\n\xff\xfe\x00\n250 ok\nhello\n9999 x\n550\n" + b"550 " + b"x" * 300_000 + b"\n550 no newline"
    found = ask("--provider", "gmail", "--stage", "rcpt", said=said)
    assert [each["class"] for each in found] == [
        "protocol-error", "protocol-error", "delivered", "protocol-error", "protocol-error", "recipient-refused",
        "recipient-refused", "recipient-refused",
    ]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(list(Stage)), st.text(max_size=80), st.integers(400, 599))
def test_no_text_breaks_it_and_the_words_are_closed(ask, stage, text, code):
    for reply in (text, f"{code} {text}", f"{code}-{text}\\n{code} {text}"):
        if reply.startswith("-") or not reply:
            continue
        (found,) = ask("--provider", "microsoft365", "--stage", stage, reply)
        assert found["class"] in set(ReplyClass)
        assert found["scope"] in set(Scope)
        assert found["action"] in set(Action)
        assert found["retry_after"] is None or found["retry_after"] > 0
        assert found["action"] != "bounce" or found["scope"] in ("message", "recipient")


@pytest.mark.parametrize(
    "arguments", [["--provider", "x", "--stage", "dot", "550 no"], ["--stage", "eod", "550 no"], ["--provider", "x"]]
)
def test_a_bad_stage_is_wrong_use(arguments, capsys):
    assert run(["classify", *arguments]) == ExitCode.WRONG_USE


def test_it_needs_no_config_and_answers_each_line_before_the_next_comes(tmp_path: Path):
    command = [
        sys.executable,
        "-c",
        "from relay.cli import main; main()",
        "classify",
        "--provider",
        "yahoo",
        "--stage",
        "auth",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": str(Path.cwd())}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, meaning in (
            (b"535 5.7.0 (#AUTH005) Too many bad auth attempts.", "auth-method"),
            (b"454", "auth-temporary"),
        ):
            process.stdin.write(text + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["class"] == meaning
        process.stdin.close()
        assert process.wait(60) == 0


def test_the_last_line_has_the_code():
    reply = read_text("450-4.7.1 first\\n550 5.1.1 last")
    assert reply is not None
    assert (reply.code, reply.enhanced) == (550, "5.1.1")
    assert read_text("") is None
