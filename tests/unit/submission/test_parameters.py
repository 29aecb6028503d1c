"""What EHLO offers is understood, and nothing else is taken."""

import pytest

from relay.core.refusal import Reason, Refusal
from relay.submission.parameters import (
    ENVID_MOST,
    ORCPT_MOST,
    MailParameters,
    RecipientParameters,
    read_mail_parameters,
    read_recipient_parameters,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MailParameters()),
        ("SIZE=123", MailParameters(size=123)),
        ("size=0123", MailParameters(size=123)),
        ("BODY=7BIT", MailParameters()),
        ("body=8bitmime SMTPUTF8", MailParameters(has_smtputf8=True)),
        ("RET=full ENVID=QQ+2B314", MailParameters(ret="FULL", envid="QQ+2B314")),
        ("AUTH=<>", MailParameters()),
        ("AUTH=e+3Dmc2@example.com", MailParameters()),
        ("ENVID=" + "x" * ENVID_MOST, MailParameters(envid="x" * ENVID_MOST)),
    ],
)
def test_mail_understands(text: str, expected: MailParameters) -> None:
    assert read_mail_parameters(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SIZE", Reason.COMMAND_SYNTAX),
        ("SIZE=", Reason.COMMAND_SYNTAX),
        ("SIZE=-1", Reason.COMMAND_SYNTAX),
        ("SIZE=1e3", Reason.COMMAND_SYNTAX),
        ("SIZE=²", Reason.COMMAND_SYNTAX),
        ("SIZE=" + "9" * 21, Reason.COMMAND_SYNTAX),
        ("BODY=BINARYMIME", Reason.COMMAND_SYNTAX),
        ("BODY", Reason.COMMAND_SYNTAX),
        ("SMTPUTF8=1", Reason.COMMAND_SYNTAX),
        ("RET=ALL", Reason.COMMAND_SYNTAX),
        ("RET=FULL RET=HDRS", Reason.COMMAND_SYNTAX),
        ("ENVID=", Reason.COMMAND_SYNTAX),
        ("ENVID=a=b", Reason.COMMAND_SYNTAX),
        ("ENVID=a+zz", Reason.COMMAND_SYNTAX),
        ("ENVID=" + "x" * (ENVID_MOST + 1), Reason.COMMAND_SYNTAX),
        ("ENVID=a ENVID=b", Reason.COMMAND_SYNTAX),
        ("ENVID=a+0Ab", Reason.COMMAND_SYNTAX),
        ("ENVID=a+7F", Reason.COMMAND_SYNTAX),
        ("SIZE=1 SIZE=1", Reason.COMMAND_SYNTAX),
        ("BODY=7BIT body=8BITMIME", Reason.COMMAND_SYNTAX),
        ("SMTPUTF8 SMTPUTF8", Reason.COMMAND_SYNTAX),
        ("AUTH=<> AUTH=<>", Reason.COMMAND_SYNTAX),
        ("AUTH=", Reason.COMMAND_SYNTAX),
        ("NOTIFY=NEVER", Reason.PARAMETER_UNKNOWN),
        ("BY=120;R", Reason.PARAMETER_UNKNOWN),
        ("=x", Reason.PARAMETER_UNKNOWN),
    ],
)
def test_mail_refuses(text: str, reason: Reason) -> None:
    found = read_mail_parameters(text)
    assert isinstance(found, Refusal)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RecipientParameters()),
        ("NOTIFY=NEVER", RecipientParameters(notify=("NEVER",))),
        ("notify=success,Failure", RecipientParameters(notify=("SUCCESS", "FAILURE"))),
        ("NOTIFY=DELAY,DELAY", RecipientParameters(notify=("DELAY",))),
        ("ORCPT=rfc822;Bob+40x@y", RecipientParameters(orcpt="rfc822;Bob+40x@y")),
        ("ORCPT=utf-8;m\\x{E9}dico@x", RecipientParameters(orcpt="utf-8;m\\x{E9}dico@x")),
        ("ORCPT=utf-8;médico@x", RecipientParameters(orcpt="utf-8;médico@x")),
    ],
)
def test_rcpt_understands(text: str, expected: RecipientParameters) -> None:
    assert read_recipient_parameters(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NOTIFY=", Reason.COMMAND_SYNTAX),
        ("NOTIFY=NEVER,SUCCESS", Reason.COMMAND_SYNTAX),
        ("NOTIFY=ALWAYS", Reason.COMMAND_SYNTAX),
        ("NOTIFY=NEVER NOTIFY=NEVER", Reason.COMMAND_SYNTAX),
        ("ORCPT=bob@x", Reason.COMMAND_SYNTAX),
        ("ORCPT=rfc822;", Reason.COMMAND_SYNTAX),
        ("ORCPT=rfc822;a+0D+0Ab", Reason.COMMAND_SYNTAX),
        ("ORCPT=rfc822;a b", Reason.PARAMETER_UNKNOWN),
        ("ORCPT=rfc822;" + "x" * ORCPT_MOST, Reason.COMMAND_SYNTAX),
        ("ORCPT=rfc822;a ORCPT=rfc822;b", Reason.COMMAND_SYNTAX),
        ("SIZE=1", Reason.PARAMETER_UNKNOWN),
    ],
)
def test_rcpt_refuses(text: str, reason: Reason) -> None:
    found = read_recipient_parameters(text)
    assert isinstance(found, Refusal)
    assert found.reason is reason
