"""What a check of the conformance suite works with: mail, routings, results, and a node that counts its sessions.

Law: it reports on every session exactly once, as the port asks, and decides nothing about the store.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from relay.core.envelope import Claim, Envelope, Kind, LoginFailure, NewMessage, Recipient, Result, Taken, Verdict
from relay.core.limits import parse_limit
from relay.core.reply import Reply
from relay.core.routing import Account, Provider, Routing
from relay.core.words import AccountId, MailboxId, Plan, Stage
from relay.store.needs import StoreSettings
from relay.store.ports import Store
from relay.store.ports.books import Books
from relay.store.ports.sessions import SessionEvent
from tests.contract.harness import Harness, Make

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
LINGER = 90
"""Seconds: no other duration of a test is the same."""

NODE = "node-1"
OTHER = "node-2"
A, B, C = "a@studio.test", "b@studio.test", "c@studio.test"
NO_CHANGES: Mapping[str, str | None] = MappingProxyType({})


def box(sender: AccountId, provider: str = "p") -> MailboxId:
    """The mailbox of an account that has one of its own."""
    return MailboxId(provider, sender)


def provider(name: str = "p", *limits: str, totals: Iterable[str] = (), **more: Any) -> Provider:
    """A provider whose sessions are not what a check is about."""
    plenty: dict[str, Any] = {"connections": 20, "total_connections": 50, "login_limit": parse_limit("1000/10m")}
    filled: dict[str, Any] = {**plenty, "linger": LINGER * SECOND, **more}
    own, total = tuple(map(parse_limit, limits)), tuple(map(parse_limit, totals))
    return Provider(name, f"smtp.{name}.test", 465, limits=own, total_limits=total, **filled)


def account(sender: AccountId, at: str = "p", **more: Any) -> Account:
    """An account with a mailbox of its own, or with `username`."""
    return Account(sender, Plan.BUSINESS, MailboxId(at, more.pop("username", sender)), **more)


def message(number: object, sender: AccountId, *to: str, **more: Any) -> NewMessage:
    """A small message."""
    recipients = tuple(Recipient(address) for address in to or ("Paziente@Example.test",))
    filled: dict[str, Any] = {
        "client": "studio",
        "content": f"Subject: {number}\r\n\r\nbody {number}\r\n".encode(),
        "header_message_id": f"<{number}@studio.test>",
        "submitted_hash": b"h" * 32,
        **more,
    }
    return NewMessage(id=f"m-{number}", account=sender, envelope=Envelope(sender, recipients), **filled)


def result(verdict: Verdict, reply_class: str | None = None, **more: Any) -> Result:
    """How an attempt ended; MAIL was written and the last reply read, unless said otherwise."""
    filled: dict[str, Any] = {
        "stage": Stage.EOD, "reply": Reply(250, None, "ok"), "is_mail_written": True, "is_end_known": True, **more,
    }  # fmt: skip
    return Result(verdict, reply_class or verdict.value, **filled)


DELIVERED = result(Verdict.DELIVERED)
DEFERRED = result(Verdict.DEFERRED, "greylisted", stage=Stage.RCPT, reply=Reply(450, None, "later"))
BOUNCED = result(
    Verdict.BOUNCED, "recipient-unknown", stage=Stage.RCPT, reply=Reply(550, "5.1.1", "nobody"), is_read=True
)
GUESSED = result(
    Verdict.BOUNCED, "recipient-refused", stage=Stage.RCPT, reply=Reply(550, "5.7.1", "not from you"), is_read=False
)
MAIL_REFUSED = result(Verdict.HELD, "sender-refused", stage=Stage.MAIL, reply=Reply(553, None, "not yours"))
NOT_NOW = result(Verdict.DEFERRED, "sender-refused", stage=Stage.MAIL, reply=Reply(450, None, "try later"))
NOT_UNDERSTOOD = result(Verdict.ASIDE, "protocol-error", stage=Stage.MAIL, reply=Reply(555, "5.5.4", "what?"))
IN_DOUBT = result(Verdict.IN_DOUBT, "network", reply=None, is_end_known=False)
DROPPED = result(Verdict.DROPPED, "dropped", reply=None, is_mail_written=False)
NEVER_MAIL = result(Verdict.DEFERRED, "unknown", stage=Stage.EHLO, reply=None, is_mail_written=False)

AUTH_REFUSED = LoginFailure(
    "auth-rejected", Stage.AUTH, Reply(535, "5.7.8", "wrong"), is_provider=False, is_login_sent=True
)
AUTH_LATER = LoginFailure(
    "auth-temporary", Stage.AUTH, Reply(454, "4.7.0", "later"), is_provider=False, is_login_sent=True
)
TOO_MANY = Reply(432, "4.3.2", "Concurrent connections limit exceeded")
CROWDED = result(Verdict.DEFERRED, "too-many-connections", reply=TOO_MANY)
BANNER_CROWDED = LoginFailure("too-many-connections", Stage.CONNECT, TOO_MANY, is_provider=False, is_login_sent=False)
LOGIN_CROWDED = LoginFailure("too-many-connections", Stage.AUTH, TOO_MANY, is_provider=False, is_login_sent=True)
HOST_DOWN = LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False)
ADDRESS_BLOCKED = LoginFailure(
    "ip-blocked", Stage.CONNECT, Reply(554, "5.7.1", "listed"), is_provider=True, is_login_sent=False
)
HOST_UNTRUSTED = LoginFailure(
    "tls-required", Stage.CONNECT, None, is_provider=True, is_login_sent=False, fault="tls-untrusted"
)


@runtime_checkable
class HasBooks(Protocol):
    """A store with books."""

    @property
    def books(self) -> Books: ...


class Scene:
    """One store and one node that works with it."""

    def __init__(self, make: Make, settings: StoreSettings | None = None) -> None:
        self._make = make
        self._settings = settings or StoreSettings()
        self.harness: Harness = make(self._settings)
        self.sessions: Counter[MailboxId] = Counter()
        self.running: list[Claim] = []

    def another(self) -> "Scene":
        """A new, empty store of the same adapter."""
        return Scene(self._make, self._settings)

    def under(self, **settings: Any) -> "Scene":
        """A new, empty store of the same adapter, under other settings."""
        return Scene(self._make, replace(self._settings, **settings))

    @property
    def store(self) -> Store:
        """The store of the living process."""
        return self.harness.store

    @property
    def books(self) -> Books:
        """The ports beside the mail; the model has none."""
        store = self.harness.store
        assert isinstance(store, HasBooks)
        return store.books

    @property
    def settings(self) -> StoreSettings:
        """What the store was told."""
        return self._settings

    # what comes in

    async def route(
        self,
        *accounts: Account,
        providers: Iterable[Provider] = (),
        credentials: Mapping[str, str | None] = NO_CHANGES,
    ) -> int:
        """Applies a routing; `credentials`: fingerprints by username, `first` where nothing is said."""
        known = {one.name: one for one in (*(provider(name) for name in "pq"), *providers)}
        routing = Routing(providers=known, accounts={one.sender: one for one in accounts})
        prints = {mailbox: credentials.get(mailbox.username, "first") for mailbox in routing.mailboxes()}
        return await self.store.apply(routing, prints)

    async def mail(self, sender: AccountId, *numbers: object, **more: Any) -> None:
        """Messages of an account; each from a client of its own, so that all wait in express."""
        for number in numbers:
            await self.store.put(message(number, sender, **{"client": f"client-{number}", **more}))

    # time

    async def advance(self, seconds: float) -> None:
        """Time passes, and the node's lease is renewed as it does."""
        while seconds > 20 and self.running:
            await self.harness.advance(20)
            await self.store.heartbeat(NODE)
            seconds -= 20
        await self.harness.advance(seconds)
        await self.store.heartbeat(NODE)

    async def advance_to(self, instant: int) -> None:
        """Time passes until this instant of relay time."""
        await self.advance((instant - self.store.now()) / SECOND)
        assert self.store.now() == instant

    # the node

    def idle(self) -> dict[MailboxId, int]:
        """Sessions that carry nothing."""
        busy = Counter(claim.mailbox for claim in self.running)
        return {mailbox: many - busy[mailbox] for mailbox, many in self.sessions.items() if many > busy[mailbox]}

    async def take(self, most: int = 100) -> Taken:
        """One take with the sessions that are idle."""
        taken = await self.store.take(NODE, self.idle(), most)
        self.running += taken.claims
        return taken

    async def open(self, mailbox: MailboxId, many: int = 1) -> None:
        """Sessions that a take named are open."""
        for _ in range(many):
            await self.store.session(mailbox, SessionEvent.OPENED)
            self.sessions[mailbox] += 1

    async def close(self, mailbox: MailboxId) -> None:
        """A session is closed."""
        self.sessions[mailbox] -= 1
        await self.store.session(mailbox, SessionEvent.CLOSED)

    async def close_mailbox(self, sender: AccountId) -> None:
        """Its mailbox is stopped: a first login is refused."""
        await self.mail(sender, f"first-{sender[0]}", kind=Kind.REPORT)
        while not (opened := (await self.store.take(NODE, {}, 100)).open.get(box(sender))):
            await self.advance(1)
        for _ in range(opened):
            await self.store.refused(box(sender), AUTH_REFUSED)

    async def work(self, most: int = 100) -> list[Claim]:
        """Takes and logs in until nothing more is given; what was claimed."""
        claims: list[Claim] = []
        while True:
            taken = await self.take(most - len(claims))
            claims += taken.claims
            for mailbox, many in taken.open.items():
                await self.open(mailbox, many)
            if not taken.open or len(claims) == most:
                return claims

    async def log_in(self) -> None:
        """Every session that can be used is open, though nothing is claimed."""
        while opened := (await self.store.take(NODE, {}, 100)).open:
            for mailbox, many in opened.items():
                await self.open(mailbox, many)

    async def end(self, claim: Claim, outcome: Result = DELIVERED) -> bool:
        """An attempt ended, without the gate if it never came to it."""
        self.running = [running for running in self.running if running != claim]
        return await self.store.settle(claim, outcome) is not None

    async def send(self, claim: Claim, outcome: Result = DELIVERED) -> bool:
        """An attempt passed the gate and ended."""
        assert await self.store.gate(claim)
        return await self.end(claim, outcome)

    async def send_all(self, outcome: Result = DELIVERED, most: int = 100) -> list[str]:
        """Works until nothing more can be sent now; the messages, in the order of their claims."""
        sent: list[str] = []
        while claims := await self.work(most):
            for claim in claims:
                await self.send(claim, outcome)
                sent.append(claim.message)
        return sent

    async def restart(self) -> int:
        """A crash, a start, and the recovery of the node; how many attempts are in doubt."""
        await self.harness.crash_and_restart()
        self.sessions.clear()
        self.running.clear()
        return await self.store.recover(NODE)


def numbers(claims: Iterable[Claim]) -> list[str]:
    """The messages of claims, in their order."""
    return [claim.message for claim in claims]
