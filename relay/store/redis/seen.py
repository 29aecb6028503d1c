"""How far the store was when this node looked last: one with fewer changes is an older copy of it, put there since.

Law: what counts was confirmed by all servers, or was there at the heartbeat before the last, so that no failover can
have lost it that was waited for; an older copy is not used, at a start or later, for it does not know what was sent.
"""

from collections.abc import Callable

from relay.errors import StoreReplaced
from relay.store.redis.durability import Flaw


def _forgets(_changes: int) -> None:
    """Where nothing outlives the process."""


class Seen:
    """Counts of changes, which only grow."""

    def __init__(self, changes: int = 0, remember: Callable[[int], None] = _forgets) -> None:
        """`changes`: as an earlier life of this node had it remembered."""
        self._settled = self._latest = changes
        self._remember = remember
        self._flaw: Flaw | None = None

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What somebody has to know of."""
        return () if self._flaw is None else (self._flaw,)

    def check(self, where: str, changes: int) -> None:
        """At every connect. StoreReplaced: what is there is older than what this node has worked with."""
        if changes < self._settled:
            raise StoreReplaced(
                f"the store in {where} is older than what this node has worked with (change {changes}, and it was at "
                f"{self._settled}): an older copy was put in place, or a server took over that lacked the last writes. "
                "What was accepted since is not in it, and what was sent since would be sent again, beyond the limits "
                "too. Bring the right files or the right server back; to go on without, remove the file `store` in "
                "data_dir of every node, and start them again"
            )

    def confirm(self, changes: int) -> None:
        """So many are on the disks of all servers that count."""
        self._settled = max(self._settled, changes)

    def beat(self, where: str, changes: int) -> None:
        """At a heartbeat: what the one before saw is settled by now. StoreReplaced."""
        self.check(where, changes)
        self._settled, self._latest = max(self._settled, min(self._latest, changes)), changes
        self.keep()

    def keep(self) -> None:
        """Writes it down, where that is possible."""
        try:
            self._remember(self._settled)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            self._flaw = Flaw("durability", f"data_dir cannot be written, for outcomes neither: {why}")
        else:
            self._flaw = None
