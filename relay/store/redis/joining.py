"""What happens before a server is used: what it is, what its settings are, and whose store it has in it.

Law: the checks run at every connect and every failover, and nothing is written before they have passed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from relay.core.limits import Instant
from relay.errors import StoreFull, StoreNotDurable
from relay.store.redis.address import Host
from relay.store.redis.durability import (
    GUARD,
    QUESTIONS,
    Durability,
    Flaw,
    ask_replica,
    flaws_of_all,
    flaws_told,
    least_of,
    refuse,
)
from relay.store.redis.facts import Facts, answered, ask_facts
from relay.store.redis.failures import Deed
from relay.store.redis.layout import Identity, check_layout
from relay.store.redis.patience import Patience
from relay.store.redis.rowkeys import BELL, STATE
from relay.store.redis.seen import Seen
from relay.store.redis.wire import Command, Way, Wire

RINGING: tuple[Command, ...] = (("MULTI",), ("PUBLISH", BELL, 0), ("SUBSCRIBE", BELL), ("UNSUBSCRIBE", BELL), ("EXEC",))
"""Rings for no change, and listens for a moment in which nobody else can ring: whoever may not is told so."""

ENOUGH_TO_REFUSE = 2
"""With so many replicas a primary that refuses where it has none costs nothing when one server is lost. With one alone
each of the two servers that is away would stop all mail: whether that is better, its admin has to say."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server must be for this relay."""

    durability: Durability
    identity: Identity
    new_id: Callable[[], str]
    """Makes the id of a store that is new."""
    seen: Seen = field(default_factory=Seen)
    """How far it was when this node looked before."""


class Joining:
    """Checks a connection, and remembers what is to be said of it."""

    def __init__(self, rules: Rules, boottime: Callable[[], Instant], patience: Patience) -> None:
        self.identity = rules.identity
        self.flaws: tuple[Flaw, ...] = ()
        self.facts: Facts | None = None
        self.least_replicas = 0
        """Without so many the primary takes nothing."""
        self._rules = rules
        self._boottime = boottime
        self._patience = patience
        self._most_replicas = 0
        """So many it has, or had when it was looked at before."""

    @property
    def can_await_disks(self) -> bool:
        """Whether WAITAOF can be asked: the server has it, and every append-only file that it speaks of is kept."""
        if self.facts is None or not self.facts.has_waitaof:
            return False
        return not any(flaw.what == "durability" for flaw in self.flaws)

    def join(self, wire: Wire, way: Way, *, until: Instant) -> Facts:
        """All checks. StoreUnavailable, StoreNotDurable, StoreBroken and below: it cannot be used."""
        facts = self.look(wire, way, until=until)
        _ask_for_bell(wire, until)
        self._identify(wire, until)
        self._rules.seen.check(str(wire.host), _changes(wire, until))
        return facts

    def tend(self, wire: Wire, way: Way, *, until: Instant) -> Facts:
        """The same of a connection in use: a server can be emptied, or be given a newer layout, under our hands."""
        facts = self.look(wire, way, until=until)
        self._identify(wire, until)
        self._rules.seen.beat(str(wire.host), _changes(wire, until))
        return facts

    def leave(self) -> None:
        """This node ends, and its next life is to know how far it was."""
        self._rules.seen.keep()

    def confirmed(self, changes: int) -> None:
        """The store is durable up to this change; a Redis that may lose its last second never is."""
        if self._rules.durability is not Durability.RELAXED:
            self._rules.seen.confirm(changes)

    def _identify(self, wire: Wire, until: Instant) -> None:
        store_id = check_layout(wire, self.identity, self._rules.new_id, until=until)
        self.identity = replace(self.identity, store_id=store_id)

    def look(self, wire: Wire, way: Way, *, until: Instant) -> Facts:
        """What it is and how it is set, without writing."""
        facts = ask_facts(wire, until=until)
        self._most_replicas = max(self._most_replicas, len(facts.replicas))
        flaws = self._flaws(wire, way, facts, until)
        if self._rules.durability is Durability.CHECKED:
            refuse(flaws)
        self.facts, self.flaws = facts, tuple(flaws)
        return facts

    def _flaws(self, wire: Wire, way: Way, facts: Facts, until: Instant) -> list[Flaw]:
        if self._rules.durability is Durability.ASSERTED:
            return flaws_told(str(wire.host), facts)
        try:
            found = [*self._flaws_of_primary(wire, facts, until), *self._flaws_of_replicas(facts.replicas, way)]
        except StoreNotDurable as error:
            if self._rules.durability is Durability.RELAXED:
                return [Flaw("durability", str(error))]
            raise
        if self._most_replicas < ENOUGH_TO_REFUSE:
            return [flaw for flaw in found if flaw.what != "alone"]
        return found

    def _flaws_of_primary(self, wire: Wire, facts: Facts, until: Instant) -> list[Flaw]:
        name = f"primary {wire.host}"
        replies = wire.ask_all((*QUESTIONS, *GUARD), until=until)
        flaws = flaws_of_all(name, replies, has_replicas=bool(facts.replicas))
        self.least_replicas = least_of(replies)
        return flaws

    def _flaws_of_replicas(self, hosts: Sequence[Host], way: Way) -> list[Flaw]:
        found: list[Flaw] = []
        for host in hosts:
            wire = Wire(host, replace(way, db=0), self._boottime)
            found += ask_replica(wire, until=self._boottime() + self._patience.replica)
        return found


def _changes(wire: Wire, until: Instant) -> int:
    return int(wire.ask("HGET", STATE, "changes", until=until) or 0)


def _ask_for_bell(wire: Wire, until: Instant) -> None:
    """Whether the user may ring and hear it; of a full server, which queues no command, the next connect asks."""
    replies = wire.ask_all(RINGING, until=until, deeds=[Deed(f"channel {BELL}")] * len(RINGING))
    if not any(isinstance(reply, StoreFull) for reply in replies):
        answered(replies)
