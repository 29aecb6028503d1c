"""A client logs in by PLAIN or LOGIN in every spelling, and three wrong answers end the connection."""

from base64 import b64encode

import pytest

from relay.core.refusal import Reason
from relay.core.words import Stage
from relay.submission.sasl import Credentials
from tests.fakes.submission import Office, by_address, practice
from tests.unit.submission.dialogue import MAIL, after_login, plain, talk

RIGHT = b64encode(b"\0studio\0secret")
LOGIN, PASSWORD = b64encode(b"studio"), b64encode(b"secret")
ASK_LOGIN, ASK_PASSWORD = "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"
WELCOME = "235 2.7.0 Welcome"
WRONG = "535 5.7.8 User name or password wrong"


async def log_in(said: bytes, office: Office | None = None) -> list[str]:
    replies = await talk(office or Office(), b"EHLO pc\r\n" + said)
    return replies[8:]


@pytest.mark.parametrize(
    ("said", "replies"),
    [
        (b"AUTH PLAIN " + RIGHT + b"\r\n", [WELCOME]),
        (b"auth plain " + RIGHT + b"\r\n", [WELCOME]),
        (b"AUTH PLAIN\r\n" + RIGHT + b"\r\n", ["334 ", WELCOME]),
        (b"AUTH  PLAIN  " + RIGHT + b" \r\n", [WELCOME]),
        (b"AUTH PLAIN " + b64encode(b"studio\0studio\0secret") + b"\r\n", [WELCOME]),
        (b"AUTH LOGIN\r\n" + LOGIN + b"\r\n" + PASSWORD + b"\r\n", [ASK_LOGIN, ASK_PASSWORD, WELCOME]),
        (b"AUTH login\r\n" + LOGIN + b"\r\n" + PASSWORD + b"\r\n", [ASK_LOGIN, ASK_PASSWORD, WELCOME]),
        (b"AUTH login " + LOGIN + b"\r\n" + PASSWORD + b"\r\n", [ASK_PASSWORD, WELCOME]),
    ],
)
async def test_every_spelling_is_understood(said: bytes, replies: list[str]) -> None:
    office = Office()
    assert await log_in(said, office) == replies
    assert office.observer.told("logged_in") == [{"client": "studio", "peer": "127.0.0.1"}]


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (plain(password="wrong"), WRONG),
        (plain("nobody"), WRONG),
        (plain(""), WRONG),
        (plain(password=""), WRONG),
        (b"AUTH PLAIN =\r\n", WRONG),
        (b"AUTH PLAIN " + b64encode(b"other\0studio\0secret") + b"\r\n", WRONG),
        (b"AUTH PLAIN " + b64encode(b"\0studio") + b"\r\n", WRONG),
        (b"AUTH PLAIN " + b64encode(b"\0\xff\xfe\0secret") + b"\r\n", WRONG),
        (b"AUTH LOGIN " + b64encode(b"\xff") + b"\r\n" + PASSWORD + b"\r\n", WRONG),
        (b"AUTH PLAIN !!!\r\n", "501 5.5.2 The login is not valid base64"),
        (b"AUTH LOGIN\r\nabc\r\n", "501 5.5.2 The login is not valid base64"),
        (b"AUTH LOGIN " + LOGIN + b"\r\n!\r\n", "501 5.5.2 The login is not valid base64"),
        (b"AUTH PLAIN\r\n*\r\n", "501 5.7.0 Login aborted"),
        (b"AUTH LOGIN\r\n*\r\n", "501 5.7.0 Login aborted"),
        (b"AUTH CRAM-MD5\r\n", "504 5.5.4 Login mechanism not offered: use PLAIN or LOGIN"),
        (b"AUTH\r\n", "504 5.5.4 Login mechanism not offered: use PLAIN or LOGIN"),
        (b"AUTH PLAIN\r\n" + b"A" * 12_289 + b"\r\n", "500 5.5.2 Command line too long"),
        (b"AUTH LOGIN\r\n" + b"A" * 70_000 + b"\r\n", "500 5.5.2 Command line too long"),
    ],
)
async def test_what_is_wrong_is_refused_and_the_session_stays_usable(said: bytes, reply: str) -> None:
    replies = await log_in(said + plain() + b"NOOP\r\n")
    assert replies[-3:] == [reply, WELCOME, "250 2.0.0 Ok"]


async def test_a_second_login_is_refused() -> None:
    assert (await after_login(Office(), plain()))[0].startswith("503 5.5.1 ")


async def test_a_login_inside_a_transaction_is_refused() -> None:
    replies = await talk(Office(practice(by_address())), b"EHLO pc\r\n" + MAIL[:28] + plain())
    assert replies[-1].startswith("503 5.5.1 ")


async def test_the_third_wrong_answer_ends_the_connection() -> None:
    office = Office()
    replies = await log_in(plain(password="a") + plain(password="b") + plain(password="c") + plain(), office)
    assert replies[:2] == [WRONG, WRONG]
    assert replies[2].startswith("421 4.7.0 Too many wrong logins")
    assert len(replies) == 3
    assert office.observer.reasons() == [Reason.LOGIN_WRONG, Reason.LOGIN_WRONG, Reason.LOGIN_TOO_OFTEN]
    assert {told["stage"] for told in office.observer.told("refused")} == {Stage.AUTH}


async def test_no_password_is_told() -> None:
    office = Office()
    await log_in(plain(password="hunter2") + plain(), office)
    assert "hunter2" not in str(office.observer.events)
    assert "secret" not in str(office.observer.events)


def test_credentials_show_in_no_text() -> None:
    assert "secret" not in repr(Credentials("studio", b"secret"))
