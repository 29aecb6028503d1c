"""A store in memory under a clock that the test moves: what every test of this room starts from."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replace
from types import MappingProxyType
from typing import Any, TypeVar

from relay.core.envelope import Claim, Envelope, NewMessage, Recipient, Result, Verdict
from relay.core.keymark import KeyMark
from relay.core.limits import MINUTE as MINUTE
from relay.core.limits import SECOND as SECOND
from relay.core.limits import parse_limit
from relay.core.relaytime import Reading
from relay.core.reply import Reply
from relay.core.routing import Account, Provider, Routing
from relay.core.words import MailboxId, Plan, Stage
from relay.errors import RelayError
from relay.store.needs import CrashPoint, Outside, StoreSettings, never_dies
from relay.store.ports.events import StoreEvent
from relay.store.ports.sessions import SessionEvent
from relay.store.segments.memory import MemorySegments
from relay.store.segments.port import SEGMENT_BYTES
from relay.store.sqlite import SqliteStore
from relay.vault import Vault
from tests.fakes.database import in_memory

T = TypeVar("T")

START = 1_800_000_000 * SECOND
NODE = "node-1"
DEFAULTS = StoreSettings()


@dataclass
class HandClock:
    """Time stands still until a test moves it."""

    boottime_now: int = 5 * SECOND
    wall_now: int = START
    boot_id: str = "boot-1"
    is_synchronised: bool = True

    def reading(self) -> Reading:
        return Reading(self.boot_id, self.boottime_now, self.wall_now, self.is_synchronised)

    def boottime(self) -> int:
        return self.boottime_now

    def wall(self) -> int:
        return self.wall_now

    def advance(self, microseconds: int) -> None:
        self.boottime_now += microseconds
        self.wall_now += microseconds


class Chance:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, many: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(many, "big")


@dataclass
class Disk:
    """Where commits happen; `refuse` makes the next ones fail."""

    commits: int = 0
    refuse: list[RelayError] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def __call__(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        if self.hold is not None:
            await self.hold.wait()
        if self.refuse:
            raise self.refuse.pop(0)
        self.commits += 1
        return work()


async def at_once(work: Callable[[], T]) -> T:
    return work()


def provider(name: str = "aruba", *limits: str, totals: tuple[str, ...] = (), **more: Any) -> Provider:
    return Provider(
        name,
        f"smtp.{name}.test",
        465,
        limits=tuple(map(parse_limit, limits)),
        total_limits=tuple(map(parse_limit, totals)),
        **more,
    )


def account(sender: str, at: str = "aruba", **more: Any) -> Account:
    return Account(sender, Plan.BUSINESS, MailboxId(at, more.pop("username", sender)), **more)


def routing(*accounts: Account, providers: tuple[Provider, ...] = ()) -> Routing:
    return Routing(
        providers={each.name: each for each in providers or (provider(),)},
        accounts={each.sender: each for each in accounts},
    )


def fingerprints(of: Routing, changed: Mapping[str, str | None] = MappingProxyType({})) -> dict[MailboxId, str | None]:
    return {mailbox: changed.get(mailbox.username, "first") for mailbox in of.mailboxes()}


ROSSI = "m.rossi@studio.test"
BIANCHI = "g.bianchi@studio.test"


def message(
    number: object, sender: str = ROSSI, *to: str, content: bytes = b"Subject: x\r\n\r\nbody\r\n", **more: Any
) -> NewMessage:
    recipients = tuple(Recipient(address) for address in to or ("Paziente@Example.test",))
    return NewMessage(
        id=f"m-{number}",
        client=more.pop("client", "studio"),
        account=sender,
        envelope=Envelope(sender, recipients),
        content=content,
        header_message_id=f"<{number}@studio.test>",
        submitted_hash=b"h" * 32,
        **more,
    )


def result(verdict: Verdict, reply_class: str | None = None, **more: Any) -> Result:
    filled: dict[str, Any] = {
        "stage": Stage.EOD, "reply": Reply(250, None, "ok"), "is_mail_written": True, "is_end_known": True, **more,
    }  # fmt: skip
    return Result(verdict, reply_class or verdict.value, **filled)


DELIVERED = result(Verdict.DELIVERED)
DEFERRED = result(Verdict.DEFERRED, "greylisted", stage=Stage.RCPT, reply=Reply(450, None, "later"))
BOUNCED = result(
    Verdict.BOUNCED, "recipient-unknown", stage=Stage.RCPT, reply=Reply(550, "5.1.1", "nobody"), is_read=True
)
REFUSED = result(Verdict.HELD, "sender-refused", stage=Stage.MAIL, reply=Reply(553, None, "not yours"))
DOUBTFUL = result(Verdict.IN_DOUBT, "network", reply=None, is_end_known=False)
DROPPED = result(Verdict.DROPPED, "dropped", reply=None, is_mail_written=False)


class Bench:
    """One database that outlives its stores."""

    def __init__(self, settings: StoreSettings = DEFAULTS, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.connection = in_memory()
        self.segments = MemorySegments(segment_bytes)
        self.clock = HandClock()
        self.disk = Disk()
        self.chance = Chance()
        self.settings = settings
        self.fatal: list[RelayError] = []
        self.events: list[StoreEvent] = []
        self.free = 10**12
        self.reserves = 0
        self.may_keep_reserve = True
        self.routed = Routing()
        self.store = self.open()

    def open(self, *, crash_point: CrashPoint = never_dies) -> SqliteStore:
        self.store = SqliteStore(
            self.connection,
            self.segments,
            self.settings,
            outside=Outside(
                clock=self.clock,
                random=self.chance,
                cipher_for=self.ring,
                commit=self.disk,
                read=at_once,
                fatal=self.fatal.append,
                free_bytes=lambda: self.free,
                listener=self.events.append,
                give_up_reserve=self._give_up_reserve,
                keep_reserve=lambda: self.may_keep_reserve,
                crash_point=crash_point,
            ),
        )
        return self.store

    def ring(self, fingerprint: str | None, /, *older: KeyMark) -> Vault:
        """The keys of the store."""
        return Vault(b"k" * 32, self.chance)

    def _give_up_reserve(self) -> bool:
        self.may_keep_reserve = False
        self.reserves -= 1
        return self.reserves >= 0

    def crash(self) -> SqliteStore:
        """The process dies: what was not committed is gone."""
        self.connection.rollback()
        self.segments.crash()
        return self.open()

    async def route(
        self,
        *accounts: Account,
        providers: tuple[Provider, ...] = (),
        secrets: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Routing:
        made = routing(*(accounts or (account(ROSSI), account(BIANCHI))), providers=providers)
        await self.store.apply(made, fingerprints(made, secrets))
        self.routed = made
        return made

    async def log_in(self, most: int = 100) -> dict[MailboxId, int]:
        """Opens every session that the store wants; what is idle then."""
        taken = await self.store.take(NODE, {}, most)
        for mailbox, many in taken.open.items():
            for _ in range(many):
                await self.store.session(mailbox, SessionEvent.OPENED)
        return dict(taken.open)

    async def take(self, most: int = 100, node: str = NODE, **idle: int) -> tuple[Claim, ...]:
        """Claims with as many idle sessions as anybody could want."""
        boxes = dict.fromkeys(self.routed.mailboxes(), most)
        return (await self.store.take(node, boxes, most)).claims

    async def send(self, claim: Claim, outcome: Result = DELIVERED) -> bool:
        await self.store.gate(claim)
        return await self.store.settle(claim, outcome) is not None

    async def rest(self) -> None:
        """Whatever the store does for itself is done."""
        await self.store._errands.finish()

    def rows(self, statement: str, *values: object) -> list[Any]:
        return self.connection.execute(statement, values).fetchall()
