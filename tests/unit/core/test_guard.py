"""The bounce guard: the same words for several patients."""

import pytest

from relay.core.guard import READ_LEAST, SAME_LEAST, Bounced, is_about_mailbox, is_suspect, least_of
from relay.core.limits import HOUR, MINUTE
from relay.core.meaning import ReplyClass
from relay.core.reply import Reply
from relay.core.words import Stage

NOW = 100 * HOUR
WORDS = b"not allowed"
REFUSED = Reply(550, "5.1.1", "not allowed")


def bounced(recipient: int, ago: int = 0, likeness: bytes = WORDS) -> Bounced:
    return Bounced(bytes([recipient]), NOW - ago, likeness)


def test_three_recipients_refused_in_the_same_words_within_a_quarter_of_an_hour_are_about_the_mailbox() -> None:
    seen = [bounced(1, 15 * MINUTE), bounced(2, MINUTE), bounced(3)]
    assert is_about_mailbox(seen, WORDS, NOW)
    assert not is_about_mailbox(seen, WORDS, NOW + 1)


def test_two_recipients_are_about_themselves() -> None:
    assert not is_about_mailbox([bounced(1), bounced(2)], WORDS, NOW)


def test_one_recipient_who_is_written_to_again_and_again_is_one() -> None:
    assert not is_about_mailbox([bounced(1), bounced(1), bounced(1), bounced(2)], WORDS, NOW)


def test_other_words_are_another_reason() -> None:
    assert not is_about_mailbox([bounced(1), bounced(2), bounced(3, likeness=b"mailbox full")], WORDS, NOW)


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.EOD])
def test_a_class_that_was_guessed_from_a_code_is_suspect(stage: Stage) -> None:
    assert is_suspect(stage, REFUSED, ReplyClass.RECIPIENT_UNKNOWN, is_read=False)


@pytest.mark.parametrize(
    "known",
    [
        ReplyClass.RECIPIENT_UNKNOWN,
        ReplyClass.RECIPIENT_MAILBOX_FULL,
        ReplyClass.RECIPIENT_DOMAIN_BAD,
        ReplyClass.RECIPIENT_REFUSED,
        ReplyClass.GREYLISTED,
        ReplyClass.CONTENT_REFUSED,
        ReplyClass.MESSAGE_TOO_LARGE,
        ReplyClass.POLICY_REFUSED,
    ],
)
def test_what_a_rule_reads_as_being_about_the_recipient_or_his_mail_is_not(known: ReplyClass) -> None:
    assert not is_suspect(Stage.EOD, REFUSED, known, is_read=True)
    assert is_suspect(Stage.EOD, REFUSED, known, is_read=False)


def test_what_was_taken_for_spam_is_never_kept_to_be_sent_again() -> None:
    assert not is_suspect(Stage.EOD, REFUSED, ReplyClass.SPAM_BLOCKED, is_read=False)


@pytest.mark.parametrize("known", [ReplyClass.UNKNOWN, ReplyClass.PROTOCOL_ERROR])
def test_what_is_about_nobody_in_particular_is_suspect_whoever_reads_it(known: ReplyClass) -> None:
    assert is_suspect(Stage.EOD, REFUSED, known, is_read=True)
    assert is_suspect(Stage.EOD, REFUSED, known, is_read=False)


def test_neither_silence_nor_a_refusal_for_now_nor_one_before_the_recipient_is_suspect() -> None:
    assert not is_suspect(Stage.EOD, None, ReplyClass.NETWORK, is_read=False)
    assert not is_suspect(Stage.RCPT, Reply(450, None, "later"), ReplyClass.RECIPIENT_REFUSED, is_read=False)
    assert not is_suspect(Stage.MAIL, REFUSED, ReplyClass.UNKNOWN, is_read=False)


def test_what_is_about_the_mailbox_already_needs_no_guard() -> None:
    assert not is_suspect(Stage.EOD, REFUSED, ReplyClass.QUOTA_EXCEEDED, is_read=False)


@pytest.mark.parametrize(
    ("stage", "reply", "known", "is_read", "least"),
    [
        (Stage.RCPT, REFUSED, ReplyClass.RECIPIENT_UNKNOWN, False, SAME_LEAST),
        (Stage.RCPT, REFUSED, ReplyClass.RECIPIENT_UNKNOWN, True, READ_LEAST),
        (Stage.EOD, REFUSED, ReplyClass.RECIPIENT_MAILBOX_FULL, True, READ_LEAST),
        (Stage.EOD, REFUSED, ReplyClass.CONTENT_REFUSED, True, None),
        (Stage.EOD, REFUSED, ReplyClass.SPAM_BLOCKED, True, None),
        (Stage.MAIL, REFUSED, ReplyClass.RECIPIENT_UNKNOWN, True, None),
        (Stage.RCPT, Reply(450, None, "later"), ReplyClass.RECIPIENT_UNKNOWN, True, None),
        (Stage.RCPT, None, ReplyClass.RECIPIENT_UNKNOWN, True, None),
    ],
)
def test_what_a_rule_reads_as_the_recipients_takes_more_of_them(
    stage: Stage, reply: Reply | None, known: ReplyClass, *, is_read: bool, least: int | None
) -> None:
    assert least_of(stage, reply, known, is_read=is_read) == least


def test_ten_are_ten() -> None:
    nine = [bounced(number) for number in range(9)]
    assert not is_about_mailbox(nine, WORDS, NOW, least=READ_LEAST)
    assert is_about_mailbox([*nine, bounced(9)], WORDS, NOW, least=READ_LEAST)
