"""Who speaks in a dialogue, and over what: the login, the address, TLS.

Law: a login holds as long as the routing in force knows its client with the same password, and is not taken over into
TLS (RFC 3207, 4.2).
"""

from relay.core.routing import Client, Routing, Tls
from relay.submission.desk import Desk
from relay.submission.peer import Peer
from relay.submission.settings import ListenerSettings


class Identity:
    """The client's end of one dialogue."""

    def __init__(self, desk: Desk, listener: ListenerSettings, peer: Peer, *, is_secure: bool) -> None:
        """`is_secure`: under TLS from its first octet."""
        self._desk = desk
        self._listener = listener
        self._client: Client | None = None
        self.peer = peer
        self.is_secure = is_secure
        self.is_logged_in = False

    @property
    def name(self) -> str | None:
        """Of the client, as far as it is known."""
        return None if self._client is None else self._client.name

    @property
    def has_starttls(self) -> bool:
        """Whether it may change to TLS."""
        return self._listener.tls is Tls.STARTTLS and not self.is_secure

    @property
    def has_auth(self) -> bool:
        """Whether it may log in: a password goes over TLS, over no network, or where the listener says so."""
        return self.is_secure or self.peer.is_loopback or self._listener.has_plaintext_allowed

    def log_in(self, client: Client) -> None:
        """The client has proved who he is."""
        self._client, self.is_logged_in = client, True

    def secure(self) -> None:
        """TLS begins: whoever spoke in clear may have been somebody else."""
        self._client, self.is_logged_in, self.is_secure = None, False, True

    def client(self, routing: Routing) -> Client | None:
        """Who speaks, under the routing in force; None: nobody that it knows."""
        if self.is_logged_in and self._client is not None:
            now = routing.clients.get(self._client.name)
            if now is not None and now.password == self._client.password:
                return now
        self.is_logged_in = False
        self._client = self._desk.client_at(self.peer, self._listener)
        return self._client

    def protocol(self, *, is_extended: bool, has_smtputf8: bool) -> str:
        """How a message comes, in the words of RFC 3848 and RFC 6531, 3.7.3."""
        if not is_extended:
            return "SMTP"
        kind = "UTF8SMTP" if has_smtputf8 else "ESMTP"
        return f"{kind}{'S' if self.is_secure else ''}{'A' if self.is_logged_in else ''}"
