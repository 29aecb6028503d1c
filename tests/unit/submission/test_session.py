"""Every command gets one reply, in order, with the code that the interface promises."""

from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest

from relay.core.failuretext import Language
from relay.core.refusal import Reason
from relay.core.routing import Client
from relay.core.words import Stage
from relay.errors import StoreFull, StoreUnavailable
from relay.submission import ListenerSettings
from relay.submission.session import COMMANDS_MOST, ERRORS_MOST
from tests.fakes.submission import REJECTING, Office, account, by_address, literal, practice
from tests.unit.submission.dialogue import MAIL, MESSAGE, after_login, plain, send, talk


def codes(replies: list[str]) -> list[str]:
    return [reply[:3] for reply in replies]


class TestGreeting:
    async def test_ehlo_offers_what_is_there(self) -> None:
        assert await talk(Office(), b"EHLO pc\r\n") == [
            "250-relay.example.it",
            "250-PIPELINING",
            "250-SIZE 25000000",
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250-AUTH PLAIN LOGIN",
            "250-DSN",
            "250 ENHANCEDSTATUSCODES",
        ]

    async def test_auth_is_not_offered_in_clear_off_loopback(self) -> None:
        office = Office()
        assert not [line for line in await talk(office, b"EHLO pc\r\n", address="10.0.0.1") if "AUTH" in line]
        replies = await talk(office, b"EHLO pc\r\n" + plain(), address="10.0.0.1")
        assert replies[-1].startswith("538 5.7.11 ")
        assert office.logins.asked == []

    async def test_auth_is_offered_where_plaintext_is_allowed(self) -> None:
        office = Office(listener=ListenerSettings("0.0.0.0:25", has_plaintext_allowed=True))
        assert (await talk(office, b"EHLO pc\r\n" + plain(), address="10.0.0.1"))[-1] == "235 2.7.0 Welcome"

    @pytest.mark.parametrize("name", [b"pc", b"[192.0.2.1]", b"[foo bar", b"PC di Mario", b"-", "caffè".encode()])
    @pytest.mark.parametrize("verb", [b"EHLO", b"HELO", b"ehlo"])
    async def test_any_name_is_taken(self, verb: bytes, name: bytes) -> None:
        assert (await talk(Office(), verb + b" " + name + b"\r\n"))[-1].startswith("250 ")

    async def test_helo_alone_is_enough_for_a_client_known_by_address(self) -> None:
        office = Office(practice(by_address()))
        replies = await talk(office, b"HELO pc\r\n" + MAIL + MESSAGE + b".\r\n")
        assert replies == ["250 relay.example.it", "250 2.1.0 Ok", "250 2.1.5 Ok",
                           "354 End data with <CR><LF>.<CR><LF>", "250 2.0.0 Ok: queued as m-1"]  # fmt: skip
        assert b" with SMTP id m-1;" in office.intake.messages[0].content

    async def test_a_new_greeting_forgets_the_transaction(self) -> None:
        replies = await after_login(Office(), MAIL[:28] + b"EHLO pc\r\nRCPT TO:<p@x.test>\r\n")
        assert replies[-1].startswith("503 5.5.1 ")


class TestSmallCommands:
    @pytest.mark.parametrize(
        ("command", "reply"),
        [
            (b"NOOP", "250 2.0.0 Ok"),
            (b"noop ignored", "250 2.0.0 Ok"),
            (b"RSET", "250 2.0.0 Ok"),
            (b"HELP", "214 2.0.0 "),
            (b"VRFY paziente", "252 2.0.0 "),
            (b"QUIT", "221 2.0.0 Bye"),
            (b"EXPN lista", "502 5.5.1 "),
            (b"BDAT 10 LAST", "502 5.5.1 "),
            (b"STARTTLS", "502 5.5.1 "),
            (b"GET / HTTP/1.1", "421 4.7.0 "),
            (b"", "500 5.5.2 "),
            (b"\xff\xfe", "500 5.5.2 "),
            (b"EHLO", "501 5.5.4 "),
            (b"HELO  ", "501 5.5.4 "),
            (b"MAIL FROM:<m.rossi@d.test>", "503 5.5.1 "),
            (b"AUTH PLAIN", "503 5.5.1 "),
            (b"RCPT TO:<p@x.test>", "530 5.7.0 "),
            (b"DATA", "530 5.7.0 "),
        ],
    )
    async def test_get_their_reply(self, command: bytes, reply: str) -> None:
        assert (await talk(Office(), command + b"\r\n"))[0].startswith(reply)

    async def test_lines_may_end_with_lf_alone(self) -> None:
        assert codes(await talk(Office(), b"NOOP\nNOOP\r\n")) == ["250", "250"]

    async def test_nothing_is_heard_after_quit(self) -> None:
        assert await talk(Office(), b"QUIT\r\nNOOP\r\n") == ["221 2.0.0 Bye"]

    async def test_no_reply_repeats_what_a_client_said(self) -> None:
        assert "paziente" not in "".join(await talk(Office(), b"VRFY paziente\r\nXPAZIENTE paziente\r\n")).lower()


class TestLongLines:
    async def test_a_command_may_have_4096_octets(self) -> None:
        assert codes(await talk(Office(), b"NOOP " + b"x" * 4091 + b"\r\n")) == ["250"]
        assert (await talk(Office(), b"NOOP " + b"x" * 4092 + b"\r\n"))[0].startswith("500 5.5.2 ")

    async def test_a_giant_line_is_read_to_its_end_and_the_session_stays_usable(self) -> None:
        replies = await talk(Office(), b"x" * 1_000_000 + b"\r\nNOOP\r\n")
        assert codes(replies) == ["500", "250"]

    async def test_a_login_may_have_12288_octets(self) -> None:
        line = b"AUTH PLAIN " + b"A" * (12_288 - 11)
        replies = await talk(Office(), b"EHLO pc\r\n" + line + b"\r\n" + line + b"A\r\n")
        assert replies[-2].startswith("501 5.5.2 ") or replies[-2].startswith("535 ")
        assert replies[-1].startswith("500 5.5.2 ")


class TestWhoMaySend:
    async def test_nobody_without_a_login(self) -> None:
        office = Office()
        replies = await talk(office, b"EHLO pc\r\n" + MAIL)
        assert codes(replies[-3:]) == ["530", "530", "530"]
        assert replies[-3] == "530 5.7.0 Login required: set user name and password of the relay"
        assert office.observer.told("refused")[0]["stage"] is Stage.MAIL

    async def test_whoever_helps_is_told_as_which_sender_a_client_may_not_send_and_never_to_whom(self) -> None:
        office = Office(practice(by_address()))
        script = b"EHLO pc\r\nMAIL FROM:<typo@elsewhere.test>\r\n" + MAIL.partition(b"RCPT")[0] + b"RCPT TO:<bad\r\n"
        await talk(office, script)
        at_mail, at_rcpt = office.observer.told("refused")[0], office.observer.told("refused")[-1]
        assert (at_mail["client"], at_mail["sender"]) == ("server-room", "typo@elsewhere.test")
        assert at_rcpt["stage"] is Stage.RCPT
        assert "sender" not in at_rcpt

    async def test_a_client_known_by_address(self) -> None:
        office = Office(practice(by_address()))
        await talk(office, b"EHLO pc\r\n" + MAIL + MESSAGE + b".\r\n")
        assert office.intake.messages[0].client == "server-room"
        assert b" with ESMTP id " in office.intake.messages[0].content

    async def test_a_client_known_by_address_only_where_networks_are_trusted(self) -> None:
        office = Office(practice(by_address(network="10.0.0.0/8")))
        assert (await talk(office, b"EHLO pc\r\n" + MAIL, address="10.1.2.3"))[-1].startswith("530 ")
        trusting = Office(office.routing, listener=ListenerSettings("0.0.0.0:25", has_trusted_networks=True))
        assert (await talk(trusting, b"EHLO pc\r\n" + MAIL, address="10.1.2.3"))[-1].startswith("354 ")
        assert (await talk(trusting, b"EHLO pc\r\n" + MAIL, address="11.1.2.3"))[-1].startswith("530 ")

    async def test_a_login_goes_before_the_address(self) -> None:
        office = Office(practice(by_address()))
        await send(office)
        assert office.intake.messages[0].client == "studio"
        assert b" with ESMTPA id " in office.intake.messages[0].content

    async def test_a_login_ends_when_its_password_changes(self) -> None:
        office = Office()

        def change() -> None:
            office.routing = practice(Client("studio", ("*@d.test",), literal("other")))

        replies = await after_login(office, change, MAIL + plain(password="other") + MAIL[:28])
        assert codes(replies) == ["530", "530", "530", "235", "250"]

    async def test_a_login_ends_when_the_client_is_removed(self) -> None:
        office = Office()

        def remove() -> None:
            office.routing = replace(practice(), clients={})

        assert codes(await after_login(office, remove, MAIL[:28])) == ["530"]

    async def test_a_login_outlives_an_edit_that_does_not_touch_it(self) -> None:
        office = Office()

        def edit() -> None:
            office.routing = practice(accounts=(account("new@d.test"),))

        assert codes(await after_login(office, edit, b"MAIL FROM:<new@d.test>\r\n")) == ["250"]


class TestTheEnvelope:
    async def test_an_unknown_sender_is_told_the_ways_out_and_whom_to_call(self) -> None:
        office = Office(contact="Assistenza 0974 000000")
        reply = (await after_login(office, b"MAIL FROM:<nobody@d.test>\r\n"))[-1]
        assert reply.startswith("550 5.7.1 Sender nobody@d.test has no account")
        assert "business mailbox (Mail Plus)" in reply
        assert "own mailbox" in reply
        assert reply.endswith("Assistenza 0974 000000")

    async def test_a_foreign_sender_is_told_what_an_administrator_has_to_do(self) -> None:
        reply = (await after_login(Office(), b"MAIL FROM:<m.rossi@else.test>\r\n"))[-1]
        assert reply.startswith("550 5.7.1 Login studio may not send as m.rossi@else.test")
        assert "may_send_as" in reply

    async def test_a_retired_sender_is_told_the_two_ways_out(self) -> None:
        retired = account("old@d.test", retires=date(2026, 11, 1))
        reply = (await after_login(Office(practice(accounts=(retired,))), b"MAIL FROM:<old@d.test>\r\n"))[-1]
        assert reply.startswith("550 5.7.1 Sender old@d.test is retired since 2026-11-02")

    async def test_replies_speak_italian(self) -> None:
        reply = (await after_login(Office(language=Language.ITALIAN), b"MAIL FROM:<nobody@d.test>\r\n"))[-1]
        assert reply.startswith("550 5.7.1 Il mittente nobody@d.test non ha un account")

    @pytest.mark.parametrize(
        ("command", "reply"),
        [
            (b"MAIL FROM:<m.rossi@d.test>", "250 2.1.0"),
            (b"mail from: <M.Rossi@D.TEST>", "250 2.1.0"),
            (b"MAIL FROM:m.rossi@d.test", "250 2.1.0"),
            (b"MAIL FROM:<info@d.test>", "250 2.1.0"),
            (b"MAIL FROM:<>", "250 2.1.0"),
            (b"MAIL FROM:<m.rossi@d.test> SIZE=25000000 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x AUTH=<>", "250 2.1.0"),
            (b"MAIL FROM:<m.rossi@d.test> SIZE=25000001", "552 5.3.4"),
            (b"MAIL FROM:<m.rossi@d.test> SIZE=abc", "501 5.5.4"),
            (b"MAIL FROM:<m.rossi@d.test> WHATEVER=1", "555 5.5.4"),
            (b"MAIL FROM:<not an address>", "553 5.1.7"),
            (b"MAIL FROM:<m.rossi@d.test", "501 5.5.4"),
            (b"MAIL TO:<m.rossi@d.test>", "501 5.5.4"),
            (b"MAIL", "501 5.5.4"),
            ("MAIL FROM:<rossì@d.test>".encode(), "553 5.6.7"),
            (b"MAIL FROM:<ross\xec@d.test>", "553 5.1.7"),
            ("MAIL FROM:<rossì@d.test> SMTPUTF8".encode(), "550 5.7.1"),
        ],
    )
    async def test_mail(self, command: bytes, reply: str) -> None:
        assert (await after_login(Office(), command + b"\r\n"))[-1].startswith(reply)

    @pytest.mark.parametrize(
        ("command", "reply"),
        [
            (b"RCPT TO:<paziente@x.test>", "250 2.1.5"),
            (b"rcpt to: <paziente@x.test>", "250 2.1.5"),
            (b"RCPT TO:<paziente@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;paziente@x.test", "250 2.1.5"),
            (b"RCPT TO:<paziente@x.test> NOTIFY=NEVER,DELAY", "501 5.5.4"),
            (b"RCPT TO:<paziente@x.test> SIZE=1", "555 5.5.4"),
            (b"RCPT TO:<not an address>", "553 5.1.3"),
            (b"RCPT TO:<paziente>", "553 5.1.3"),
            (b"RCPT TO:<a@b@c>", "553 5.1.3"),
            (b"RCPT TO:<>", "553 5.1.3"),
            (b"RCPT TO:<paziente@x.test\r>", "553 5.1.3"),
            (b"RCPT TO:<paz\0@x.test>", "553 5.1.3"),
            (b"RCPT FROM:<paziente@x.test>", "501 5.5.4"),
            (b"RCPT TO:", "501 5.5.4"),
            ("RCPT TO:<città@x.test>".encode(), "553 5.6.7"),
        ],
    )
    async def test_rcpt(self, command: bytes, reply: str) -> None:
        office = Office()
        assert (await after_login(office, b"MAIL FROM:<m.rossi@d.test>\r\n" + command + b"\r\n"))[-1].startswith(reply)
        assert "paz" not in str(office.observer.events)

    async def test_as_many_recipients_as_are_allowed(self) -> None:
        office = Office(max_recipients=2)
        rcpt = b"".join(b"RCPT TO:<p%d@x.test>\r\n" % number for number in range(4))
        replies = await after_login(office, b"MAIL FROM:<m.rossi@d.test>\r\n" + rcpt + b"DATA\r\n" + MESSAGE + b".\r\n")
        assert codes(replies) == ["250", "250", "250", "452", "452", "354", "250"]
        assert replies[3].startswith("452 4.5.3 ")
        sent = [recipient.address for recipient in office.intake.messages[0].envelope.recipients]
        assert sent == ["p0@x.test", "p1@x.test"]

    async def test_one_recipient_named_twice_gets_one_mail(self) -> None:
        office = Office()
        again = MAIL.replace(b"DATA", b"RCPT TO:<paziente@x.test> NOTIFY=NEVER\r\nDATA")
        assert (await send(office, mail=again)).startswith("250 ")
        assert len(office.intake.messages[0].envelope.recipients) == 1

    async def test_data_without_recipients(self) -> None:
        replies = await after_login(Office(), b"DATA\r\nMAIL FROM:<m.rossi@d.test>\r\nDATA\r\nDATA x\r\n")
        assert [reply[:9] for reply in replies] == ["503 5.5.1", "250 2.1.0", "554 5.5.1", "501 5.5.4"]

    async def test_a_second_mail_needs_the_end_of_the_first(self) -> None:
        mail = b"MAIL FROM:<m.rossi@d.test>\r\n"
        assert codes(await after_login(Office(), mail + mail + b"RSET\r\n" + mail)) == ["250", "503", "250", "250"]

    async def test_no_space_is_said_at_mail(self) -> None:
        office = Office()
        office.intake.is_spacious = False
        assert (await after_login(office, MAIL[:28]))[-1].startswith("452 4.3.1 ")


class TestTheMessage:
    async def test_is_stored_as_it_came_with_received_on_top(self) -> None:
        office = Office()
        whole = b"From: m.rossi@d.test\r\nDate: Mon, 02 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@d>\r\n\r\n\xff ..\r\n"
        assert await send(office, whole) == "250 2.0.0 Ok: queued as m-1"
        message = office.intake.messages[0]
        received = b"Received: by relay.example.it with ESMTPA id m-1;\r\n\tMon, 02 Nov 2026 10:00:00 +0000\r\n"
        assert message.content == received + whole
        assert (message.id, message.client, message.account) == ("m-1", "studio", "m.rossi@d.test")
        assert message.header_message_id == "<1@d>"
        assert message.envelope.is_8bit
        assert not message.envelope.needs_smtputf8

    async def test_keeps_its_envelope_in_the_very_bytes(self) -> None:
        office = Office()
        mail = (
            b"MAIL FROM:<M.Rossi@D.test> RET=hdrs ENVID=id+2B1\r\n"
            b"RCPT TO:<Paziente@X.test> NOTIFY=success,delay ORCPT=rfc822;P+40x\r\nRCPT TO:<q@x.test>\r\nDATA\r\n"
        )
        await send(office, mail=mail)
        envelope = office.intake.messages[0].envelope
        assert envelope.sender == "M.Rossi@D.test"
        assert (envelope.ret, envelope.envid) == ("HDRS", "id+2B1")
        first, second = envelope.recipients
        assert (first.address, first.notify, first.orcpt) == ("Paziente@X.test", ("SUCCESS", "DELAY"), "rfc822;P+40x")
        assert (second.address, second.notify, second.orcpt) == ("q@x.test", (), None)

    async def test_needs_smtputf8_where_an_address_or_the_header_does(self) -> None:
        declared = MAIL.replace(b"test>\r", b"test> SMTPUTF8\r", 1)
        for mail, message, needed in (
            (declared, MESSAGE, False),
            (declared, MESSAGE + b"\xc3\xa9\r\n", False),
            (declared, b"Subject: \xc3\xa9\r\n" + MESSAGE, True),
            (declared.replace(b"paziente", b"m\xc3\xa9dico"), MESSAGE, True),
            (MAIL, b"Subject: \xc3\xa9\r\n" + MESSAGE, False),
        ):
            office = Office()
            await send(office, message, mail=mail)
            assert office.intake.messages[0].envelope.needs_smtputf8 is needed

    async def test_is_known_by_the_hash_of_what_came(self) -> None:
        office = Office()
        await send(office, MESSAGE + b"..stuffed\r\n")
        assert office.intake.messages[0].submitted_hash == sha256(MESSAGE + b"..stuffed\r\n").digest()
        assert office.intake.messages[0].content.endswith(b"\r\n.stuffed\r\n")

    async def test_asks_for_the_express_lane(self) -> None:
        office = Office()
        await send(office, b"X-Relay-Priority: high\r\n" + MESSAGE)
        await send(office)
        assert [message.wants_express for message in office.intake.messages] == [True, False]

    async def test_may_be_empty(self) -> None:
        office = Office()
        assert (await send(office, b"")).startswith("250 ")
        assert b"From: m.rossi@d.test\r\n" in office.intake.messages[0].content

    async def test_with_an_empty_sender_belongs_to_the_account_of_its_from(self) -> None:
        office = Office()
        mail = MAIL.replace(b"m.rossi@d.test", b"")
        assert (await send(office, mail=mail)).startswith("250 ")
        assert (office.intake.messages[0].envelope.sender, office.intake.messages[0].account) == ("", "m.rossi@d.test")
        assert (await send(office, b"Subject: x\r\n\r\n", mail=mail)).startswith("550 5.7.1 ")

    async def test_of_a_replaced_address_leaves_as_the_new_one(self) -> None:
        new = account("new@d.test", replaces={"old@d.test": date(2027, 1, 1)})
        office = Office(practice(accounts=(new,)))
        mail, message = MAIL.replace(b"m.rossi@", b"old@"), MESSAGE.replace(b"m.rossi@", b"old@")
        assert (await send(office, message, mail=mail)).startswith("250 ")
        stored = office.intake.messages[0]
        assert (stored.envelope.sender, stored.account) == ("new@d.test", "new@d.test")
        assert b"From: new@d.test\r\n" in stored.content

    @pytest.mark.parametrize(
        ("message", "reply"),
        [
            (MESSAGE.replace(b"m.rossi", b"bianchi"), "550 5.7.1"),
            (b"From: m.rossi@d.test\r\n" + MESSAGE, "550 5.7.1"),
            (b"Sender: else@x.test\r\n" + MESSAGE, "550 5.7.1"),
            (MESSAGE + b"bare\rcr\r\n", "550 5.6.0"),
            (MESSAGE + b"nul\0\r\n", "550 5.6.0"),
            (MESSAGE + b"x" * 65_537 + b"\r\n", "550 5.6.0"),
            (b"X: " + b"\r\n x" * 70_000 + b"\r\n" + MESSAGE, "550 5.6.0"),
            (b"Received: x\r\n" * 51 + MESSAGE, "554 5.4.6"),
        ],
    )
    async def test_is_refused_and_the_session_stays_usable(self, message: bytes, reply: str) -> None:
        office = Office()
        replies = await after_login(office, MAIL + message + b".\r\n" + MAIL + MESSAGE + b".\r\n")
        assert replies[3].startswith(reply)
        assert replies[-1] == "250 2.0.0 Ok: queued as m-1"
        assert office.observer.told("refused")[0]["stage"] is Stage.EOD

    async def test_with_lone_lf_is_mended_or_refused_as_the_client_wants(self) -> None:
        office = Office(practice(REJECTING))
        assert (await send(office, MESSAGE + b"a\nb\r\n")).startswith("250 ")
        assert office.intake.messages[0].content.endswith(b"a\r\nb\r\n")
        assert office.observer.told("accepted")[0]["is_mended"] is True
        assert (await send(office, MESSAGE + b"a\nb\r\n", login="strict")).startswith("550 5.6.0 ")

    async def test_is_measured_without_its_stuffing_and_our_fields(self) -> None:
        office = Office(max_message_size=len(MESSAGE) + 3)
        assert (await send(office, MESSAGE + b"..\r\n")).startswith("250 ")
        assert (await send(office, MESSAGE + b"..x\r\n")).startswith("552 5.3.4 ")
        assert office.observer.told("accepted")[0]["size"] == len(MESSAGE) + 3

    async def test_of_nothing_but_stuffed_dots_fits_when_it_fits(self) -> None:
        office = Office(max_message_size=3000)
        assert (await send(office, b"..\r\n" * 1000)).startswith("250 ")
        assert (await send(office, b"..\r\n" * 1001)).startswith("552 ")

    async def test_far_too_large_is_read_to_its_end(self) -> None:
        office = Office(max_message_size=1000)
        replies = await after_login(office, MAIL + b"x" * 300_000 + b"\r\n.\r\nNOOP\r\n")
        assert codes(replies[-2:]) == ["552", "250"]

    async def test_beyond_the_memory_of_all_is_put_off(self) -> None:
        office = Office(max_held=1000)
        assert (await send(office, MESSAGE + b"x" * 1000 + b"\r\n")).startswith("452 4.3.1 ")
        assert (await send(office)).startswith("250 ")

    @pytest.mark.parametrize(("trouble", "reply"), [(StoreFull(), "452 4.3.1"), (StoreUnavailable(), "451 4.3.0")])
    async def test_that_the_store_does_not_take_is_not_accepted(self, trouble: Exception, reply: str) -> None:
        office = Office()
        office.intake.trouble = trouble
        assert (await send(office)).startswith(reply)
        assert office.observer.told("accepted") == []

    async def test_lives_under_the_routing_of_its_mail(self) -> None:
        office = Office()

        def edit() -> None:
            office.routing = replace(practice(), accounts={})

        replies = await after_login(office, MAIL, edit, MESSAGE + b".\r\n" + MAIL[:28])
        assert codes(replies[-2:]) == ["250", "550"]


class TestPatience:
    async def test_too_many_errors_end_the_session(self) -> None:
        replies = await talk(Office(), b"FOO\r\n" * (ERRORS_MOST + 1))
        assert codes(replies) == ["500"] * ERRORS_MOST + ["421"]
        assert replies[-1].startswith("421 4.7.0 ")

    async def test_wrong_recipients_are_no_errors_of_the_client(self) -> None:
        replies = await after_login(Office(), MAIL[:28] + b"RCPT TO:<x>\r\n" * (ERRORS_MOST + 5))
        assert codes(replies)[1:] == ["553"] * (ERRORS_MOST + 5)

    async def test_commands_without_a_mail_end_the_session(self) -> None:
        replies = await talk(Office(max_recipients=7), b"NOOP\r\n" * (COMMANDS_MOST + 8))
        assert codes(replies) == ["250"] * (COMMANDS_MOST + 7) + ["421"]

    async def test_neither_do_recipients_that_never_come_to_a_mail(self) -> None:
        replies = await after_login(Office(), MAIL[:28] + b"RCPT TO:<x>\r\n" * 2 * COMMANDS_MOST)
        assert replies[-1].startswith("421 4.7.0 ")

    async def test_a_mail_begins_the_count_anew(self) -> None:
        noops = b"NOOP\r\n" * (COMMANDS_MOST - 10)
        replies = await after_login(Office(), noops + MAIL + MESSAGE + b".\r\n" + noops)
        assert replies[-1] == "250 2.0.0 Ok"


async def test_what_is_told_names_no_patient() -> None:
    office = Office()
    await after_login(office, MAIL + MESSAGE + b".\r\n" + MAIL + MESSAGE.replace(b"m.rossi", b"x") + b".\r\n")
    told = str(office.observer.events) + repr(office.intake.messages)
    assert "accepted" in told
    assert Reason.FROM_FOREIGN in office.observer.reasons()
    assert "paziente" not in told
    assert "Ricetta" not in told
