"""How many deliveries of each account are not final, counted where they lie: the port `Pending` of the engine.

Law: they are those of the indexes and of what this operation writes; none is kept from one operation to the next.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from relay.core.words import DeliveryId
from relay.store.engine.ground import Line
from relay.store.redis.answers.history import LANES, STALLED, accepted_at, oldest_of
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.rowkeys import PENDING
from relay.store.redis.scripts import Script, load_script
from relay.store.redis.tables import TABLES

AT_ONCE: int = 200
"""Accounts that one run of the script counts: a millisecond of the server's time."""

SCANNED: int = 1_000
"""Accounts of the set asked for at once."""

Argument = bytes | str | int


class Counting(Protocol):
    """What runs a script and asks for a set."""

    def run(self, script: Script, keys: tuple[str, ...], args: tuple[Argument, ...], /) -> Any: ...
    def ask(self, *command: Argument) -> Any: ...


class Present(Protocol):
    """Where the operation that runs now is."""

    @property
    def ledger(self) -> RedisLedger: ...


class RedisPending:
    """The deliveries of all accounts that are not final, as the operation that runs now sees them."""

    def __init__(self, opened: Present, link: Counting) -> None:
        self._opened = opened
        self._link = link
        self._script = load_script("pending")
        self._known: dict[int, Line | None] = {}
        self._known_to: RedisLedger | None = None

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        accounts = sorted(self._listed() | self._touched())
        self.look(accounts)
        lines = ((account, self.line(account)) for account in accounts)
        return iter([(account, line) for account, line in lines if line is not None])

    def look(self, accounts: Iterable[int]) -> None:
        """Counts several at once: `line` has them at hand for as long as this operation lasts."""
        known = self._cache()
        wanted = [each for each in dict.fromkeys(accounts) if each not in known]
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            counts = self._link.run(self._script, (), tuple(some))
            for account, waiting, held, oldest in zip(some, counts[::3], counts[1::3], counts[2::3], strict=True):
                known[account] = Line(waiting, held, oldest) if waiting or held else None

    def line(self, account: int) -> Line | None:
        """One account; None: it has nothing that is not final."""
        if account in self._touched():
            return self._counted(account)
        self.look([account])
        return self._cache()[account]

    def went(self, account: int, *, was_held: bool) -> None:
        """A delivery is final: its row says so."""

    def held(self, account: int) -> None:
        """A delivery that waited is held by itself: its row says so."""

    def released(self, account: int) -> None:
        """A delivery that was held by itself waits again: its row says so."""

    def recalled(self, account: int, delivery: DeliveryId) -> None:
        """A delivery that was final is held by itself."""
        self._opened.ledger.act("pending.add", account)

    def accepted_at(self, accounts: list[int]) -> int | None:
        """When the oldest delivery of any of these accounts came in, wall time."""
        self.look(accounts)
        lines = (self.line(account) for account in accounts)
        oldest = min((line.oldest for line in lines if line is not None), default=None)
        found = [] if oldest is None else accepted_at(self._opened.ledger, oldest)
        return int(found[0][0]) if found else None

    def _cache(self) -> dict[int, Line | None]:
        """What this operation has counted."""
        if self._opened.ledger is not self._known_to:
            self._known, self._known_to = {}, self._opened.ledger
        return self._known

    def _touched(self) -> set[int]:
        """Accounts of which this operation writes deliveries."""
        place = list(TABLES["deliveries"].columns).index("account")
        rows = self._opened.ledger.written("deliveries").values()
        return {values[place] for values in rows if values is not None}

    def _counted(self, account: int) -> Line | None:
        """One account, with what this operation writes."""
        ledger = self._opened.ledger
        waiting = sum(ledger.count("deliveries", "ready", (account, lane)) for lane in LANES)
        late, held = (ledger.count("deliveries", "stalled", (account, state)) for state in STALLED)
        ((oldest,),) = oldest_of(ledger, account)
        return None if oldest is None else Line(waiting + late, held, oldest)

    def _listed(self) -> set[int]:
        """Accounts that may have something."""
        cursor, found = b"0", set[int]()
        while True:
            cursor, members = self._link.ask("SSCAN", PENDING, cursor, "COUNT", SCANNED)
            found.update(map(int, members))
            if cursor == b"0":
                return found
