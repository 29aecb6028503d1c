"""A concern is told at its time, under its name, and takes nothing of a reply with it."""

import json
from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.announcing import UNTOLD, Situation, notice_of, type_of, word_of
from relay.core.concerns import ONCE, Concern, ConcernKind, Subject
from relay.core.limits import HOUR, MINUTE
from relay.core.notice import Circumstance, Notice, NoticeType
from relay.core.notice_json import read_notice, write_notice
from relay.core.remedy import Needs
from relay.core.reminding import STEADY, Next, Word
from relay.core.words import MailboxId

DAY = 24 * HOUR

AT = 1_795_340_102_000_000
ROSSI = "m.rossi@libero.it"
SUBJECT = Subject(provider="libero", mailbox=MailboxId("libero", ROSSI), account=ROSSI)
STOPPED = Concern(4, ConcernKind.MAILBOX_STOPPED, SUBJECT, "auth-rejected", AT)


def test_each_kind_has_a_type_for_each_word_that_is_said_of_it() -> None:
    for kind in set(ConcernKind) - UNTOLD:
        for word in Word:
            assert type_of(kind, word) in NoticeType
    assert type_of(ConcernKind.MAILBOX_STOPPED, Word.REMINDER) is NoticeType.STILL_STOPPED
    assert type_of(ConcernKind.BOUNCE_GUARD, Word.FIRST) is NoticeType.STOPPED
    assert type_of(ConcernKind.AUTH_OUTAGE, Word.FIRST) is NoticeType.AUTH_OUTAGE
    assert type_of(ConcernKind.BLOCK, Word.HEALED) is NoticeType.PROVIDER_HEALED
    assert type_of(ConcernKind.PAID_UNTIL, Word.FIRST) is NoticeType.PAID_UNTIL
    for kind in UNTOLD:
        with pytest.raises(KeyError):
            type_of(kind, Word.FIRST)


@pytest.mark.parametrize("kind", sorted(ONCE))
def test_what_is_told_once_is_told_once_although_it_is_over(kind: ConcernKind) -> None:
    concern = replace(STOPPED, kind=kind, closed_at=AT)
    assert word_of(concern, None, AT) == Next(Word.FIRST, None)
    assert word_of(concern, AT, AT + 40 * DAY) == Next(None, None)


def test_what_lasts_is_told_reminded_of_and_told_to_be_over() -> None:
    assert word_of(STOPPED, None, AT) == Next(Word.FIRST, AT + DAY)
    assert word_of(STOPPED, AT, AT + DAY).word is Word.REMINDER
    over = replace(STOPPED, closed_at=AT + 2 * DAY)
    assert word_of(over, AT + DAY, AT + 2 * DAY) == Next(None, AT + 2 * DAY + STEADY)
    assert word_of(over, AT + DAY, AT + 2 * DAY + STEADY) == Next(Word.HEALED, None)


@pytest.mark.parametrize(
    ("kind", "reason", "grace"),
    [
        (ConcernKind.MAILBOX_STOPPED, "auth-rejected", 0),
        (ConcernKind.MAILBOX_STOPPED, "network", HOUR),
        (ConcernKind.MAILBOX_STOPPED, "quota-exceeded", 0),
        (ConcernKind.PROVIDER_STOPPED, "network", 10 * MINUTE),
        (ConcernKind.PROVIDER_STOPPED, "tls-expired", 0),
        (ConcernKind.AUTH_OUTAGE, "auth-rejected", 0),
        (ConcernKind.ACCOUNT_STRANDED, "no-account", 10 * MINUTE),
        (ConcernKind.ACCOUNTS_STRANDED, "no-credentials", 10 * MINUTE),
        (ConcernKind.ACCOUNT_STRANDED, "paused-by-admin", DAY),
    ],
)
def test_what_may_pass_by_itself_is_given_its_time(kind: ConcernKind, reason: str, grace: int) -> None:
    concern = replace(STOPPED, kind=kind, reason=reason)
    assert word_of(concern, None, AT + grace).word is Word.FIRST
    if grace:
        assert word_of(concern, None, AT + grace - 1) == Next(None, AT + grace)


def test_an_expired_password_is_said_in_the_notice_of_its_mailbox() -> None:
    assert word_of(replace(STOPPED, kind=ConcernKind.PASSWORD_EXPIRED_BY_PROVIDER), None, AT) == Next(None, None)
    concern = replace(STOPPED, detail={"circumstance": "expired-by-provider"})
    assert notice_of(concern, Word.FIRST, Situation(AT)).circumstance is Circumstance.EXPIRED_BY_PROVIDER
    known = Situation(AT, circumstance=Circumstance.NEVER_WORKED)
    assert notice_of(concern, Word.FIRST, known).circumstance is Circumstance.NEVER_WORKED


def test_that_an_account_sends_again_is_nothing_to_tell() -> None:
    silent = replace(STOPPED, kind=ConcernKind.SILENCE, closed_at=AT + DAY)
    assert word_of(silent, AT, AT + 2 * DAY) == Next(None, None)
    assert word_of(replace(silent, closed_at=None), AT, AT + DAY).word is Word.REMINDER


def test_a_notice_says_who_what_and_since_when() -> None:
    situation = Situation(AT + HOUR, words=2, accounts=(ROSSI, "b@x.it"), waiting=30, next_try=AT + 2 * HOUR)
    assert notice_of(STOPPED, Word.REMINDER, situation) == Notice(
        id="c4-1795340102-3",
        type=NoticeType.STILL_STOPPED,
        at=AT + HOUR,
        provider="libero",
        mailbox=ROSSI,
        accounts=(ROSSI, "b@x.it"),
        reason="auth-rejected",
        since=AT,
        waiting=30,
        needs=Needs.OWNER,
        next_try=AT + 2 * HOUR,
    )
    healed = notice_of(STOPPED, Word.HEALED, situation)
    assert (healed.needs, healed.next_try, healed.waiting) == (None, None, 30)


def test_the_days_of_a_paid_term_are_its_count() -> None:
    detail = {"paid_until": "2027-03-31", "count": "30"}
    paid = replace(STOPPED, kind=ConcernKind.PAID_UNTIL, reason="30d-2027-03-31", detail=detail)
    notice = notice_of(paid, Word.FIRST, Situation(AT))
    assert (notice.type, notice.count, notice.paid_until, notice.reason) == (
        NoticeType.PAID_UNTIL,
        30,
        date(2027, 3, 31),
        None,
    )
    assert notice.accounts == (ROSSI,)


def test_of_a_provider_no_mailbox_is_named() -> None:
    outage = replace(STOPPED, kind=ConcernKind.BLOCK, subject=Subject(provider="libero"), detail={"mailboxes": "7"})
    notice = notice_of(outage, Word.FIRST, Situation(AT))
    assert (notice.provider, notice.mailbox, notice.accounts, notice.count) == ("libero", None, (), 7)


PATIENT = "anna.verdi@example.com"
DETAILS = st.dictionaries(
    st.sampled_from(["reply", "count", "usual", "mailboxes", "paid_until", "circumstance", "likeness", "stage"]),
    st.sampled_from(
        [f"550 5.1.1 {PATIENT}", PATIENT, "12", "999999999999", "-1", "²", "2027-02-30", "same-refusal", ""]
    ),
)


@given(st.sampled_from(sorted(set(ConcernKind) - UNTOLD)), st.sampled_from(Word), DETAILS)
def test_nothing_of_a_detail_that_could_name_a_patient_gets_out(
    kind: ConcernKind, word: Word, detail: dict[str, str]
) -> None:
    notice = notice_of(replace(STOPPED, kind=kind, detail=detail), word, Situation(AT))
    assert PATIENT not in repr(notice)
    assert "550" not in repr(notice)


def test_the_same_word_has_the_same_id_and_another_one_another() -> None:
    ids = {
        notice_of(replace(STOPPED, id=concern), word, Situation(now, words)).id
        for concern, words, word, now in product((4, 5), (0, 1), (Word.FIRST,), (AT, AT + HOUR))
    }
    assert len(ids) == 4


# kept until it is sent


NOTICES = st.builds(
    Notice,
    id=st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True),
    type=st.sampled_from(NoticeType),
    at=st.integers(0, 2**52),
    provider=st.none() | st.just("libero"),
    mailbox=st.none() | st.just("è@x.it"),
    accounts=st.lists(st.sampled_from([ROSSI, "è@x.it"]), max_size=3).map(tuple),
    reason=st.none() | st.just("auth-rejected"),
    circumstance=st.none() | st.sampled_from(Circumstance),
    since=st.none() | st.integers(0, 2**52),
    waiting=st.integers(0, 10**6),
    needs=st.none() | st.sampled_from(Needs),
    next_try=st.none() | st.integers(0, 2**52),
    paid_until=st.none() | st.dates(),
    count=st.none() | st.integers(0, 10**6),
    usual=st.none() | st.integers(0, 10**6),
)


@given(NOTICES)
def test_a_notice_is_read_as_it_was_written(notice: Notice) -> None:
    assert read_notice(write_notice(notice)) == notice


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"id": "a", "type": "mailbox.lost", "at": 1}', '{"patient": "Anna"}']
)
def test_what_is_no_notice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_notice(text)


def test_what_was_written_is_checked_when_it_is_read() -> None:
    written = {**json.loads(write_notice(notice_of(STOPPED, Word.FIRST, Situation(AT)))), "reason": PATIENT}
    with pytest.raises(ValueError, match="reason"):
        read_notice(json.dumps(written))


def test_of_a_mail_taken_for_spam_only_an_id_and_a_domain_are_taken_over() -> None:
    spam = replace(STOPPED, kind=ConcernKind.SPAM_BLOCKED, reason="spam-blocked")

    def told(message: str, domain: str) -> tuple[str | None, str | None]:
        detail = {"message": message, "domain": domain, "reply": "554 spam to <anna@x.it>"}
        notice = notice_of(replace(spam, detail=detail), Word.FIRST, Situation(AT))
        assert read_notice(write_notice(notice)) == notice
        return notice.message, notice.domain

    assert told("0a1b-2", "bücher.example") == ("0a1b-2", "bücher.example")
    assert told("m-1; rm", "anna@x.it") == (None, None)
    assert told("", "x it") == (None, None)
