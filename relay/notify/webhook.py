"""Notices for ops by webhook, signed as the Standard Webhooks specification says.

Law: a notice has one id however often it is sent; what follows from an answer is decided in `core.webhooks`, and who
remembers that it has to be tried again is the caller.
"""

from collections.abc import Awaitable, Callable, Sequence

from relay.core.limits import HOUR
from relay.core.notice import Notice
from relay.core.webhooks import Answer, Dead, Outcome, body_of, headers_of, next_try
from relay.core.weburl import WebUrl
from relay.notify.web import Asks

GONE_FOR: int = 24 * HOUR
"""After a 410 nothing is sent for a day: that is what it asks for; then one is tried, because it may be a slip."""

GONE = "status-410"

_KIND = {"Content-Type": "application/json"}

Keys = Callable[[], Awaitable[Sequence[bytes]]]

Chance = Callable[[], float]
"""From 0 to less than 1."""


class NoticeSender:
    """Sends each notice once per call; `keys` are looked up anew each time, none: it is not signed."""

    def __init__(
        self,
        url: WebUrl,
        client: Asks,
        *,
        keys: Keys,
        wall: Callable[[], int],
        chance: Chance,
    ) -> None:
        """`wall` gives wall time in microseconds."""
        self._url = url
        self._client = client
        self._keys = keys
        self._wall = wall
        self._chance = chance
        self._gone_at: int | None = None

    @property
    def origin(self) -> str:
        """Where notices go, as it may be shown."""
        return self._url.origin

    async def send(self, notice: Notice, tries: int) -> Outcome:
        """Makes try number `tries` (from 1 on): it was sent, is to be tried again, or never by itself."""
        if self._is_gone():
            return Dead(GONE)
        body = body_of(notice)
        headers = headers_of(notice.id, body, now=self._wall(), keys=await self._keys())
        answer = await self._client.ask("POST", self._url, headers={**_KIND, **headers}, body=body)
        self._gone_at = self._wall() if isinstance(answer, Answer) and answer.status == 410 else None
        return next_try(answer, tries, self._chance())

    def _is_gone(self) -> bool:
        return self._gone_at is not None and self._wall() - self._gone_at < GONE_FOR
