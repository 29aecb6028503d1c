"""What the provider says, and how a handler refuses.

Law: a refusal is raised where it is found and answered in one place, so that none leaves without its log line.
"""

from enum import StrEnum

from relay.errors import PermanentError
from relay.sandbox.script import ScriptedReply
from relay.sandbox.settings import Fault


class Say(StrEnum):
    """The usual replies, with enhanced codes (RFC 3463)."""

    BYE = "221 2.0.0 Bye"
    TLS_READY = "220 2.0.0 Ready to start TLS"
    LOGGED_IN = "235 2.7.0 Authentication successful"
    SENDER_OK = "250 2.1.0 Sender ok"
    RECIPIENT_OK = "250 2.1.5 Recipient ok"
    OK = "250 2.0.0 Ok"
    TAKEN = "250 2.0.0 Ok: message taken"
    VRFY = "252 2.1.5 Send some mail, I'll try my best"
    HELP = "214 2.0.0 See RFC 5321"
    GO_AHEAD = "354 End data with <CR><LF>.<CR><LF>"
    SHUTTING_DOWN = "421 4.3.2 Service shutting down"
    TOO_MANY_SESSIONS = "421 4.3.2 Too many sessions"
    IDLE = "421 4.4.2 Idle for too long"
    OVER_LIMIT = "450 4.7.1 rate limit exceeded"
    TEMPFAIL = "451 4.3.0 Temporary failure"
    TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients"
    TOO_LONG = "500 5.5.2 Line too long"
    BAD_LINE = "500 5.5.2 A line ends with CR LF and holds no other CR, LF or NUL"
    UNKNOWN = "500 5.5.1 Command not known"
    SYNTAX = "501 5.5.4 Syntax error in arguments"
    BASE64 = "501 5.5.2 Not base64"
    CANCELLED = "501 5.7.0 Authentication cancelled"
    NOT_OFFERED = "502 5.5.1 Not offered"
    OUT_OF_ORDER = "503 5.5.1 Not now"
    MECHANISM = "504 5.5.4 Mechanism not supported"
    LOGIN_FIRST = "530 5.7.0 Authentication required"
    WRONG_PASSWORD = "535 5.7.8 Authentication failed"
    TOO_BIG = "552 5.3.4 Message too big"
    NEEDS_UTF8 = "553 5.6.7 Address needs SMTPUTF8"
    PERMFAIL = "554 5.0.0 Transaction failed"
    PARAMETER = "555 5.5.4 Parameter not known"


GARBAGE: tuple[bytes, ...] = (
    b"\x00\xff\xfe\x80\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"25\r\n",
    b"999 nonsense\r\n",
    b"250-2.0.0 half\r\n421 another code\r\n",
    b"ok\r\n",
    b"+OK ready\r\n",
)
"""Things that are no SMTP reply, each seen as the answer of something that is no mail server."""


class Refusal(PermanentError):
    """the command was refused"""

    def __init__(self, reply: str, *, event: str = "refused") -> None:
        super().__init__(reply)
        self.reply = reply
        self.event = event


class Misbehaviour(PermanentError):
    """something else happens than a reply"""

    def __init__(self, what: ScriptedReply | Fault) -> None:
        super().__init__()
        self.what = what


def on_wire(reply: str) -> bytes:
    """A reply as it is sent: every line ended with CR LF."""
    return reply.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n"
