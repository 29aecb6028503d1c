"""A provider that ends a message where it likes: strictly at CRLF.CRLF, or at anything that some server takes for it.

Law: what it takes for commands it obeys, so that a smuggled message would be one more message here, or a stray command.
"""

import re
import socket
import threading
from dataclasses import dataclass, field

STRICT = re.compile(rb"(?:\A|\r\n)\.\r\n")
LAX = re.compile(rb"(?:\A|\r\n|\n|\r)\x00?\.\x00?(?:\r\x00?\n|\n|\r)")
"""Every end of data that was found in a server in 2023, and NULs ignored inside."""


@dataclass
class LaxProvider:
    """Listens on a port of the kernel's choice; remembers messages with their recipients, and what made no sense."""

    end: re.Pattern[bytes]
    messages: list[tuple[list[bytes], bytes]] = field(default_factory=list)
    stray: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(30)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(60)
            try:
                Talk(self, connection).run()
            except OSError:
                pass  # the relay resets what it is done with


class Talk:
    """One connection."""

    def __init__(self, provider: LaxProvider, connection: socket.socket) -> None:
        self._provider = provider
        self._connection = connection
        self._buffer = b""
        self._recipients: list[bytes] = []

    def run(self) -> None:
        self._say(b"220 lax ESMTP")
        while (line := self._until(re.compile(rb"\r?\n"))) is not None:
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say(b"354 go on")
                self._take()
            elif verb in {b"EHLO", b"RSET", b"MAIL"}:
                self._recipients = []
                self._say(b"250 ok")
            elif verb == b"RCPT":
                self._recipients.append(line)
                self._say(b"250 ok")
            elif verb == b"QUIT":
                self._say(b"221 bye")
                return
            else:
                self._provider.stray.append(line)
                self._say(b"250 ok")

    def _take(self) -> None:
        message = self._until(self._provider.end)
        if message is not None:
            self._provider.messages.append((self._recipients, message))
            self._say(b"250 ok")

    def _until(self, end: re.Pattern[bytes]) -> bytes | None:
        """What comes before the end; None: the relay hung up."""
        while (found := end.search(self._buffer)) is None:
            more = self._connection.recv(65536)
            if not more:
                return None
            self._buffer += more
        before, self._buffer = self._buffer[: found.start()], self._buffer[found.end() :]
        return before

    def _say(self, reply: bytes) -> None:
        self._connection.sendall(reply + b"\r\n")
