"""One node in a process of its own: a store without SMTP, told by its parent what to do.

Law: a line in, a line out; the time is the parent's, the CPU is this process's, all its threads counted.
Run: python -m bench.node STORE FOLDER SIZE SHUT, where STORE is an address of Redis, or `sqlite`, and SHUT is how many
accounts are behind a provider that lets one mail a day through.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench import store as flows
from relay.app.machine import MachineClock
from relay.core.envelope import Claim, Result, Verdict
from relay.core.limits import DAY, SECOND, Limit
from relay.core.reply import Reply
from relay.core.routing import Account, Provider, Routing
from relay.core.words import MailboxId, Plan, Stage
from relay.store.needs import Outside, StoreSettings
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.address import parse_address
from relay.store.redis.durability import Durability
from relay.store.redis.joining import Rules
from relay.store.redis.layout import Identity, scripts_version
from relay.store.redis.link import Link
from relay.store.redis.opening import Membership, open_store
from relay.store.redis.patience import Patience
from relay.store.redis.rope import ListeningRope
from relay.store.redis.store import RedisStore
from relay.vault import Vault

PATIENT = Patience(connect=10 * SECOND, reply=50 * SECOND, confirm=50 * SECOND, whole=60 * SECOND)
"""A disk that others use too stops for seconds; a relay would call that away, a measurement waits."""

GREYLISTED = Result(
    Verdict.DEFERRED, "greylisted", Stage.RCPT, Reply(451, "4.7.1", "Greylisted, try again later"),
    is_mail_written=True, is_end_known=True,
)  # fmt: skip
RESULTS = {"delivered": flows.DELIVERED, "greylisted": GREYLISTED}

MOST: int = 200
"""Claims asked for at once, as the dispatcher does."""


@dataclass
class OpenedOnRedis:
    """A store on Redis, and what has to be closed after it."""

    store: RedisStore
    listening: "asyncio.Task[None]"
    pools: list[ThreadPoolExecutor]
    seconds: float

    async def close(self) -> None:
        """In good order."""
        self.listening.cancel()
        await self.store.close()
        for pool in self.pools:
            pool.shutdown()


async def open_on_redis(address: str, name: str) -> OpenedOnRedis:
    """As relay/app/storage.py does, with a key that all nodes of a bench have."""
    commit, read, clock = ThreadPoolExecutor(1), ThreadPoolExecutor(1), MachineClock()
    rules = Rules(Durability.CHECKED, Identity(scripts_version()), lambda: os.urandom(16).hex())
    place, start = parse_address(address), time.perf_counter()
    link = Link(place, rules, boottime=clock.boottime, chance=lambda: 0.5, patience=PATIENT)
    rope = ListeningRope(place, chance=lambda: 0.5)

    def fatal(error: Exception) -> None:
        raise SystemExit(str(error))

    outside = Outside(
        clock=clock,
        random=os.urandom,
        cipher_for=lambda *_: Vault(b"k" * 32, os.urandom),
        commit=flows.run_in(commit),
        read=flows.run_in(read),
        fatal=fatal,
        free_bytes=lambda: 1 << 62,
    )
    membership = Membership(name, os.urandom(8).hex(), lambda: "")
    run = flows.run_in(commit)
    store = await run(lambda: open_store(link, StoreSettings(), outside, membership=membership, rope=rope))
    listening = asyncio.get_running_loop().create_task(rope.listen())
    return OpenedOnRedis(store, listening, [commit, read], time.perf_counter() - start)


def routing(shut: int) -> Routing:
    """The accounts that send, and those whose mail waits."""
    made = flows.routing(flows.ACCOUNTS)
    closed = Provider("shut", "127.0.0.1", 2526, total_limits=(Limit(1, DAY),))
    waiting = [f"waiting{number}@bench.test" for number in range(shut)]
    accounts = {each: Account(each, Plan.PERSONAL, MailboxId("shut", each)) for each in waiting}
    return Routing(
        providers={**made.providers, **({"shut": closed} if shut else {})}, accounts={**made.accounts, **accounts}
    )


class Node:
    """What a parent may tell it to do."""

    def __init__(self, opened: Any, name: str, *, size: int, shut: int) -> None:
        self.opened = opened
        self.name = name
        self.routing = routing(shut)
        self.flow = flows.Flow(opened.store, size, list(self.routing.accounts)[: flows.ACCOUNTS])
        self.freed = asyncio.Event()
        self.flow.number = int.from_bytes(os.urandom(8), "big") << 32

    async def apply(self) -> int:
        """Puts the bench's routing in force, or hears that it is."""
        return int(await self.opened.store.apply(self.routing, dict.fromkeys(self.routing.mailboxes(), "bench")))

    async def edit(self, which: str) -> int:
        """One account gets another password."""
        fingerprints = dict.fromkeys(self.routing.mailboxes(), "bench")
        fingerprints[next(reversed(list(self.routing.mailboxes())))] = which
        return int(await self.opened.store.apply(self.routing, fingerprints))

    async def fill(self, many: str, clients: str = "400") -> int:
        """Takes in so many messages of the accounts that are shut."""
        flow = flows.Flow(self.opened.store, len(self.flow.content), list(self.routing.accounts)[flows.ACCOUNTS :])
        flow.number = int.from_bytes(os.urandom(8), "big") << 32
        await flow.put_many(int(many), int(clients))
        return int(many)

    async def know(self) -> int:
        """Hears which routing is in force."""
        found = await self.opened.store.applied()
        return 0 if found is None else int(found.version)

    async def put(self, many: str, clients: str = "40") -> int:
        """Takes in so many messages."""
        await self.flow.put_many(int(many), int(clients))
        return int(many)

    async def send(self, seconds: str, how: str = "delivered") -> dict[str, int]:
        """Takes, gates and settles for so long, each one as delivered or as greylisted; its sessions stay open."""
        store, idle, under_way = self.opened.store, self.flow.idle, set[asyncio.Task[None]]()
        until, sent, takes = time.monotonic() + float(seconds), 0, 0
        while time.monotonic() < until:
            self.freed.clear()
            taken = await store.take(self.name, idle, MOST)
            takes += 1
            await asyncio.gather(*(self._open(mailbox, many) for mailbox, many in taken.open.items()))
            for mailbox, many in taken.close.items():
                idle[mailbox] -= many
                await self._close(mailbox, many)
            for claim in taken.claims:
                idle[claim.mailbox] -= 1
                task = asyncio.create_task(self._send(claim, RESULTS[how]))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            sent += len(taken.claims)
            if not taken.claims and not taken.open:
                await self._wait(store.wait(taken.mark, taken.wake_at), until - time.monotonic())
        if under_way:
            await asyncio.wait(list(under_way))
        return {"sent": sent, "takes": takes}

    async def _send(self, claim: Claim, result: Result) -> None:
        await self.flow.send_one(claim, result)
        self.freed.set()

    async def _wait(self, changed: Coroutine[Any, Any, None], most: float) -> None:
        """Until the store has changed, or a session of this node is idle again: the dispatcher waits for both."""
        tasks = [asyncio.create_task(changed), asyncio.create_task(self.freed.wait())]
        await asyncio.wait(tasks, timeout=max(0.0, most), return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, mailbox: MailboxId, many: int) -> None:
        for _ in range(many):
            await self.opened.store.session(mailbox, SessionEvent.OPENED)
        self.flow.idle[mailbox] = self.flow.idle.get(mailbox, 0) + many

    async def _close(self, mailbox: MailboxId, many: int) -> None:
        for _ in range(many):
            await self.opened.store.session(mailbox, SessionEvent.CLOSED)

    async def rest(self) -> int:
        """Closes its sessions, so that other nodes may have the mailboxes."""
        idle, gone = self.flow.idle, 0
        for mailbox, many in list(idle.items()):
            await self._close(mailbox, many)
            gone += many
        idle.clear()
        return gone

    async def idle_takes(self, many: str) -> int:
        """Asks for work so often, one after another, where there is none for it."""
        for _ in range(int(many)):
            await self.opened.store.take(self.name, {}, 0)
        return int(many)

    async def judge(self, many: str, at_once: str = "1") -> int:
        """So many judged operations, so many at a time: sessions that come and go."""
        mailboxes = list(self.routing.mailboxes())[: int(at_once)]
        pairs = int(many) // 2 // len(mailboxes)
        await asyncio.gather(*(self._come_and_go(mailbox, pairs) for mailbox in mailboxes))
        return 2 * pairs * len(mailboxes)

    async def _come_and_go(self, mailbox: MailboxId, many: int) -> None:
        for _ in range(many):
            await self.opened.store.session(mailbox, SessionEvent.OPENED)
            await self.opened.store.session(mailbox, SessionEvent.CLOSED)


async def serve(address: str, folder: str, size: str, shut: str) -> None:
    """Until its parent says no more."""
    name = Path(folder).name
    opened: Any = flows.open_at(Path(folder)) if address == "sqlite" else await open_on_redis(address, name)
    node = Node(opened, name, size=int(size), shut=int(shut))
    print(json.dumps({"opened": opened.seconds}), flush=True)
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).split():
        work: Callable[..., Awaitable[Any]] = getattr(node, line[0])
        wall, cpu = time.perf_counter(), time.process_time()
        done = await work(*line[1:])
        said = {"done": done, "seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(said), flush=True)
    await opened.close()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
