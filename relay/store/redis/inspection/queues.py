"""The schedule on the server: queues, what mailboxes count, and the ends that limits count, against the rows.

Law: a queue has what is ready and goes its way, and nothing besides; it is not mended, but made anew from rows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgpack

from relay.core.limits import HOUR
from relay.core.words import AccountId, MailboxId
from relay.store.engine.routes import Routes
from relay.store.engine.values import LANES
from relay.store.redis.inspection.pages import Pages, row_of
from relay.store.redis.inspection.wrong import Wrong
from relay.store.redis.keys import BUSY, CLOCK, of_mailbox
from relay.store.redis.keys import member as member_of
from relay.store.redis.keys import ready as ready_key
from relay.store.redis.rowkeys import index_key, table_key
from relay.store.redis.tables import TABLES
from relay.store.redis.visit import Visit

WINDOW: int = 49 * HOUR
"""Ends are kept for fifty hours; of the last of them some may just be going."""

Ready = Mapping[int, tuple[int, int]]
"""Account and lane by delivery."""

Waiting = tuple[AccountId, int, list[int]]
"""Of one account in one lane: its deliveries."""


class Queues:
    """Those of all mailboxes."""

    def __init__(self, visit: Visit, pages: Pages, routes: Routes | None) -> None:
        """Without `routes` no queue is looked at."""
        self._visit = visit
        self._pages = pages
        self._routes = routes

    def of(self, ready: Ready, queues: Iterable[str]) -> Iterator[Wrong]:
        """Queues that are there, and what mailboxes count, against what is ready."""
        if self._routes is None:
            return
        waiting, routes = self._waiting(ready), self._routes
        expected: dict[str, set[int]] = {}
        for sender, lane, ids in waiting:
            expected.setdefault(ready_key(routes.mailbox_of(sender), sender, LANES[lane]), set()).update(ids)
        for key in {*queues, *expected}:
            found = {int(each) for each in self._visit.ask("ZRANGE", key, 0, -1)}
            wanted = expected.get(key, set())
            for each in sorted(wanted - found):
                yield Wrong("a delivery that is ready is in no queue", str(each), is_queue=True, key=key)
            for each in sorted(found - wanted):
                yield Wrong("a queue has what is not ready, or goes another way", str(each), is_queue=True, key=key)
        yield from self._of_lines(waiting, routes)

    def _waiting(self, ready: Ready) -> list[Waiting]:
        """What is ready of each account that is known, by lane."""
        queues: dict[tuple[int, int], list[int]] = {}
        for each, queue in ready.items():
            queues.setdefault(queue, []).append(each)
        rows = [self._visit.ask("HGET", table_key("accounts"), account) for account, _ in queues]
        return [
            (AccountId(row["sender"]), lane, ids)
            for ((_, lane), ids), packed in zip(queues.items(), rows, strict=True)
            if packed is not None and (row := row_of(TABLES["accounts"], packed)) is not None
        ]

    def _of_lines(self, waiting: Iterable[Waiting], routes: Routes) -> Iterator[Wrong]:
        """What each mailbox counts, against what is ready there."""
        busy = {each.decode(errors="surrogateescape") for each in self._visit.ask("ZRANGE", BUSY, 0, -1)}
        counted: Counter[tuple[MailboxId, int]] = Counter()
        for sender, lane, ids in waiting:
            mailbox = routes.mailbox_of(sender)
            if mailbox is not None:
                counted[mailbox, lane] += len(ids)
        boxes = sorted({mailbox for mailbox, _ in counted} | {MailboxId(*each.split(" ", 1)) for each in busy})
        for mailbox in boxes:
            packed = self._visit.ask("HGET", of_mailbox(mailbox, "line"), "state")
            state = [0, 0] if packed is None else msgpack.unpackb(packed, raw=True)
            wanted = [counted[mailbox, lane] for lane in (0, 1)]
            if list(state[:2]) != wanted or (sum(wanted) > 0) != (member_of(mailbox) in busy):
                yield Wrong("a mailbox counts what is ready wrongly", "", is_queue=True, key=member_of(mailbox))

    def of_ends(self) -> Iterator[Wrong]:
        """Each attempt that counts is counted, and none besides."""
        clock = self._visit.ask("HGET", CLOCK, "last")
        table = TABLES["attempts"]
        for pairs in self._pages.scanned("HSCAN", table_key("mailboxes")):
            for number, packed in pairs:
                mailbox = row_of(TABLES["mailboxes"], packed)
                if mailbox is None:
                    continue
                tried = index_key("attempts", "tried", (int(number),))
                newest = self._visit.ask("ZREVRANGE", tried, 0, 0, "WITHSCORES")
                if not newest:
                    continue
                since = max(float(clock or 0), float(newest[1])) - WINDOW
                ids = self._visit.ask("ZRANGEBYSCORE", tried, f"{since:.0f}", "+inf")
                found = self._visit.ask("HMGET", table_key("attempts"), *ids) if ids else []
                rows = [row_of(table, each) for each in found if each is not None]
                wanted = Counter(int(row["ended_at"]) for row in rows if row is not None and row["counted"])
                ends = of_mailbox(MailboxId(mailbox["provider"], mailbox["username"]), "ends")
                scores = self._visit.ask("ZRANGEBYSCORE", ends, f"{since:.0f}", "+inf", "WITHSCORES")[1::2]
                if Counter(int(float(each)) for each in scores) != wanted:
                    yield Wrong("what limits count of a mailbox is not what it tried", f"mailbox {int(number)}")
