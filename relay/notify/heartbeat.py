"""The heartbeat: a webhook that is called while this node can do its work, so that somebody notices when it is not.

Law: it is never called by a node that cannot work, and one call that fails is not repeated before the next is due.
"""

import asyncio
from collections.abc import Awaitable, Callable

from relay.core.webhooks import Answer
from relay.core.weburl import WebUrl
from relay.notify.web import Asks

BEAT: float = 60.0
"""Seconds between two calls: what watches such calls counts in minutes."""


class Heartbeat:
    """Calls, and says what became of it."""

    def __init__(
        self,
        url: WebUrl,
        client: Asks,
        *,
        is_ready: Callable[[], Awaitable[bool]],
        tell: Callable[[str | None], None],
        every: float = BEAT,
    ) -> None:
        """`tell` hears after each call what is wrong with it, in words without secrets; None: nothing."""
        self._url = url
        self._client = client
        self._is_ready = is_ready
        self._tell = tell
        self._every = every

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._every)

    async def beat(self) -> None:
        """Calls, if the node can do its work now."""
        if not await self._is_ready():
            return
        answer = await self._client.ask("GET", self._url)
        if isinstance(answer, Answer) and 200 <= answer.status < 300:
            self._tell(None)
        else:
            said = f"answered {answer.status}" if isinstance(answer, Answer) else f"did not answer: {answer}"
            self._tell(f"heartbeat_webhook at {self._url.origin} {said}")
