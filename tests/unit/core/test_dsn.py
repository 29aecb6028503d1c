"""Bounces: what RFC 3464 asks for, in a doctor's words, and nothing that a client or a peer could smuggle in."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.causes import CAUSES
from relay.core.dsn import HEADERS, Delay, Letterhead, Tale, compose, is_wanted
from relay.core.envelope import Envelope, Recipient
from relay.core.failuretext import WORDINGS, Action, Language
from relay.core.remedy import REMEDIES, Needs
from relay.core.reply import Reply, read_reply

DOCTOR = "m.rossi@studiorossi.it"
PATIENT = "anna.verdi@example.com"
HEADER = (
    b"Received: from pc by relay.example.it with ESMTPA id A1; Sun, 22 Nov 2026 09:00:00 +0000\r\n"
    b"From: Dr. Rossi <m.rossi@studiorossi.it>\r\n"
    b"To: anna.verdi@example.com\r\n"
    b"Subject: Ricetta\r\n"
    b"Message-ID: <abc.1@studiorossi.it>\r\n"
)
FAILURE = Tale(
    action=Action.FAILED,
    message="A1",
    envelope=Envelope(DOCTOR, (Recipient(PATIENT),)),
    reason="recipient-unknown",
    reply=read_reply(550, "5.1.1 <anna.verdi@example.com> no such user"),
    accepted_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    at=datetime(2026, 11, 22, 9, 0, 7, tzinfo=UTC),
    headers=HEADER,
)
HEAD = Letterhead(
    sender=DOCTOR,
    hostname="relay.example.it",
    language=Language.ENGLISH,
    id="A1-report-3",
    boundary="b0undary",
    date=datetime(2026, 11, 22, 9, 0, 8, tzinfo=UTC),
)
DISCREET = replace(HEAD, sender="servizio@vendor.example", is_discreet=True)


def parsed(failure=FAILURE, head=HEAD):
    return email.message_from_bytes(compose(failure, head), policy=email.policy.default)


def parts(failure=FAILURE, head=HEAD):
    return list(parsed(failure, head).iter_parts())


def human(failure=FAILURE, head=HEAD):
    return parts(failure, head)[0].get_content()


def status(failure=FAILURE, head=HEAD):
    """The two groups of fields of the status part."""
    return [list(group.items()) for group in parts(failure, head)[1].get_payload()]


def test_it_is_a_delivery_status_report_of_three_parts():
    report = parsed()
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in report.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert report.defects == []


def test_it_goes_from_the_own_mailbox_to_the_sender_and_no_machine_answers_it():
    report = parsed()
    assert report["From"].addresses[0].addr_spec == DOCTOR
    assert report["To"].addresses[0].addr_spec == DOCTOR
    assert report["Auto-Submitted"] == "auto-replied"
    assert report["Message-ID"] == "<A1-report-3@relay.example.it>"
    assert report["Date"].datetime == HEAD.date


def test_a_mail_client_shows_it_beside_the_mail_that_failed():
    report = parsed()
    assert report["In-Reply-To"] == "<abc.1@studiorossi.it>"
    assert report["References"] == "<abc.1@studiorossi.it>"


def test_the_status_is_what_machines_read():
    about_message, about_recipient = status()
    assert about_message == [
        ("Reporting-MTA", "dns; relay.example.it"),
        ("Arrival-Date", "Sun, 22 Nov 2026 09:00:00 +0000"),
    ]
    assert about_recipient == [
        ("Final-Recipient", f"rfc822; {PATIENT}"),
        ("Action", "failed"),
        ("Status", "5.1.1"),
        ("Diagnostic-Code", "smtp; 550 5.1.1 <address> no such user"),
        ("Last-Attempt-Date", "Sun, 22 Nov 2026 09:00:07 +0000"),
    ]


def test_the_doctor_reads_who_why_and_what_to_do():
    text = human()
    assert PATIENT in text
    assert "this address does not exist" in text
    assert "ask the recipient for the right address" in text
    assert "no such user" in text
    assert "A1, accepted 2026-11-22 09:00 UTC" in text


def test_the_doctor_reads_it_in_italian():
    report = parsed(head=replace(HEAD, language=Language.ITALIAN))
    assert report["Subject"] == "Il messaggio non è stato recapitato"
    assert (
        "Il Suo messaggio per anna.verdi@example.com non è stato recapitato" in next(report.iter_parts()).get_content()
    )


def test_the_headers_come_back_and_the_body_does_not():
    body = b"\r\nGentile signora, in allegato la ricetta\r\n"
    content = compose(replace(FAILURE, headers=HEADER + body), HEAD)
    assert b"Subject: Ricetta" in content
    assert b"Gentile signora" not in content


def test_headers_that_are_gone_leave_a_report_of_two_parts():
    assert len(parts(replace(FAILURE, headers=b""))) == 2
    assert "In-Reply-To" not in parsed(replace(FAILURE, headers=b""))


def test_headers_that_are_not_ascii_still_make_a_report_of_seven_bits():
    failure = replace(FAILURE, headers=b"Subject: perch\xc3\xa9 = no\r\nX: " + b"y" * 2000 + b"\r\n")
    content = compose(failure, HEAD)
    assert content.isascii()
    assert parts(failure)[2].get_payload(decode=True) == failure.headers


def test_endless_headers_are_cut_at_the_end_of_a_line():
    failure = replace(FAILURE, headers=b"X-Line: 0123456789\r\n" * 10_000)
    returned = parts(failure)[2].get_payload(decode=True)
    assert HEADERS - 40 < len(returned) <= HEADERS
    assert returned.endswith(b"0123456789\r\n")


# the discreet variant


def test_through_another_mailbox_it_names_neither_patient_nor_content():
    failure = replace(
        FAILURE,
        envelope=Envelope(DOCTOR, (Recipient(PATIENT, orcpt=f"rfc822;{PATIENT}"),), envid="anna-verdi"),
        reply=Reply(550, "5.1.1", "mailbox anna.verdi unavailable"),
    )
    content = compose(failure, DISCREET)
    text = content.decode().lower() + human(failure, DISCREET).lower()
    for trace in ("anna", "verdi", "ricetta", "abc.1"):
        assert trace not in text
    assert len(parts(failure, DISCREET)) == 2
    assert parsed(failure, DISCREET)["From"].addresses[0].addr_spec == "servizio@vendor.example"


def test_through_another_mailbox_it_still_says_which_mail_and_why():
    text = human(head=DISCREET)
    assert "this address does not exist" in text
    assert "A1, accepted" in text
    assert "look in your software for what it sent" in text, "the number alone leads to nobody"
    assert "550 5.1.1" in text
    about_recipient = dict(status(head=DISCREET)[1])
    assert about_recipient["Final-Recipient"] == "rfc822; withheld@recipient.invalid"
    assert about_recipient["Diagnostic-Code"] == "smtp; 550 5.1.1"


# codes


@pytest.mark.parametrize(
    ("reason", "reply", "code"),
    [
        ("recipient-unknown", Reply(550, "5.2.1", "disabled"), "5.2.1"),
        ("recipient-unknown", Reply(550, None, "no"), "5.1.1"),
        ("expired", Reply(451, "4.2.2", "full"), "4.4.7"),
        ("expired", None, "4.4.7"),
        ("unknown", Reply(554, None, "no"), "5.0.0"),
    ],
)
def test_the_status_code_is_the_providers_where_it_gave_a_final_one(reason, reply, code):
    assert dict(status(replace(FAILURE, reason=reason, reply=reply))[1])["Status"] == code


def test_a_silent_provider_leaves_no_diagnostic():
    failure = replace(FAILURE, reason="expired", reply=None)
    assert "Diagnostic-Code" not in dict(status(failure)[1])
    assert "Answer of the mail server: none" in human(failure)


def test_a_long_answer_is_folded_and_reads_as_it_was_said():
    failure = replace(FAILURE, reply=Reply(550, "5.7.1", "refused because " + "of this and that " * 30 + "x" * 2000))
    content = compose(failure, HEAD)
    folded = [line for line in content.split(b"\r\n") if b"of this and that" in line and not line.endswith(b"=")]
    assert len(folded) > 3
    assert max(map(len, folded)) <= 78
    said = dict(status(failure)[1])["Diagnostic-Code"]
    assert "".join(said.split()).startswith("smtp;5505.7.1refusedbecauseofthisandthat")


def test_what_the_client_said_of_envelope_and_recipient_comes_back_decoded():
    recipient = Recipient(PATIENT, orcpt="rfc822;anna+2Bricette@example.com")
    failure = replace(FAILURE, envelope=Envelope(DOCTOR, (recipient,), envid="practice+3D7"))
    about_message, about_recipient = status(failure)
    assert dict(about_message)["Original-Envelope-Id"] == "practice=7"
    assert dict(about_recipient)["Original-Recipient"] == "rfc822; anna+ricette@example.com"


def test_an_international_address_is_written_in_seven_bits():
    failure = replace(FAILURE, envelope=Envelope(DOCTOR, (Recipient("andré@example.com"),)))
    assert dict(status(failure)[1])["Final-Recipient"] == "utf-8; andr\\x{E9}@example.com"
    assert compose(failure, HEAD).isascii()
    assert "andré@example.com" in human(failure)


def test_times_keep_the_zone_they_came_with():
    rome = timezone(timedelta(hours=1), "CET")
    failure = replace(FAILURE, accepted_at=FAILURE.accepted_at.astimezone(rome))
    assert "2026-11-22 10:00 CET" in human(failure)
    assert dict(status(failure)[0])["Arrival-Date"] == "Sun, 22 Nov 2026 10:00:00 +0100"


# who wants one


@pytest.mark.parametrize(
    ("sender", "notify", "wanted"),
    [
        (DOCTOR, (), True),
        (DOCTOR, ("FAILURE",), True),
        (DOCTOR, ("SUCCESS", "failure"), True),
        (DOCTOR, ("NEVER",), False),
        (DOCTOR, ("SUCCESS", "DELAY"), False),
        ("", (), False),
    ],
)
def test_a_report_is_sent_to_those_who_want_it(sender, notify, wanted):
    assert is_wanted(Envelope(sender, (Recipient(PATIENT, notify),)), Action.FAILED) is wanted


# what nobody can do

TOP = {"from", "to", "subject", "date", "message-id", "auto-submitted", "in-reply-to", "references", "mime-version"}
ANY = st.text(max_size=200)
LINES = st.text(alphabet="\r\n\0:;<>@= -bB0undaryXà\u2028\x85", max_size=80)
TEXT = st.one_of(ANY, LINES)


@st.composite
def failures(draw):
    recipient = Recipient(draw(TEXT), orcpt=draw(st.one_of(st.none(), TEXT)))
    envelope = Envelope(draw(TEXT), (recipient,), envid=draw(st.one_of(st.none(), TEXT)))
    reply = draw(st.one_of(st.none(), st.builds(Reply, st.integers(200, 599), st.none() | TEXT, TEXT)))
    headers = draw(st.one_of(st.binary(max_size=300), LINES.map(str.encode)))
    return replace(FAILURE, message=draw(TEXT), envelope=envelope, reply=reply, reason=draw(TEXT), headers=headers)


@st.composite
def letterheads(draw):
    named = {name: draw(TEXT) for name in ("sender", "hostname", "id", "boundary")}
    return replace(HEAD, **named, language=draw(st.sampled_from(Language)), is_discreet=draw(st.booleans()))


@given(failures(), letterheads())
def test_no_value_makes_a_field_a_part_or_a_line_of_its_own(failure, head):
    content = compose(failure, head)
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\0" not in content
    assert max(map(len, content.split(b"\r\n"))) <= 998
    report: Any = email.message_from_bytes(content)
    assert {name.lower() for name in report.keys()} <= TOP | {"content-type"}  # noqa: SIM118 - a message is no dict
    assert len(report.keys()) == len({name.lower() for name in report.keys()})  # noqa: SIM118
    kinds = [part.get_content_type() for part in report.get_payload()]
    assert kinds[:2] == ["text/plain", "message/delivery-status"]
    assert kinds[2:] in ([], ["text/rfc822-headers"])
    about_message, about_recipient = report.get_payload()[1].get_payload()
    assert set(about_message.keys()) <= {"Reporting-MTA", "Original-Envelope-Id", "Arrival-Date"}
    assert set(about_recipient.keys()) <= {
        "Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code", "Last-Attempt-Date"
    }  # fmt: skip
    assert about_recipient["Action"] == "failed"


@given(st.binary(max_size=2000))
def test_returned_headers_keep_their_content(headers):
    report: Any = email.message_from_bytes(compose(replace(FAILURE, headers=b"X: y\r\n" + headers), HEAD))
    returned = report.get_payload()[2].get_payload(decode=True)
    assert returned.startswith(b"X: y\r\n")
    assert b"\r\n\r\n" not in returned


def test_a_boundary_that_was_guessed_ends_nothing():
    failure = replace(FAILURE, headers=b"X: 1\r\n--b0undary--\r\nY: 2\r\n")
    assert len(parts(failure)) == 3
    assert b"Y: 2" in parts(failure)[2].get_payload(decode=True)


# the sentences


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_has_a_sentence_and_advice_in_every_language(language):
    for reason in (*CAUSES, "something-new"):
        text = human(replace(FAILURE, reason=reason), replace(HEAD, language=language))
        assert "{" not in text
        assert max(map(len, text.splitlines())) <= 110
    assert all(WORDINGS[language].openings[action].subject for action in Action)


# what is late, what was handed over, what waited too long

LATE = replace(
    FAILURE,
    action=Action.DELAYED,
    reason="limit",
    reply=None,
    delay=Delay(
        until=datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        eta=datetime(2026, 11, 22, 14, 30, tzinfo=UTC),
        others=41,
        needs=None,
    ),
)


def test_a_notice_of_delay_says_until_when_it_is_tried():
    _, about_recipient = status(LATE)
    assert about_recipient == [
        ("Final-Recipient", f"rfc822; {PATIENT}"),
        ("Action", "delayed"),
        ("Status", "4.4.7"),
        ("Will-Retry-Until", "Wed, 25 Nov 2026 09:00:00 +0000"),
    ]


def test_the_doctor_reads_that_it_is_late_and_that_he_need_do_nothing():
    report, text = parsed(LATE), human(LATE)
    assert report["Subject"] == "Your mail is late"
    assert "may send only so many mails" in text
    assert "at 2026-11-22 14:30 UTC" in text
    assert "until 2026-11-25 09:00 UTC" in text
    assert "wait as well: 41." in text
    assert "Do not send it again" in text
    assert "Answer of the mail server" not in text


def test_a_doctor_who_has_to_act_reads_what_to_do_and_no_time():
    delay = Delay(until=LATE.at, eta=None, others=0, needs=Needs.OWNER)
    text = human(replace(LATE, reason="auth-rejected", delay=delay, reply=Reply(535, "5.7.8", "wrong")))
    assert "tell support its new password" in text
    assert "535 5.7.8 wrong" in text
    assert "probably leave" not in text
    assert "wait as well" not in text


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_a_notice_of_what_is_held_names_who_acts_and_promises_no_departure(reason, language):
    delay = Delay(until=LATE.at, eta=LATE.at, others=0, needs=REMEDIES[reason])
    head = replace(HEAD, language=language, contact="tel. 0575 1234")
    text, wording = human(replace(LATE, reason=reason, delay=delay), head), WORDINGS[language]
    assert wording.eta.partition("{")[0] not in text
    assert wording.next_try.partition("{")[0] in text
    assert wording.kept.partition("{")[0] in text
    assert wording.patience not in text
    if REMEDIES[reason] is not Needs.OWNER:
        assert wording.helper.format(contact=" (tel. 0575 1234)") in text


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_a_bounce_of_what_was_held_says_that_it_has_to_be_sent_again(reason, language):
    tale = replace(FAILURE, reason=reason, reply=None, since=FAILURE.accepted_at)
    text = human(tale, replace(HEAD, language=language))
    assert (WORDINGS[language].again in text) is (reason != "in-doubt"), "what may have arrived is not sent blindly"
    assert WORDINGS[language].again not in human(replace(tale, since=None), replace(HEAD, language=language))


@pytest.mark.parametrize("language", list(Language))
def test_wherever_support_is_named_it_is_said_how_to_reach_it(language):
    head = replace(HEAD, language=language, contact="tel. 0575 {1234}")
    for reason in (*CAUSES, *REMEDIES, "something-new"):
        text = human(replace(FAILURE, reason=reason), head)
        names_it = any(word in text for word in (" support", "assistenza"))
        assert ("(tel. 0575 {1234})" in text) is names_it, reason


def test_who_does_not_want_to_hear_of_failures_is_not_promised_to():
    only_delay = Envelope(DOCTOR, (Recipient(PATIENT, ("DELAY",)),))
    assert "another message if it fails" in human(LATE)
    assert "another message" not in human(replace(LATE, envelope=only_delay))


def test_a_temporary_reply_gives_a_notice_its_status():
    said = replace(LATE, reason="greylisted", reply=Reply(450, "4.2.0", "later"))
    assert ("Status", "4.2.0") in status(said)[1]
    assert ("Diagnostic-Code", "smtp; 450 4.2.0 later") in status(said)[1]
    assert ("Status", "4.4.7") in status(replace(said, reply=Reply(550, "5.1.1", "no")))[1]


@pytest.mark.parametrize("language", list(Language))
def test_a_notice_is_short_and_whole_in_every_language(language):
    for reason in (*CAUSES, "something-new"):
        text = human(replace(LATE, reason=reason), replace(HEAD, language=language))
        assert "{" not in text
        assert max(map(len, text.splitlines())) <= 110


def test_a_discreet_notice_names_nobody():
    content = compose(replace(LATE, headers=HEADER), DISCREET)
    assert b"verdi" not in content
    assert b"Ricetta" not in content
    assert b"Action: delayed" in content


def test_what_was_handed_over_is_relayed_and_nothing_to_worry_about():
    tale = replace(FAILURE, action=Action.RELAYED, reason="delivered", reply=Reply(250, "2.0.0", "queued as 12"))
    assert parsed(tale)["Subject"] == "Your mail was handed over"
    assert "confirms no deliveries" in human(tale)
    assert "What you can do" not in human(tale)
    fields = dict(status(tale)[1])
    assert (fields["Action"], fields["Status"]) == ("relayed", "2.1.9")
    assert fields["Diagnostic-Code"] == "smtp; 250 2.0.0 queued as 12"


def test_envelope_id_and_original_recipient_come_back_in_every_report():
    envelope = Envelope(DOCTOR, (Recipient(PATIENT, ("SUCCESS",), "rfc822;Anna+2Bx@example.com"),), envid="QQ+2B314")
    for tale in (FAILURE, LATE, replace(FAILURE, action=Action.RELAYED)):
        about_message, about_recipient = status(replace(tale, envelope=envelope))
        assert ("Original-Envelope-Id", "QQ+314") in about_message
        assert ("Original-Recipient", "rfc822; Anna+x@example.com") in about_recipient


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.ENGLISH, "The mail had a deadline of its own (X-Relay-Valid-Until), 2026-"),
        (Language.ITALIAN, "Il messaggio aveva una propria scadenza (X-Relay-Valid-Until), "),
    ],
)
@pytest.mark.parametrize("reason", ["ip-blocked", "expired"])
def test_a_deadline_that_its_sender_named_is_said_to_have_been_his(language, said, reason):
    tale = replace(FAILURE, reason=reason, reply=None, since=FAILURE.accepted_at, deadline=FAILURE.at)
    head = replace(HEAD, language=language)
    assert said in human(tale, head)
    assert "X-Relay-Valid-Until" not in human(replace(tale, deadline=None), head)


def test_a_lifetime_that_ended_names_what_held_the_mail_and_since_when():
    since = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
    tale = replace(FAILURE, reason="auth-rejected", reply=None, since=since)
    assert "password of your mailbox was refused" in human(tale)
    assert "in the time that was allowed" in human(tale)
    assert "Since 2026-11-20 08:15 UTC" in human(tale)
    fields = dict(status(replace(tale, reply=Reply(450, "4.2.0", "later")))[1])
    assert (fields["Action"], fields["Status"]) == ("failed", "4.4.7")
    assert "Last-Attempt-Date" not in fields
    assert "held it up" not in human(replace(tale, reason="expired")), "that says all by itself"


@pytest.mark.parametrize(
    ("notify", "wanted"),
    [
        ((), {Action.FAILED, Action.DELAYED}),
        (("NEVER",), set()),
        (("SUCCESS",), {Action.RELAYED}),
        (("failure",), {Action.FAILED}),
        (("DELAY", "FAILURE"), {Action.FAILED, Action.DELAYED}),
    ],
)
def test_the_sender_hears_what_he_asked_for(notify, wanted):
    envelope = Envelope(DOCTOR, (Recipient(PATIENT, notify),))
    assert {action for action in Action if is_wanted(envelope, action)} == wanted
    assert not any(is_wanted(replace(envelope, sender=""), action) for action in Action)
