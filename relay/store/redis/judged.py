"""The ports' operations that are judged: the engine's, with what leases and memory on Redis add to them.

Law: each runs inside an operation that holds the pen (core.py), and writes through the ledger of that operation alone.
"""

from relay.core.envelope import Claim, LoginFailure, Result, Verdict
from relay.core.limits import DAY, Instant
from relay.core.words import MailboxId
from relay.store.engine.engine import Engine
from relay.store.engine.sealing import Sealed
from relay.store.ports.nodes import SILENT_AFTER
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.asking import LinkAsking
from relay.store.redis.given import Given
from relay.store.redis.intake import RedisIntake
from relay.store.redis.leases import RedisLeases
from relay.store.redis.ledger import EVERYTHING
from relay.store.redis.lives import Lives, life_field
from relay.store.redis.opened import Opened
from relay.store.redis.parts import Parts
from relay.store.redis.pruning import RedisPruning
from relay.store.redis.rowkeys import NODES_SEEN, STATE


class Judged:
    """What one node has judged."""

    def __init__(
        self, parts: Parts, engine: Engine, opened: Opened, *, leases: RedisLeases, given: Given, asking: LinkAsking
    ) -> None:
        self._context = parts.context
        self._claims = parts.claims
        self._engine = engine
        self._opened = opened
        self._leases = leases
        self._given = given
        self._asking = asking
        self._intake = RedisIntake(parts.context, opened, parts.bodies)
        self._pruning = RedisPruning(parts.context, opened)
        self._calendars_at: Instant = 0
        self.is_pressed = False
        """Whether memory is short, and there is more history that may go."""

    def put(self, new: Sealed) -> None:
        """A message that a script alone cannot take in: of an account that goes nowhere, a report, a notice."""
        self._engine.put(new, self._intake.put)

    def tend(self, node: str) -> None:
        """What has to be done before anything is handed out: what ran out, what is due."""
        self._leases.sweep()
        self._leases.extend(node)
        self._engine.timers.hear()
        self._engine.timers.ring()

    def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Ends an attempt."""
        self._leases.sweep()
        self._leases.settled(claim)
        verdict = self._engine.settling.settle(claim, result)
        if self._claims.holder_of(claim.delivery) is None:  # else it is handed out again
            self._given.forget(claim.delivery)
        return verdict

    def heartbeat(self, node: str) -> list[Claim]:
        """Renews a lease, and does what has to be done now and then."""
        self.tend(node)
        self._keep_house()
        return self._leases.lost(node)

    def ease(self) -> bool:
        """Lets a little of history go; whether more has to go at once, for memory is short."""
        used, most = self._asking.memory()
        self.is_pressed = self._pruning.prune(used=used, most=most)
        return self.is_pressed

    def _keep_house(self) -> None:
        self.ease()
        self._hand_in_calendars(self._context.clock.now())
        self._engine.keep_house()

    def _hand_in_calendars(self, now: Instant) -> None:
        """The server knows no time zones: at a start and once a day it is given the midnights to come."""
        if now < self._calendars_at:
            return
        self._calendars_at = now + DAY
        for name in self._context.routes.routing.providers:
            self._opened.schedule.hand_in_calendar(name, now)

    def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process."""
        return self._leases.recover(node)

    def speak(self, node: str, token: str, lives: Lives) -> tuple[int, Instant]:
        """As `recover`, and from now on this life speaks for its node; since when it does. NodeInUse: another one does.

        Every other node hears that something changed, and so does a process that thinks to be this node.
        """
        times, now = self._context.clock, self._context.clock.now()
        said = self._asking.hget(STATE, life_field(node))
        lives.begin(node, token, said, is_heard_of=self._is_heard_of(node), shown=times.shown)
        doubts = self._leases.recover(node)
        self._opened.ledger.act("lives.begin", node, token)
        self._context.changed()
        return doubts, now

    def _is_heard_of(self, node: str) -> bool:
        """Whether a process of this node may live: it sends mail, or has said lately how it is."""
        clock = self._context.clock
        since = clock.shown(clock.now()) - SILENT_AFTER
        seen = self._asking.zrange(NODES_SEEN, since, EVERYTHING, most=EVERYTHING, reverse=False)
        return self._leases.is_held(node) or node.encode() in dict(seen)

    # sessions

    def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session came or went; one that others have counted as gone, because this node was silent, is gone."""
        if self._leases.is_own(mailbox):
            self._engine.logins.session(mailbox, event)

    def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        if self._leases.is_own(mailbox):
            self._engine.logins.refused(mailbox, failure)
