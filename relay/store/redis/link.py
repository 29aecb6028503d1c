"""The link to Redis: one connection of one worker thread, checked whenever it is made, made again when it is lost.

Law: what may have been done is never reported as not done (`StoreSilent`), and what has to be durable is done only when
every replica that counts has confirmed it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from relay.core.limits import SECOND, Instant
from relay.errors import RelayError, StoreSilent, StoreUnavailable
from relay.store.needs import CrashPoint, never_dies
from relay.store.redis.address import Address, Scheme
from relay.store.redis.call import Bytes
from relay.store.redis.call import Call as Call
from relay.store.redis.durability import Flaw
from relay.store.redis.failures import Deed
from relay.store.redis.gathering import REFUSED, Gathered, apart, gathered, spread
from relay.store.redis.joining import Joining, Rules
from relay.store.redis.patience import IN_A_SECOND, Patience
from relay.store.redis.replicas import Replicas
from relay.store.redis.scripts import Script
from relay.store.redis.sentinel import Sentinels
from relay.store.redis.wire import LEAST, Command, NotLoaded, Reply, Way, Wire

FIRST_PAUSE = SECOND // 20
"""Between the first two tries to connect; doubled with each that fails."""

LONGEST_PAUSE = SECOND
"""Mail goes on within seconds of the return of Redis, so nobody may wait longer than this to look."""

LATE = SECOND // 5
"""Redis looks ten times a second whose wait is over, so that WAIT may answer so much after its time."""

PROBE = SECOND // 10
"""For a replica that did not confirm, before anything else is written: it is there, or it is not."""


class Link:
    """Runs scripts and commands; every error is one of relay/errors.py.

    `boottime` is a clock in microseconds that never goes back; `chance` gives a number from 0 to 1, so that nodes which
    lost Redis together do not come back together. `crash_point` is told of each script that has to be durable, before
    it is sent (`put-asked`) and when it is answered (`put-answered`).
    """

    def __init__(
        self,
        address: Address,
        rules: Rules,
        *,
        boottime: Callable[[], Instant],
        chance: Callable[[], float],
        patience: Patience = IN_A_SECOND,
        crash_point: CrashPoint = never_dies,
    ) -> None:
        self.address = address
        self._patience = patience
        self._boottime = boottime
        self._chance = chance
        self._crash_point = crash_point
        self.joining = Joining(rules, boottime, patience)
        self._sentinels = Sentinels(address, patience) if address.scheme is Scheme.SENTINEL else None
        self._way = Way(address.login, address.db, is_tls=address.scheme is Scheme.TLS, ca=address.ca)
        self._wire: Wire | None = None
        self._loaded: set[str] = set()
        self._replicas = Replicas()
        self._pause = 0
        self._not_before = 0
        self._why: RelayError | None = None

    @property
    def store_id(self) -> str | None:
        """Whose store it is; None before the first connection."""
        return self.joining.identity.store_id

    @property
    def where(self) -> str:
        """The server that it is connected to, as logs may show it; empty: none."""
        return str(self._wire.host) if self._wire is not None else ""

    @property
    def is_pausing(self) -> bool:
        """Whether a call would fail at once, because the last try to connect was a moment ago."""
        return self._why is not None and self._boottime() < self._not_before

    @property
    def is_away(self) -> bool:
        """Whether the last try to connect failed; then a call costs up to `patience.whole`, or fails at once."""
        return self._why is not None

    def problems(self) -> tuple[Flaw, ...]:
        """What is wrong for as long as it is; safe to call from another thread."""
        return (*self.joining.flaws, *self._replicas.flaws())

    def open(self) -> None:
        """Connects, if it is not connected. StoreBroken, StoreTooNew, StoreNotDurable, StoreUnavailable: why not."""
        self._connected(self._boottime() + self._patience.whole)

    def run(
        self,
        script: Script,
        keys: Sequence[str] = (),
        args: Sequence[Bytes] = (),
        *,
        is_durable: bool = False,
        within: int | None = None,
    ) -> Reply:
        """What the script answers; `within` microseconds, where it may take longer than others.

        StoreUnavailable: not done; StoreSilent: perhaps done; StoreFull: no memory; StoreBroken: it failed.
        """
        [reply] = self.run_many([Call(script, keys, args)], is_durable=is_durable, within=within)
        if isinstance(reply, RelayError):
            raise reply
        return reply

    def run_many(
        self, calls: Sequence[Call], *, is_durable: bool = False, within: int | None = None
    ) -> list[Reply | RelayError]:
        """All in one round trip, those of one script together (`gathering.py`); each one's answer, or its error.

        `is_durable`: confirmed by all replicas before it returns, or each is a StoreSilent. After SCRIPT FLUSH those
        that the server had forgotten run after the others. StoreUnavailable: none was sent.
        """
        until = self._boottime() + (within or self._patience.whole)
        wire = self._connected(until)
        if is_durable:
            if self._replicas.is_short:
                self._refuse_while_short(wire, until)
            self._pass(calls, "asked")
        reply_until = self._reply_until(until, within)
        replies = self._sent(wire, calls, reply_until, is_durable=is_durable)
        forgotten = [place for place, reply in enumerate(replies) if isinstance(reply, NotLoaded)]
        if forgotten:
            self._loaded.clear()
        refused = [place for place, reply in enumerate(replies) if reply == REFUSED and calls[place].script.width]
        for places, is_apart in ((forgotten, False), (refused, True)):
            again = self._again(
                wire, [calls[place] for place in places], reply_until, is_durable=is_durable, is_apart=is_apart
            )
            for place, reply in zip(places, again, strict=True):
                replies[place] = reply
        if is_durable:
            self._pass(calls, "answered")
        return replies

    def _again(
        self, wire: Wire, calls: Sequence[Call], until: Instant, *, is_durable: bool, is_apart: bool
    ) -> Sequence[Reply | RelayError]:
        """Those that were not done, once more; where the connection was lost meanwhile they stay so, and only they."""
        if not calls:
            return ()
        try:
            return self._sent(wire, calls, until, is_durable=is_durable, is_apart=is_apart)
        except StoreUnavailable as error:
            return [error] * len(calls)

    def _pass(self, calls: Sequence[Call], what: str) -> None:
        for call in calls:
            self._crash_point(f"{call.script.name}-{what}")

    def ask(self, *command: Bytes, within: int | None = None) -> Reply:
        """The reply to one command, as to read; errors as in `run`."""
        until = self._boottime() + (within or self._patience.whole)
        return self._connected(until).ask(*command, until=self._reply_until(until, within))

    def ask_all(self, commands: Sequence[Command], *, within: int | None = None) -> list[Reply | RelayError]:
        """All in one round trip; each one's reply, or its error."""
        until = self._boottime() + (within or self._patience.whole)
        return self._connected(until).ask_all(commands, until=self._reply_until(until, within))

    def tend(self) -> None:
        """Looks again at settings and replicas, which people change: for the heartbeat. Errors as in `open`."""
        until = self._boottime() + self._patience.whole
        wire = self._connected(until)
        try:
            facts = self.joining.tend(wire, self._way, until=until)
        except RelayError as error:
            raise self._lost(error) from None
        self._replicas.demanded(self.joining.least_replicas)
        self._replicas.listed(len(facts.replicas), self._boottime())

    def close(self) -> None:
        """Harmless when called twice; the next call connects again."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None
        if self._sentinels is not None:
            self._sentinels.close()

    def _connected(self, until: Instant) -> Wire:
        """The connection, made if need be: one try, and none before the pause after the last has passed."""
        if self._wire is not None and not self._wire.is_cut():
            return self._wire
        if self._why is not None and self.is_pausing:
            raise self._why
        try:
            wire = self._joined(until)
        except RelayError as error:
            raise self._lost(error) from None
        self._pause, self._not_before, self._why = 0, 0, None
        self._wire = wire
        self._loaded.clear()
        return wire

    def _joined(self, until: Instant) -> Wire:
        host = self._sentinels.primary() if self._sentinels is not None else self.address.hosts[0]
        wire = Wire(host, self._way, self._boottime)
        try:
            wire.open(min(until, self._boottime() + self._patience.connect))
            facts = self.joining.join(wire, self._way, until=until)
        except BaseException:
            wire.close()
            raise
        self._replicas.demanded(self.joining.least_replicas)
        self._replicas.met(str(host), len(facts.replicas), self._boottime())
        self._way = replace(self._way, is_proven=True)
        return wire

    def _lost(self, error: RelayError) -> RelayError:
        """Begins the pause before the next try. Nothing of ours was under way, so nothing is in doubt."""
        self.close()
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        self._not_before = self._boottime() + round(self._pause * (1 + self._chance()) / 2)
        self._why = StoreUnavailable(str(error)) if isinstance(error, StoreSilent) else error
        return self._why

    def _sent(
        self, wire: Wire, calls: Sequence[Call], until: Instant, *, is_durable: bool, is_apart: bool = False
    ) -> list[Reply | RelayError]:
        """Scripts that this connection has not used yet go ahead of the calls; the confirmation follows them."""
        new = {call.script.sha: call.script for call in calls if call.script.sha not in self._loaded}
        confirmation = self._confirmation(self._patience.confirm, until) if is_durable else []
        runs = list(apart(calls) if is_apart else gathered(calls))
        commands: list[Command] = [("SCRIPT", "LOAD", script.text) for script in new.values()]
        deeds = [Deed(f"loading {script.name}.lua") for script in new.values()]
        commands += [*(_run_of(calls, run).command for run in runs), *confirmation]
        deeds += [*(_run_of(calls, run).deed for run in runs), *(Deed("confirmation") for _ in confirmation)]
        replies = wire.ask_all(commands, until=until, deeds=deeds)
        if wire.is_open:
            self._loaded.update(new)
        answers = spread(runs, replies[len(new) : len(new) + len(runs)])
        if confirmation and not self._is_confirmed(replies[-1]):
            return [self._unconfirmed(answer, wire) for answer in answers]
        return answers

    def _reply_until(self, until: Instant, within: int | None) -> Instant:
        return until if within else min(until, self._boottime() + self._patience.reply)

    def _confirmation(self, patience: int, until: Instant) -> list[Command]:
        """What asks the replicas, in time to hear the answer; nothing where there are none.

        WAITAOF alone takes a second: a replica that is asked answers before its next fsync, and then only when it
        answers of itself. WAIT makes it answer once, so that WAITAOF, which asks again, hears of the fsync in between:
        0.6 ms instead of 1,003 on Valkey 9.1, with appendfsync always.
        """
        count = self._replicas.counted
        if not count:
            return []
        left = max(min(patience, until - self._boottime() - LATE), LEAST) // 1000
        if self.joining.can_await_disks:
            return [("WAIT", count, left // 2), ("WAITAOF", 1, count, left // 2)]
        return [("WAIT", count, left)]

    def _is_confirmed(self, reply: Reply | RelayError) -> bool:
        seen = reply[1] if isinstance(reply, list) else reply
        if not isinstance(seen, int):
            return False
        is_enough = seen >= self._replicas.counted
        self._replicas.answered(seen, self._boottime())
        return is_enough

    @staticmethod
    def _unconfirmed(answer: Reply | RelayError, wire: Wire) -> RelayError:
        if isinstance(answer, RelayError):
            return answer
        return StoreSilent(f"the replicas of {wire.host} did not confirm in time that they have it too")

    def _refuse_while_short(self, wire: Wire, until: Instant) -> None:
        """Asks the replicas for what was written before. StoreUnavailable: one is missing, and nothing is written."""
        commands = self._confirmation(PROBE, until)
        if commands:
            self._is_confirmed(wire.ask_all(commands, until=self._reply_until(until, None))[-1])
        if self._replicas.is_short:
            raise StoreUnavailable(f"not all of the {self._replicas.counted} replicas of {wire.host} answer")


def _run_of(calls: Sequence[Call], run: Gathered) -> Call:
    first = calls[run.places[0]]
    return Call(first.script, first.keys, run.args)
