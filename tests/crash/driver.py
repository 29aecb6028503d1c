"""A process that drives the real store on real files and says what it was told, so that it may be killed at any point.

Law: a line is written to the pipe before anything that follows from it: `offered` before a put, `accepted` after it,
`sent` where the final dot would go out, `settled` when the store has answered. What is in the pipe survives the kill.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from relay.app.keys import KeyDesk
from relay.app.machine import MachineClock, RunIn, crash_point_of
from relay.core.envelope import Claim, Envelope, NewMessage, Recipient, Result, Verdict
from relay.core.keymark import KeyMark
from relay.core.reply import Reply
from relay.core.routing import Account, Provider, Routing
from relay.core.words import MailboxId, Plan, Stage
from relay.delivery.recording import replay
from relay.errors import RelayError, StoreFull, StoreUnavailable
from relay.observe import Log
from relay.store.needs import Outside, StoreSettings
from relay.store.outcomes import OutcomeJournal
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.keys import Needs
from relay.store.ports.outcomes import Outcome
from relay.store.ports.sessions import SessionEvent
from relay.store.sqlite import DataDir, SqliteStore, hold, open_store
from relay.store.sqlite.reserve import Reserve
from relay.vault import Keyring, Vault
from tests.crash.older import make_older
from tests.fakes.observer import FakeObserver

T = TypeVar("T")

NODE = "driver"
SENDER = "m.rossi@studio.test"
BOX = MailboxId("lab", SENDER)
MILLISECOND = 1000
SECRET = "m.rossi"
SEGMENT_BYTES = 16_000
SETTINGS = StoreSettings(retry=(MILLISECOND,))
REPLIES = {
    "delivered": Result(
        Verdict.DELIVERED, "delivered", Stage.EOD, Reply(250, None, "ok"), is_mail_written=True, is_end_known=True
    ),
    "bounced": Result(
        Verdict.BOUNCED,
        "recipient-unknown",
        Stage.EOD,
        Reply(550, None, "no"),
        is_mail_written=True,
        is_end_known=True,
    ),
    "deferred": Result(
        Verdict.DEFERRED, "greylisted", Stage.EOD, Reply(450, None, "later"), is_mail_written=True, is_end_known=True
    ),
}


def say(*words: object) -> None:
    """One line, whole, in one system call."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Driver:
    """One life of the process."""

    def __init__(self, folder: Path, *, reserve: int = 4096) -> None:
        self.folder = folder
        self.reserve = reserve
        self.commit_pool, self.read_pool = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self.crash_point = crash_point_of(os.environ)
        self.passed: dict[str, None] = {}
        self.refusals = 0
        """How many commits more the disk refuses."""
        self.is_away = False
        """The store takes no outcome."""
        self.data: DataDir
        self.store: SqliteStore
        self.keys: KeyDesk
        self.outcomes: OutcomeJournal

    def open(self) -> None:
        """The store as app.py opens it, with small segments."""
        self.data = hold(self.folder)
        reserve = Reserve(self.folder, self.reserve)
        reserve.keep()
        keyring = Keyring(self.folder / "keys", None, os.urandom, crash_point=self.pass_point)
        vaults: list[Vault] = []

        def vault_for(fingerprint: str | None, *older: KeyMark) -> Vault:
            vaults.append(keyring.vault_for(fingerprint, *older))
            return vaults[-1]

        outside = Outside(
            clock=MachineClock(),
            random=os.urandom,
            cipher_for=vault_for,
            commit=self.commit,
            read=RunIn(self.read_pool),
            fatal=self.fatal,
            free_bytes=self.data.free_bytes,
            listener=self.listen,
            crash_point=self.pass_point,
            give_up_reserve=reserve.give_up,
            keep_reserve=reserve.keep,
        )
        self.store = open_store(self.data, SETTINGS, outside, segment_bytes=SEGMENT_BYTES)
        self.keys = KeyDesk(
            keyring, vaults[-1], self.store.books.keys, run=RunIn(self.read_pool), log=Log(lambda _: None, lambda: 0.0)
        )
        self.outcomes = OutcomeJournal(
            self.folder / "outcomes", vaults[-1], place=NODE.encode(), run=RunIn(self.read_pool),
            crash_point=self.pass_point,
        )  # fmt: skip

    async def close(self) -> None:
        await self.outcomes.close()
        await self.store.close()
        self.data.release()

    def pass_point(self, name: str) -> None:
        self.passed[name] = None
        self.crash_point(name)

    async def commit(self, work: Callable[[], T]) -> T:
        if self.refusals:
            self.refusals -= 1
            raise StoreFull
        return await RunIn(self.commit_pool)(work)

    def fatal(self, error: RelayError) -> None:
        say("fatal", error)
        os._exit(3)

    def listen(self, event: StoreEvent) -> None:
        if event.kind is EventKind.IN_DOUBT:
            say("doubt", event.delivery)
        elif event.kind is EventKind.HELD:
            say("held", event.delivery, event.message)

    async def route(self) -> None:
        provider = Provider("lab", "127.0.0.1", 2525, connections=50, linger=MILLISECOND)
        routing = Routing(providers={"lab": provider}, accounts={SENDER: Account(SENDER, Plan.BUSINESS, BOX)})
        await self.store.apply(routing, {BOX: "fingerprint"})

    async def put(self, name: str, *to: str, lifetime: int | None = None, size: int = 900) -> None:
        content = f"Subject: {name}\r\n\r\n{name}\r\n".encode() + b"x" * size
        message = NewMessage(
            id=name,
            client="driver",
            account=SENDER,
            envelope=Envelope(SENDER, tuple(map(Recipient, to or (f"delivered@{name}.test",)))),
            content=content,
            header_message_id=f"<{name}@studio.test>",
            submitted_hash=hashlib.sha256(content).digest(),
            lifetime=lifetime,
        )
        say("offered", name)
        await self.store.put(message)
        say("accepted", name, len(message.envelope.recipients))

    async def take(self, most: int = 50) -> tuple[Claim, ...]:
        return (await self.store.take(NODE, {BOX: most}, most)).claims

    async def log_in(self) -> None:
        for _ in range((await self.store.take(NODE, {}, 1)).open[BOX]):
            await self.store.session(BOX, SessionEvent.OPENED)

    async def send(self, claim: Claim, outcome: str | None = None) -> None:
        """What delivery does: body, gate, dot, settle. The local part of the recipient says how it ends."""
        content = await self.store.content(claim)
        assert content.startswith(f"Subject: {claim.message}\r\n".encode())
        if not await self.store.gate(claim):
            return
        kind = outcome or claim.envelope.recipients[0].address.partition("@")[0]
        if kind == "deferred" and claim.tries:
            kind = "delivered"
        say("sent", claim.delivery, claim.message, kind)
        try:
            is_recorded = await self.settle(claim, REPLIES[kind]) is not None
        except StoreUnavailable:
            await self.outcomes.keep(Outcome(claim, REPLIES[kind], 0.0))
        else:
            say("settled", claim.delivery, int(is_recorded))

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        if self.is_away:
            raise StoreUnavailable
        return await self.store.settle(claim, result)

    async def replay(self) -> None:
        """What delivery does when the store is back, and before it takes anything in a new life."""
        observer = FakeObserver()
        await replay(self, self.outcomes, observer)
        for claim, _, is_recorded in observer.attempts:
            say("settled", claim.delivery, int(is_recorded))

    async def drain(self) -> None:
        """Everything that can go goes; the outbox is done."""
        while True:
            claims = await self.take()
            await asyncio.gather(*map(self.send, claims))
            for entry in await self.store.outbox(100):
                await self.store.done(entry.id)
            taken = await self.store.take(NODE, {}, 0)
            if not claims and not any(count.waiting or count.sending for count in await self.store.queue_counts()):
                return
            if not claims:
                await self.store.wait(taken.mark, taken.wake_at)

    async def beat(self) -> None:
        """A heartbeat, and what the store does for itself after it."""
        await self.store.heartbeat(NODE)
        await self.store._errands.finish()

    async def start(self) -> None:
        self.open()
        await self.outcomes.open()
        await self.replay()
        await self.store.recover(NODE)
        await self.route()


async def tour(driver: Driver) -> None:
    """Passes every point of the crash table, in one life and a restart."""
    await driver.start()
    await driver.put("a0")
    puts = [driver.put(f"a{number}") for number in range(1, 4)]
    both, later = ("delivered@x.test", "bounced@x.test"), "deferred@x.test"
    await asyncio.gather(*puts, driver.put("both", *both), driver.put("later", later))
    await driver.store.books.control.pause(SENDER, why="tour")
    await driver.store.books.control.resume(SENDER)
    await driver.log_in()
    first, second, *_ = await driver.take()
    await driver.send(first)
    assert await driver.store.gate(second)
    await driver.close()
    make_older(driver.folder / "relay.db")
    (driver.folder / "segments" / "00000099.seg").write_bytes(b"no message points here")
    await driver.start()
    claims = await driver.take()
    claim = next(each for each in claims if not each.doubts and each.message in {"a2", "a3"})
    driver.is_away = True
    await driver.send(claim)
    driver.is_away = False
    await driver.replay()
    await asyncio.gather(*(driver.send(each) for each in claims if each is not claim))
    await driver.drain()
    await driver.put("full")
    (claim,) = await driver.take()
    driver.refusals = 2
    await driver.send(claim)
    await driver.beat()
    await driver.put("large", size=10_000)
    await driver.store.books.secrets.set(SECRET, SECRET)
    await driver.keys.rotate()
    assert all(not state.needs or state.needs == (Needs.MAIL,) for state in await driver.keys.states())
    await asyncio.gather(*(driver.put(f"b{number}") for number in range(3)))
    (claim,) = await driver.take(1)
    await driver.send(claim)
    await driver.put("expired", lifetime=1)
    await driver.beat()
    await driver.drain()
    await driver.beat()
    await driver.close()


async def load(driver: Driver, seed: str) -> None:
    """Puts and sends at once, until it is killed."""
    await driver.start()

    def names() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"{seed}-{number}"

    async def client(of: Iterator[str]) -> None:
        for name in of:
            kind = ("delivered", "bounced", "deferred")[len(name) % 3]
            await driver.put(name, f"{kind}@x.test", "delivered@x.test")

    async def deliver() -> None:
        while True:
            claims = await driver.take()
            await asyncio.gather(*map(driver.send, claims))
            for entry in await driver.store.outbox(10):
                await driver.store.done(entry.id)
            if not claims:
                taken = await driver.store.take(NODE, {}, 0)
                await driver.store.wait(taken.mark, taken.wake_at)

    every = names()
    await asyncio.gather(*(client(every) for _ in range(8)), deliver())


async def rest(driver: Driver) -> None:
    """After a crash: whatever was accepted leaves."""
    await driver.start()
    await driver.store.books.control.resume(SENDER)  # the tour may have died while it was paused
    await driver.keys.finish()
    assert all(Needs.SECRETS not in state.needs for state in await driver.keys.states())
    secret = driver.store.books.secrets.get(SECRET)
    assert secret is None or secret.value == SECRET
    say("secret", *([] if secret is None else [secret.value]))
    await driver.drain()
    await driver.close()


async def main() -> None:
    what, folder, *more = sys.argv[1:]
    driver = Driver(Path(folder))
    if what == "tour":
        await tour(driver)
    elif what == "load":
        await load(driver, more[0])
    else:
        await rest(driver)
    for name in driver.passed:
        say("passed", name)


if __name__ == "__main__":
    asyncio.run(main())
