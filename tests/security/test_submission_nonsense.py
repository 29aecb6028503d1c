"""Whatever a client says, in whatever order, every reply is one of SMTP and nothing in the relay breaks."""

import asyncio
import re
from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.submission import Office, by_address, practice
from tests.unit.submission.dialogue import MAIL, MESSAGE, plain, talk

REPLY = re.compile(r"[2-5][0-5][0-9][ -][ -~]{0,506}")

COMMANDS = b"EHLO HELO AUTH PLAIN LOGIN MAIL FROM: RCPT TO: DATA RSET NOOP HELP VRFY EXPN BDAT STARTTLS TURN From:"
ARGUMENTS = (
    b"<m.rossi@d.test> <> <p@x.test> SIZE=1 BODY= SMTPUTF8 RET=FULL ENVID=a+2B NOTIFY=NEVER ORCPT=rfc822;a AUTH=<>"
)
ODD = [
    b"=",
    b"*",
    b"(",
    b"\xff",
    b"\0",
    b'"',
    b"\\",
    b"[IPv6:",
    b"a" * 600,
    b"\x1b[2J",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b".\r\n",
]

words = st.sampled_from([*COMMANDS.split(), *ARGUMENTS.split(), *ODD])
whole = st.sampled_from(
    [
        b"EHLO pc\r\n",
        plain(),
        MAIL,
        MAIL + MESSAGE + b".\r\n",
        MESSAGE,
        b"AUTH LOGIN\r\n",
        b64encode(b"studio") + b"\r\n",
    ]
)
nonsense = st.lists(st.one_of(words, whole, st.binary(max_size=20)), max_size=25).map(b"".join)


@given(st.lists(nonsense, max_size=4))
def test_every_reply_is_well_formed_and_nothing_breaks(said: list[bytes]) -> None:
    office = Office(practice(by_address()))
    replies = asyncio.run(talk(office, *said))
    for reply in replies:
        assert REPLY.fullmatch(reply), reply
    for message in office.intake.messages:
        assert message.account == "m.rossi@d.test"
        assert message.content.count(b"\r\n") == message.content.count(b"\n") == message.content.count(b"\r")
