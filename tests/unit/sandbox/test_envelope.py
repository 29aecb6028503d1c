"""The arguments of MAIL and RCPT are taken as they stand or refused."""

import pytest

from relay.sandbox.envelope import read_mail_from, read_rcpt_to
from relay.sandbox.replies import Refusal


@pytest.mark.parametrize(
    ("argument", "sender", "size"),
    [
        ("FROM:<a@x.it>", "a@x.it", 0),
        ("from:<A.B@X.it> SIZE=123 BODY=8BITMIME", "A.B@X.it", 123),
        ("FROM: <a@x.it>", "a@x.it", 0),
        ("FROM:<>", "", 0),
        ('FROM:<"a b>c"@x.it> RET=HDRS ENVID=1', '"a b>c"@x.it', 0),
        ("FROM:<a(b)@x.it> AUTH=<>", "a(b)@x.it", 0),
        ("FROM:<ü@x.it> SMTPUTF8", "ü@x.it", 0),
    ],
)
def test_a_sender_is_taken_as_it_stands(argument: str, sender: str, size: int) -> None:
    mail = read_mail_from(argument)
    assert (mail.sender, mail.size) == (sender, size)


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", "501"),
        ("FROM:a@x.it", "501"),
        ("FROM:<a@x.it", "501"),
        ("FROM:<a b@x.it>", "501"),
        ("FROM:<a@x.it>SIZE=1", "501"),
        ("FROM:<a@x.it> SIZE=", "501"),
        ("FROM:<a@x.it> SIZE=-1", "501"),
        ("FROM:<a@x.it> SIZE=²", "501"),
        ("FROM:<a@x.it> XFOO=1", "555"),
        ("FROM:<a@x.it> NOTIFY=NEVER", "555"),
        ("FROM:<ü@x.it>", "553"),
        ("TO:<a@x.it>", "501"),
    ],
)
def test_what_is_no_sender_is_refused(argument: str, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_mail_from(argument)
    assert refusal.value.reply.startswith(code)


def test_a_recipient_may_ask_for_notices() -> None:
    assert read_rcpt_to("TO:<b@y.it> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@y.it", is_utf8=False) == "b@y.it"


@pytest.mark.parametrize(("argument", "code"), [("TO:<>", "501"), ("TO:<ü@x>", "553"), ("TO:<a@x> SIZE=1", "555")])
def test_what_is_no_recipient_is_refused(argument: str, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_rcpt_to(argument, is_utf8=False)
    assert refusal.value.reply.startswith(code)


def test_a_recipient_may_be_international_where_mail_asked_for_it() -> None:
    assert read_rcpt_to("TO:<ü@x>", is_utf8=True) == "ü@x"
