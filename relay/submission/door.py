"""The door through which every connection passes, and the list of who is inside.

Law: connections are bounded in all and per address; one is inside until its socket is gone and its dialogue has ended,
because a message may still be on its way into the store when the client is not there any more.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from relay.core.limits import SECOND
from relay.core.refusal import Reason
from relay.submission.desk import Desk
from relay.submission.peer import Peer
from relay.submission.settings import ListenerSettings


class Visitor(Protocol):
    """A connection, as the door sees it."""

    def stop(self) -> None:
        """Sends the client away: now if it has nothing begun, else when that is finished."""

    def abort(self) -> None:
        """Cuts the client off; a message that is being stored will be stored."""


@dataclass(slots=True)
class _Visit:
    listener: str
    address: str
    open_ends: int = 2
    """The socket and the dialogue."""


class Door:
    """Lets connections in, sends them away, and tells when the last one is gone."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.timeout = desk.settings.timeout / SECOND
        """Seconds of silence that a client may take."""
        self._visits: dict[Visitor, _Visit] = {}
        self._by_address: dict[str, int] = {}
        self._is_stopping = False
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def enter(self, visitor: Visitor, peer: Peer, listener: ListenerSettings) -> Reason | None:
        """Takes a connection in; a reason: it is turned away."""
        reason = self._reason_against(peer)
        if reason is not None:
            self.desk.observe.turned_away(listener.name, peer=peer.text, reason=reason)
            return reason
        self._visits[visitor] = _Visit(listener.name, peer.text)
        self._by_address[peer.text] = self._by_address.get(peer.text, 0) + 1
        self._is_empty.clear()
        self.desk.observe.connected(listener.name, peer=peer.text)
        return None

    def end(self, visitor: Visitor) -> None:
        """Called twice for each connection: its socket is gone, its dialogue has ended."""
        visit = self._visits.get(visitor)
        if visit is None:
            return
        visit.open_ends -= 1
        if visit.open_ends > 0:
            return
        del self._visits[visitor]
        left = self._by_address.pop(visit.address) - 1
        if left:
            self._by_address[visit.address] = left
        if not self._visits:
            self._is_empty.set()
        self.desk.observe.disconnected(visit.listener, peer=visit.address)

    def stop(self) -> None:
        """Lets nobody in any more, and sends away who has nothing begun; the others when they have finished."""
        self._is_stopping = True
        for visitor in tuple(self._visits):
            visitor.stop()

    def abort(self) -> None:
        """Cuts everybody off."""
        self._is_stopping = True
        for visitor in tuple(self._visits):
            visitor.abort()

    async def empty(self) -> None:
        """Returns when nobody is inside."""
        await self._is_empty.wait()

    def _reason_against(self, peer: Peer) -> Reason | None:
        if self._is_stopping:
            return Reason.STOPPING
        settings = self.desk.settings
        if len(self._visits) >= settings.max_connections:
            return Reason.FULL
        if self._by_address.get(peer.text, 0) < settings.max_connections_per_ip:
            return None
        return None if self.desk.neighbours().is_expected(peer) else Reason.FULL
