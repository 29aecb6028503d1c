"""No form of line end but CRLF.CRLF ends a message, so that no second mail can be hidden inside a first one."""

import pytest

from relay.core.routing import Client
from tests.fakes.submission import REJECTING, practice
from tests.integration.submission_peer import LOGIN, listening
from tests.unit.submission.dialogue import MAIL, MESSAGE, plain

HIDDEN = b"MAIL FROM:<bianchi@d.test>\r\nRCPT TO:<vittima@x.test>\r\nDATA\r\n" + MESSAGE.replace(b"m.rossi", b"bianchi")

WITH_LF = [b"\n.\n", b"\n.\r\n", b"\r\n.\n"]
WITH_CR = [b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\n.\r", b"\r.\n"]
WITH_NUL = [b"\r\n\0.\r\n", b"\r\n.\0\r\n"]
STUFFED = [b"\r\n..\r\n", b"\r\n. \r\n", b"\r\n.\t\r\n"]


@pytest.mark.parametrize("end", WITH_LF + STUFFED)
async def test_what_looks_like_an_end_is_text_of_the_one_message(end: bytes) -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        await client.say(MAIL + MESSAGE + b"erste" + end + HIDDEN + b"\r\n.\r\nQUIT\r\n")
        codes = [(await client.reply())[:3] for _ in range(5)]
        assert codes == ["250", "250", "354", "250", "221"]
        (stored,) = relay.office.intake.messages
        assert b"vittima@x.test" in stored.content
        assert [one.address for one in stored.envelope.recipients] == ["paziente@x.test"]
        assert b"\r\n.\r\n" not in stored.content.replace(b"\r\n.\r\n", b"", 1), "more lines of one dot than were sent"
        await client.close()


@pytest.mark.parametrize("end", WITH_CR + WITH_NUL)
async def test_what_peers_read_differently_is_refused_as_a_whole(end: bytes) -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        await client.say(MAIL + MESSAGE + b"erste" + end + HIDDEN + b"\r\n.\r\nQUIT\r\n")
        replies = [await client.reply() for _ in range(5)]
        assert [reply[:3] for reply in replies] == ["250", "250", "354", "550", "221"]
        assert replies[3].startswith("550 5.6.0 ")
        assert relay.office.intake.messages == []
        await client.close()


@pytest.mark.parametrize("end", WITH_LF)
async def test_a_client_that_rejects_bare_newlines_gets_nothing_mended(end: bytes) -> None:
    strict: Client = REJECTING
    async with listening(practice(strict)) as relay:
        client = await relay.client()
        await client.say(b"EHLO pc\r\n" + plain("strict") + MAIL + MESSAGE + end + HIDDEN + b"\r\n.\r\nNOOP\r\n")
        replies = [await client.reply() for _ in range(7)]
        assert replies[5].startswith("550 5.6.0 ")
        assert replies[6].startswith("250 ")
        assert relay.office.intake.messages == []
        await client.close()


async def test_commands_inside_a_message_are_never_obeyed_wherever_the_network_cuts() -> None:
    stream = MAIL + MESSAGE + b"a\n.\n" + HIDDEN + b"b\n.\r\n" + HIDDEN + b"\r\n.\r\n"
    for cut in range(len(MAIL), len(stream), 29):
        async with listening() as relay:
            client = await relay.logged_in()
            await client.say(stream[:cut])
            await client.say(stream[cut:])
            assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "354", "250"]
            assert len(relay.office.intake.messages) == 1
            client.finish()
            assert await client.reply() == ""
            await client.close()


async def test_a_header_is_not_continued_by_what_only_some_peers_take_for_a_line_end() -> None:
    async with listening() as relay:
        client = await relay.client()
        await client.say(LOGIN + MAIL + b"Subject: x\rFrom: evil@x.test\r\n" + MESSAGE + b".\r\n")
        replies = [await client.reply() for _ in range(6)]
        assert replies[-1].startswith("550 5.6.0 ")
        await client.close()


async def test_a_lone_lf_in_the_header_cannot_hide_a_second_from() -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        message = b"Subject: x\nFrom: evil@x.test\n" + MESSAGE
        assert (await client.ask(MAIL + message + b".\r\n", replies=4)).startswith("550 5.7.1 ")
        await client.close()


async def test_no_address_carries_a_line_of_its_own_upstream() -> None:
    async with listening() as relay:
        client = await relay.logged_in()
        for address in (
            b"a@x.test\rRCPT TO:<b@x.test",
            b'"a\rb"@x.test',
            b"a@x.test> NOTIFY=NEVER\rDATA",
            b"a\0@x.test",
        ):
            replies = [(await client.ask(line))[:1] for line in (b"RSET\r\n", b"MAIL FROM:<m.rossi@d.test>\r\n")]
            assert replies == ["2", "2"]
            assert (await client.ask(b"RCPT TO:<" + address + b">\r\n"))[:1] == "5"
        await client.close()
