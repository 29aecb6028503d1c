"""What of the notices has not gone out, as readiness and metrics show it: by mail, by webhook, and for how long.

Law: it takes no node out of service, and it is gone by itself as soon as nobody waits any more.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from relay.admin import Readiness
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.telling import NoRoad
from relay.core.webhooks import LATE
from relay.notify.post import Backlog

DEAD = "dead-letters"
"""What readiness calls notices that the webhook of ops never took."""

UNTOLD = "notices"
"""What readiness calls people who have to be told and are not."""

NOBODY: Mapping[NoRoad, int] = MappingProxyType({})


class NoticeWatch:
    """Is told what has not gone out, and looks how long ago that was; `wall` gives wall time in microseconds."""

    def __init__(self, readiness: Readiness, wall: Callable[[], int]) -> None:
        self._readiness = readiness
        self._wall = wall
        self._untold = NOBODY
        self._backlog = Backlog()

    def untold(self, reasons: Mapping[NoRoad, int]) -> None:
        """These are in the way of people who have to be told by mail, since then."""
        self._untold = reasons
        self.look()

    def backlog(self, backlog: Backlog) -> None:
        """This has not gone to the webhook of ops."""
        self._backlog = backlog
        if backlog.dead:
            self._readiness.set(DEAD, f"{backlog.dead} notices were never taken by ops_webhook: relay notices --dead")
        else:
            self._readiness.clear(DEAD)
        self.look()

    def look(self) -> Mapping[str, float]:
        """Says in readiness what has waited too long; for how many seconds the longest has waited for each road."""
        mail, webhook = (self._waited(since) for since in (self._longest(), self._backlog.waits_since))
        said = [f"somebody could not be told by mail: {', '.join(sorted(self._untold))}"] if self._untold else []
        if webhook >= LATE:
            met = f": {self._backlog.error}" if self._backlog.error else ""
            said.append(f"ops_webhook has not taken a notice for {_lasting(webhook)}{met}")
        if said:
            self._readiness.set(UNTOLD, "; ".join(said))
        else:
            self._readiness.clear(UNTOLD)
        return {"mail": mail / SECOND, "webhook": webhook / SECOND}

    def _longest(self) -> int | None:
        return min(self._untold.values(), default=None)

    def _waited(self, since: int | None) -> int:
        return 0 if since is None else max(0, self._wall() - since)


def _lasting(duration: int) -> str:
    return f"{duration // MINUTE} min" if duration < 2 * HOUR else f"{duration // HOUR} h"
