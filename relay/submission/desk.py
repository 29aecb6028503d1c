"""What all dialogues share: settings, routing, authenticator, acceptance, texts, and who is known by address.

Law: nothing here belongs to one connection.
"""

from collections.abc import Callable

from relay.core.refusal import Refusal
from relay.core.routing import Client, Routing
from relay.submission.acceptance import Acceptance
from relay.submission.gathering import Memory
from relay.submission.login import Verifier
from relay.submission.observer import Observer
from relay.submission.peer import Neighbours, Peer
from relay.submission.settings import ListenerSettings, SubmissionSettings
from relay.submission.texts import Texts, as_line


class Desk:
    """Where every dialogue asks."""

    def __init__(
        self,
        settings: SubmissionSettings,
        acceptance: Acceptance,
        *,
        routing: Callable[[], Routing],
        authenticator: Verifier,
        observe: Observer,
    ) -> None:
        self.settings = settings
        self.acceptance = acceptance
        self.routing = routing
        self.authenticator = authenticator
        self.observe = observe
        largest = min(2 * settings.max_message_size, settings.max_held)  # with room for the dots that stuffing adds
        self.memory = Memory(settings.max_held, most_of_one=max(settings.max_held // 2, largest))
        self.banner = as_line(f"220 {settings.hostname} ESMTP")
        self.helo_reply = as_line(f"250 {settings.hostname}")
        self.texts = Texts(settings.language, settings.contact)
        self._offers = {
            (has_auth, has_starttls): _offer(settings, has_auth=has_auth, has_starttls=has_starttls)
            for has_auth in (False, True)
            for has_starttls in (False, True)
        }
        self._neighbours: tuple[Routing, Neighbours] | None = None

    def reply(self, refusal: Refusal) -> bytes:
        """The line that tells a client of a refusal."""
        return self.texts.line(refusal)

    def ehlo_reply(self, *, has_auth: bool, has_starttls: bool = False) -> bytes:
        """What this relay can do for a client (RFC 5321, 4.1.1.1)."""
        return self._offers[has_auth, has_starttls]

    def client_at(self, peer: Peer, listener: ListenerSettings) -> Client | None:
        """The client that is known by its address alone: on loopback, or where the listener trusts networks."""
        if not (peer.is_loopback or listener.has_trusted_networks):
            return None
        return self.neighbours().client_at(peer)

    def neighbours(self) -> Neighbours:
        """What network addresses tell, under the routing in force."""
        routing = self.routing()
        if self._neighbours is None or self._neighbours[0] is not routing:
            self._neighbours = routing, Neighbours(routing)
        return self._neighbours[1]


def _offer(settings: SubmissionSettings, *, has_auth: bool, has_starttls: bool) -> bytes:
    lines = [
        settings.hostname,
        "PIPELINING",
        f"SIZE {settings.max_message_size}",
        "8BITMIME",
        "SMTPUTF8",
        *(["STARTTLS"] if has_starttls else []),
        *(["AUTH PLAIN LOGIN"] if has_auth else []),
        "DSN",
        "ENHANCEDSTATUSCODES",
    ]
    return b"".join(as_line(f"250-{line}") for line in lines[:-1]) + as_line(f"250 {lines[-1]}")
