"""Nothing goes out as anybody else, however a sender is spelled, hidden, doubled or dressed up as another."""

import pytest

from relay.core.routing import Client
from tests.fakes.submission import Office, account, literal, practice
from tests.unit.submission.dialogue import after_login, send

BODY = b"To: paziente@x.test\r\nSubject: Ricetta\r\n\r\nBuongiorno\r\n"
RCPT = b"RCPT TO:<paziente@x.test>\r\nDATA\r\n"


def practice_with_neighbours() -> Office:
    """Beside the studio a client of another practice, with an account that the studio may not send as."""
    other = Client("other", ("*@e.test",), literal("secret"))
    return Office(practice(other, accounts=(account("verdi@e.test"), account("kate@d.test"), account("sara@d.test"))))


def mail(sender: bytes) -> bytes:
    return b"MAIL FROM:<" + sender + b">\r\n" + RCPT


OF_ANOTHER_ACCOUNT = b"From: bianchi@d.test"
"""Of this client: foreign beside a sender, and what finds the account without one."""

FOREIGN_FROM = [
    b"From: evil@x.test",
    b"From: verdi@e.test",
    OF_ANOTHER_ACCOUNT,
    b"From: m.rossi@d.test, evil@x.test",
    b"From: evil@x.test, m.rossi@d.test",
    b"From: m.rossi@d.test,, <evil@x.test>",
    b"From: m.rossi@d.test;evil@x.test",
    b"From: Studio: m.rossi@d.test, evil@x.test;",
    b"From: Studio: m.rossi@d.test;, evil@x.test",
    b"From: Studio: evil@x.test; m.rossi@d.test",
    b"From: undisclosed-recipients:;",
    b"From: m.rossi@d.test <evil@x.test>",
    b"From: evil@x.test <m.rossi@d.test>",  # readers differ on which of the two it is
    b'From: "m.rossi@d.test" <evil@x.test>',
    b"From: <m.rossi@d.test> <evil@x.test>",
    b"From: <m.rossi@d.test>, <evil@x.test>",
    b"From: <m.rossi@d.test> evil@x.test",
    b"From: <@x.test:m.rossi@d.test>",
    b"From: @x.test:m.rossi@d.test",
    b"From: evil@x.test (m.rossi@d.test)",
    b"From: (m.rossi@d.test) evil@x.test",
    b"From: ev(m.rossi@d.test)il@x.test",
    b"From: m.rossi@d.test (a) evil@x.test",
    b"From: (unclosed m.rossi@d.test",
    b'From: "unclosed m.rossi@d.test',
    b'From: "m.rossi"@x.test',
    b'From: "m.rossi@d.test"@x.test',
    b'From: "m.rossi@d.test\\" <evil@x.test>"@x.test',
    b"From: m.rossi@d.test@x.test",
    b"From: m.rossi@[127.0.0.1]",
    b"From: m.rossi@d.test.x.test",
    b"From: m.rossi @ d.test evil@x.test",
    b"From: =?utf-8?q?m=2Erossi=40d=2Etest?=",
    b"From: =?utf-8?b?bS5yb3NzaUBkLnRlc3Q=?= <evil@x.test>",
    b"From: =?utf-8?q?evil?=@d.test",
    b"From: =?utf-8?b?ZXZpbEB4LnRlc3Q=?= =?utf-8?q?=00?= m.rossi@d.test",
    b"From: =?utf-8?q?=3Cevil=40x.test=3E=2C?= =?utf-8?q??=@d.test",
    b"From: m.rossi@d.test\r\nFrom: evil@x.test",
    b"From: evil@x.test\r\nFrom: m.rossi@d.test",
    b"From: m.rossi@d.test\r\nFROM: evil@x.test",
    b"From: m.rossi@d.test\r\nfrom : evil@x.test",
    b"From: m.rossi@d.test\r\nFrom\t: evil@x.test",
    b"From: m.rossi@d.test\r\nFrom:\r\n evil@x.test",
    b"From: m.rossi@d.test,\r\n evil@x.test",
    b"From:",
    b"From:  \r\n\t",
    b"From: m.rossi@d.test\r\nSender: evil@x.test",
    b"From: m.rossi@d.test\r\nSender: m.rossi@d.test\r\nSender: evil@x.test",
    b"From: m.rossi@d.test\nFrom: evil@x.test",
    b"From: m.rossi@d.test\x0bevil@x.test",
    b"From: m.rossi@d.test\x00@x.test",
    b"From: m.rossi@\xd4\x81.test",  # Cyrillic for the d
    b"From: m.r\xce\xbfssi@d.test",  # Greek for an o
    b"From: m.rossi@d\xef\xbc\x8etest",  # a full-width stop
    b"From: m.rossi@d\xe3\x80\x82test",  # an ideographic one
    b"From: m.rossi\xe2\x80\x8b@d.test",  # nothing of no width
    b"From: \xe2\x80\xaem.rossi@d.test",  # right to left from here
    b"From: m.rossi@\xff.test",  # no UTF-8
]


@pytest.mark.parametrize("field", FOREIGN_FROM)
async def test_a_from_that_any_reader_could_take_for_another_is_refused(field: bytes) -> None:
    office = practice_with_neighbours()
    assert (await send(office, field + b"\r\n" + BODY, mail=mail(b"m.rossi@d.test")))[:9] in {"550 5.7.1", "550 5.6.0"}
    assert office.intake.messages == []


@pytest.mark.parametrize("field", [field for field in FOREIGN_FROM if field != OF_ANOTHER_ACCOUNT])
async def test_and_so_it_is_with_an_empty_sender(field: bytes) -> None:
    office = practice_with_neighbours()
    assert (await send(office, field + b"\r\n" + BODY, mail=mail(b"")))[:9] in {"550 5.7.1", "550 5.6.0"}
    assert office.intake.messages == []


@pytest.mark.parametrize(
    "sender",
    [
        b"evil@x.test",
        b"verdi@e.test",
        b"unknown@d.test",
        b'"m.rossi"@d.test',
        b'"m.rossi@d.test"@x.test',
        b"m.rossi@d.test@x.test",
        b"m.rossi@d.test.x.test",
        b"@x.test:m.rossi@d.test",
        b"m.rossi@[127.0.0.1]",
        b"m.rossi",
        b"m.rossi@",
        b"m.rossi@d.test,evil@x.test",
        b"m.rossi@d.test> SIZE=1 <evil@x.test",
        b"m.rossi%x.test@d.test",
        b"x.test!m.rossi@d.test",
        b"=?utf-8?q?m.rossi?=@d.test",
        b"m.rossi@d.test\0",
        b"m.rossi@d.test\x7f",
        b"m.rossi@\xd4\x81.test> SMTPUTF8 <",
    ],
)
async def test_a_sender_that_is_not_the_accounts_own_is_refused(sender: bytes) -> None:
    office = practice_with_neighbours()
    replies = await after_login(office, b"MAIL FROM:<" + sender + b">\r\n")
    assert replies[0][:4] in {"550 ", "553 ", "501 ", "555 "}


@pytest.mark.parametrize("sender", ["\u212aate@d.test", "\u017fara@d.test", "m.ro\u017fsi@d.test", "\uff4bate@d.test"])
async def test_a_letter_that_only_looks_or_folds_like_one_of_the_account_is_another(sender: str) -> None:
    """The Kelvin sign and the long s become k and s when their case is changed."""
    office = practice_with_neighbours()
    replies = await after_login(office, b"MAIL FROM:<" + sender.encode() + b"> SMTPUTF8\r\n")
    assert replies[0].startswith("550 5.7.1 ")
    own = b"MAIL FROM:<kate@d.test> SMTPUTF8\r\n" + RCPT
    assert (await send(office, b"From: " + sender.encode() + b"\r\n" + BODY, mail=own)).startswith("550 5.7.1 ")
    assert office.intake.messages == []


@pytest.mark.parametrize(
    "field",
    [
        b"From: m.rossi@d.test",
        b"From: <m.rossi@d.test>",
        b"From: M.Rossi@D.TEST",
        b"from :  info@d.test",
        b"From: Dr. Rossi <m.rossi@d.test>",
        b'From: "Rossi, Mario" <m.rossi@d.test>',
        b"From: =?utf-8?q?Mario_R=C3=B6ssi?= <m.rossi@d.test>",
        b"From: Studio: m.rossi@d.test, info@d.test;",
        b"From: m.rossi@d.test (Mario (Dr.) Rossi)",
        b"From:\r\n  Mario\r\n\tRossi\r\n <m.rossi@d.test>",
        b"From: m.rossi@d.test, info@d.test\r\nSender: info@d.test",
        b'From: "m.rossi@d.test" <m.rossi@d.test>',
    ],
)
async def test_the_doctors_own_address_is_his_in_every_usual_spelling(field: bytes) -> None:
    office = practice_with_neighbours()
    assert (await send(office, field + b"\r\n" + BODY, mail=mail(b"m.rossi@d.test"))).startswith("250 ")


@pytest.mark.parametrize(
    "before",
    [b"no field at all\r\n", b"\r\n", b" From: folded@x.test\r\n", b"X-\xe8: x\r\n", b": x\r\n", b"X Y: x\r\n"],
)
async def test_a_from_behind_what_is_no_header_is_text_for_every_reader(before: bytes) -> None:
    office = practice_with_neighbours()
    message = before + b"From: evil@x.test\r\nBcc: altro@x.test\r\n" + BODY
    assert (await send(office, message, mail=mail(b"m.rossi@d.test"))).startswith("250 ")
    content = office.intake.messages[0].content
    header, _, body = content.partition(b"\r\n\r\n")
    assert header.lower().count(b"\r\nfrom:") == 1
    assert b"From: m.rossi@d.test" in header
    assert b"evil" not in header
    assert body.startswith(before if before != b"\r\n" else b"From: evil@x.test")


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:<m.rossi@d.test>\rRCPT TO:<x@x.test>",
        b"MAIL FROM:<m.rossi@d.test> ENVID=a\rDATA",
        b"MAIL FROM:<m.rossi@d.test> ENVID=a\x00",
        b"MAIL FROM:<m.rossi@d.test> ENVID=a+0D+0ADATA+zz",
        b"MAIL FROM:<m.rossi@d.test> AUTH=<a\rb>",
        b"MAIL FROM:<m.rossi@d.test> RET=FULL\x0bX",
    ],
)
async def test_no_parameter_carries_a_line_of_its_own_upstream(line: bytes) -> None:
    office = practice_with_neighbours()
    replies = await after_login(office, line + b"\r\n")
    assert replies[0][:1] == "5" or "\r" not in str(office.intake.messages)


async def test_what_a_client_says_cannot_start_a_line_of_the_reply() -> None:
    office = practice_with_neighbours()
    for said in (b"MAIL FROM:<a\x1b[31m\r250 Ok@x.test>", b"MAIL FROM:<\xe2\x80\xae@x.test> SMTPUTF8", b"\x1b]0;x\x07"):
        for reply in await after_login(office, said + b"\r\n"):
            assert reply.isascii()
            assert reply.isprintable()
            assert reply[:3].isdigit()
