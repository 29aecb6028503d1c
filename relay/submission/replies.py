"""What a client hears when all is well; refusals, which are written for people, are in `texts.py`.

Law: each line has its enhanced code (RFC 2034), but for the 354 that asks for the message.
"""

OK = b"250 2.0.0 Ok\r\n"
SENDER_OK = b"250 2.1.0 Ok\r\n"
RECIPIENT_OK = b"250 2.1.5 Ok\r\n"
LOGIN_OK = b"235 2.7.0 Welcome\r\n"
GO_AHEAD = b"354 End data with <CR><LF>.<CR><LF>\r\n"
START_TLS = b"220 2.0.0 Ready for TLS\r\n"
BYE = b"221 2.0.0 Bye\r\n"
HELP = b"214 2.0.0 EHLO AUTH MAIL RCPT DATA RSET NOOP QUIT\r\n"
CANNOT_VERIFY = b"252 2.0.0 Not verified, send and see\r\n"

ANSWERED = b""
"""The answer was given while the command was carried out."""


def queued(message_id: str, more: str = "") -> bytes:
    """The store has it; `more` is said beside the id."""
    return f"250 2.0.0 Ok: queued as {message_id}{'; ' if more else ''}{more}\r\n".encode("ascii", "replace")
