"""What submission stands on in tests: a store that remembers, an observer that remembers, a practice, a clock.

Law: nothing here decides what submission should decide; the store says yes unless the test says otherwise.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from relay.core.envelope import NewMessage
from relay.core.health import Pause
from relay.core.refusal import Reason
from relay.core.routing import Account, BareNewline, Client, Provider, Routing, SecretKind, SecretReference
from relay.core.words import AccountId, MailboxId, Plan, Stage
from relay.submission import Domains, ListenerSettings, Recipients, SubmissionSettings
from relay.submission.acceptance import Acceptance, Enquiries
from relay.submission.desk import Desk
from relay.submission.peer import Peer
from tests.fakes.suppressions import RememberedSuppressions
from tests.fakes.unheard import RememberedUnheard

WALL = 1_793_613_600.0
"""Mon, 02 Nov 2026 10:00:00 UTC."""


def literal(text: str) -> SecretReference:
    return SecretReference(SecretKind.LITERAL, text)


def account(sender: str, **more: Any) -> Account:
    return Account(sender, more.pop("plan", Plan.BUSINESS), MailboxId("lab", sender), **more)


def practice(*more: Client, accounts: tuple[Account, ...] = ()) -> Routing:
    """One login, `studio`, password `secret`, that may send as anybody of d.test; two accounts, one with an alias."""
    clients = (Client("studio", ("*@d.test",), literal("secret")), *more)
    found = (account("m.rossi@d.test", aliases=("info@d.test",)), account("bianchi@d.test"), *accounts)
    return Routing(
        {client.name: client for client in clients},
        {"lab": Provider("lab", "127.0.0.1", 2526)},
        {one.sender: one for one in found},
    )


def by_address(name: str = "server-room", network: str = "127.0.0.0/8", **more: Any) -> Client:
    return Client(name, ("*@d.test",), networks=(ip_network(network),), **more)


REJECTING = Client("strict", ("*@d.test",), literal("secret"), bare_newline=BareNewline.REJECT)


class RememberingIntake:
    """Keeps what is put; waits at `gate` if there is one, and raises `trouble` if there is any."""

    def __init__(self) -> None:
        self.messages: list[NewMessage] = []
        self.begun = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.trouble: Exception | None = None
        self.is_spacious = True

    async def put(self, message: NewMessage) -> None:
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        self.messages.append(message)

    def has_space(self) -> bool:
        return self.is_spacious


@dataclass
class RememberingObserver:
    """Keeps what it is told, in order, with all that it was told."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    somebody_left: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def connected(self, listener: str, *, peer: str) -> None:
        self._note(("connected", {"listener": listener, "peer": peer}))

    def disconnected(self, listener: str, *, peer: str) -> None:
        self._note(("disconnected", {"listener": listener, "peer": peer}))
        self.somebody_left.set()

    def turned_away(self, listener: str, *, peer: str, reason: Reason) -> None:
        self._note(("turned_away", {"listener": listener, "peer": peer, "reason": reason}))

    def handshake_failed(self, listener: str, *, peer: str, cause: str) -> None:
        self._note(("handshake_failed", {"listener": listener, "peer": peer, "cause": cause}))

    def logged_in(self, client: str, *, peer: str) -> None:
        self._note(("logged_in", {"client": client, "peer": peer}))

    def accepted(self, message: NewMessage, *, size: int, seconds: float, is_mended: bool) -> None:
        told = {"id": message.id, "size": size, "seconds": seconds, "is_mended": is_mended}
        self._note(("accepted", told))

    def renamed(self, message: NewMessage, *, old: str) -> None:
        self._note(("renamed", {"message": message.id, "account": message.account, "old": old}))

    def accepted_before(self, message: str, *, client: str, account: str) -> None:
        self._note(("accepted_before", {"id": message, "client": client, "account": account}))

    def refused(
        self,
        client: str | None,
        *,
        account: str | None,
        peer: str,
        stage: Stage,
        reason: Reason,
        reply: str,
        sender: str | None = None,
        cause: str | None = None,
    ) -> None:
        told = {"client": client, "account": account, "peer": peer, "stage": stage, "reason": reason, "reply": reply}
        if sender is not None:
            told["sender"] = sender
        if cause is not None:
            told["cause"] = cause
        self._note(("refused", told))

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)

    def _note(self, event: tuple[str, dict[str, Any]]) -> None:
        self.events.append(event)
        self.news.set()

    async def until(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """What was told by events of this name, when there are so many."""
        while len(self.told(name)) < count:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)
        return self.told(name)

    def told(self, name: str) -> list[dict[str, Any]]:
        """What was told by events of this name."""
        return [values for event, values in self.events if event == name]

    def reasons(self) -> list[Reason]:
        """Why something was refused, in order."""
        return [values["reason"] for values in self.told("refused")]


class Clock:
    """Time stands until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class PlainLogins:
    """Knows the literal passwords of a routing and compares them without a hash; remembers who asked."""

    def __init__(self, routing: Callable[[], Routing]) -> None:
        self._routing = routing
        self.asked: list[str] = []

    async def verify(self, login: str, password: bytes, peer: Peer) -> Client | Reason:
        self.asked.append(login)
        client = self._routing().clients.get(login)
        kept = None if client is None else client.password
        is_right = kept is not None and kept.value.encode() == password
        return client if client is not None and is_right else Reason.LOGIN_WRONG


class FixedForesight:
    """Says when a message would leave, as the test sets it, and remembers who asked."""

    def __init__(self) -> None:
        self.leaves_at: int | None = 0
        self.asked: list[tuple[str, str, bool]] = []

    async def departure(self, account: str, client: str, *, wants_express: bool) -> int | None:
        self.asked.append((account, client, wants_express))
        return self.leaves_at


class Office:
    """Everything that a dialogue needs, and the hands to move it."""

    def __init__(self, routing: Routing | None = None, **settings: Any) -> None:
        self.routing = routing or practice()
        self.intake = RememberingIntake()
        self.observer = RememberingObserver()
        self.pauses: dict[AccountId, Pause] = {}
        self.foresight = FixedForesight()
        self.logins = PlainLogins(lambda: self.routing)
        self.suppressions = RememberedSuppressions()
        self.unheard = RememberedUnheard()
        self.domains: Domains | None = None
        self.wall = WALL
        self._desk: Desk | None = None
        self.ids = (f"m-{number}" for number in itertools.count(1))
        self.listener = settings.pop("listener", ListenerSettings("127.0.0.1:2525"))
        self.settings = SubmissionSettings("relay.example.it", (self.listener,), **settings)

    def one_desk(self) -> Desk:
        """The same for all connections, as a relay has it."""
        if self._desk is None:
            self._desk = self.desk()
        return self._desk

    def desk(self) -> Desk:
        acceptance = Acceptance(
            self.intake,
            self.settings,
            new_id=lambda: next(self.ids),
            wall_clock=lambda: self.wall,
            enquiries=Enquiries(
                self.pauses.get, self.foresight, Recipients(self.suppressions, self.domains), self.unheard
            ),
        )
        return Desk(
            self.settings,
            acceptance,
            routing=lambda: self.routing,
            authenticator=self.logins,
            observe=self.observer,
        )
