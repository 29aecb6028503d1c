"""The door through which every connection passes, and the list of who is inside.

Law: connections are bounded in all and per address; one is inside until its socket is gone and its dialogue has ended,
because a message may still be on its way into the store when the client is not there any more. When no room is left,
whoever came longest ago and has neither logged in nor sent anything makes room, so that strangers who only hold
connections keep nobody out.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from relay.core.limits import SECOND
from relay.core.refusal import Reason
from relay.submission.desk import Desk
from relay.submission.peer import Peer
from relay.submission.settings import ListenerSettings

STRANGER_SECONDS: float = 5.0
"""A client logs in at once; a stranger who has not after this may be sent away for another."""

STRANGER_SECONDS_FOR_KNOWN: float = 1.0
"""The same, when the other comes from where a client logged in before, or from a network that a client names."""

KNOWN_MOST: int = 10_000
"""Addresses remembered from which clients logged in: twice the practices of the largest installation foreseen."""


class Visitor(Protocol):
    """A connection, as the door sees it."""

    @property
    def is_stranger(self) -> bool:
        """Whether it has neither logged in nor begun a mail."""

    def stop(self) -> None:
        """Sends the client away: now if it has nothing begun, else when that is finished."""

    def make_room(self) -> None:
        """Sends the client away, a stranger, because others want in."""

    def abort(self) -> None:
        """Cuts the client off; a message that is being stored will be stored."""


@dataclass(slots=True)
class _Visit:
    listener: str
    address: str
    since: float
    """Seconds of the loop's clock."""
    open_ends: int = 2
    """The socket and the dialogue."""
    is_leaving: bool = False
    """It was sent away for another and counts no more."""


class Door:
    """Lets connections in, sends them away, and tells when the last one is gone."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.timeout = desk.settings.timeout / SECOND
        """Seconds of silence that a client may take."""
        self._visits: dict[Visitor, _Visit] = {}
        self._inside: dict[str, dict[Visitor, _Visit]] = {}
        """By address, whoever came first first; without those who are leaving."""
        self._strangers: dict[Visitor, _Visit] = {}
        """Whoever came first first, and some who are none any more."""
        self._leaving = 0
        self._known: dict[str, None] = {}
        self._is_stopping = False
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def enter(self, visitor: Visitor, peer: Peer, listener: ListenerSettings) -> Reason | None:
        """Takes a connection in; a reason: it is turned away."""
        now = asyncio.get_running_loop().time()
        reason = self._reason_against(peer, now)
        if reason is not None:
            self.desk.observe.turned_away(listener.name, peer=peer.text, reason=reason)
            return reason
        visit = _Visit(listener.name, peer.text, now)
        self._visits[visitor] = self._strangers[visitor] = visit
        self._inside.setdefault(peer.text, {})[visitor] = visit
        self._is_empty.clear()
        self.desk.observe.connected(listener.name, peer=peer.text)
        return None

    def end(self, visitor: Visitor) -> None:
        """Called twice for each connection: its socket is gone, its dialogue has ended."""
        visit = self._visits.get(visitor)
        if visit is None:
            return
        if not visitor.is_stranger:
            self._remember(visit.address)
        visit.open_ends -= 1
        if visit.open_ends > 0:
            return
        if not visit.is_leaving:
            self._count_out(visitor, visit)
        else:
            self._leaving -= 1
        del self._visits[visitor]
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

    def _reason_against(self, peer: Peer, now: float) -> Reason | None:
        if self._is_stopping:
            return Reason.STOPPING
        settings = self.desk.settings
        here = self._inside.get(peer.text, {})
        if len(here) >= settings.max_connections_per_ip and not self._is_expected(peer):
            has_room = self._has_made_room(here, peer, now)
        elif len(self._visits) - self._leaving >= settings.max_connections:
            has_room = self._leaving <= settings.max_connections and self._has_made_room(self._strangers, peer, now)
        else:
            has_room = True
        return None if has_room else Reason.FULL

    def _has_made_room(self, visits: Mapping[Visitor, _Visit], peer: Peer, now: float) -> bool:
        """Whether the stranger who came first of these was here for long enough, and has been sent away."""
        met: dict[Visitor, _Visit] = {}
        stranger: tuple[Visitor, _Visit] | None = None
        for visitor, visit in visits.items():
            if visitor.is_stranger:
                stranger = visitor, visit
                break
            met[visitor] = visit
        for visitor, visit in met.items():
            self._strangers.pop(visitor, None)
            self._remember(visit.address)
        return stranger is not None and self._has_sent_away(*stranger, for_peer=peer, now=now)

    def _has_sent_away(self, visitor: Visitor, visit: _Visit, *, for_peer: Peer, now: float) -> bool:
        is_known = for_peer.text in self._known or self._is_expected(for_peer)
        if now - visit.since < (STRANGER_SECONDS_FOR_KNOWN if is_known else STRANGER_SECONDS):
            return False
        visit.is_leaving = True
        self._leaving += 1
        self._count_out(visitor, visit)
        visitor.make_room()
        return True

    def _count_out(self, visitor: Visitor, visit: _Visit) -> None:
        self._strangers.pop(visitor, None)
        here = self._inside[visit.address]
        del here[visitor]
        if not here:
            del self._inside[visit.address]

    def _is_expected(self, peer: Peer) -> bool:
        """Whether some client names a network with this address."""
        return self.desk.neighbours().is_expected(peer)

    def _remember(self, address: str) -> None:
        """A client logged in from here."""
        self._known.pop(address, None)
        if len(self._known) >= KNOWN_MOST:
            del self._known[next(iter(self._known))]
        self._known[address] = None
