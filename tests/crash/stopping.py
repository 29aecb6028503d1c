"""A process that delivers from a real store over real sockets, and stops itself at an agreed point as SIGSTOP would.

Law: what it was told is on its output before anything that follows from it: `attempted VERDICT SENT` and `doubt`.
"""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from relay.app.machine import MachineClock
from relay.core.envelope import Claim, Result, Verdict
from relay.core.limits import SECOND
from relay.core.routing import Account, Provider, Routing, Timeouts, Tls
from relay.core.words import MailboxId, Plan
from relay.delivery import attempt
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.keeper import SessionTerms
from relay.delivery.resolver import ExecutorResolver
from relay.delivery.settings import DispatcherSettings
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.trust import SystemTrust
from relay.store.sqlite import SqliteStore
from tests.crash import driver
from tests.crash.driver import Driver, say
from tests.fakes.observer import FakeObserver

LEASE = 3 * SECOND
MARGIN = SECOND // 5
"""In place of the margins that a lease of a minute leaves."""


class Loud(FakeObserver):
    def __init__(self) -> None:
        super().__init__()
        self.has_delivered = asyncio.Event()

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None:
        super().attempted(claim, result, seconds=seconds, is_recorded=is_recorded)
        say("attempted", result.verdict, "mail" if result.is_mail_written else "nothing")
        if result.verdict is Verdict.DELIVERED:
            self.has_delivered.set()


class Stopping:
    """A store behind which the process stands still, once."""

    def __init__(self, store: SqliteStore, where: str) -> None:
        self._store = store
        self._where = where

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def _stand_still(self, where: str) -> None:
        if where == self._where:
            self._where = ""
            os.kill(os.getpid(), signal.SIGSTOP)

    async def content(self, claim: Claim) -> bytes:
        content = await self._store.content(claim)
        self._stand_still("before-mail")
        return content

    async def gate(self, claim: Claim) -> bool:
        self._stand_still("before-gate")
        is_open = await self._store.gate(claim)
        self._stand_still("before-dot")
        return is_open


async def main(folder: str, port: str, where: str) -> None:
    """Delivers one message, and stands still on the way."""
    for margin in ("BEFORE_MAIL", "BEFORE_DOT"):
        setattr(attempt, margin, MARGIN)
    driver.SETTINGS = replace(driver.SETTINGS, lease=LEASE)
    it = Driver(Path(folder))
    it.open()
    box = MailboxId("lab", driver.SENDER)
    provider = Provider(
        "lab", "127.0.0.1", int(port), tls=Tls.NONE, linger=SECOND // 10, timeouts=Timeouts(final=2 * SECOND)
    )
    routing = Routing(providers={"lab": provider}, accounts={driver.SENDER: Account(driver.SENDER, Plan.BUSINESS, box)})
    await it.store.recover(driver.NODE)
    await it.store.apply(routing, {box: "fingerprint"})
    await it.put("m1")
    observer, pool = Loud(), ThreadPoolExecutor(1)
    dispatcher = Dispatcher(
        Stopping(it.store, where),  # type: ignore[arg-type]
        SmtpUpstream(
            "relay.example.it", lambda _: Route(provider, "secret"),
            resolve=ExecutorResolver(lambda _: pool), trust=SystemTrust(),
        ),
        node=driver.NODE,
        observe=observer,
        terms_of=lambda _: SessionTerms(),
        fence=Fence(MachineClock().boottime, lease=LEASE),
        settings=DispatcherSettings(heartbeat=LEASE // 6, drain=SECOND),
    )  # fmt: skip
    running = asyncio.create_task(dispatcher.run())
    await observer.has_delivered.wait()
    await dispatcher.stop()
    await running
    await it.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
