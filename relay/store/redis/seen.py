"""How far the store was when this node looked last: one with fewer changes is an older copy of it, put there since.

Law: what counts was there at the heartbeat before the last, so that no failover can have lost it that was waited for;
a start on an older copy is refused, and a node that runs says so and goes on with what there is.
"""

from collections.abc import Callable

from relay.errors import StoreReplaced
from relay.store.redis.durability import Flaw
from relay.store.redis.link import Link
from relay.store.redis.rowkeys import STATE


def _forgets(_changes: int) -> None:
    """Where nothing outlives the process."""


class Seen:
    """Counts of changes, which only grow."""

    def __init__(self, changes: int = 0, remember: Callable[[int], None] = _forgets) -> None:
        """`changes`: as an earlier life of this node had it remembered."""
        self._settled = self._latest = changes
        self._remember = remember
        self._flaws: dict[str, Flaw] = {}

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What somebody has to know of."""
        return tuple(self._flaws.values())

    def check(self, link: Link) -> None:
        """At a start. StoreReplaced: what is there is older than what this node has worked with."""
        changes = _changes_of(link)
        if changes < self._settled:
            raise StoreReplaced(
                f"the store in {link.address.hosts[0]} is older than what this node has worked with (change {changes}, "
                f"and it was at {self._settled}): a copy was put in place. What was accepted since is not in it, and "
                "what was sent since would be sent again, beyond the limits too. Put the right files there; to go on "
                "with this copy, remove the file `store` in data_dir of every node"
            )

    def beat(self, link: Link) -> None:
        """At a heartbeat: what the one before saw is settled by now."""
        changes = _changes_of(link)
        if changes < self._settled:
            text = (
                f"{link.address.hosts[0]} went back from change {self._settled} to {changes}: another server took over "
                "without the last writes, or an older copy was put in place; what was accepted in between is not in "
                "it, and what was sent in between may be sent again"
            )
            self._flaws["back"] = Flaw("durability", text)
            self._latest = changes
        self._settled, self._latest = self._latest, changes
        try:
            self._remember(self._settled)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            self._flaws["file"] = Flaw("durability", f"data_dir cannot be written, for outcomes neither: {why}")
        else:
            self._flaws.pop("file", None)


def _changes_of(link: Link) -> int:
    return int(link.ask("HGET", STATE, "changes") or 0)
