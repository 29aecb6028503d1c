"""Dialogues in the manner of clients that cannot be run here: what they say, packet by packet, and what they must hear.

Law: these are written down from how such clients behave, not taken from the wire of one; what a packet holds is sent
at once, and the next packet only when all replies to it are there.
"""

from base64 import b64encode
from dataclasses import dataclass

from tests.integration.clients.practice import PASSWORD, SENDER


def b64(text: str) -> bytes:
    return b64encode(text.encode())


LOGIN, SECRET = b64("studio"), b64(PASSWORD)
PLAIN = b64(f"\0studio\0{PASSWORD}")
MAIL = f"MAIL FROM:<{SENDER}>\r\n".encode()
RCPT = b"RCPT TO:<{to}>\r\n"
HEADER = f"From: {SENDER}\r\nTo: {{to}}\r\nSubject: Ricetta\r\n".encode()
DATE = b"Date: Sun, 22 Nov 2026 10:00:00 +0100\r\n"
TEXT = b"Gentile paziente,\r\n..\r\nla ricetta.\r\n"
UNSTUFFED = b"Gentile paziente,\r\n.\r\nla ricetta.\r\n"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`says` packets, of which each is answered by the codes at its place in `hears`; the banner comes by itself."""

    name: str
    title: str
    shows: str
    """What is odd about it."""
    says: tuple[bytes, ...]
    hears: tuple[str, ...]
    body: bytes = UNSTUFFED
    """What stands after the header when the mail arrives."""

    @property
    def recipient(self) -> str:
        return f"{self.name}@example.org"

    def packets(self) -> list[tuple[bytes, list[str]]]:
        named = [packet.replace(b"{to}", self.recipient.encode()) for packet in self.says]
        return list(zip(named, [codes.split() for codes in self.hears], strict=True))


SENT = ("250", "250", "354", "250", "221")


def slow(
    *login: bytes, mail: bytes = MAIL, rcpt: bytes = RCPT, message: bytes = HEADER + b"\r\n" + TEXT
) -> tuple[bytes, ...]:
    """A client that waits for each reply, from its greeting to QUIT."""
    return (*login, mail, rcpt, b"DATA\r\n", message + b".\r\n", b"QUIT\r\n")


DIALOGUES: tuple[Dialogue, ...] = (
    Dialogue(
        "dotnet-smtpclient",
        ".NET System.Net.Mail.SmtpClient",
        "`AUTH login` in lower case with the user name in the command, Date without a weekday",
        slow(
            b"EHLO WIN-STUDIO01\r\n",
            b"AUTH login " + LOGIN + b"\r\n",
            SECRET + b"\r\n",
            message=b"MIME-Version: 1.0\r\n" + HEADER + b"Date: 22 Nov 2026 10:00:00 +0100\r\n"
            b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + TEXT,
        ),
        ("250", "334", "235", *SENT),
    ),
    Dialogue(
        "dotnet-no-initial-response",
        ".NET, older frameworks",
        "`AUTH login` in lower case, user name asked for",
        slow(b"EHLO WIN-STUDIO01\r\n", b"AUTH login\r\n", LOGIN + b"\r\n", SECRET + b"\r\n"),
        ("250", "334", "334", "235", *SENT),
    ),
    Dialogue(
        "mailkit",
        "MailKit (.NET)",
        "an address literal in EHLO, `AUTH PLAIN` with initial response, MAIL and RCPT in one packet with parameters",
        (
            b"EHLO [127.0.0.1]\r\n",
            b"AUTH PLAIN " + PLAIN + b"\r\n",
            f"MAIL FROM:<{SENDER}> SIZE=2000 BODY=8BITMIME\r\n".encode() + RCPT,
            b"DATA\r\n",
            HEADER + DATE + b"\r\n" + TEXT + b".\r\n",
            b"QUIT\r\n",
        ),
        ("250", "235", "250 250", "354", "250", "221"),
    ),
    Dialogue(
        "cdo-vb6",
        "CDO.Message (VB6, VBScript, Access)",
        "spaces after `FROM:` and `TO:`, an underscore in the name",
        slow(
            b"EHLO PC_SEGRETERIA\r\n",
            b"AUTH LOGIN\r\n",
            LOGIN + b"\r\n",
            SECRET + b"\r\n",
            mail=f"MAIL FROM: <{SENDER}>\r\n".encode(),
            rcpt=b"RCPT TO: <{to}>\r\n",
            message=b"thread-index: AdT5\r\nThread-Topic: Ricetta\r\n"
            + HEADER
            + DATE
            + b"X-Mailer: Microsoft CDO for Windows 2000\r\n\r\n"
            + TEXT,
        ),
        ("250", "334", "334", "235", *SENT),
    ),
    Dialogue(
        "winsock-vb6",
        "VB6 with a bare Winsock control",
        "HELO only, no brackets, commands in mixed case, no Date, no Message-ID, no From",
        slow(
            b"Helo studio rossi\r\n",
            b"auth plain " + PLAIN + b"\r\n",
            mail=f"Mail From: {SENDER}\r\n".encode(),
            rcpt=b"rcpt to: {to}\r\n",
            message=b"To: {to}\r\nSubject: Ricetta\r\n\r\n" + TEXT,
        ),
        ("250", "235", *SENT),
    ),
    Dialogue(
        "bare-lf",
        "home-made clients on Unix",
        "LF alone ends every line, in commands and in the message",
        (
            b"EHLO pc\n",
            b"AUTH PLAIN " + PLAIN + b"\n",
            MAIL[:-2] + b"\n",
            RCPT[:-2] + b"\n",
            b"DATA\n",
            HEADER.replace(b"\r\n", b"\n") + b"\nGentile paziente,\n..\nla ricetta.\r\n.\r\n",
            b"QUIT\n",
        ),
        ("250", "235", *SENT),
    ),
    Dialogue(
        "indy-delphi",
        "Indy (Delphi)",
        "RSET before each mail, two mails' worth of NOOP, VRFY and HELP between",
        (
            b"EHLO Computer di Anna\r\n",
            b"AUTH LOGIN\r\n",
            LOGIN + b"\r\n",
            SECRET + b"\r\n",
            b"RSET\r\n",
            b"NOOP still here\r\n",
            b"VRFY {to}\r\n",
            b"HELP\r\n",
            *slow(message=HEADER + DATE + b"Bcc: nessuno@example.org\r\n\r\n" + TEXT),
        ),
        ("250", "334", "334", "235", "250", "250", "252", "214", *SENT),
    ),
    Dialogue(
        "outlook-express",
        "Outlook Express, Windows Mail",
        "a NetBIOS name, EHLO said twice, `AUTH LOGIN` after it, blanks at the end of commands",
        slow(
            b"EHLO SEGRETERIA\r\n",
            b"EHLO SEGRETERIA\r\n",
            b"AUTH LOGIN\r\n",
            LOGIN + b"\r\n",
            SECRET + b"\r\n",
            mail=f"MAIL FROM: <{SENDER}> \r\n".encode(),
            rcpt=b"RCPT TO: <{to}> \r\n",
        ),
        ("250", "250", "334", "334", "235", *SENT),
    ),
    Dialogue(
        "whole-session-at-once",
        "fire-and-forget scripts",
        "everything from EHLO to QUIT in one packet",
        (
            b"EHLO pc\r\nAUTH PLAIN "
            + PLAIN
            + b"\r\n"
            + MAIL
            + RCPT
            + b"DATA\r\n"
            + HEADER
            + b"\r\n"
            + TEXT
            + b".\r\nQUIT\r\n",
        ),
        ("250 235 " + " ".join(SENT),),
    ),
    Dialogue(
        "quit-with-the-dot",
        "impatient clients",
        "the final dot and QUIT in one packet",
        (
            b"EHLO pc\r\n",
            b"AUTH PLAIN " + PLAIN + b"\r\n",
            MAIL + RCPT + b"DATA\r\n",
            HEADER + b"\r\n" + TEXT + b".\r\nQUIT\r\n",
        ),
        ("250", "235", "250 250 354", "250 221"),
    ),
    Dialogue(
        "auth-parameter",
        "Postfix, sendmail or Exchange as a client",
        "`AUTH=<>`, SIZE, RET, ENVID, NOTIFY and ORCPT",
        slow(
            b"EHLO mail.studio.example\r\n",
            b"AUTH PLAIN " + b64(f"studio\0studio\0{PASSWORD}") + b"\r\n",
            mail=f"MAIL FROM:<{SENDER}> SIZE=900 AUTH=<> RET=HDRS ENVID=a1\r\n".encode(),
            rcpt=b"RCPT TO:<{to}> NOTIFY=FAILURE,DELAY ORCPT=rfc822;{to}\r\n",
        ),
        ("250", "235", *SENT),
    ),
    Dialogue(
        "eight-bit-unsaid",
        "old Italian software",
        "Latin-1 in Subject and body, never declared; one line of 20,000 octets",
        slow(
            b"EHLO pc\r\n",
            b"AUTH PLAIN " + PLAIN + b"\r\n",
            message=HEADER + b"X-Nota: perch\xe9\r\n\r\npi\xf9 farmaci\r\n" + b"<p>" * 6666 + b"\r\n",
        ),
        ("250", "235", *SENT),
        b"pi\xf9 farmaci\r\n" + b"<p>" * 6666 + b"\r\n",
    ),
    Dialogue(
        "no-header",
        "the smallest script there is",
        "a message without a header",
        slow(b"EHLO pc\r\n", b"AUTH PLAIN " + PLAIN + b"\r\n", message=b"\r\nTo: {to}\r\n" + TEXT),
        ("250", "235", *SENT),
        b"To: {to}\r\n" + UNSTUFFED,
    ),
)

NAMES: tuple[bytes, ...] = (
    b"localhost",
    b"studio rossi",
    b"pc_segreteria",
    b"[10.0.0.1]",
    b"[IPv6:2001:db8::1]",
    b"10.0.0.1",
    b"PC-di-Pap\xc3\xa0",
    b"\xe8 strano",
    b"x" * 300,
    b"<script>",
)
"""What clients call themselves in EHLO."""
