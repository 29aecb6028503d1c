"""The store alone: what one message costs from put to settle, at the surface and with a million queued.

Law: the real store on real files, with the machine's clock; the disk's own fsync is measured beside it.
"""

import argparse
import asyncio
import hashlib
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.disk import fsync_ms
from relay.app.machine import MachineClock
from relay.core.envelope import Claim, Envelope, NewMessage, Recipient, Result, Verdict
from relay.core.limits import MINUTE, Limit
from relay.core.routing import Account, Provider, Routing
from relay.core.words import MailboxId, Plan, Stage
from relay.store.needs import Outside, StoreSettings
from relay.store.ports import Store
from relay.store.ports.sessions import SessionEvent
from relay.store.sqlite import DataDir, SqliteStore, hold, open_store
from relay.vault import Vault

T = TypeVar("T")

NODE = "bench"
CLIENTS = 40
ACCOUNTS = 40
DELIVERED = Result(Verdict.DELIVERED, "delivered", Stage.EOD, None, is_mail_written=True, is_end_known=True)


def routing(accounts: int) -> Routing:
    """Accounts at one provider without limits, five sessions each."""
    many = Limit(100_000, MINUTE)
    provider = Provider("bench", "127.0.0.1", 2525, connections=5, total_connections=10_000, login_limit=many)
    senders = [f"doctor{number}@bench.test" for number in range(accounts)]
    return Routing(
        providers={"bench": provider},
        accounts={sender: Account(sender, Plan.BUSINESS, MailboxId("bench", sender)) for sender in senders},
    )


@dataclass
class Opened:
    """A store and what has to be closed after it."""

    store: SqliteStore
    data: DataDir
    pools: list[Executor]
    seconds: float
    """How long opening took."""

    async def close(self) -> None:
        await self.store.close()
        self.data.release()
        for pool in self.pools:
            pool.shutdown()


def run_in(pool: Executor) -> Callable[[Callable[[], T]], Awaitable[T]]:
    return lambda work: asyncio.get_running_loop().run_in_executor(pool, work)


def open_at(folder: Path) -> Opened:
    commit, read = ThreadPoolExecutor(1), ThreadPoolExecutor(2)
    data = hold(folder)
    start = time.perf_counter()

    def fatal(error: Exception) -> None:
        raise SystemExit(str(error))

    outside = Outside(
        clock=MachineClock(),
        random=os.urandom,
        cipher_for=lambda *_: Vault(b"k" * 32, os.urandom),
        commit=run_in(commit),
        read=run_in(read),
        fatal=fatal,
        free_bytes=data.free_bytes,
    )
    store = open_store(data, StoreSettings(), outside)
    return Opened(store, data, [commit, read], time.perf_counter() - start)


class Flow:
    """Messages going through a store as submission and delivery would send them."""

    def __init__(self, store: Store, size: int, senders: list[str]) -> None:
        self.store = store
        self.content = (b"Subject: bench\r\n\r\n" + b"x" * size)[:size]
        self.hash = hashlib.sha256(self.content).digest()
        self.senders = senders
        self.idle: dict[MailboxId, int] = {}
        self.number = time.time_ns()

    async def put(self, sender: str) -> None:
        self.number += 1
        message = NewMessage(
            id=f"{self.number:x}",
            client="bench",
            account=sender,
            envelope=Envelope(sender, (Recipient(f"p{self.number}@r.test"),)),
            content=self.content,
            header_message_id=f"<{self.number}@bench>",
            submitted_hash=self.hash,
        )
        await self.store.put(message)

    async def put_many(self, many: int, clients: int = CLIENTS) -> None:
        async def client(index: int) -> None:
            for turn in range(index, many, clients):
                await self.put(self.senders[turn % len(self.senders)])

        await asyncio.gather(*(client(index) for index in range(clients)))

    async def send_all(self, many: int) -> None:
        """Takes, gates and settles so many messages, as the dispatcher does."""
        left, under_way = many, set[asyncio.Task[None]]()
        while left:
            taken = await self.store.take(NODE, self.idle, 200)
            for mailbox, sessions in taken.open.items():
                for _ in range(sessions):
                    await self.store.session(mailbox, SessionEvent.OPENED)
                self.idle[mailbox] = self.idle.get(mailbox, 0) + sessions
            for claim in taken.claims:
                self.idle[claim.mailbox] -= 1
                task = asyncio.create_task(self.send_one(claim))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            left -= len(taken.claims)
            if left and not taken.claims and not taken.open:
                await self.store.wait(taken.mark, taken.wake_at)
        while under_way:
            await asyncio.wait(list(under_way))

    async def send_one(self, claim: Claim, result: Result = DELIVERED) -> None:
        """Reads, gates and settles it; its session is idle again."""
        await self.store.content(claim)
        assert await self.store.gate(claim)
        assert await self.store.settle(claim, result)
        self.idle[claim.mailbox] += 1


@dataclass
class Cost:
    """One round."""

    per_second: float
    cpu_us: float


async def measured(work: Awaitable[object], many: int) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return Cost(many / (time.perf_counter() - wall), (time.process_time() - cpu) / many * 1e6)


def say(what: str, costs: list[Cost]) -> None:
    speeds, cpus = [cost.per_second for cost in costs], [cost.cpu_us for cost in costs]
    print(
        f"{what:42} {statistics.median(speeds):8.0f}/s ({min(speeds):.0f}-{max(speeds):.0f})"
        f"  {statistics.median(cpus):6.0f} us CPU ({min(cpus):.0f}-{max(cpus):.0f})"
    )


async def surface(folder: Path, *, size: int, many: int, rounds: int) -> None:
    """Put and send together, and each alone, in alternating rounds."""
    opened = open_at(folder)
    made = routing(ACCOUNTS)
    await opened.store.apply(made, dict.fromkeys(made.mailboxes(), "bench"))
    flow = Flow(opened.store, size, list(made.accounts))
    await asyncio.gather(flow.put_many(5 * ACCOUNTS), flow.send_all(5 * ACCOUNTS))
    costs: dict[str, list[Cost]] = {"put": [], "take+gate+settle": [], "both together": []}
    for _ in range(rounds):
        costs["put"].append(await measured(flow.put_many(many), many))
        costs["take+gate+settle"].append(await measured(flow.send_all(many), many))
        both = asyncio.gather(flow.put_many(many), flow.send_all(many))
        costs["both together"].append(await measured(both, many))
    for what, each in costs.items():
        say(f"{size} B, {what}", each)
    await opened.close()


async def depth(folder: Path, *, queued: int, many: int, rounds: int) -> None:
    """The same with a deep queue, and how long opening such a store takes."""
    opened = open_at(folder)
    made = routing(1000)
    await opened.store.apply(made, dict.fromkeys(made.mailboxes(), "bench"))
    flow = Flow(opened.store, 200, list(made.accounts))
    costs: dict[str, list[Cost]] = {"at the surface": [], "deep": []}
    await asyncio.gather(flow.put_many(5000), flow.send_all(5000))
    await flow.put_many(1000)
    for _ in range(rounds):
        await flow.put_many(many)
        costs["at the surface"].append(await measured(flow.send_all(many), many))
    say(f"{queued} queued, putting them", [await measured(flow.put_many(queued, 400), queued)])
    for _ in range(rounds):
        costs["deep"].append(await measured(flow.send_all(many), many))
    for what, each in costs.items():
        say(f"take+gate+settle {what}", each)
    await opened.close()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{'peak memory with them':42} {before / 1024:8.0f} MB")
    again = open_at(folder)
    print(f"{'opened again in':42} {again.seconds:8.1f} s")
    await again.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--queued", type=int, default=0, help="also with so many queued")
    parser.add_argument("--folder", type=Path, default=None)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        print(f"fdatasync {fsync_ms(folder):.2f} ms")
        for size in (4096, 100_000):
            many = max(1, chosen.messages * 4096 // size if size > 4096 else chosen.messages)
            asyncio.run(surface(folder / str(size), size=size, many=many, rounds=chosen.rounds))
        if chosen.queued:
            asyncio.run(depth(folder / "deep", queued=chosen.queued, many=chosen.messages, rounds=chosen.rounds))
        print(f"fdatasync {fsync_ms(folder):.2f} ms")


if __name__ == "__main__":
    main()
