"""Everything around the relay: the providers, what they took, and whoever ops let its webhook call.

Law: it runs on a loop of its own in a thread, so that tests ask plainly and wait for events.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, TypeVar

from relay.sandbox import Sandbox, SandboxSettings, Tls
from relay.sandbox.journal import Record
from tests.fakes.web import WebServer, serving
from tests.integration.relay_process import PATIENCE
from tests.misfortune.certificates import Shown

T = TypeVar("T")


class Outside:
    """Sandboxes and a receiver of webhooks."""

    def __init__(self, inbox: Path, shown: Shown) -> None:
        """`inbox`: where the first sandbox, through which notices leave, keeps its mail; `shown`: under STARTTLS."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._shown = shown
        self._inbox = inbox
        self._sandboxes: dict[str, Sandbox] = {}
        self._stack = AsyncExitStack()
        self._hook: WebServer = self._do(self._stack.enter_async_context(serving()))

    @property
    def hook(self) -> str:
        """Where ops listen."""
        return f"http://127.0.0.1:{self._hook.port}/hook"

    def add(self, name: str, *replies: str, has_starttls: bool = False) -> int:
        """Starts a provider; its port."""
        settings = SandboxSettings(
            replies=replies,
            inbox=None if self._sandboxes else self._inbox,
            tls=Tls.STARTTLS if has_starttls else Tls.NONE,
            certificate=self._shown.certificate,
            key=self._shown.key,
        )
        sandbox = Sandbox(settings)
        self._do(sandbox.start())
        self._sandboxes[name] = sandbox
        return sandbox.port

    def log(self, name: str) -> list[Record]:
        """What one saw so far."""
        return list(self._sandboxes[name].log)

    def wait_for(self, name: str, event: str, *, count: int = 1, **fields: object) -> list[Record]:
        """Waits until one saw this so often."""
        return self._do(
            self._sandboxes[name].wait_for(
                event, count=count, where=lambda record: fields.items() <= dict(record).items(), timeout=PATIENCE
            )
        )

    def letters(self) -> Counter[tuple[str, str]]:
        """Of each that came: to whom, and its subject."""
        found = [message_from_bytes(text, policy=policy.default) for text in self._letters()]
        return Counter((each["to"].addresses[0].addr_spec, str(each["subject"])) for each in found)

    def _letters(self) -> list[bytes]:
        taken = [file.read_bytes() for file in sorted(self._inbox.glob("*.eml"))]
        return [text for text in taken if b"\nFrom: Mail service <" in text]  # beside the mail of an innocent

    def heard(self) -> list[dict[str, Any]]:
        """What the webhook was told so far."""
        return [json.loads(request.body) for request in list(self._hook.requests)]

    def wait_until_heard(self, count: int) -> None:
        """Waits until the webhook was told so many things."""
        self._do(self._until_heard(count))

    async def _until_heard(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self._hook.requests) < count:
                self._hook.asked.clear()
                await self._hook.asked.wait()

    def all_that_was_said(self) -> bytes:
        """Every letter and every call, as they went over the wire."""
        return b"\n".join([*self._letters(), *(request.body for request in self._hook.requests)])

    def stop(self) -> None:
        """All of it."""
        for sandbox in self._sandboxes.values():
            self._do(sandbox.stop())
        self._do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE + 10)
